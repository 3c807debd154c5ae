// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_RUNTIMES_SPARK_AGENT_MESSAGES_HPP
#define SPARKHOST_SRC_RUNTIMES_SPARK_AGENT_MESSAGES_HPP

// The messages of docs/agent_protocol.md as values, and their JSON.

#include <sparkhost/error.hpp>
#include <sparkhost/session.hpp>
#include <sparkhost/session_runtime.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sparkhost::detail::spark {

/// Longest line either side may send, with its end.
inline constexpr std::size_t max_line = 32u << 20;

/// Bytes in, lines out.
class LineReader {
public:
    /// Gives the lines that are complete now, without their ends.
    /// Errors: backend_failed – a line is longer than max_line.
    Result<std::vector<std::string>> feed(std::string_view bytes);

private:
    std::string rest_{};
};

struct AgentStatus {
    enum class State { starting, idle, busy };
    State state{State::starting};
};
struct AgentReady {
    SessionFacts facts{};
};
struct AgentFailed {
    StatementResult why{};
};
struct AgentOutput {
    OutputSink::Stream stream{OutputSink::Stream::standard_output};
    std::string bytes{};
};
struct AgentResult {
    StatementResult result{};
};
struct AgentUnheeded {
    std::int64_t attempts{0};
};
struct AgentRejected {
    std::string code{};
    std::string detail{};
};
struct AgentBye {
    SessionEnd end{};
};
struct AgentProgress {
    std::int64_t completed{0};
    std::int64_t total{0};
};
struct AgentCompletion {
    std::int64_t request{0};
    Completion completion{};
};
struct AgentAdded {
    std::int64_t request{0};
    std::optional<std::string> fault{};
};
struct AgentAck {};
struct AgentPing {
    std::string id{};  ///< JSON, to be given back
};
/// `pong`, and whatever a later version says.
struct AgentOther {};

struct AgentMessage {
    std::int64_t seq{0};  ///< 0: not numbered
    std::optional<StatementId> statement{};
    std::variant<AgentOther, AgentStatus, AgentReady, AgentFailed, AgentOutput, AgentResult,
                 AgentUnheeded, AgentRejected, AgentBye, AgentProgress, AgentCompletion, AgentAdded,
                 AgentAck, AgentPing>
        body{};
};

/// Errors: backend_failed – the line breaks the protocol; `detail` says how.
Result<AgentMessage> read_message(std::string_view line);

// What the host says, each with its line end.
std::string write_execute(std::int64_t seq, const StatementSpec& statement);
std::string write_interrupt(std::int64_t seq, const InterruptRequest& request);
std::string write_complete(std::int64_t request, const Conversation::CompletionRequest& what);
std::string write_add(std::int64_t request, const SessionFile& file);
std::string write_close(std::int64_t seq);
std::string write_ack(std::int64_t received);
std::string write_pong(const std::string& id);

}  // namespace sparkhost::detail::spark

#endif
