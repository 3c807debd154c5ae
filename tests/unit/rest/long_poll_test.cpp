// SPDX-License-Identifier: Apache-2.0
#include "unit/rest/router_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace sparkhost;
using namespace sparkhost::rest_test;

namespace {

struct LongPollFixture : RouterFixture {
    LongPollFixture() {
        RouterFixture::start();
        create();
        settle();
    }
    std::string etag(const std::string& path = "/batches/0") { return header(get(path), "ETag"); }
    static unsigned status(const PendingAnswerPtr& pending) {
        BOOST_TEST_REQUIRE(pending->done);
        return pending->response.value().result_int();
    }
};

const BatchId first{0};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rest_long_poll, LongPollFixture)

BOOST_AUTO_TEST_CASE(the_etag_is_the_version_on_every_route_of_one_batch) {
    const auto version = "\"" + std::to_string(find(first).version) + "\"";
    for (const std::string path : {"/batches/0", "/batches/0/state", "/api/v1/batches/0"}) {
        BOOST_TEST(etag(path) == version, path);
    }
}

BOOST_AUTO_TEST_CASE(an_equal_tag_without_waiting_is_304_at_once) {
    for (const std::string path : {"/batches/0", "/batches/0/state", "/api/v1/batches/0"}) {
        const auto response = get(path, {{"If-None-Match", etag(path)}});
        BOOST_TEST(response.result_int() == 304u, path);
        BOOST_TEST(response.body() == "");
        BOOST_TEST(header(response, "ETag") == etag(path));
        BOOST_TEST(header(response, "Content-Length") == "");
        BOOST_TEST(get(path, {{"If-None-Match", "\"0\""}}).result_int() == 200u, path);
    }
}

BOOST_AUTO_TEST_CASE(waiting_ends_with_the_change) {
    const auto seen = etag();
    auto pending = begin_get("/batches/0/state?wait=30", {{"If-None-Match", seen}});
    BOOST_TEST(!pending->done);
    begin_running(first);
    BOOST_TEST(status(pending) == 200u);
    BOOST_TEST(pending->response->body() == R"({"id":0,"state":"running"})");
    BOOST_TEST(header(*pending->response, "ETag") != seen);
}

BOOST_AUTO_TEST_CASE(waiting_for_what_has_changed_already_does_not_wait) {
    auto pending = begin_get("/batches/0?wait=30", {{"If-None-Match", "\"0\""}});
    BOOST_TEST(status(pending) == 200u);
}

BOOST_AUTO_TEST_CASE(waiting_in_vain_ends_with_304) {
    const auto seen = etag();
    auto pending = begin_get("/batches/0?wait=30s", {{"If-None-Match", seen}});
    advance(29s);
    BOOST_TEST(!pending->done);
    advance(1s);
    BOOST_TEST(status(pending) == 304u);
    BOOST_TEST(header(*pending->response, "ETag") == seen);
}

BOOST_AUTO_TEST_CASE(a_wait_is_cut_to_the_longest) {
    router_options.max_wait = 10s;
    router.emplace(host(), router_options);
    auto pending = begin_get("/batches/0?wait=1000", {{"If-None-Match", etag()}});
    advance(10s);
    BOOST_TEST(status(pending) == 304u);
}

BOOST_AUTO_TEST_CASE(a_state_can_be_waited_away) {
    begin_running(first);
    auto pending = begin_get("/batches/0/state?wait=30&state=running");
    BOOST_TEST(!pending->done);
    cluster->bring_context_up(ticket(first), "app-1");  // a new version, the same state
    settle();
    BOOST_TEST(!pending->done);
    finish(first);
    BOOST_TEST(status(pending) == 200u);
    BOOST_TEST(pending->response->body() == R"({"id":0,"state":"success"})");
    BOOST_TEST(status(begin_get("/batches/0?wait=30&state=running")) == 200u);
}

BOOST_AUTO_TEST_CASE(a_state_waited_for_in_vain_is_shown_as_it_is) {
    auto pending = begin_get("/batches/0/state?wait=5&state=starting");
    advance(5s);
    BOOST_TEST(status(pending) == 200u);
    BOOST_TEST(pending->response->body() == R"({"id":0,"state":"starting"})");
}

BOOST_AUTO_TEST_CASE(bad_waits_are_400_in_the_dialects_shape) {
    for (const std::string query : {"?wait=x", "?wait=-1", "?wait=5", "?wait=5&state=idle"}) {
        const auto livy = get("/batches/0" + query);
        BOOST_TEST(livy.result_int() == 400u, query);
        BOOST_TEST(body_of(livy).at("msg").is_string());
        const auto native = get("/api/v1/batches/0" + query);
        BOOST_TEST(native.result_int() == 400u, query);
        BOOST_TEST(header(native, "Content-Type") == "application/problem+json");
        BOOST_TEST(body_of(native).at("field").is_string());
    }
}

BOOST_AUTO_TEST_CASE(a_batch_deleted_meanwhile_is_404) {
    auto pending = begin_get("/batches/0?wait=30", {{"If-None-Match", etag()}});
    begin_running(first);  // ends the first wait
    auto second = begin_get("/batches/0?wait=30&state=running");
    auto gone = begin_request(make_request(http::verb::delete_, "/batches/0"));
    if (!gone->done) {
        cluster->end(ticket(first), Outcome::killed, 143);
        settle();
    }
    BOOST_TEST(status(gone) == 200u);
    BOOST_TEST(status(pending) == 200u);
    BOOST_TEST_REQUIRE(second->done);
    BOOST_TEST((status(second) == 404u || status(second) == 200u));
    BOOST_TEST(get("/batches/0?wait=30", {{"If-None-Match", "*"}}).result_int() == 404u);
}

BOOST_AUTO_TEST_CASE(a_cancelled_wait_is_answered_with_the_moment) {
    const auto seen = etag();
    auto tagged = begin_get("/batches/0?wait=30", {{"If-None-Match", seen}});
    auto by_state = begin_get("/batches/0/state?wait=30&state=starting");
    tagged->cancel.emit(asio::cancellation_type::terminal);
    by_state->cancel.emit(asio::cancellation_type::terminal);
    settle();
    BOOST_TEST(status(tagged) == 304u);
    BOOST_TEST(status(by_state) == 200u);
    BOOST_TEST(by_state->response->body() == R"({"id":0,"state":"starting"})");
}

BOOST_AUTO_TEST_CASE(a_stopping_host_ends_every_wait) {
    auto pending = begin_get("/batches/0?wait=30", {{"If-None-Match", etag()}});
    host().stop();
    settle();
    BOOST_TEST(status(pending) == 503u);
    BOOST_TEST(header(*pending->response, "Retry-After") == "5");
}

BOOST_AUTO_TEST_SUITE_END()
