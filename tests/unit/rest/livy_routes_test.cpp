// SPDX-License-Identifier: Apache-2.0
#include "unit/rest/router_fixture.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::rest_test;

namespace {

struct LivyFixture : RouterFixture {
    LivyFixture() { RouterFixture::start(); }

    static std::vector<std::string> log_of(const rest::Response& response) {
        std::vector<std::string> lines;
        const auto value = body_of(response);
        for (const auto& line : value.at("log").as_array()) {
            lines.emplace_back(line.as_string());
        }
        return lines;
    }
    std::string refusal(const std::string& body) {
        const auto response = post("/batches", body);
        BOOST_TEST(response.result_int() == 400u, body);
        const auto value = body_of(response);
        return value.is_string() ? std::string(value.as_string())
                                 : std::string(value.at("msg").as_string());
    }
};

using Words = std::vector<std::string>;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rest_livy_routes, LivyFixture)

BOOST_AUTO_TEST_CASE(creating_answers_201_with_a_relative_location_and_an_etag) {
    const auto response = post("/batches", R"({"file": "/x.py"})");
    BOOST_TEST(response.result_int() == 201u);
    BOOST_TEST(header(response, "Location") == "/batches/0");
    BOOST_TEST(header(response, "ETag") == "\"1\"");
    BOOST_TEST(response.body() ==
               R"({"id":0,"name":null,"owner":null,"proxyUser":null,"state":"starting",)"
               R"("appId":null,"appInfo":{"driverLogUrl":null,"sparkUiUrl":null,)"
               R"("executorLogUrls":null},"log":["stdout: ","\nstderr: "]})");
    BOOST_TEST(post("/batches/", R"({"file": "/x.py"})").result_int() == 201u);
}

BOOST_AUTO_TEST_CASE(headers_of_odd_clients_are_no_obstacle) {
    const std::string body = R"({"file": "/x.py"})";
    BOOST_TEST(post("/batches", body, {{"Content-Type", "text/plain"}}).result_int() == 201u);
    BOOST_TEST(post("/batches", body, {{"Content-Type", "application/x-www-form-urlencoded"}})
                   .result_int() == 201u);
    BOOST_TEST(post("/batches", body, {{"Content-Encoding", "UTF-8"}}).result_int() == 201u);
    BOOST_TEST(post("/batches", body, {{"Authorization", "Basic Tm9uZTpOb25l"}}).result_int() ==
               201u);
    BOOST_TEST(get("/batches", {{"Content-Type", "application/json"}}).result_int() == 200u);
    BOOST_TEST(post("/batches", body, {{"Content-Encoding", "gzip"}}).result_int() == 415u);
}

BOOST_AUTO_TEST_CASE(broken_rules_of_the_host_are_told_in_livys_words) {
    const std::vector<std::pair<std::string, std::string>> rows{
        {R"({})", "Rejected, Reason: requirement failed: File is required."},
        {R"({"file": ""})", "Rejected, Reason: requirement failed: File is required."},
        {R"({"file": "rel.py"})",
         "Rejected, Reason: requirement failed: Path 'rel.py' is not absolute."},
        {R"({"file": "/a.py", "jars": ["x.jar"]})",
         "Rejected, Reason: requirement failed: Path 'x.jar' is not absolute."},
        {R"({"file": "/a.py", "name": "123"})", "Rejected, Reason: Invalid session name: 123"},
        {R"({"file": "/a.py", "name": ""})", "Rejected, Reason: Invalid session name: "},
        {R"({"file": "/a.py", "numExecutors": 0})",
         "Rejected, Reason: requirement failed: numExecutors: must be at least 1"},
    };
    for (const auto& [body, words] : rows) {
        BOOST_TEST(refusal(body) == words);
    }
    BOOST_TEST(refusal(R"({"file": "/a.py", "conf": {"spark.a\nb": "x"}})").find("conf") !=
               std::string::npos);
    BOOST_TEST(body_of(get("/batches")).at("total").as_int64() == 0);
}

BOOST_AUTO_TEST_CASE(broken_json_is_a_bare_string) {
    for (const std::string body : {"", "null", "{", "[]", R"({"driverCores": "2"})"}) {
        const auto response = post("/batches", body);
        BOOST_TEST(response.result_int() == 400u, body);
        BOOST_TEST(body_of(response).is_string(), body);
    }
}

BOOST_AUTO_TEST_CASE(impersonation_is_ignored_without_a_word) {
    const auto response = post("/batches?doAs=alice", R"({"file": "/x.py", "proxyUser": "bob"})");
    BOOST_TEST(body_of(response).at("proxyUser").is_null());
    BOOST_TEST(body_of(response).at("owner").is_null());
    BOOST_TEST(find(BatchId{0}).spec.proxy_user == "");
}

BOOST_AUTO_TEST_CASE(the_backend_is_chosen_by_a_parameter) {
    BOOST_TEST(header(post("/batches?backend=fake", R"({"file": "/x.py"})"), "Sparkhost-Backend") ==
               "fake");
    BOOST_TEST(header(get("/batches/0"), "Sparkhost-Backend") == "fake");
    const auto response = post("/batches?backend=moon", R"({"file": "/x.py"})");
    BOOST_TEST(response.result_int() == 400u);
    BOOST_TEST(response.body().find("moon") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_same_idempotency_key_gives_the_same_batch) {
    const std::string body = R"({"file": "/x.py"})";
    const auto first = post("/batches", body, {{"Idempotency-Key", "k1"}});
    const auto again = post("/batches", body, {{"Idempotency-Key", "k1"}});
    BOOST_TEST(again.result_int() == 201u);
    BOOST_TEST(again.body() == first.body());
    BOOST_TEST(header(again, "Location") == "/batches/0");
    const auto other = post("/batches", R"({"file": "/y.py"})", {{"Idempotency-Key", "k1"}});
    BOOST_TEST(other.result_int() == 422u);
    BOOST_TEST(body_of(other).at("msg").is_string());
    BOOST_TEST(header(post("/batches", body, {{"Idempotency-Key", "k2"}}), "Location") ==
               "/batches/1");
    BOOST_TEST(header(post("/batches", body), "Location") == "/batches/2");
}

BOOST_AUTO_TEST_CASE(parameters_say_whether_a_batch_is_tried_again) {
    const std::string body = R"({"file": "/x.py"})";
    const auto made = post(
        "/batches?maxAttempts=3&retryDelay=10s&retryFactor=1.5"
        "&retryMaxDelay=5m&retryJitter=0&retryOn=failed,unknown",
        body);
    BOOST_TEST(made.result_int() == 201u);
    const auto retry = find(BatchId{0}).spec.retry;
    BOOST_TEST(*retry.max_attempts == 3);
    BOOST_TEST((*retry.delay == std::chrono::seconds(10)));
    BOOST_TEST(*retry.factor == 1.5);
    BOOST_TEST((*retry.max_delay == std::chrono::minutes(5)));
    BOOST_TEST(*retry.jitter == 0);
    BOOST_TEST((*retry.causes == std::set{RetryCause::failed, RetryCause::unknown}));
    BOOST_TEST(post("/batches?maxAttempts=2&retryDelay=7", body).result_int() == 201u);
    BOOST_TEST((*find(BatchId{1}).spec.retry.delay == std::chrono::seconds(7)));
    BOOST_TEST(!find(BatchId{1}).spec.retry.factor);
}

BOOST_AUTO_TEST_CASE(parameters_that_cannot_be_meant_are_refused_by_their_names) {
    for (const auto& [target, field] :
         {std::pair<std::string, std::string>{"/batches?maxAttempts=many", "maxAttempts"},
          {"/batches?maxAttempts=", "maxAttempts"},
          {"/batches?maxAttempts=99999999999", "maxAttempts"},
          {"/batches?maxAttempts=0", "retry.max_attempts"},
          {"/batches?maxAttempts=101", "retry.max_attempts"},
          {"/batches?retryDelay=soon", "retryDelay"},
          {"/batches?retryDelay=", "retryDelay"},
          {"/batches?retryDelay=-1s", "retryDelay"},
          {"/batches?retryDelay=2d", "retry.delay"},
          {"/batches?retryMaxDelay=x", "retryMaxDelay"},
          {"/batches?retryMaxDelay=25h", "retry.max_delay"},
          {"/batches?retryFactor=fast", "retryFactor"},
          {"/batches?retryFactor=0.5", "retry.factor"},
          {"/batches?retryFactor=nan", "retry.factor"},
          {"/batches?retryJitter=1x", "retryJitter"},
          {"/batches?retryJitter=2", "retry.jitter"},
          {"/batches?retryOn=killed", "retryOn"},
          {"/batches?retryOn=", "retryOn"},
          {"/batches?retryOn=failed,", "retryOn"}}) {
        const auto response = post(target, R"({"file": "/x.py"})");
        BOOST_TEST(response.result_int() == 400u, target);
        BOOST_TEST(response.body().find(field) != std::string::npos, target + response.body());
    }
    BOOST_TEST(ask(host().list({})).value().total == 0);
}

BOOST_AUTO_TEST_CASE(each_attempts_log_can_be_read) {
    post("/batches?maxAttempts=2&retryDelay=10s&retryJitter=0", R"({"file": "/x.py"})");
    const BatchId id{0};
    cluster->start(ticket(id));
    cluster->append_log(ticket(id), "one");
    settle();
    finish(id, Outcome::failed, 3);
    BOOST_TEST(body_of(get("/batches/0/state")).at("state").as_string() == "running");
    advance(std::chrono::seconds(10));
    cluster->append_log(ticket(id), "two");
    const auto lines = [&](const std::string& target) {
        return boost::json::serialize(body_of(get(target)).at("log"));
    };
    BOOST_TEST(lines("/batches/0/log") == R"(["stdout: ","two","\nstderr: "])");
    BOOST_TEST(lines("/batches/0/log?attempt=2") == R"(["stdout: ","two","\nstderr: "])");
    BOOST_TEST(lines("/batches/0/log?attempt=1").starts_with(R"(["stdout: ","one","\nstderr: ")"));
    BOOST_TEST(get("/batches/0/log?attempt=3").result_int() == 404u);
    BOOST_TEST(get("/batches/0/log?attempt=-1").result_int() == 400u);
    BOOST_TEST(get("/batches/0/log?attempt=x").result_int() == 400u);
}

BOOST_AUTO_TEST_CASE(names_stand_for_ids_everywhere) {
    create(R"({"file": "/x.py", "name": "a b.c"})");
    BOOST_TEST(body_of(get("/batches/a%20b.c")).at("id").as_int64() == 0);
    BOOST_TEST(get("/batches/a%20b.c/state").body() == R"({"id":0,"state":"starting"})");
    BOOST_TEST(body_of(get("/batches/a%20b.c/log")).at("id").as_int64() == 0);
    BOOST_TEST(get("/batches/other").body() == R"({"msg":"Session 'other' not found."})");
    BOOST_TEST(get("/batches/-1").body() == R"({"msg":"Session '-1' not found."})");
}

BOOST_AUTO_TEST_CASE(numbers_that_no_id_can_be_are_told_apart) {
    BOOST_TEST(get("/batches/3000000000").result_int() == 404u);
    const auto response = get("/batches/99999999999999999999");
    BOOST_TEST(response.result_int() == 400u);
    BOOST_TEST(response.body() == R"({"msg":"For input string: \"99999999999999999999\""})");
}

BOOST_AUTO_TEST_CASE(lists_are_sliced_and_from_is_echoed) {
    for (int i = 0; i < 4; ++i) {
        create();
    }
    const auto ids = [this](const std::string& query) {
        std::string text;
        const auto value = body_of(get("/batches" + query));
        for (const auto& batch : value.at("sessions").as_array()) {
            text += std::to_string(batch.at("id").as_int64());
        }
        return std::to_string(value.at("from").as_int64()) + "/" +
               std::to_string(value.at("total").as_int64()) + ":" + text;
    };
    BOOST_TEST(ids("") == "0/4:0123");
    BOOST_TEST(ids("?from=1&size=2") == "1/4:12");
    BOOST_TEST(ids("?from=3") == "3/4:3");
    BOOST_TEST(ids("?from=-5&size=2") == "-5/4:01");
    BOOST_TEST(ids("?size=0") == "0/4:");
    BOOST_TEST(ids("?size=-1") == "0/4:");
    BOOST_TEST(ids("?from=9") == "9/4:");
    BOOST_TEST(get("/batches?size=x").body() == R"({"msg":"For input string: \"x\""})");
    BOOST_TEST(get("/batches?from=").result_int() == 400u);
    router_options.max_page = 3;
    router.emplace(host(), router_options);
    BOOST_TEST(ids("?size=1000") == "0/4:012");
}

BOOST_AUTO_TEST_CASE(the_object_shows_the_last_ten_lines_of_a_running_batch) {
    const auto id = create();
    begin_running(id);
    BOOST_TEST(log_of(get("/batches/0")) == (Words{"stdout: ", "\nstderr: "}),
               boost::test_tools::per_element());
    for (int i = 0; i < 8; ++i) {
        cluster->append_log(ticket(id), "line " + std::to_string(i));
    }
    BOOST_TEST(log_of(get("/batches/0")).front() == "stdout: ");
    cluster->append_log(ticket(id), "line 8");
    const auto log = log_of(get("/batches/0"));
    BOOST_TEST(log.size() == 10u);
    BOOST_TEST(log.front() == "line 0");
    BOOST_TEST(log.back() == "\nstderr: ");
    const auto listed = body_of(get("/batches")).at("sessions").at(0).at("log");
    BOOST_TEST(listed.as_array().size() == 10u);
}

BOOST_AUTO_TEST_CASE(a_log_that_cannot_be_read_does_not_hide_the_batch) {
    const auto id = create();
    begin_running(id);
    cluster->fail_next("read_log", Error(Errc::backend_failed, "no disk"), 2);
    BOOST_TEST(log_of(get("/batches/0")) == (Words{"stdout: ", "\nstderr: "}),
               boost::test_tools::per_element());
    BOOST_TEST(get("/batches/0/log").result_int() == 502u);
}

BOOST_AUTO_TEST_CASE(an_ended_batch_is_shown_without_reading_its_log) {
    const auto id = create();
    begin_running(id);
    cluster->append_log(ticket(id), "only line");
    cluster->end(ticket(id), Outcome::failed, 1, "the disk was full");
    settle();
    const auto reads = cluster->calls("read_log");
    const auto log = log_of(get("/batches/0"));
    BOOST_TEST(log.at(0) == "stdout: ");
    BOOST_TEST(log.at(1) == "only line");
    BOOST_TEST(log.at(2) == "\nstderr: ");
    BOOST_TEST(log.at(3).find("the disk was full") != std::string::npos);
    get("/batches");
    BOOST_TEST(cluster->calls("read_log") == reads);
}

BOOST_AUTO_TEST_CASE(the_log_is_complete_and_counts_its_markers) {
    const auto id = create();
    begin_running(id);
    for (int i = 0; i < 300; ++i) {
        cluster->append_log(ticket(id), std::to_string(i));
    }
    const auto tail = body_of(get("/batches/0/log"));
    BOOST_TEST(tail.at("from").as_int64() == 202);
    BOOST_TEST(tail.at("total").as_int64() == 302);
    BOOST_TEST(tail.at("log").as_array().size() == 100u);
    BOOST_TEST(log_of(get("/batches/0/log?size=-1")).size() == 302u);
    const auto page = get("/batches/0/log?from=100&size=2");
    BOOST_TEST(log_of(page) == (Words{"99", "100"}), boost::test_tools::per_element());
    const auto beyond = body_of(get("/batches/0/log?from=400"));
    BOOST_TEST(beyond.at("from").as_int64() == 400);
    BOOST_TEST(beyond.at("log").as_array().empty());
    BOOST_TEST(get("/batches/0/log?size=1e3").result_int() == 400u);
}

BOOST_AUTO_TEST_CASE(a_batch_that_has_not_started_has_an_empty_log) {
    options.max_running = 1;
    create();
    create();
    BOOST_TEST(get("/batches/1/log").body() ==
               R"({"id":1,"from":0,"total":2,"log":["stdout: ","\nstderr: "]})");
}

BOOST_AUTO_TEST_CASE(deleting_waits_for_the_end_and_frees_the_name) {
    const auto id = create(R"({"file": "/x.py", "name": "n"})");
    begin_running(id);
    cluster->hold("kill");
    auto pending = begin_request(make_request(http::verb::delete_, "/batches/n"));
    BOOST_TEST(!pending->done);
    cluster->let_go("kill");
    settle();
    if (!pending->done) {
        cluster->end(ticket(id), Outcome::killed, 143);
        settle();
    }
    BOOST_TEST_REQUIRE(pending->done);
    BOOST_TEST(pending->response->body() == R"({"msg":"deleted"})");
    BOOST_TEST(get("/batches/0").result_int() == 404u);
    BOOST_TEST(answer(http::verb::delete_, "/batches/0").result_int() == 404u);
    BOOST_TEST(create(R"({"file": "/x.py", "name": "n"})").value == 1);
}

BOOST_AUTO_TEST_CASE(a_cancelled_delete_is_answered_with_503_and_goes_on) {
    const auto id = create();
    begin_running(id);
    cluster->hold("kill");
    auto pending = begin_request(make_request(http::verb::delete_, "/batches/0"));
    pending->cancel.emit(asio::cancellation_type::terminal);
    settle();
    BOOST_TEST_REQUIRE(pending->done);
    BOOST_TEST_REQUIRE(pending->response.has_value());
    BOOST_TEST(pending->response->result_int() == 503u);
    BOOST_TEST(find(id).kill_requested);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(rest_livy_trouble, RouterFixture)

BOOST_AUTO_TEST_CASE(a_full_queue_is_refused_in_livys_words) {
    options.max_running = 1;
    options.max_queued = 1;
    RouterFixture::start();
    create();
    create();
    const auto response = post("/batches", R"({"file": "/x.py"})");
    BOOST_TEST(response.result_int() == 400u);
    BOOST_TEST(response.body() == R"({"msg":"Rejected, too many sessions are being created!"})");
    BOOST_TEST(header(response, "Retry-After") == "5");
}

BOOST_AUTO_TEST_CASE(a_storage_that_fails_is_503_with_retry_after) {
    RouterFixture::start();
    testing::FaultPlan plan;
    plan.commits_only = true;
    faults().plan(plan);
    const auto failed = post("/batches", R"({"file": "/x.py"})");
    BOOST_TEST(failed.result_int() == 503u);
    BOOST_TEST(header(failed, "Retry-After") == "5");
    BOOST_TEST(body_of(failed).at("msg").as_string().starts_with("The storage cannot be reached"));
    plan.fault = testing::StorageFault::indeterminate_written;
    faults().plan(plan);
    const auto unknown = post("/batches", R"({"file": "/x.py"})");
    BOOST_TEST(unknown.result_int() == 503u);
    BOOST_TEST(
        body_of(unknown).at("msg").as_string().starts_with("The storage failed while writing"));
}

BOOST_AUTO_TEST_SUITE_END()
