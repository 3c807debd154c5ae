// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_TESTING_FAKE_RUNTIME_WORLD_HPP
#define SPARKHOST_SRC_TESTING_FAKE_RUNTIME_WORLD_HPP

// What FakeAgents are: drivers, what they run and how they are connected. Everything belongs to
// one strand.

#include "waiter.hpp"

#include <sparkhost/testing/fake_runtime.hpp>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::detail::fake_agents {

using WaiterPtr = std::shared_ptr<Waiter>;
using Socket = asio::generic::stream_protocol::socket;

/// Between dials of agents that dial by themselves.
inline constexpr std::chrono::milliseconds back_off{20};

class Talk;
/// What an agent says: told to the conversation in its run().
using Message = std::function<void(Talk&)>;

/// A statement as its agent knows it.
struct Statement {
    StatementSpec spec{};
    testing::FakeStatement script{};
    bool begun{false};
    bool settled{false};
    bool has_deadline{false};  ///< InterruptRequest::end_session_after is running
    std::vector<OutputChunk> output{};
    std::int64_t unheeded{0};
    std::optional<StatementResult> result{};
};

/// The process of one ticket, with its agent.
class Driver {
public:
    Driver(struct World& world, SessionRuntime::SessionRequest request,
           std::vector<std::string> kinds, std::string nonce);

    // Commands of a conversation.
    void execute(StatementSpec spec);
    void interrupt(const InterruptRequest& request);
    void settle(StatementId id);
    void settle_session(bool ready_told, bool end_told);
    void complete(std::int64_t number, const Conversation::CompletionRequest& request);
    void add(std::int64_t number, const SessionFile& file);
    void close() { end("closed", 0); }
    void end_was_told();

    // What happens to the session.
    void advance();  ///< goes on with what can go on
    void write(OutputChunk chunk);
    void progress(double fraction);
    void finish(StatementResult result);
    void let_statement_go();
    void let_exit_go();
    void pass_deadline();
    void quit(int code, const std::string& reason);

    // The connection, see fake_runtime_dial.cpp.
    void attach(std::uint64_t to_link, std::weak_ptr<Talk> to);
    void leave();  ///< the connection, or the dial that is under way
    bool has_begun(StatementId id) const;

    SessionRuntime::SessionRequest request{};
    std::vector<std::string> kinds{};
    std::string nonce{};
    std::string secret{};
    std::string resume_key{};
    bool started{false};
    bool granted{false};  ///< at least once
    bool loses_grant{false};
    std::string last_refusal{};
    std::size_t dials{0};
    std::uint64_t dial{0};  ///< number of the current one: older ones are void
    std::uint64_t link{0};  ///< number of the connection; 0: none
    std::shared_ptr<Socket> socket{};
    std::shared_ptr<asio::steady_timer> pause{};
    std::optional<int> exit_code{};
    std::shared_ptr<testing::FakeCluster> cluster{};
    std::string cluster_ticket{};
    std::vector<SessionFile> files{};

private:
    void say(Message message);
    void replay();
    void get_ready();
    void begin(StatementId id);
    void conclude(StatementId id, StatementResult result);
    void cancel_waiting(StatementId id);
    void end(std::string reason, int code);
    void say_ready();
    void say_result(StatementId id, StatementResult result);
    void say_output(StatementId id, OutputChunk chunk);
    Statement& what_runs();

    World& world_;
    bool ready_{false};
    bool ready_settled_{false};
    std::optional<StatementResult> failure_{};
    std::optional<SessionEnd> end_{};
    int end_code_{0};
    bool end_told_{false};
    bool end_settled_{false};
    std::map<StatementId, Statement> statements_{};
    std::deque<StatementId> waiting_{};
    StatementId unwanted_{};  ///< interrupted before it came
    std::optional<StatementId> running_{};
    std::vector<OutputChunk> strays_{};
    std::weak_ptr<Talk> talk_{};
};
using DriverPtr = std::shared_ptr<Driver>;

struct World : std::enable_shared_from_this<World> {
    asio::any_io_executor executor{};
    testing::FakeAgentsOptions options{};
    std::map<std::string, testing::FakeStatement> scripts{};
    std::vector<std::string> words{"print", "spark"};
    std::set<std::string> held{};
    std::map<std::string, std::size_t> calls{};
    std::map<std::string, std::pair<Error, std::size_t>> failures{};
    std::optional<StatementResult> start_failure{};
    std::map<SessionId, DriverPtr> drivers{};
    std::map<std::pair<SessionId, std::string>, std::size_t> runs{};
    std::vector<WaiterPtr> waiters{};
    std::uint64_t numbers{0};  ///< of dials, links and nonces
    bool over{false};

    bool holds(const std::string& operation) const { return held.contains(operation); }
    void count(const std::string& operation);
    void notify();
    DriverPtr find(SessionId session) const;  ///< null: not prepared
    Driver& at(SessionId session) const;      ///< throws std::invalid_argument
    testing::FakeStatement script_of(const std::string& code) const;
    void prepare(const SessionRuntime::SessionRequest& request, std::vector<std::string> kinds);
    void start(const DriverPtr& driver);
    void dial(const DriverPtr& driver, std::chrono::milliseconds after = {});
    void end();
};
using WorldPtr = std::shared_ptr<World>;

/// Until it holds; at once when cancelled, or when the world has come to its end.
asio::awaitable<void> wait_until(WorldPtr world, std::function<bool()> holds);

/// Launches and follows what the cluster has been given.
asio::awaitable<void> run_on_cluster(WorldPtr world, std::shared_ptr<testing::FakeCluster> cluster);

/// Lets the process dial, and keeps its connection; `number` is Driver::dial.
asio::awaitable<void> dial_host(WorldPtr world, DriverPtr driver, std::uint64_t number,
                                std::chrono::milliseconds after);

std::unique_ptr<Conversation> make_conversation(WorldPtr world,
                                                SessionRuntime::AttachRequest request);

}  // namespace sparkhost::detail::fake_agents

#endif
