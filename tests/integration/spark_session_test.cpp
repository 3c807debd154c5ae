// SPDX-License-Identifier: Apache-2.0

// A session's agent in a real driver, launched by the local backend, and the conversation with it.

#include "integration/real_harness.hpp"
#include "support/agent_socket.hpp"

#include <sparkhost/agent_endpoint.hpp>
#include <sparkhost/runtimes/spark.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace sparkhost::test {

namespace {

namespace json = boost::json;

/// Grants everybody, and keeps who has come until the test takes it.
class OpenGate final : public AgentGate {
public:
    explicit OpenGate(asio::any_io_executor executor)
        : come_(executor, asio::steady_timer::time_point::max()) {}

    Awaitable<AgentVerdict> judge(AgentGreeting) override { return grant(); }
    void admit(AgentGreeting greeting, std::unique_ptr<AgentConnection> connection) override {
        last = std::move(greeting);
        connection_ = std::move(connection);
        come_.cancel();
    }
    /// The next agent.
    asio::awaitable<SessionRuntime::AttachRequest> next(std::shared_ptr<SessionSink> sink) {
        while (!connection_) {
            boost::system::error_code woken;
            co_await come_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        }
        SessionRuntime::AttachRequest request;
        request.connection = std::move(connection_);
        request.hello = last.hello;
        request.sink = std::move(sink);
        co_return request;
    }

    AgentGreeting last{};

private:
    static Awaitable<AgentVerdict> grant() {
        AgentVerdict verdict;
        verdict.code = AgentVerdict::Code::granted;
        verdict.resume_key = "a key";
        co_return verdict;
    }

    asio::steady_timer come_;
    std::unique_ptr<AgentConnection> connection_{};
};

/// A session on a real Spark, and the statements a test has for it.
struct RealSession {
    explicit RealSession(const RealSpark& spark) : harness(spark) {
        options.work_dir = (harness.dir / "agents").string();
    }

    /// Launches the agent and takes up the conversation with it.
    asio::awaitable<void> open() {
        executor = co_await asio::this_coro::executor;
        runtime = make_spark_runtime(options);
        backend = co_await harness.open();
        watch = std::make_unique<RunningWatch>(*backend, executor);
        gate = std::make_shared<OpenGate>(executor);
        AgentEndpointOptions listening;
        listening.address = "unix:" + (harness.dir / "agents.sock").string();
        endpoint = std::make_unique<AgentEndpoint>(executor, std::move(listening), gate);
        asio::co_spawn(executor, endpoint->run(), [](std::exception_ptr, Result<void>) {});
        SessionRuntime::SessionRequest wanted;
        wanted.store_uuid = "0123ABCD-0000-0000-0000-000000000000";
        wanted.id = SessionId{0};
        wanted.session.kind = "pyspark";
        wanted.ticket = "session-0-1";
        wanted.agent_endpoint = endpoint->address();
        wanted.claim_file = harness.dir.write("claim", "the secret\n").string();
        ::chmod(wanted.claim_file.c_str(), 0600);
        auto launch_request = co_await runtime->prepare(std::move(wanted));
        require_ok(launch_request);
        ticket = co_await launch(*backend, std::move(*launch_request));
        co_await attach();
        BOOST_TEST(!gate->last.resumes);
        BOOST_TEST(gate->last.ticket == "session-0-1");
        BOOST_TEST(gate->last.secret == "the secret");
    }
    asio::awaitable<void> attach() {
        auto request = co_await gate->next(session);
        talk = runtime->attach(std::move(request));
        over.reset();
    }
    /// From now on what the agent says is told.
    void converse() {
        auto ended = [this](std::exception_ptr, Result<void> result) { over = std::move(result); };
        asio::co_spawn(executor, talk->run(), std::move(ended));
    }
    asio::awaitable<StatementResult> execute(std::string code, std::string kind = "pyspark") {
        output = std::make_shared<RecordedOutput>();
        output->on_output = on_output;
        StatementSpec statement{StatementId{next++}, std::move(kind), std::move(code)};
        auto id = statement.id;
        auto result = co_await talk->execute(std::move(statement), output);
        require_ok(result);
        talk->settle(id);
        co_return std::move(*result);
    }
    /// Ends it; its driver must have succeeded.
    asio::awaitable<void> close() {
        talk->settle_session();
        talk->close();
        const auto end = co_await watch->sink->end(ticket.id);
        BOOST_TEST((end.outcome == Outcome::success));
        co_await watch->stop();
        endpoint.reset();
    }

    RealHarness harness;
    SparkRuntimeOptions options{};
    asio::any_io_executor executor{};
    std::unique_ptr<SessionRuntime> runtime{};
    std::unique_ptr<Backend> backend{};
    std::unique_ptr<RunningWatch> watch{};
    std::shared_ptr<OpenGate> gate{};
    std::unique_ptr<AgentEndpoint> endpoint{};
    std::shared_ptr<RecordedSession> session{std::make_shared<RecordedSession>()};
    std::shared_ptr<RecordedOutput> output{};  ///< of the last statement
    std::function<void()> on_output{};
    std::unique_ptr<Conversation> talk{};
    std::optional<Result<void>> over{};
    Ticket ticket{};
    std::int64_t next{0};
};

std::string plain(const StatementResult& result) {
    const auto found = result.data.find("text/plain");
    return found == result.data.end() ? "" : found->second;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(spark_session)

BOOST_DATA_TEST_CASE(statements_run_in_one_spark_and_can_be_stopped,
                     boost::unit_test::data::make(all_sparks), spark) {
    asio::io_context io(1);
    RealSession real(spark);
    auto script = [&]() -> asio::awaitable<void> {
        co_await real.open();
        real.converse();
        auto sum = co_await real.execute("1+1");
        BOOST_TEST(plain(sum) == "2");
        BOOST_TEST_REQUIRE(real.session->facts.size() == 1u);
        BOOST_TEST(real.session->facts[0].application_id.starts_with("local-"));

        auto said = co_await real.execute(
            "import os, sys\nprint('caf\xC3\xA9')\nprint('ho', file=sys.stderr)\n"
            "_ = os.system('echo child')");
        BOOST_TEST((said.outcome == StatementOutcome::ok));
        BOOST_TEST(real.output->out == "caf\xC3\xA9\nchild\n");
        BOOST_TEST(real.output->err == "ho\n");

        auto made = co_await real.execute("spark.range(3).createOrReplaceTempView('numbers')");
        BOOST_TEST((made.outcome == StatementOutcome::ok));
        auto rows = co_await real.execute("SELECT id FROM numbers ORDER BY id", "sql");
        auto table = json::parse(rows.data.at("application/json"));
        BOOST_TEST(table.at("data").as_array().size() == 3u);

        auto failed = co_await real.execute("1/0");
        BOOST_TEST((failed.outcome == StatementOutcome::error));
        BOOST_TEST(failed.error_name == "ZeroDivisionError");

        real.on_output = [&real, id = StatementId{real.next}] {
            real.talk->interrupt(InterruptRequest{id, {}});
        };
        auto stopped = co_await real.execute("print('go', flush=True)\nwhile True: pass");
        BOOST_TEST((stopped.outcome == StatementOutcome::cancelled));
        real.on_output = {};

        auto after = co_await real.execute("_ = 5\n6*7");
        BOOST_TEST(plain(after) == "42");
        co_await real.close();
    };
    run_on(io, script, spark_patience);
    drain(io);
    BOOST_TEST_REQUIRE(real.over.has_value());
    BOOST_TEST(real.over->has_value());
    BOOST_TEST(real.session->words.back() == "ended closed");
}

BOOST_DATA_TEST_CASE(a_session_outlives_its_host_and_nothing_is_lost_or_run_twice,
                     boost::unit_test::data::make(all_sparks), spark) {
    asio::io_context io(1);
    RealSession real(spark);
    const auto runs = (real.harness.dir / "runs").string();
    const auto gate = (real.harness.dir / "gate").string();
    BOOST_TEST_REQUIRE(::mkfifo(gate.c_str(), 0600) == 0);
    const StatementSpec running{StatementId{0}, "pyspark",
                                "open('" + runs +
                                    "', 'a').write('ran\\n')\nprint('begun', flush=True)\n" +
                                    "open('" + gate + "').read()\nprint('over')\n1"};
    const StatementSpec waiting{StatementId{1}, "pyspark",
                                "open('" + runs + "', 'a').write('ran too\\n')\n2"};
    auto script = [&]() -> asio::awaitable<void> {
        co_await real.open();
        auto begun = std::make_shared<asio::steady_timer>(real.executor,
                                                          asio::steady_timer::time_point::max());
        auto first = std::make_shared<RecordedOutput>();
        first->on_output = [begun] { begun->cancel(); };
        auto unanswered = [](std::exception_ptr, Result<StatementResult> answer) {
            BOOST_TEST(answer.error().is(Errc::backend_failed));
        };
        auto quiet = std::make_shared<RecordedOutput>();
        asio::co_spawn(real.executor, real.talk->execute(running, first), unanswered);
        asio::co_spawn(real.executor, real.talk->execute(waiting, quiet), unanswered);
        real.converse();
        boost::system::error_code woken;
        co_await begun->async_wait(asio::redirect_error(asio::use_awaitable, woken));
        real.talk.reset();  // this host is gone

        co_await real.attach();
        BOOST_TEST(real.gate->last.resumes);
        BOOST_TEST(real.gate->last.secret == "a key");
        auto output = std::make_shared<RecordedOutput>();
        std::map<std::int64_t, Result<StatementResult>> answers;
        auto keep_first = [&answers](std::exception_ptr, Result<StatementResult> answer) {
            answers.emplace(0, std::move(answer));
        };
        auto keep_second = [&answers](std::exception_ptr, Result<StatementResult> answer) {
            answers.emplace(1, std::move(answer));
        };
        asio::co_spawn(real.executor, real.talk->execute(running, output), std::move(keep_first));
        asio::co_spawn(real.executor, real.talk->execute(waiting, quiet), std::move(keep_second));
        real.converse();
        std::ofstream(gate) << "go";
        real.next = 2;
        auto third = co_await real.execute("3");
        BOOST_TEST(plain(third) == "3");
        BOOST_TEST_REQUIRE(answers.size() == 2u);
        BOOST_TEST(plain(answers.at(0).value()) == "1");
        BOOST_TEST(output->out == "begun\nover\n", "all of it, in order");
        BOOST_TEST(plain(answers.at(1).value()) == "2");
        real.talk->settle(running.id);
        real.talk->settle(waiting.id);
        co_await real.close();
    };
    run_on(io, script, spark_patience);
    drain(io);
    BOOST_TEST(read_text(runs) == "ran\nran too\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
