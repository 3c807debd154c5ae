// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTING_FAKE_RUNTIME_HPP
#define SPARKHOST_TESTING_FAKE_RUNTIME_HPP

#include <sparkhost/session_runtime.hpp>
#include <sparkhost/testing/fake_backend.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost::detail::fake_agents {
struct World;
}

namespace sparkhost::testing {

/// What a piece of code does when it is run.
struct FakeStatement {
    std::vector<OutputChunk> output{};  ///< written first
    StatementResult result{};           ///< then it ends so
    bool endless{false};                ///< it does not end by itself
    /// An interrupt reaches it (OutputSink::unheeded) and it goes on.
    bool swallows_interrupts{false};
};

struct FakeAgentsOptions {
    /// Dials again every 20 ms while it has no connection. Default: only when told to (redial()).
    bool redials_by_itself{false};
    /// Statements that may wait in a session; one more is rejected. Default: 1000
    std::size_t max_waiting{1000};
};

struct FakeRuntimeOptions {
    std::string name{"fake-runtime"};                  ///< traits().name. Default: "fake-runtime"
    std::vector<std::string> kinds{"pyspark", "sql"};  ///< Default: "pyspark", "sql"
};

/// Drivers in memory with an agent in each. They outlive the host that launched them, as real ones
/// do: they dial its agent endpoint, claim their ticket with the secret from the claim file, and
/// resume with their key when they have lost the connection and redial().
///
///     auto agents = std::make_shared<FakeAgents>(executor);
///     auto cluster = std::make_shared<FakeCluster>();
///     // host: make_fake_backend(cluster), make_fake_runtime(agents)
///     co_spawn(executor, agents->run_on(cluster), …);  // sessions come up by themselves
///     agents->answer("1+1", {.result = …});            // other code echoes itself
///     agents->hold("statement");                       // what runs now stays running
///     co_await agents->until_running(id, StatementId{0});
///     agents->drop_connection(id);
///
/// A conversation behaves as the Spark runtime's: what is said is kept by the agent until it is
/// settled, and said again to the next conversation as soon as that runs. So a host that calls
/// execute() after run() for what an earlier conversation had begun misses output here, too. The
/// kind of a statement must be one of the agent's: an empty one is invalid_argument.
///
/// Thread safety: none; the executor, the host and all calls belong to one strand (one io_context
/// that is run by one thread). Lifetime: destroying it ends all agents, and is due before the
/// executor's context goes away. Conversations and runtimes may outlive it.
///
/// Functions that steer a session throw std::invalid_argument where prepare() has not seen it, or
/// where nothing runs that they need. `until_…` complete at once when it is so already, or when
/// they are cancelled.
class FakeAgents {
public:
    explicit FakeAgents(boost::asio::any_io_executor executor, FakeAgentsOptions options = {});
    ~FakeAgents();
    FakeAgents(const FakeAgents&) = delete;
    FakeAgents& operator=(const FakeAgents&) = delete;

    // What code does.

    /// From now on this code does so. Unless told, code ends well with itself as `text/plain`.
    void answer(std::string code, FakeStatement statement);
    /// Words that complete() knows. Default: "print", "spark"
    void know_words(std::vector<std::string> words);

    // Gates.

    /// Operations wait here until let_go(), or are done by hand:
    /// - "prepare", "release": calls of the runtime;
    /// - "dial": agents that are about to dial;
    /// - "ready": agents that are connected, and whose Spark is not there yet;
    /// - "statement": a statement that has begun and written its output stays running;
    /// - "exit": agents that have said that their session has ended.
    void hold(std::string operation);
    void let_go(std::string operation);
    /// The next `count` calls ("prepare", "release", "add") fail with `error` before doing
    /// anything.
    void fail_next(std::string operation, Error error, std::size_t count = 1);
    /// The next agent that gets ready says failed() instead, then ended() ("spark_failed").
    void fail_start(StatementResult why);

    // Drivers.

    /// Launches the agent of a session that has been prepared: it dials once, and is ready when it
    /// has been granted. Once per ticket; later calls do nothing.
    void start(SessionId session);
    /// Launches what a FakeBackend submits to the cluster (tickets "…-session-<id>-<attempt>") and
    /// reports it there: started, context up ("fake-session-<id>"), and its end when the agent has
    /// exited. What has ended there, because it was killed or otherwise, loses its agent.
    /// Runs until cancelled, also beyond this object; agents live on. May be called again.
    boost::asio::awaitable<void> run_on(std::shared_ptr<FakeCluster> cluster);

    // Steering a session.

    void write(SessionId session, OutputChunk chunk);  ///< stray where no statement runs
    void progress(SessionId session, double fraction);
    void finish(SessionId session, StatementResult result);  ///< ends what runs
    /// The time of InterruptRequest::end_session_after is over: the session ends
    /// ("interrupt_unheeded") if that statement still runs. A time of zero is over by itself.
    void pass_interrupt_deadline(SessionId session);
    /// Leaves the connection, if there is one, and dials again. An agent that has not been granted
    /// yet claims, with the same nonce.
    void redial(SessionId session);
    void drop_connection(SessionId session);
    /// The next grant is lost with its connection: the agent will claim again.
    void lose_next_grant(SessionId session);
    /// The driver is gone without a word. Its cluster reports exit code 1.
    void crash(SessionId session);

    // Looking.

    /// How often this code has begun in this session: never more than it was asked for, or the
    /// host is wrong.
    std::size_t runs(SessionId session, std::string code) const;
    /// Code of the last `refuse`: "claimed", "unknown", "ended", "later", "version"; or empty.
    std::string last_refusal(SessionId session) const;
    bool is_connected(SessionId session) const;
    std::vector<SessionFile> files(SessionId session) const;  ///< that it has been given
    /// Exit code of its driver, as docs/agent_protocol.md has them: 0 – closed.
    std::optional<int> exit_code(SessionId session) const;
    /// The last request that prepare() has seen.
    std::optional<SessionRuntime::SessionRequest> prepared(SessionId session) const;
    /// Calls so far of "prepare" and "release", also those that wait or failed; of "dial": agents
    /// about to dial.
    std::size_t calls(std::string operation) const;
    /// Dials of this session that have been granted, refused or have failed.
    std::size_t dials(SessionId session) const;

    // Waiting.

    boost::asio::awaitable<void> until_called(std::string operation, std::size_t count = 1);
    boost::asio::awaitable<void> until_dialled(SessionId session, std::size_t count = 1);
    boost::asio::awaitable<void> until_connected(SessionId session);
    /// Until it has begun; it may be over.
    boost::asio::awaitable<void> until_running(SessionId session, StatementId statement);
    boost::asio::awaitable<void> until_ended(SessionId session);  ///< its driver has exited

private:
    friend std::unique_ptr<SessionRuntime> make_fake_runtime(std::shared_ptr<FakeAgents> agents,
                                                             FakeRuntimeOptions options);
    std::shared_ptr<detail::fake_agents::World> world_;
};

/// A SessionRuntime whose sessions run on FakeAgents. prepare() gives the subject "session-<id>"
/// and the session's spec with the file "fake://agent" and the ticket as its only argument.
std::unique_ptr<SessionRuntime> make_fake_runtime(std::shared_ptr<FakeAgents> agents,
                                                  FakeRuntimeOptions options = {});

}  // namespace sparkhost::testing

#endif
