// SPDX-License-Identifier: Apache-2.0
#include "yarn/yarn_place.hpp"

#include <algorithm>
#include <string>

// ResourceManagers that die, forget, recover and take over.

namespace sparkhost::test::yarn {

namespace faults_test {

const std::string submission = "/ws/v1/cluster/apps?";

struct FaultsPlace : Place {
    std::size_t submissions() {
        return host.cluster.with([](Cluster& c) { return c.traffic.requests("POST", submission); });
    }
    std::size_t new_ids() {
        return host.cluster.with(
            [](Cluster& c) { return c.traffic.requests("POST", "/new-application"); });
    }
    void until_dead() {
        until_cluster("its death", [](Cluster& c) { return !c.rm.is_up(); });
    }
    void next_life_of_the_host() {
        host.crash();
        host.start();
    }
    void check_it_ran_once(BatchId id) {
        BOOST_TEST(until_ended(id).state() == BatchState::success, host.find(id).reason);
        BOOST_TEST(host.cluster.starts("succeeds") == 1u);
        BOOST_TEST(new_ids() == 1u);
    }
};

}  // namespace faults_test

BOOST_FIXTURE_TEST_SUITE(yarn_resource_manager_faults, faults_test::FaultsPlace)

using namespace faults_test;

BOOST_AUTO_TEST_CASE(what_a_202_was_said_to_and_was_lost_is_submitted_again_under_its_id) {
    change([](Cluster& c) { c.rm.dies_after_submission = true; });
    const auto id = submit("succeeds");
    until_dead();
    BOOST_TEST(host.cluster.starts("succeeds") == 0u);
    change([](Cluster& c) { c.rm.start(); });
    check_it_ran_once(id);
    BOOST_TEST(submissions() == 2u);
}

BOOST_AUTO_TEST_CASE(that_holds_when_the_host_dies_with_it) {
    change([](Cluster& c) { c.rm.dies_after_submission = true; });
    const auto id = submit("succeeds");
    until_dead();
    host.crash();
    change([](Cluster& c) { c.rm.start(); });
    host.start();
    check_it_ran_once(id);
    BOOST_TEST(submissions() == 2u);
}

BOOST_AUTO_TEST_CASE(one_that_recovers_is_not_believed_nor_posted_to) {
    change([](Cluster& c) {
        c.rm.dies_after_saving = true;
        c.traffic.plan({.kind = Fault::Kind::lose_answer, .method = "POST", .path = submission});
    });
    const auto id = submit("succeeds");
    until_dead();
    change([](Cluster& c) {
        c.settings.holds_recovery = true;
        c.rm.start();
    });
    until_looked();
    BOOST_TEST(submissions() == 1u);
    BOOST_TEST(!host.find(id).has_ended());
    change([](Cluster& c) { c.let_go(); });
    check_it_ran_once(id);
    BOOST_TEST(submissions() == 1u);
}

BOOST_AUTO_TEST_CASE(a_host_that_comes_back_while_it_recovers_waits_for_it) {
    const auto id = submit("endless");
    until_running(id);
    host.crash();
    change([](Cluster& c) {
        c.settings.holds_recovery = true;
        c.rm.die();
        c.rm.start();
    });
    host.start();
    until_looked();
    BOOST_TEST(!host.find(id).has_ended());
    change([](Cluster& c) { c.let_go(); });
    host.until("the kill", [wish = host.begin(host.host().kill(id))] { return wish->done(); });
    BOOST_TEST(until_ended(id).state() == BatchState::killed);
    BOOST_TEST(host.cluster.starts("endless") == 1u);
    BOOST_TEST(submissions() == 1u);
}

BOOST_AUTO_TEST_CASE(a_host_that_dies_while_it_waits_for_the_store_adopts_what_it_finds) {
    change([](Cluster& c) { c.settings.holds_saving = true; });
    const auto id = submit("succeeds");
    until_cluster("it to be looked at", [](Cluster& c) {
        return c.traffic.requests("GET", "/apps/application_") > 0 && !c.rm.applications.empty();
    });
    host.crash();
    change([](Cluster& c) { c.let_go(); });
    host.start();
    check_it_ran_once(id);
    BOOST_TEST(submissions() == 1u);
}

BOOST_AUTO_TEST_CASE(one_that_is_away_for_a_while_changes_no_end) {
    const auto id = submit("endless");
    until_running(id);
    change([](Cluster& c) {
        c.rm.die();
        c.masters.end(only_am(c), 1, "Traceback (most recent call last):\nValueError: seven\n");
    });
    const auto status = [&] { return host.host().status().backends.at(0); };
    host.until("trouble to be told", [&] { return !status().watching; });
    BOOST_TEST(!status().problem.empty());
    host.until("time to pass", [turns = 0]() mutable { return ++turns > 50; });
    BOOST_TEST(host.find(id).state() == BatchState::running);
    change([](Cluster& c) { c.rm.start(); });
    host.until("trouble to be over", [&] { return status().watching; });
    const auto end = until_ended(id);
    BOOST_TEST(end.state() == BatchState::dead);
    BOOST_TEST(end.reason.find("ValueError: seven") != std::string::npos, end.reason);
}

BOOST_AUTO_TEST_CASE(the_one_that_takes_over_is_asked) {
    change([](Cluster& c) { c.have_two_resource_managers(); });
    host.backend.resource_managers = {host.cluster.urls().other_resource_manager,
                                      host.cluster.urls().resource_manager};
    const auto id = submit("endless");
    until_running(id);
    change([](Cluster& c) { c.fail_over(); });
    until_looked();
    BOOST_TEST(host.find(id).state() == BatchState::running);
    const auto next = submit("succeeds");
    BOOST_TEST(until_ended(next).state() == BatchState::success);
    BOOST_TEST(host.ask(host.host().kill(id)).has_value());
    BOOST_TEST(until_ended(id).state() == BatchState::killed);
    BOOST_TEST(host.cluster.starts("succeeds") == 1u);
}

BOOST_AUTO_TEST_CASE(while_none_is_active_a_submission_waits) {
    change([](Cluster& c) {
        c.have_two_resource_managers();
        c.rm.stand_by();
    });
    host.backend.resource_managers = {host.cluster.urls().resource_manager,
                                      host.cluster.urls().other_resource_manager};
    const auto id = submit("succeeds");
    until_looked();
    BOOST_TEST(submissions() == 0u);
    BOOST_TEST(!host.find(id).has_ended());
    change([](Cluster& c) { c.other_rm.take_over(); });
    check_it_ran_once(id);
}

BOOST_AUTO_TEST_CASE(what_was_forgotten_while_the_host_was_away_is_lost_and_not_run_again) {
    const auto id = submit("endless");
    until_running(id);
    host.crash();
    change([](Cluster& c) {
        c.settings.max_completed = 0;
        c.masters.end(only_am(c), 0);
    });
    host.start();
    const auto end = until_ended(id);
    BOOST_TEST(end.state() == BatchState::dead);
    BOOST_TEST(!end.reason.empty());
    BOOST_TEST(host.cluster.starts("endless") == 1u);
    BOOST_TEST(submissions() == 1u);
}

BOOST_AUTO_TEST_CASE(what_was_forgotten_before_its_claim_has_failed) {
    change([](Cluster& c) { c.masters.holds_claims = true; });
    const auto id = submit("succeeds");
    until_cluster("its ApplicationMaster", [](Cluster& c) { return !c.masters.all().empty(); });
    host.until("it to be taken", [&] {
        const auto steps = host_test::timeline_of(host.find(id));
        return std::ranges::find(steps, "submitted") != steps.end();
    });
    change([](Cluster& c) {
        c.settings.max_completed = 0;
        c.masters.end(only_am(c), 1);
    });
    BOOST_TEST(until_ended(id).state() == BatchState::dead);
    BOOST_TEST(host.cluster.starts("succeeds") == 0u);
}

BOOST_AUTO_TEST_CASE(the_end_that_a_guard_has_reported_counts_when_the_application_is_forgotten) {
    change([](Cluster& c) { c.settings.max_completed = 0; });
    const auto end = until_ended(submit("succeeds"));
    BOOST_TEST(end.state() == BatchState::success, end.reason);
}

BOOST_AUTO_TEST_CASE(answers_that_are_cut_or_wrong_are_asked_for_again) {
    change([](Cluster& c) {
        for (const auto* path :
             {"/new-application", "/ws/v1/cluster/apps?", "/cluster/info", "/apps/application_"}) {
            c.traffic.plan({.kind = Fault::Kind::cut_answer, .path = path});
            c.traffic.plan({.kind = Fault::Kind::answer, .path = path, .status = 503});
        }
    });
    const auto id = submit("succeeds");
    BOOST_TEST(until_ended(id).state() == BatchState::success, host.find(id).reason);
    BOOST_TEST(host.cluster.starts("succeeds") == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::yarn
