// SPDX-License-Identifier: Apache-2.0
#include "unit/rest/serve_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <chrono>
#include <string>

using namespace sparkhost;
using namespace sparkhost::rest_test;

namespace {

const std::string drained_job = R"({"file": "/jobs/job.py"})";

/// One request takes as long as the test wants.
struct SlowServer : ServeFixture {
    void start(std::chrono::milliseconds grace) {
        serve_options.close_grace = grace;
        ServeFixture::start();
        slow.connect(endpoint);
        faults().hold_commits();
        slow.say(post_line(drained_job));
        until([this] { return faults().held() == 1; });
    }

    Client slow{io()};
};

/// A server that is draining, because of that request.
struct DrainingServer : SlowServer {
    DrainingServer() {
        SlowServer::start(60s);
        cancel_serving();
        settle();
    }

    void finish_slow() {
        faults().let_go();
        BOOST_TEST(slow.hear().result_int() == 201u);
        until_served();
    }
};

/// A server whose socket another process could have, too.
struct SharedSocket : ServeFixture {
    SharedSocket() {
        serve_options.leave_backlog = [this] {
            ++asked;
            return true;
        };
        ServeFixture::start();
    }
    int asked{0};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rest_serve_drain, DrainingServer)

BOOST_AUTO_TEST_CASE(who_comes_while_it_drains_is_told_to_come_again) {
    struct Row {
        std::string request;
        std::string type;
        std::string member;
    };
    const std::vector<Row> rows{
        {post_line(drained_job), "application/json;charset=utf-8", "msg"},
        {get_line("/sessions/3/statements"), "application/json;charset=utf-8", "msg"},
        {get_line("/api/v1/batches/0"), "application/problem+json", "detail"},
        {get_line("/nothing"), "application/json;charset=utf-8", "msg"},
    };
    for (const Row& row : rows) {
        BOOST_TEST_CONTEXT(row.request) {
            auto client = arrived(row.request);
            const auto response = client.hear();
            BOOST_TEST(response.result_int() == 503u);
            BOOST_TEST(header(response, "Retry-After") == "5");
            BOOST_TEST(header(response, "Connection") == "close");
            BOOST_TEST(header(response, "Content-Type") == row.type);
            const std::string words(body_of(response).at(row.member).as_string());
            BOOST_TEST(words == "The server is shutting down; send the request again later.");
            BOOST_TEST(client.is_closed());
        }
    }
    finish_slow();
}

BOOST_AUTO_TEST_CASE(it_lives_while_it_drains) {
    BOOST_TEST(arrived(get_line("/healthz")).hear().result_int() == 200u);
    BOOST_TEST(arrived(get_line("/readyz")).hear().result_int() == 503u);
    BOOST_TEST(arrived(post_line("{}", "X-A: /healthz\r\n")).hear().result_int() == 503u);
    finish_slow();
}

BOOST_AUTO_TEST_CASE(a_large_body_is_refused_before_it_is_read) {
    auto client = arrived(
        "POST /sessions/0/upload-file HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000000\r\n"
        "\r\n");
    BOOST_TEST(client.hear().result_int() == 503u);
    finish_slow();
}

BOOST_AUTO_TEST_CASE(a_client_that_only_connects_does_not_hold_up_the_end) {
    auto silent = connected();
    settle();
    finish_slow();
    BOOST_TEST(silent.is_closed());
}

BOOST_AUTO_TEST_CASE(who_waits_in_the_backlog_at_the_end_is_answered) {
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 5; ++i) {
        clients.push_back(std::make_unique<Client>(io()));
        // a blocking connect: the server gets no turn meanwhile
        clients.back()->socket().connect(endpoint);
    }
    for (const auto& client : clients) {
        boost::system::error_code ignored;
        const auto text = get_line("/batches");
        client->socket().write_some(asio::buffer(text), ignored);
    }
    faults().let_go();
    for (const auto& client : clients) {
        BOOST_TEST(client->hear().result_int() == 503u);
    }
    until_served();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(rest_serve_drain_new, ServeFixture)

BOOST_AUTO_TEST_CASE(the_first_request_of_a_new_connection_is_still_answered) {
    ServeFixture::start();
    auto client = connected();
    connected().ask(get_line("/batches"));  // who came before has been accepted by now
    cancel_serving();
    settle();
    BOOST_TEST(!*served);
    asio::write(client.socket(), asio::buffer(post_line(drained_job)));  // not in its own time
    const auto response = client.hear();
    BOOST_TEST(response.result_int() == 201u);
    BOOST_TEST(header(response, "Connection") == "close");
    BOOST_TEST(client.is_closed());
    until_served();
}

BOOST_FIXTURE_TEST_CASE(after_the_grace_nobody_is_answered_any_more, SlowServer) {
    SlowServer::start(20ms);
    cancel_serving();
    auto late = arrived("POST /batches HTTP/1.1\r\n");
    BOOST_TEST(slow.is_closed());
    BOOST_TEST(late.is_closed());
    faults().let_go();
    until_served();
}

BOOST_FIXTURE_TEST_CASE(after_the_grace_nobody_is_let_in_any_more, SlowServer) {
    SlowServer::start(20ms);
    cancel_serving();
    BOOST_TEST(slow.is_closed());
    settle();
    BOOST_TEST(!*served);
    BOOST_CHECK_THROW(arrived(get_line("/healthz")), boost::system::system_error);
    faults().let_go();
    until_served();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(rest_serve_drain_shared, SharedSocket)

BOOST_AUTO_TEST_CASE(who_comes_meanwhile_is_served_by_who_has_the_socket_next) {
    // its own server has ended when the next one begins
    tcp::acceptor next(io());
    cancel_serving();
    until_served();
    BOOST_TEST(asked == 1);
    next.open(tcp::v4());
    next.set_option(tcp::acceptor::reuse_address(true));
    next.bind(endpoint);
    next.listen();
    auto early = connected();
    early.say(get_line("/batches"));
    tcp::acceptor handed(io(), tcp::v4(), ::dup(next.native_handle()));

    *served = false;
    auto over = [done = served](std::exception_ptr) { *done = true; };
    asio::co_spawn(io(), rest::serve(std::move(next), *router, serve_options),
                   asio::bind_cancellation_slot(stop_serving.slot(), std::move(over)));
    BOOST_TEST(early.hear().result_int() == 200u);
    cancel_serving();
    auto waiting = connected();
    waiting.say(get_line("/batches"));
    until_served();
    BOOST_TEST(asked == 2);

    *served = false;
    asio::co_spawn(io(), rest::serve(std::move(handed), *router, serve_options),
                   asio::bind_cancellation_slot(
                       stop_serving.slot(), [done = served](std::exception_ptr) { *done = true; }));
    BOOST_TEST(waiting.hear().result_int() == 200u);
}

BOOST_AUTO_TEST_SUITE_END()
