// SPDX-License-Identifier: Apache-2.0
//
// 08: unit-test an application that runs code in sessions, without Spark and without waiting.
//
// You learn: how agents in memory take the place of drivers; to script what code does, and to let
//   a minute pass on a clock moved by hand. Lesson 6 does the same for batches.
// How to run: 08_unit_testing_sessions
// Expected output:
//   Running 3 test cases...
//   …
//   *** No errors detected
#include <sparkhost/host.hpp>
#include <sparkhost/storages/memory.hpp>
#include <sparkhost/testing/fake_runtime.hpp>
#include <sparkhost/testing/manual_clock.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <filesystem>

#define BOOST_TEST_MODULE question_box
#include <boost/test/unit_test.hpp>

namespace asio = boost::asio;
using namespace std::chrono_literals;
using sparkhost::SessionId, sparkhost::StatementId, sparkhost::StatementState;
using sparkhost::testing::FakeAgents, sparkhost::testing::FakeCluster;
using sparkhost::testing::FakeStatement, sparkhost::testing::ManualClock;

// ---- the application ---------------------------------------------------------------------------

/// Answers a question with what its code echoes. It waits for its turn, then may run for a minute.
asio::awaitable<std::string> ask(sparkhost::Sessions sessions, SessionId id, std::string code) {
    sparkhost::StatementSpec question{.code = std::move(code)};
    const auto number = (co_await sessions.execute(id, std::move(question))).value().spec.id;
    sparkhost::StatementChangeRequest turn{
        .session = id, .id = number, .not_state = StatementState::waiting};
    (co_await sessions.wait_for_change(turn)).value();

    sparkhost::StatementChangeRequest end{
        .session = id, .id = number, .not_state = StatementState::running, .timeout = 1min};
    const auto ended = co_await sessions.wait_for_change(end);
    const bool too_long = !ended && ended.error().is(sparkhost::Errc::timed_out);
    if (too_long) {
        sparkhost::InterruptRequest stop{.statement = number};
        (co_await sessions.interrupt(id, stop)).value();
    }
    const auto statement = (co_await sessions.wait(id, number)).value();
    const auto& result = statement.result.value();
    if (result.outcome == sparkhost::StatementOutcome::ok) {
        co_return result.data.at("text/plain");
    }
    co_return too_long ? "it took too long" : "sorry: " + result.error_value;
}

// ---- its tests ---------------------------------------------------------------------------------

/// A host whose sessions are agents in memory, and the event loop they live on.
struct Fixture {
    std::filesystem::path folder = std::filesystem::current_path() / "sessions";
    asio::io_context io{1};
    std::shared_ptr<FakeCluster> cluster = std::make_shared<FakeCluster>();
    std::shared_ptr<FakeAgents> agents = std::make_shared<FakeAgents>(io.get_executor());
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    sparkhost::Host host{io.get_executor(), {.agent_folder = folder}, plugins()};

    sparkhost::HostPlugins plugins() {
        sparkhost::HostPlugins parts{.storage = sparkhost::make_memory_storage(), .clock = clock};
        parts.backends.push_back(sparkhost::testing::make_fake_backend(cluster));
        parts.runtimes.push_back(sparkhost::testing::make_fake_runtime(agents));
        return parts;
    }

    /// Opens a session, asks in it, beside what `happens`, and gives the answer.
    std::string answer_to(std::string code, asio::awaitable<void> happens) {
        std::string answer;
        const auto rethrow = [](std::exception_ptr failure, auto&&...) {
            if (failure) {
                std::rethrow_exception(failure);
            }
        };
        asio::cancellation_signal over;
        asio::co_spawn(io, agents->run_on(cluster),  // what the host submits there is launched
                       asio::bind_cancellation_slot(over.slot(), asio::detached));
        asio::co_spawn(io, host.run(), rethrow);
        asio::co_spawn(io, std::move(happens), rethrow);
        asio::co_spawn(io, open_and_ask(std::move(code)),
                       [&](std::exception_ptr failure, std::string text) {
                           answer = std::move(text);
                           host.stop();
                           over.emit(asio::cancellation_type::terminal);
                           agents.reset();  // drivers outlive hosts: these are not to
                           rethrow(failure);
                       });
        io.run();
        return answer;
    }
    asio::awaitable<std::string> open_and_ask(std::string code) {
        sparkhost::SessionSpec spec{.kind = "pyspark"};
        const auto session = (co_await host.sessions().open(std::move(spec))).value();
        co_return co_await ask(host.sessions(), session.id, std::move(code));
    }

    asio::awaitable<void> nothing() { co_return; }
    /// The code has run for a minute.
    asio::awaitable<void> a_minute_passes() {
        const SessionId session{0};
        const StatementId statement{0};
        co_await agents->until_running(session, statement);
        co_await clock->until_sleepers(1);  // the application's patience
        clock->advance(1min);
    }
};

BOOST_FIXTURE_TEST_CASE(what_the_code_echoes_is_the_answer, Fixture) {
    FakeStatement script;
    script.result.data["text/plain"] = "42";
    agents->answer("6 * 7", script);

    BOOST_TEST(answer_to("6 * 7", nothing()) == "42");
}

BOOST_FIXTURE_TEST_CASE(code_that_fails_is_answered_with_its_error, Fixture) {
    FakeStatement script;
    script.result.outcome = sparkhost::StatementOutcome::error;
    script.result.error_value = "no table 'sales'";
    agents->answer("spark.table('sales')", script);

    BOOST_TEST(answer_to("spark.table('sales')", nothing()) == "sorry: no table 'sales'");
}

BOOST_FIXTURE_TEST_CASE(code_that_runs_for_too_long_is_interrupted, Fixture) {
    agents->answer("while True: pass", {.endless = true});

    BOOST_TEST(answer_to("while True: pass", a_minute_passes()) == "it took too long");
}
