// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_TESTING_FAKE_RUNTIME_FIXTURE_HPP
#define SPARKHOST_TESTS_UNIT_TESTING_FAKE_RUNTIME_FIXTURE_HPP

#include <sparkhost/testing/fake_runtime.hpp>

#include "support/agent_host.hpp"
#include "support/agent_socket.hpp"
#include "support/printing.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::testing::fake_runtime_test {

namespace asio = boost::asio;
using test::RecordedOutput;
using test::RecordedSession;
using Words = std::vector<std::string>;

template <class T>
using Answer = std::shared_ptr<std::optional<Result<T>>>;

/// Agents, a host reduced to where they dial, and one conversation at a time.
struct Fixture {
    asio::io_context io{1};
    test::TempDir dir;
    std::shared_ptr<FakeAgents> agents{make_agents()};
    std::unique_ptr<SessionRuntime> runtime{make_fake_runtime(agents)};
    std::unique_ptr<test::AgentHost> host{make_host()};
    std::shared_ptr<RecordedSession> session{};
    std::unique_ptr<Conversation> talk{};
    Answer<void> over{};
    asio::cancellation_signal leave{};
    const SessionId id{7};

    std::shared_ptr<FakeAgents> make_agents(FakeAgentsOptions options = {}) {
        return std::make_shared<FakeAgents>(io.get_executor(), options);
    }
    std::unique_ptr<test::AgentHost> make_host() {
        return std::make_unique<test::AgentHost>(io, "unix:" + (dir / "agents").string());
    }
    SessionRuntime::SessionRequest request() {
        SessionRuntime::SessionRequest made;
        made.store_uuid = "01234567-89ab";
        made.id = id;
        made.session.kind = "pyspark";
        made.session.spec.name = "exploring";
        made.ticket = "01234567-session-7-1";
        made.agent_endpoint = host->address();
        made.claim_file = dir.write("claim", "the secret\n").string();
        return made;
    }
    Result<SubmitRequest> prepare(SessionRuntime::SessionRequest wanted) {
        return test::run_on(io, [&] { return runtime->prepare(wanted); });
    }
    /// Runs what can run now.
    void settle() {
        io.restart();
        io.poll();
    }
    /// Until the agent is connected and the host has its connection.
    void connect() {
        test::run_on(io, [&] { return agents->until_connected(id); });
        settle();
    }
    void launch() {
        prepare(request()).value();
        agents->start(id);
        connect();
    }
    void attach() {
        session = std::make_shared<RecordedSession>();
        host->gate->admitted.sink = session;
        talk = runtime->attach(std::move(host->gate->admitted));
    }
    template <class T>
    Answer<T> ask(Awaitable<T> call, asio::cancellation_slot slot = {}) {
        auto answer = std::make_shared<std::optional<Result<T>>>();
        auto keep = [answer](std::exception_ptr escaped, Result<T> result) {
            BOOST_TEST(!escaped);
            *answer = std::move(result);
        };
        asio::co_spawn(io, std::move(call), asio::bind_cancellation_slot(slot, std::move(keep)));
        settle();
        return answer;
    }
    void converse() { over = ask(talk->run(), leave.slot()); }
    void open() {
        launch();
        attach();
        converse();
    }
    /// The next conversation, with what it was asked before it ran.
    void reopen() {
        agents->redial(id);
        connect();
        attach();
    }
    Answer<StatementResult> execute(std::int64_t number, std::string code,
                                    std::shared_ptr<RecordedOutput> sink = {}) {
        return ask(talk->execute(StatementSpec{StatementId{number}, "pyspark", std::move(code)},
                                 sink ? sink : std::make_shared<RecordedOutput>()));
    }
    void interrupt(std::int64_t number) {
        talk->interrupt(InterruptRequest{StatementId{number}, {}});
        settle();
    }

    ~Fixture() {
        talk.reset();
        host.reset();
        agents.reset();
        test::drain(io);
    }
};

inline std::string plain(const Answer<StatementResult>& answer) {
    BOOST_TEST_REQUIRE(answer->has_value());
    BOOST_TEST_REQUIRE((*answer)->has_value());
    const auto& data = (**answer)->data;
    const auto found = data.find("text/plain");
    return found == data.end() ? "" : found->second;
}

inline StatementOutcome outcome(const Answer<StatementResult>& answer) {
    BOOST_TEST_REQUIRE(answer->has_value());
    BOOST_TEST_REQUIRE((*answer)->has_value());
    return (**answer)->outcome;
}

}  // namespace sparkhost::testing::fake_runtime_test

#endif
