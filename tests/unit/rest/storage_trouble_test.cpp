// SPDX-License-Identifier: Apache-2.0

// What clients and probes are told while the storage does not work.

#include "router_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace sparkhost::rest_test {

namespace storage_trouble {

using testing::StorageFault;

struct TroubleFixture : RouterFixture {
    TroubleFixture() { cluster->set_pace(testing::FakeCluster::Pace::by_hand); }

    bool shows(const std::string& line) {
        return get("/metrics").body().find("\n" + line + "\n") != std::string::npos;
    }
    void let_retries_pass() {
        for (int round = 0; round < 4; ++round) {
            advance(options.storage_retry_max);
        }
    }
};

}  // namespace storage_trouble

BOOST_FIXTURE_TEST_SUITE(storage_trouble_over_rest, storage_trouble::TroubleFixture)

BOOST_AUTO_TEST_CASE(readiness_says_what_is_wrong_and_since_when_until_it_heals) {
    using storage_trouble::StorageFault;
    start();
    create();
    for (const auto fault : {StorageFault::failed, StorageFault::indeterminate_lost}) {
        const bool reads_work = fault == StorageFault::failed;
        faults().plan({.fault = fault, .repeat = true, .commits_only = reads_work});
        const auto refused = post("/batches", R"({"file":"/x.py"})");
        BOOST_TEST(refused.result_int() == 503u);
        BOOST_TEST(header(refused, "Retry-After") == "5");
        const auto response = get("/readyz");
        BOOST_TEST(response.result_int() == 503u);
        BOOST_TEST(header(response, "Retry-After") == "5");
        const auto body = body_of(response).as_object();
        BOOST_TEST(body.at("status").as_string() == "unavailable");
        const std::string reason(body.at("reason").as_string());
        BOOST_TEST(reason.starts_with("the storage does not work: "), reason);
        const auto& storage = body.at("storage").as_object();
        BOOST_TEST(storage.at("since").as_string().starts_with("2026-01-01T00:"));
        BOOST_TEST(std::string(storage.at("error").as_string()).find("planned fault") !=
                   std::string::npos);
        BOOST_TEST(get("/healthz").result_int() == 200u);
        BOOST_TEST(shows("sparkhost_storage_healthy 0"));
        advance(3s);
        BOOST_TEST(!shows("sparkhost_storage_degraded_seconds_total 0"));
        faults().heal();
        let_retries_pass();
        BOOST_TEST(get("/readyz").result_int() == 200u);
        BOOST_TEST(shows("sparkhost_storage_healthy 1"));
        BOOST_TEST(get("/batches/0").result_int() == 200u);
    }
}

BOOST_AUTO_TEST_CASE(reads_go_on_beside_a_full_disk_and_show_what_is_durable) {
    using storage_trouble::StorageFault;
    start();
    const auto id = create();
    begin_running(id);
    faults().plan({.fault = StorageFault::failed, .repeat = true, .commits_only = true});
    cluster->end(ticket(id), Outcome::success, 0);
    settle();
    for (int round = 0; round < 3; ++round) {
        const auto response = get("/batches/0");
        BOOST_TEST(response.result_int() == 200u);
        BOOST_TEST(body_of(response).at("state").as_string() == "running");
        BOOST_TEST(get("/batches").result_int() == 200u);
        BOOST_TEST(answer(http::verb::delete_, "/batches/0").result_int() == 503u);
        advance(5s);
    }
    BOOST_TEST(!shows("sparkhost_storage_oldest_unstored_seconds 0"));
    faults().heal();
    let_retries_pass();
    BOOST_TEST(body_of(get("/batches/0")).at("state").as_string() == "success");
    BOOST_TEST(shows("sparkhost_storage_oldest_unstored_seconds 0"));
}

BOOST_AUTO_TEST_CASE(nothing_is_shown_while_it_is_in_doubt) {
    using storage_trouble::StorageFault;
    start();
    const auto id = create();
    begin_running(id);
    faults().plan(
        {.fault = StorageFault::indeterminate_written, .repeat = true, .commits_only = false});
    cluster->end(ticket(id), Outcome::success, 0);
    settle();
    for (const auto& path : {"/batches", "/batches/0", "/sessions"}) {
        const auto response = get(path);
        BOOST_TEST(response.result_int() == 503u, path);
        BOOST_TEST(header(response, "Retry-After") == "5");
    }
    faults().heal();
    let_retries_pass();
    BOOST_TEST(body_of(get("/batches/0")).at("state").as_string() == "success");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::rest_test
