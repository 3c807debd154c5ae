// SPDX-License-Identifier: Apache-2.0
#include "waiter.hpp"

#include "support/agent_socket.hpp"
#include "support/run.hpp"

#include <sparkhost/runtimes/spark.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sparkhost::test {

namespace {

/// A conversation whose agent is played by the test, line by line.
struct TalkFixture {
    asio::io_context io{1};
    LocalSocket agent{io};
    std::string heard{};
    std::unique_ptr<SessionRuntime> runtime{make_spark_runtime({.work_dir = "/nowhere"})};
    std::shared_ptr<RecordedSession> session{std::make_shared<RecordedSession>()};
    std::shared_ptr<RecordedOutput> output{std::make_shared<RecordedOutput>()};
    std::unique_ptr<Conversation> talk{};
    std::optional<Result<void>> over{};
    asio::cancellation_signal leave{};

    template <class T>
    struct Asked {
        std::optional<Result<T>> answer{};
    };

    void start(AgentHello hello = {}) {
        LocalSocket ours(io);
        asio::local::connect_pair(ours, agent);
        SessionRuntime::AttachRequest request;
        request.connection = std::make_unique<SocketConnection>(std::move(ours));
        request.hello = hello;
        request.sink = session;
        talk = runtime->attach(std::move(request));
    }
    void run_talk() {
        asio::co_spawn(io, talk->run(),
                       asio::bind_cancellation_slot(
                           leave.slot(), [this](std::exception_ptr escaped, Result<void> result) {
                               BOOST_TEST(!escaped);
                               over = std::move(result);
                           }));
        settle();
    }
    template <class T>
    std::shared_ptr<Asked<T>> ask(Awaitable<T> call) {
        auto asked = std::make_shared<Asked<T>>();
        asio::co_spawn(io, std::move(call), [asked](std::exception_ptr escaped, Result<T> answer) {
            BOOST_TEST(!escaped);
            asked->answer = std::move(answer);
        });
        settle();
        return asked;
    }
    auto execute(std::int64_t id, std::string code = "1+1") {
        return ask(
            talk->execute(StatementSpec{StatementId{id}, "pyspark", std::move(code)}, output));
    }
    void settle() {
        io.restart();
        io.poll();
    }
    void say(const std::string& line) {
        run_on(io, [&] { return say_line(agent, line); });
        settle();
    }
    std::string hear() {
        auto line = run_on(io, [&] { return hear_line(agent, heard); });
        settle();
        return line;
    }
    /// Everything that has been said to the agent so far.
    std::string hear_now() {
        settle();
        std::string bytes(1 << 16, '\0');
        agent.non_blocking(true);
        boost::system::error_code none;
        bytes.resize(agent.read_some(asio::buffer(bytes), none));
        return std::exchange(heard, {}) + bytes;
    }
    ~TalkFixture() {
        talk.reset();
        agent.close();
        drain(io);
    }
};

/// What it reads had come before the cancellation did; then nothing more comes.
class LateConnection final : public AgentConnection {
public:
    Awaitable<std::string> read_some(std::size_t) override {
        const auto line = std::exchange(line_, {});
        return read(line, line.empty() ? closed_ : std::make_shared<detail::Waiter>());
    }
    Awaitable<void> write(std::string) override { return written(); }
    void close() override { closed_->wake(detail::WakeReason::changed); }

private:
    static Awaitable<std::string> read(std::string line, std::shared_ptr<detail::Waiter> until) {
        co_await detail::Waiter::wait(until);
        co_return line;
    }
    static Awaitable<void> written() { co_return ok(); }

    std::string line_{"{\"type\":\"pong\",\"id\":1}\n"};
    std::shared_ptr<detail::Waiter> closed_{std::make_shared<detail::Waiter>()};
};

const std::string result_of_0 =
    R"({"type":"result","statement":0,"seq":2,"status":"ok","data":{"text/plain":"2"},"notes":[]})";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(conversation, TalkFixture)

BOOST_AUTO_TEST_CASE(a_statement_is_sent_told_and_answered) {
    start();
    auto asked = execute(0);
    run_talk();
    BOOST_TEST(hear() ==
               R"({"type":"execute","seq":1,"statement":0,"kind":"pyspark","code":"1+1"})");
    say(R"({"type":"output","statement":0,"stream":"stdout","text":"hi\n","seq":1})");
    say(R"({"type":"output","statement":0,"stream":"stderr","text":"ho","seq":2})");
    say(R"({"type":"progress","statement":0,"completed_tasks":1,"tasks":4})");
    BOOST_TEST(output->out == "hi\n");
    BOOST_TEST(output->err == "ho");
    BOOST_TEST(output->fractions.at(0) == 0.25);
    BOOST_TEST(!asked->answer.has_value());
    say(R"({"type":"result","statement":0,"seq":3,"status":"ok","data":{"text/plain":"2"},"notes":[]})");
    BOOST_TEST_REQUIRE(asked->answer.has_value());
    BOOST_TEST(asked->answer->value().data.at("text/plain") == "2");
    BOOST_TEST(hear_now() == "", "nothing is settled");
    talk->settle(StatementId{0});
    BOOST_TEST(hear_now() == "{\"type\":\"ack\",\"received\":3}\n");
}

BOOST_AUTO_TEST_CASE(the_session_tells_of_itself) {
    start();
    run_talk();
    say(R"({"type":"status","state":"starting","seq":1})");
    say(R"({"type":"ready","application_id":"a","ui":null,"spark_version":"4.3.0",)"
        R"("python_version":"3.11.2","pid":1,"seq":2})");
    say(R"({"type":"status","state":"busy","statement":0,"seq":3})");
    say(R"({"type":"status","state":"idle","seq":4})");
    say(R"({"type":"output","statement":null,"stream":"stdout","text":"late","seq":5})");
    BOOST_TEST(session->facts.at(0).application_id == "a");
    BOOST_TEST(session->words == (std::vector<std::string>{"busy 0", "idle"}),
               boost::test_tools::per_element());
    BOOST_TEST(session->stray == "late");
    BOOST_TEST(hear_now() == "{\"type\":\"ack\",\"received\":1}\n");
    talk->settle_session();
    BOOST_TEST(hear_now() == "{\"type\":\"ack\",\"received\":5}\n");
}

BOOST_AUTO_TEST_CASE(a_close_ends_in_success_when_the_agent_has_said_so) {
    start();
    run_talk();
    talk->close();
    talk->close();
    BOOST_TEST(hear() == R"({"type":"close","seq":1})");
    say(R"({"type":"bye","reason":"closed","detail":"","seq":1})");
    BOOST_TEST(!over.has_value());
    BOOST_TEST(execute(0)->answer->error().is(Errc::stopped));
    talk->settle_session();
    BOOST_TEST(hear() == R"({"type":"ack","received":1})");
    agent.close();
    settle();
    BOOST_TEST_REQUIRE(over.has_value());
    BOOST_TEST(over->has_value());
    BOOST_TEST(session->words.back() == "ended closed");
}

BOOST_AUTO_TEST_CASE(a_lost_connection_ends_the_talk_and_leaves_statements_to_the_next) {
    start();
    auto asked = execute(0);
    run_talk();
    hear();
    agent.close();
    settle();
    BOOST_TEST(asked->answer->error().is(Errc::backend_failed));
    BOOST_TEST(over->error().is(Errc::backend_failed));
    BOOST_TEST(execute(1)->answer->error().is(Errc::backend_failed));

    start(AgentHello{1, 1});
    auto again = execute(0);
    run_talk();
    BOOST_TEST(hear() ==
               R"({"type":"execute","seq":2,"statement":0,"kind":"pyspark","code":"1+1"})");
    say(R"({"type":"output","statement":0,"stream":"stdout","text":"hi\n","seq":1})");
    say(result_of_0);
    BOOST_TEST(again->answer->value().data.at("text/plain") == "2");
    BOOST_TEST(output->out == "hi\n");
}

BOOST_AUTO_TEST_CASE(a_result_that_comes_twice_is_taken_once) {
    start();
    auto asked = execute(0);
    run_talk();
    hear();
    say(R"({"type":"status","state":"idle","seq":1})");
    say(result_of_0);
    say(result_of_0);
    say(R"({"type":"result","statement":0,"seq":3,"status":"forgotten"})");
    BOOST_TEST((asked->answer->value().outcome == StatementOutcome::ok));
    BOOST_TEST(!over.has_value());
}

BOOST_AUTO_TEST_CASE(a_refused_statement_says_why) {
    start();
    run_talk();
    for (const auto& [code, expected] :
         std::vector<std::pair<std::string, Errc>>{{"queue_full", Errc::rejected},
                                                   {"bad_message", Errc::invalid_argument},
                                                   {"ending", Errc::stopped}}) {
        static std::int64_t seq = 0;
        auto asked = execute(7);
        say(R"({"type":"rejected","message":1,"statement":7,"detail":"so","code":")" + code +
            R"(","seq":)" + std::to_string(++seq) + "}");
        BOOST_TEST_REQUIRE(asked->answer.has_value());
        BOOST_TEST(asked->answer->error().is(expected));
    }
}

BOOST_AUTO_TEST_CASE(interrupts_and_pings_pass) {
    start();
    run_talk();
    talk->interrupt(InterruptRequest{StatementId{4}, {}});
    BOOST_TEST(hear() == R"({"type":"interrupt","seq":1,"statement":4,"end_session_after":null})");
    say(R"({"type":"ping","id":12})");
    BOOST_TEST(hear() == R"({"type":"pong","id":12})");
    auto asked = execute(4);
    say(R"({"type":"unheeded","statement":4,"attempts":5,"seq":1})");
    BOOST_TEST(output->unheeded_interrupts == 5);
    BOOST_TEST(!asked->answer.has_value());
}

BOOST_AUTO_TEST_CASE(a_file_is_taken_refused_or_left_in_doubt) {
    start();
    run_talk();
    const SessionFile file{SessionFile::Use::jar, "/x.jar"};
    auto taken = ask(talk->add(file));
    auto refused = ask(talk->add(file));
    auto lost = ask(talk->add(file));
    say(R"({"type":"added","request":2,"error":"no such file"})");
    say(R"({"type":"added","request":1,"error":null})");
    say(R"({"type":"added","request":9,"error":null})");  // nobody has asked
    BOOST_TEST(taken->answer.value().has_value());
    BOOST_TEST(refused->answer.value().error().is(Errc::invalid_argument));
    BOOST_TEST(refused->answer->error().text().find("no such file") != std::string::npos);
    BOOST_TEST(!lost->answer.has_value());
    agent.close();
    settle();
    BOOST_TEST(lost->answer.value().error().is(Errc::backend_failed));
}

BOOST_AUTO_TEST_CASE(completions_find_their_question) {
    start();
    run_talk();
    auto first = ask(talk->complete({"pyspark", "spark.ra", 8}));
    auto second = ask(talk->complete({"pyspark", "s", 1}));
    say(R"({"type":"completion","request":2,"candidates":["sc"],"replaces":1})");
    BOOST_TEST(!first->answer.has_value());
    BOOST_TEST(second->answer->value().candidates.at(0) == "sc");
    say(R"({"type":"completion","request":1,"candidates":[],"replaces":0})");
    BOOST_TEST(first->answer->value().candidates.empty());
}

BOOST_AUTO_TEST_CASE(an_agent_that_breaks_the_protocol_is_left) {
    for (const std::string line :
         {"nonsense", R"({"type":"status","state":"idle","seq":2})", R"({"type":"output"})"}) {
        TalkFixture fixture;
        fixture.start();
        auto asked = fixture.execute(0);
        fixture.run_talk();
        fixture.hear();
        fixture.say(line);
        BOOST_TEST_REQUIRE(fixture.over.has_value());
        BOOST_TEST(fixture.over->error().text().find("broke its protocol") != std::string::npos);
        BOOST_TEST(asked->answer->error().is(Errc::backend_failed));
        BOOST_TEST(fixture.hear() == "", "the connection is closed");
    }
}

BOOST_AUTO_TEST_CASE(a_cancelled_run_leaves_the_connection) {
    start();
    auto asked = execute(0);
    run_talk();
    leave.emit(asio::cancellation_type::terminal);
    settle();
    BOOST_TEST_REQUIRE(over.has_value());
    BOOST_TEST(over->has_error());
    BOOST_TEST(asked->answer->has_error());
}

BOOST_AUTO_TEST_CASE(a_run_that_is_cancelled_just_when_it_hears_something_ends_too) {
    SessionRuntime::AttachRequest request;
    request.connection = std::make_unique<LateConnection>();
    request.sink = session;
    talk = runtime->attach(std::move(request));
    run_talk();
    leave.emit(asio::cancellation_type::terminal);
    settle();
    BOOST_TEST_REQUIRE(over.has_value());
    BOOST_TEST(over->has_error());
}

BOOST_AUTO_TEST_CASE(a_conversation_may_go_while_operations_are_outstanding) {
    start();
    auto asked = execute(0);
    run_talk();
    talk.reset();
    settle();
    BOOST_TEST(asked->answer->error().is(Errc::backend_failed));
    BOOST_TEST(over.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
