// SPDX-License-Identifier: Apache-2.0
#include "unit/rest/serve_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>

using namespace sparkhost;
using namespace sparkhost::rest_test;

namespace {

const std::string job = R"({"file": "/jobs/job.py"})";

struct StartedServer : ServeFixture {
    StartedServer() { ServeFixture::start(); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rest_serve, StartedServer)

BOOST_AUTO_TEST_CASE(a_connection_is_kept_for_many_requests) {
    auto client = connected();
    for (int i = 0; i < 3; ++i) {
        const auto response = client.ask(get_line("/batches"));
        BOOST_TEST(response.result_int() == 200u);
        BOOST_TEST(response.body() == R"({"from":0,"total":0,"sessions":[]})");
        BOOST_TEST(header(response, "Connection") == "");
        BOOST_TEST(header(response, "Date").ends_with(" GMT"));
    }
    BOOST_TEST(client.ask(post_line(job)).result_int() == 201u);
    BOOST_TEST(client.ask(get_line("/nothing")).result_int() == 404u);
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
    auto client = connected();
    client.say(post_line(job) + get_line("/batches/0/state") + post_line(job) +
               get_line("/batches/7"));
    BOOST_TEST(header(client.hear(), "Location") == "/batches/0");
    BOOST_TEST(client.hear().body() == R"({"id":0,"state":"starting"})");
    BOOST_TEST(header(client.hear(), "Location") == "/batches/1");
    BOOST_TEST(client.hear().result_int() == 404u);
}

BOOST_AUTO_TEST_CASE(a_request_may_arrive_byte_by_byte) {
    auto client = connected();
    for (const char byte : post_line(job)) {
        client.say(std::string(1, byte));
    }
    BOOST_TEST(client.hear().result_int() == 201u);
}

BOOST_AUTO_TEST_CASE(a_client_that_says_close_is_closed) {
    auto client = connected();
    const auto response = client.ask(get_line("/batches", "Connection: close\r\n"));
    BOOST_TEST(header(response, "Connection") == "close");
    BOOST_TEST(client.is_closed());
}

BOOST_AUTO_TEST_CASE(old_clients_are_closed_unless_they_ask_to_stay) {
    auto old = connected();
    BOOST_TEST(header(old.ask("GET /batches HTTP/1.0\r\n\r\n"), "Connection") == "close");
    BOOST_TEST(old.is_closed());
    auto staying = connected();
    const std::string request = "GET /batches HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    BOOST_TEST(header(staying.ask(request), "Connection") == "keep-alive");
    BOOST_TEST(staying.ask(request).result_int() == 200u);
}

BOOST_AUTO_TEST_CASE(head_has_a_length_and_no_body) {
    auto client = connected();
    client.say("HEAD /batches HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto response = client.hear(true);
    BOOST_TEST(response.result_int() == 200u);
    BOOST_TEST(header(response, "Content-Length") == "34");
    BOOST_TEST(client.ask(get_line("/batches")).body().size() == 34u);
}

BOOST_AUTO_TEST_CASE(a_304_has_no_body_and_the_connection_goes_on) {
    auto client = connected();
    client.ask(post_line(job));
    const auto tag = header(client.ask(get_line("/batches/0")), "ETag");
    const auto response = client.ask(get_line("/batches/0", "If-None-Match: " + tag + "\r\n"));
    BOOST_TEST(response.result_int() == 304u);
    BOOST_TEST(client.ask(get_line("/batches/0")).result_int() == 200u);
}

BOOST_AUTO_TEST_CASE(a_client_that_waits_for_100_gets_it_before_it_sends_the_body) {
    auto client = connected();
    client.say(
        "POST /batches HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: " +
        std::to_string(job.size()) + "\r\n\r\n");
    BOOST_TEST(client.hear(true).result_int() == 100u);
    BOOST_TEST(client.ask(job).result_int() == 201u);
}

BOOST_AUTO_TEST_CASE(chunked_bodies_are_read) {
    auto client = connected();
    client.say(
        "POST /batches HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        "8\r\n{\"file\":\r\n8\r\n\"/x.py\"}\r\n0\r\n\r\n");
    BOOST_TEST(client.hear().result_int() == 201u);
    BOOST_TEST(client.ask(get_line("/batches")).result_int() == 200u);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_answered_and_closed) {
    struct Row {
        std::string text;
        unsigned status;
    };
    const std::vector<Row> rows{
        {"nonsense\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"POST /batches HTTP/1.1\r\nHost: h\r\nContent-Length: 104857600\r\n\r\n", 413},
        {get_line("/", "X: " + std::string(70'000, 'x') + "\r\n"), 431},
        {"POST / HTTP/1.1\r\nHost: h\r\nExpect: cake\r\nContent-Length: 1\r\n\r\n", 417},
    };
    for (const Row& row : rows) {
        auto client = connected();
        const auto response = client.ask(row.text);
        BOOST_TEST(response.result_int() == row.status);
        BOOST_TEST(header(response, "Connection") == "close");
        BOOST_TEST(header(response, "Content-Type") == "application/json;charset=utf-8");
        BOOST_TEST(body_of(response).at("msg").is_string());
        BOOST_TEST(client.is_closed());
    }
}

BOOST_AUTO_TEST_CASE(a_large_answer_arrives_whole) {
    const auto id = create();
    begin_running(id);
    for (int i = 0; i < 200; ++i) {
        cluster->append_log(ticket(id), std::string(40'000, 'x'));
    }
    auto client = connected();
    const auto response = client.ask(get_line("/batches/0/log?size=-1"));
    BOOST_TEST(response.body().size() > 8'000'000u);
    BOOST_TEST(body_of(response).at("log").as_array().size() == 202u);
    BOOST_TEST(client.ask(get_line("/batches/0/state")).result_int() == 200u);
}

BOOST_AUTO_TEST_CASE(cancelling_closes_idle_connections_and_completes) {
    auto fresh = connected();
    auto used = connected();
    used.ask(get_line("/batches"));
    cancel_serving();
    BOOST_TEST(fresh.is_closed());
    BOOST_TEST(used.is_closed());
    until_served();
    Client late(io());
    BOOST_CHECK_THROW(late.connect(endpoint), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(cancelling_answers_who_waits_for_a_change) {
    auto client = connected();
    client.ask(post_line(job));
    auto other = connected();
    // in one piece: who has answered the first request has the second one, too
    other.say(get_line("/version") + get_line("/batches/0/state?wait=300&state=starting"));
    other.hear();
    settle();
    cancel_serving();
    const auto response = other.hear();
    BOOST_TEST(response.body() == R"({"id":0,"state":"starting"})");
    BOOST_TEST(header(response, "Connection") == "close");
    BOOST_TEST(other.is_closed());
    until_served();
}

BOOST_AUTO_TEST_CASE(cancelling_lets_a_request_under_way_finish) {
    faults().hold_commits();
    auto client = connected();
    client.say(post_line(job));
    until([this] { return faults().held() == 1; });
    cancel_serving();
    settle();
    BOOST_TEST(!*served);
    faults().let_go();
    const auto response = client.hear();
    BOOST_TEST(response.result_int() == 201u);
    BOOST_TEST(header(response, "Connection") == "close");
    BOOST_TEST(client.is_closed());
    until_served();
}

BOOST_AUTO_TEST_CASE(cancelling_lets_a_request_that_is_arriving_finish) {
    auto client = connected();
    const auto text = post_line(job);
    client.say(text.substr(0, 30));
    settle();
    cancel_serving();
    settle();
    const auto response = client.ask(text.substr(30));
    BOOST_TEST(response.result_int() == 201u);
    BOOST_TEST(client.is_closed());
    until_served();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(rest_serve_limits, ServeFixture)

BOOST_AUTO_TEST_CASE(a_request_that_does_not_come_to_its_end_is_408) {
    serve_options.io_timeout = 30ms;
    ServeFixture::start();
    auto client = connected();
    client.say(post_line(job).substr(0, 30));
    const auto response = client.hear();
    BOOST_TEST(response.result_int() == 408u);
    BOOST_TEST(client.is_closed());
}

BOOST_AUTO_TEST_CASE(a_connection_without_a_request_is_closed_silently) {
    serve_options.idle_timeout = 30ms;
    ServeFixture::start();
    auto fresh = connected();
    BOOST_TEST(fresh.is_closed());
    auto used = arrived(get_line("/batches"));
    BOOST_TEST(used.hear().result_int() == 200u);
    BOOST_TEST(used.is_closed());
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_take_its_answer_is_dropped) {
    serve_options.io_timeout = 50ms;
    serve_options.max_connections = 1;
    ServeFixture::start();
    const auto id = create();
    begin_running(id);
    for (int i = 0; i < 400; ++i) {
        cluster->append_log(ticket(id), std::string(40'000, 'x'));
    }
    auto lazy = connected();
    lazy.say(get_line("/batches/0/log?size=-1"));
    auto next = connected();
    BOOST_TEST(next.ask(get_line("/batches/0/state")).result_int() == 200u);
}

BOOST_AUTO_TEST_CASE(connections_beyond_the_limit_wait_for_a_place) {
    serve_options.max_connections = 1;
    ServeFixture::start();
    auto first = connected();
    first.ask(get_line("/batches"));
    auto second = connected();
    second.say(get_line("/batches"));
    settle();
    first.close();
    BOOST_TEST(second.hear().result_int() == 200u);
}

BOOST_AUTO_TEST_CASE(a_client_that_hangs_up_does_not_keep_its_wait) {
    serve_options.max_connections = 1;
    ServeFixture::start();
    create();
    auto waiting = connected();
    waiting.say(get_line("/batches/0?wait=300&state=starting"));
    settle();
    waiting.close();
    auto next = connected();
    BOOST_TEST(next.ask(get_line("/batches/0/state")).result_int() == 200u);
}

BOOST_AUTO_TEST_CASE(a_pipelined_request_behind_a_wait_is_no_hang_up) {
    ServeFixture::start();
    create();
    auto client = connected();
    client.say(get_line("/batches/0/state?wait=300&state=starting"));
    settle();
    client.say(get_line("/batches"));
    settle();
    begin_running(BatchId{0});
    BOOST_TEST(client.hear().body() == R"({"id":0,"state":"running"})");
    BOOST_TEST(client.hear().result_int() == 200u);
}

BOOST_AUTO_TEST_CASE(after_the_grace_connections_are_cut) {
    serve_options.close_grace = 20ms;
    ServeFixture::start();
    faults().hold_commits();
    auto client = connected();
    client.say(post_line(job));
    until([this] { return faults().held() == 1; });
    cancel_serving();
    BOOST_TEST(client.is_closed());
    faults().let_go();
    until_served();
}

BOOST_AUTO_TEST_CASE(serving_that_is_cancelled_before_it_begins_completes) {
    RouterFixture::start();
    tcp::acceptor acceptor(io(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    auto op = [](tcp::acceptor from, rest::Router with) -> asio::awaitable<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        co_await rest::serve(std::move(from), std::move(with));
    };
    asio::co_spawn(io(), op(std::move(acceptor), *router),
                   asio::bind_cancellation_slot(
                       stop_serving.slot(), [done = served](std::exception_ptr) { *done = true; }));
    cancel_serving();
    until_served();
}

BOOST_AUTO_TEST_CASE(wrong_options_are_refused) {
    RouterFixture::start();
    *served = true;
    const auto refuses = [this](rest::ServeOptions chosen) {
        tcp::acceptor acceptor(io(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        BOOST_CHECK_THROW((void)rest::serve(std::move(acceptor), *router, std::move(chosen)),
                          std::invalid_argument);
    };
    refuses({.max_header = 0});
    refuses({.max_body = 0});
    refuses({.io_timeout = 0ms});
    refuses({.idle_timeout = 0ms});
    refuses({.max_connections = 0});
    refuses({.close_grace = -1ms});
}

BOOST_AUTO_TEST_SUITE_END()
