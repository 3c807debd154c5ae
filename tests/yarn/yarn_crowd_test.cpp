// SPDX-License-Identifier: Apache-2.0
#include "yarn/yarn_place.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

// Many applications, followed with few requests.

namespace sparkhost::test::yarn {

namespace crowd_test {

/// How many applications; SPARKHOST_STORM_SIZE for more than the suite has time for.
std::size_t crowd() {
    const char* const wanted = std::getenv("SPARKHOST_STORM_SIZE");
    return wanted ? static_cast<std::size_t>(std::atoi(wanted)) : 500;
}

const std::string list = "/ws/v1/cluster/apps?";
const std::string single = "/ws/v1/cluster/apps/application_";

struct CrowdPlace : Place {
    CrowdPlace() {
        host.backend.shortest_interval = std::chrono::milliseconds(100);
        host.backend.longest_interval = std::chrono::milliseconds(200);
        host.cluster.with([](Cluster& c) {
            c.masters.holds_ends = true;
            c.settings.max_completed = 100'000;
        });
    }
    void submit_all(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            ids.push_back(submit("succeeds"));
        }
    }
    void until_all_run() {
        for (const auto id : ids) {
            until_running(id);
        }
        BOOST_TEST(host.cluster.starts("succeeds") == ids.size());
    }
    std::size_t requests(const std::string& method, const std::string& path) {
        return host.cluster.with([&](Cluster& c) { return c.traffic.requests(method, path); });
    }
    /// Until a look has begun that can miss no application of now; the one before it is over. A
    /// look that misses some has a second list.
    void until_a_new_look() {
        forget_requests();
        until_cluster("a new look", [](Cluster& c) { return c.traffic.requests("GET", list) > 1; });
    }
    void forget_requests() {
        change([](Cluster& c) { c.traffic.request_log.clear(); });
    }

    std::vector<BatchId> ids{};
};

}  // namespace crowd_test

BOOST_FIXTURE_TEST_SUITE(yarn_crowds, crowd_test::CrowdPlace)

using namespace crowd_test;

BOOST_AUTO_TEST_CASE(a_crowd_that_runs_is_followed_by_one_list_at_a_time) {
    submit_all(crowd());
    until_all_run();
    // a driver can say that it runs before a list has its application: that is asked for by itself
    until_a_new_look();
    forget_requests();
    until_cluster("some lists", [](Cluster& c) { return c.traffic.requests("GET", list) >= 5; });
    BOOST_TEST(requests("GET", single) == 0u);
    const auto all = host.cluster.with([](Cluster& c) { return c.traffic.request_log.size(); });
    BOOST_TEST(all <= 4 * requests("GET", list));
    forget_requests();
    change([](Cluster& c) { c.let_go(); });
    for (const auto id : ids) {
        BOOST_TEST(until_ended(id).state() == BatchState::success);
    }
    BOOST_TEST(requests("GET", single) <= 2 * ids.size());
    BOOST_TEST(host.cluster.starts("succeeds") == ids.size());
}

BOOST_AUTO_TEST_CASE(a_crowd_that_ended_while_the_host_was_away_is_found_at_its_end) {
    submit_all(crowd() / 5);
    until_all_run();
    until_a_new_look();  // what was asked for by itself before must not count as the next host's
    host.crash();
    change([](Cluster& c) {
        c.traffic.request_log.clear();
        c.let_go();
    });
    until_cluster("the end of all", [](Cluster& c) {
        return std::ranges::all_of(c.rm.applications,
                                   [](const auto& each) { return each.second->is_over(); });
    });
    host.start();
    for (const auto id : ids) {
        BOOST_TEST(until_ended(id).state() == BatchState::success);
    }
    BOOST_TEST(requests("GET", single) == 0u);  // one list has them all
    BOOST_TEST(host.cluster.starts("succeeds") == ids.size());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::yarn
