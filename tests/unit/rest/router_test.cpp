// SPDX-License-Identifier: Apache-2.0
#include "unit/rest/router_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::rest_test;

namespace {

struct StartedFixture : RouterFixture {
    StartedFixture() { RouterFixture::start(); }

    /// Another router over the same host.
    void reroute(rest::RouterOptions chosen) {
        router_options = std::move(chosen);
        router.emplace(host(), router_options);
    }
    std::string message(const rest::Response& response) {
        return std::string(body_of(response).at("msg").as_string());
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rest_router, StartedFixture)

BOOST_AUTO_TEST_CASE(slashes_count_as_in_livy) {
    create();
    for (const std::string path :
         {"/batches", "/batches/", "//batches", "/batches//", "/version", "/version/", "/batches/0",
          "//batches//0", "/batches/0;x=1/state"}) {
        BOOST_TEST(get(path).result_int() == 200u, path);
    }
    for (const std::string path : {"/batches/0/", "/batches/0/state/", "/batches/0/x", "/batch",
                                   "/Batches", "/version/x", "/api/v1", "/api/v1/batches/0/"}) {
        BOOST_TEST(!handle(make_request(http::verb::get, path)).has_value(), path);
    }
}

BOOST_AUTO_TEST_CASE(unknown_paths_are_404_in_the_dialects_shape) {
    const auto livy = router->not_found(make_request(http::verb::get, "/batches/0/"));
    BOOST_TEST(livy.result_int() == 404u);
    BOOST_TEST(livy.body() == "");
    BOOST_TEST(header(livy, "Content-Type") == "application/json;charset=utf-8");
    BOOST_TEST(header(livy, "Content-Length") == "0");
    const auto native = router->not_found(make_request(http::verb::get, "/api/v1/x"));
    BOOST_TEST(header(native, "Content-Type") == "application/problem+json");
    BOOST_TEST(body_of(native).at("status").as_int64() == 404);
    const auto plain = router->not_found(make_request(http::verb::get, "/favicon.ico"));
    BOOST_TEST(header(plain, "Content-Type") == "text/html;charset=utf-8");
}

BOOST_AUTO_TEST_CASE(bad_targets_are_400) {
    for (const std::string path : {"/batches/../x", "/%zz", "/batches?x=%00"}) {
        const auto response = get(path);
        BOOST_TEST(response.result_int() == 400u, path);
        BOOST_TEST(message(response).starts_with("The request target is not valid: "));
    }
}

BOOST_AUTO_TEST_CASE(head_is_get_without_the_body) {
    const auto whole = get("/batches");
    const auto head = answer(http::verb::head, "/batches");
    BOOST_TEST(head.result_int() == 200u);
    BOOST_TEST(head.body() == "");
    BOOST_TEST(header(head, "Content-Length") == std::to_string(whole.body().size()));
    BOOST_TEST(header(head, "Content-Type") == header(whole, "Content-Type"));
    BOOST_TEST(answer(http::verb::head, "/batches/7").result_int() == 404u);
}

BOOST_AUTO_TEST_CASE(every_answer_has_the_security_headers) {
    for (const auto& response : {get("/"), get("/batches"), get("/batches/9"), get("/metrics"),
                                 router->not_found(make_request(http::verb::get, "/x"))}) {
        BOOST_TEST(header(response, "X-Frame-Options") == "SAMEORIGIN");
        BOOST_TEST(header(response, "X-Content-Type-Options") == "nosniff");
        BOOST_TEST(header(response, "X-XSS-Protection") == "1; mode=block");
        BOOST_TEST(header(response, "Content-Security-Policy").starts_with("default-src 'self'"));
    }
}

BOOST_AUTO_TEST_CASE(wrong_methods_are_405_with_the_right_ones) {
    struct Row {
        http::verb method;
        std::string path;
        std::string allow;
    };
    const std::vector<Row> rows{
        {http::verb::put, "/batches", "POST, GET, HEAD"},
        {http::verb::delete_, "/batches", "POST, GET, HEAD"},
        {http::verb::patch, "/batches/0", "DELETE, GET, HEAD"},
        {http::verb::post, "/batches/0/state", "GET, HEAD"},
        {http::verb::post, "/batches/find-by-user", "DELETE, GET, HEAD"},
        {http::verb::options, "/version", "GET, HEAD"},
        {http::verb::post, "/api/v1/batches/0", "GET, HEAD"},
        {http::verb::post, "/healthz", "GET, HEAD"},
    };
    for (const Row& row : rows) {
        BOOST_TEST_CONTEXT(row.path) {
            const auto response = answer(row.method, row.path);
            BOOST_TEST(response.result_int() == 405u);
            BOOST_TEST(header(response, "Allow") == row.allow);
            BOOST_TEST(response.body() == "");
        }
    }
}

BOOST_AUTO_TEST_CASE(a_post_can_stand_for_another_method) {
    create();
    BOOST_TEST(post("/batches/0/state", "", {{"X-HTTP-Method-Override", "GET"}}).result_int() ==
               200u);
    BOOST_TEST(post("/batches/0/state", "", {{"X-Method-Override", "get"}}).result_int() == 200u);
    BOOST_TEST(post("/batches/0/state", "", {{"X-HTTP-Method", "Get"}}).result_int() == 200u);
    BOOST_TEST(post("/batches/0?_method=GET", "").result_int() == 200u);
    BOOST_TEST(post("/batches/7", "", {{"X-HTTP-Method-Override", "DELETE"}}).result_int() == 404u);
    BOOST_TEST(post("/batches/0", "", {{"X-HTTP-Method-Override", "BREW"}}).result_int() == 405u);
    // Only a POST can.
    BOOST_TEST(get("/batches/0", {{"X-HTTP-Method-Override", "DELETE"}}).result_int() == 200u);
}

BOOST_FIXTURE_TEST_CASE(requests_that_change_something_can_be_asked_who_they_are_from,
                        RouterFixture) {
    router_options.require_requested_by = true;
    start();
    const std::string body = R"({"file": "/jobs/job.py"})";
    for (const auto verb : {http::verb::post, http::verb::delete_, http::verb::put}) {
        const auto refused = answer(verb, "/batches", body);
        BOOST_TEST(refused.result_int() == 400u);
        BOOST_TEST(refused.body() == R"({"msg":"Missing Required Header for CSRF protection."})");
        BOOST_TEST(answer(verb, "/batches", body, {{"X-Requested-By", ""}}).result_int() ==
                   (verb == http::verb::post ? 201u : 405u));
    }
    const Headers override_method{{"X-HTTP-Method-Override", "GET"}};
    BOOST_TEST(post("/batches", "", override_method).result_int() == 400u);
    BOOST_TEST(get("/batches").result_int() == 200u);
    BOOST_TEST(answer(http::verb::head, "/batches").result_int() == 200u);
    BOOST_TEST(answer(http::verb::options, "/batches").result_int() == 405u);
    BOOST_TEST(body_of(get("/batches")).at("total").as_int64() == 1);
}

BOOST_AUTO_TEST_CASE(foreign_hosts_and_origins_are_refused) {
    for (const auto& response :
         {get("/batches", {{"Host", "example.org"}}),
          get("/batches", {{"Origin", "http://evil.org"}}), get("/batches", {{"Origin", "null"}}),
          get("http://example.org/batches"),
          post("/batches", R"({"file":"/x"})", {{"Origin", "https://evil.org"}})}) {
        BOOST_TEST(response.result_int() == 403u);
        BOOST_TEST(message(response).find("allowed hosts") != std::string::npos);
    }
    BOOST_TEST(get("/api/v1/batches/0", {{"Host", "a.b"}}).result_int() == 403u);
    BOOST_TEST(get("/metrics", {{"Host", "a.b"}}).result_int() == 403u);
    BOOST_TEST(get("/batches", {{"Origin", "http://localhost:3000"}}).result_int() == 200u);
    BOOST_TEST(get("/batches", {{"Host", "[::1]:8998"}}).result_int() == 200u);
    BOOST_TEST(body_of(get("/batches")).at("total").as_int64() == 0);
    reroute({.allowed_hosts = {"example.org"}});
    BOOST_TEST(get("/batches", {{"Host", "example.org:80"}}).result_int() == 200u);
    BOOST_TEST(get("/batches", {{"Host", "evil.org"}}).result_int() == 403u);
}

BOOST_AUTO_TEST_CASE(a_prefix_ends_at_a_slash) {
    reroute({.prefix = "/spark/v1"});
    BOOST_TEST(get("/spark/v1/batches").result_int() == 200u);
    BOOST_TEST(get("//spark//v1/batches/").result_int() == 200u);
    BOOST_TEST(get("/spark/v1").result_int() == 200u);
    BOOST_TEST(get("/spark/v1/").result_int() == 200u);
    for (const std::string path : {"/batches", "/spark", "/spark/v12/batches", "/spark/v1x", "/",
                                   "/%zz", "/spark/v1/nothing"}) {
        BOOST_TEST(!handle(make_request(http::verb::get, path)).has_value(), path);
    }
    const auto created = post("/spark/v1/batches", R"({"file": "/x.py"})");
    BOOST_TEST(header(created, "Location") == "/spark/v1/batches/0");
}

BOOST_AUTO_TEST_CASE(wrong_options_are_refused) {
    const auto refuses = [this](rest::RouterOptions chosen) {
        BOOST_CHECK_THROW(rest::Router(host(), std::move(chosen)), std::invalid_argument);
    };
    refuses({.prefix = "spark"});
    refuses({.prefix = "/spark/"});
    refuses({.prefix = "/"});
    refuses({.prefix = "/a?b"});
    refuses({.prefix = "/a/../b"});
    refuses({.max_wait = 0s});
    refuses({.allowed_hosts = {"host:80"}});
    refuses({.max_page = 0});
    refuses({.max_log_bytes = 0});
}

BOOST_AUTO_TEST_CASE(large_bodies_are_413) {
    reroute({.max_body = 10});
    BOOST_TEST(post("/batches", std::string(11, ' ')).result_int() == 413u);
    BOOST_TEST(post("/batches", std::string(10, ' ')).result_int() == 400u);
}

BOOST_AUTO_TEST_CASE(unknown_livy_versions_are_406) {
    const auto response = get("/batches", {{"Accept", "application/vnd.livy.v9.9+json"}});
    BOOST_TEST(response.result_int() == 406u);
    BOOST_TEST(response.body() == R"({"msg":"No value found for '9.9'"})");
    BOOST_TEST(get("/batches", {{"Accept", "application/vnd.livy.v0.1+json"}}).result_int() ==
               200u);
    BOOST_TEST(get("/batches", {{"Accept", "text/html"}}).result_int() == 200u);
    BOOST_TEST(get("/metrics", {{"Accept", "application/vnd.livy.v9"}}).result_int() == 200u);
}

BOOST_AUTO_TEST_CASE(health_and_readiness_follow_the_host) {
    BOOST_TEST(get("/healthz").body() == R"({"status":"ok"})");
    BOOST_TEST(get("/readyz").body() == R"({"status":"ok"})");
    BOOST_TEST(get("/").result_int() == 200u);
    host().stop();
    settle();
    BOOST_TEST(get("/healthz").result_int() == 200u);
    const auto response = get("/readyz");
    BOOST_TEST(response.result_int() == 503u);
    BOOST_TEST(body_of(response).at("status").as_string() == "unavailable");
    BOOST_TEST(body_of(response).at("reason").as_string() == "the server is shutting down");
    BOOST_TEST(header(response, "Retry-After") == "5");
}

BOOST_AUTO_TEST_CASE(a_backend_that_cannot_be_followed_is_told_and_work_is_accepted) {
    cluster->trouble("connection refused");
    settle();
    const auto response = get("/readyz");
    BOOST_TEST(response.result_int() == 200u);
    BOOST_TEST(body_of(response).at("backends").at("fake").at("error").as_string() ==
               "connection refused");
    BOOST_TEST(get("/metrics").body().find("\nsparkhost_backend_watching{backend=\"fake\"} 0\n") !=
               std::string::npos);
    cluster->trouble("");
    settle();
    BOOST_TEST(get("/readyz").body() == R"({"status":"ok"})");
    BOOST_TEST(get("/metrics").body().find("\nsparkhost_backend_watching{backend=\"fake\"} 1\n") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(metrics_are_prometheus_text) {
    create();
    const auto response = get("/metrics");
    BOOST_TEST(header(response, "Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
    BOOST_TEST(response.body().find("\nsparkhost_ready 1\n") != std::string::npos);
    BOOST_TEST(response.body().find("sparkhost_accept_seconds_count 1\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_stopped_host_answers_503_with_retry_after) {
    create();
    host().stop();
    settle();
    for (const auto& response :
         {get("/batches"), get("/batches/0"), get("/batches/0/log"),
          post("/batches", R"({"file":"/x.py"})"), answer(http::verb::delete_, "/batches/0")}) {
        BOOST_TEST(response.result_int() == 503u);
        BOOST_TEST(header(response, "Retry-After") == "5");
        BOOST_TEST(message(response) ==
                   "The server is shutting down; send the request again later.");
    }
    const auto native = get("/api/v1/batches/0");
    BOOST_TEST(native.result_int() == 503u);
    BOOST_TEST(header(native, "Content-Type") == "application/problem+json");
}

BOOST_AUTO_TEST_SUITE_END()
