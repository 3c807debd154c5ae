// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SESSION_RUNTIME_HPP
#define SPARKHOST_SESSION_RUNTIME_HPP

#include <sparkhost/backend.hpp>
#include <sparkhost/error.hpp>
#include <sparkhost/session.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost {

/// Receives what a running statement says, in order. Called on the host's strand.
class OutputSink {
public:
    virtual ~OutputSink() = default;
    enum class Stream { standard_output, standard_error };
    virtual void output(Stream stream, std::string chunk) = 0;
    virtual void progress(double fraction) = 0;  ///< 0 … 1
};

/// A byte stream to the agent in a driver that has claimed its ticket. Owned by the conversation.
class AgentConnection {
public:
    virtual ~AgentConnection() = default;
    /// Reads at least one byte. An empty string is the end of the stream.
    virtual Awaitable<std::string> read_some(std::size_t limit) = 0;
    /// Writes everything. Errors: backend_failed – the connection is gone.
    virtual Awaitable<void> write(std::string bytes) = 0;
    virtual void close() = 0;
};

/// A live session. Statements run one at a time, in the order of their calls.
class Conversation {
public:
    virtual ~Conversation() = default;

    /// Runs a statement, or resumes one that ran when the host was restarted: the agent knows
    /// it by its id and never runs it twice. Output already received is not given again.
    /// Not an error: code that fails (StatementResult::succeeded is false).
    /// Errors: backend_failed – the driver is gone; stopped – close() was called.
    virtual Awaitable<StatementResult> execute(StatementSpec statement,
                                               std::shared_ptr<OutputSink> sink) = 0;

    /// Stops a statement that runs or waits, and no other. A statement that is over, or unknown,
    /// is a success. The session stays usable. Errors: backend_failed.
    virtual Awaitable<void> interrupt(StatementId statement) = 0;

    /// Completions of `code` at `cursor` (bytes). Errors: not_supported, backend_failed.
    struct CompletionRequest {
        std::string kind{};
        std::string code{};
        std::size_t cursor{0};
    };
    virtual Awaitable<std::vector<std::string>> complete(CompletionRequest request) {
        (void)request;
        co_return Errc::not_supported;
    }

    /// Ends the agent; completes when it has said goodbye or the connection is gone. Idempotent.
    virtual Awaitable<void> close() = 0;
};

/// Turns "a session of these kinds" into an application and a conversation with it.
///
/// Thread safety, blocking, exceptions: as Backend.
class SessionRuntime {
public:
    struct Traits {
        std::string name{};
        std::vector<std::string> kinds{};  ///< "pyspark", "sql", …
    };

    struct SessionRequest {
        std::string store_uuid{};
        SessionId id{};
        int attempt{1};
        SessionSpec session{};
        std::string agent_endpoint{};  ///< where the agent dials: "unix:/path" or "tcp:host:port"
        std::string claim_file{};  ///< 0600 file with the one-time secret, readable by the driver
    };

    virtual ~SessionRuntime() = default;

    virtual Traits traits() const = 0;

    /// What to launch: the agent and its settings. Starts nothing; the same request gives the
    /// same answer. Errors: invalid_argument – a kind it does not speak, a setting it refuses.
    virtual Awaitable<SubmitRequest> prepare(SessionRequest request) = 0;

    /// Takes up the conversation on a connection whose agent has claimed its ticket, or has
    /// resumed with its key. Errors: backend_failed – the agent does not speak this protocol.
    virtual Awaitable<std::unique_ptr<Conversation>> attach(
        std::unique_ptr<AgentConnection> connection) = 0;
};

}  // namespace sparkhost

#endif
