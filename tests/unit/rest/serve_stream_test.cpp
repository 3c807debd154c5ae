// SPDX-License-Identifier: Apache-2.0
#include "unit/rest/session_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace sparkhost;
using namespace sparkhost::rest_test;

namespace {

/// A server with a session in which a statement runs.
struct StreamServer : WithAgents<ServeFixture> {
    SessionId id{};

    void begin_stream_test() {
        FakeStatement statement;
        statement.endless = true;
        agents->answer("loop", statement);
        id = open_idle();
        execute(id, "loop");
        until_running(id, 0);
    }
    StreamServer() {
        start();
        begin_stream_test();
    }
    explicit StreamServer(std::chrono::milliseconds keep_alive) {
        router_options.keep_alive = keep_alive;
        start();
        begin_stream_test();
    }

    void write(const std::string& text) {
        agents->write(id, {OutputStream::standard_output, text});
    }
    std::string stream_line(const std::string& fields = {}) const {
        return get_line(path(id, 0) + "?stream=1", fields);
    }
};

struct ImpatientStreamServer : StreamServer {
    ImpatientStreamServer() : StreamServer(1ms) {}
};

struct SmallStreamServer : WithAgents<ServeFixture> {};

const std::string first_event =
    "id: 6\nevent: output\ndata: {\"stream\":\"stdout\",\"text\":\"early\\n\"}\n\n";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rest_serve_stream, StreamServer)

BOOST_AUTO_TEST_CASE(output_comes_while_the_code_runs_and_the_statement_at_its_end) {
    write("early\n");
    auto client = connected();
    client.say(stream_line());
    const std::string head = client.hear_until("\r\n\r\n");
    BOOST_TEST(head.starts_with("HTTP/1.1 200 OK\r\n"));
    BOOST_TEST(head.find("Content-Type: text/event-stream\r\n") != std::string::npos);
    BOOST_TEST(head.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
    BOOST_TEST(head.find("Content-Length") == std::string::npos);
    BOOST_TEST(client.hear_until("\n\n\r\n").find(first_event) != std::string::npos);
    write("later");
    BOOST_TEST(client.hear_until("\n\n\r\n").find("id: 11\n") != std::string::npos);
    agents->finish(id, {});
    const std::string end = client.hear_until("\r\n0\r\n\r\n");
    BOOST_TEST(end.find("event: statement\ndata: {\"id\":0,") != std::string::npos);
    BOOST_TEST(end.find("\"text/plain\":\"early\\nlater\"") != std::string::npos);
    BOOST_TEST(client.ask(get_line("/version")).result_int() == 200u);
}

BOOST_AUTO_TEST_CASE(a_client_goes_on_where_it_was) {
    write("early\n");
    write("later");
    agents->finish(id, {});
    result_of(id, 0);
    auto client = connected();
    const auto rest = client.ask(stream_line("Last-Event-ID: 6\r\n")).body();
    BOOST_TEST(rest.starts_with(
        "id: 11\nevent: output\ndata: {\"stream\":\"stdout\",\"text\":\"later\"}\n\n"));
    const auto nothing = client.ask(get_line(path(id, 0) + "?stream=1&position=11")).body();
    BOOST_TEST(nothing.starts_with("event: statement\n"));
    BOOST_TEST(client.ask(stream_line("Last-Event-ID: x\r\n")).result_int() == 400u);
}

BOOST_AUTO_TEST_CASE(for_old_clients_the_end_of_the_connection_is_the_end) {
    write("early\n");
    agents->finish(id, {});
    auto client = connected();
    client.say("GET " + path(id, 0) + "?stream=1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const std::string all = client.hear_out();
    BOOST_TEST(all.find("Connection: close\r\n") != std::string::npos);
    BOOST_TEST(all.find("Transfer-Encoding") == std::string::npos);
    BOOST_TEST(all.find("\r\n\r\n" + first_event) != std::string::npos);
    BOOST_TEST(all.ends_with("}\n\n"));
}

BOOST_AUTO_TEST_CASE(a_head_request_gets_the_head) {
    auto client = connected();
    client.say("HEAD " + path(id, 0) + "?stream=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto response = client.hear(true);
    BOOST_TEST(header(response, "Content-Type") == "text/event-stream");
    BOOST_TEST(client.ask(get_line("/version")).result_int() == 200u);
}

BOOST_AUTO_TEST_CASE(a_server_that_stops_ends_its_streams_at_once) {
    write("early\n");
    auto client = connected();
    client.say(stream_line());
    client.hear_until("\n\n\r\n");
    cancel_serving();
    const std::string rest = client.hear_out();
    BOOST_TEST(rest == "0\r\n\r\n");
    until_served();
}

BOOST_AUTO_TEST_CASE(a_host_that_stops_ends_its_streams_without_an_end) {
    auto client = connected();
    client.say(stream_line());
    client.hear_until("\r\n\r\n");
    host().stop();
    BOOST_TEST(client.hear_until("0\r\n\r\n") == "0\r\n\r\n");
}

BOOST_FIXTURE_TEST_CASE(silence_is_broken_by_comments, ImpatientStreamServer) {
    auto client = connected();
    client.say(stream_line());
    client.hear_until("\r\n\r\n");
    BOOST_TEST(client.hear_until("\n\n\r\n") == "3\r\n:\n\n\r\n");
    write("early\n");
    BOOST_TEST(client.hear_until("early\\n\"}\n\n").find("id: 6\n") != std::string::npos);
    BOOST_TEST(client.hear_until(":\n\n").size() > 0u);
    agents->finish(id, {});
    BOOST_TEST(client.hear_until("0\r\n\r\n").find("event: statement\n") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_client_that_has_gone_is_forgotten, SmallStreamServer) {
    serve_options.max_connections = 1;
    start();
    FakeStatement statement;
    statement.endless = true;
    agents->answer("loop", statement);
    const SessionId id = open_idle();
    execute(id, "loop");
    until_running(id, 0);
    {
        auto client = connected();
        client.say(get_line(path(id, 0) + "?stream=1"));
        client.hear_until("\r\n\r\n");
        client.close();
    }
    auto next = connected();
    BOOST_TEST(next.ask(get_line("/version")).result_int() == 200u);
}

BOOST_AUTO_TEST_CASE(much_output_reaches_a_client_that_takes_its_time) {
    const std::string block(100'000, 'x');
    for (int i = 0; i < 40; ++i) {
        write(block);
    }
    auto client = connected();
    client.say(stream_line());
    client.hear_until("\r\n\r\n");
    agents->finish(id, {});
    result_of(id, 0);
    const std::string all = client.hear_until("event: statement\n");
    BOOST_TEST(all.find("id: 4000000\n") != std::string::npos);
    client.hear_until("\r\n0\r\n\r\n");
}

BOOST_AUTO_TEST_SUITE_END()
