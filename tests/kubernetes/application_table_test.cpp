// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/application_table.hpp"

#include "backends/kubernetes/api_text.hpp"
#include "kubernetes/pod_json.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <malloc.h>
#include <chrono>

namespace sparkhost::detail::kubernetes {

namespace {

using namespace std::chrono_literals;
using namespace sparkhost::test;

const std::string ticket = PodJson().ticket;

Moment after(std::chrono::milliseconds time) {
    return {*read_time("2026-01-01T00:00:00Z") + time, SteadyTime(time)};
}

/// "ticket state/outcome" of each report.
std::vector<std::string> told(ApplicationTable& table) {
    std::vector<std::string> words;
    for (const auto& report : table.take_reports()) {
        const int state = static_cast<int>(report.state);
        words.push_back(report.ticket + " " + std::to_string(state) + "/" +
                        std::string(to_string(report.outcome)));
    }
    return words;
}

using Words = std::vector<std::string>;
const Words submitted{ticket + " 0/none"};
const Words started{ticket + " 1/none"};
const Words killed{ticket + " 3/killed"};
const Words lost{ticket + " 3/unknown"};

PodJson other_pod() {
    PodJson pod;
    pod.uid = "uid-2";
    pod.created = "2026-01-01T01:00:00Z";
    return pod;
}

void list(ApplicationTable& table, const std::vector<PodView>& pods, std::size_t scope = 0) {
    table.begin_list(scope);
    for (const auto& pod : pods) {
        table.see_listed(scope, pod, after(1min));
    }
    table.end_list(scope, after(1min));
}

#define CHECK_TOLD(table, wanted) \
    BOOST_TEST(told(table) == (wanted), boost::test_tools::per_element())

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_application_table)

BOOST_AUTO_TEST_CASE(lists_and_watches_are_told_once) {
    ApplicationTable table({"jobs"});
    list(table, {PodJson().view()});
    CHECK_TOLD(table, submitted);
    table.see(0, running_pod().view(), after(1min));
    CHECK_TOLD(table, started);
    table.see(0, running_pod().view(), after(2min));
    list(table, {running_pod().view()});
    CHECK_TOLD(table, Words());
    list(table, {PodJson().view()});  // an old cache
    CHECK_TOLD(table, Words());
}

BOOST_AUTO_TEST_CASE(a_snapshot_tells_everything_once) {
    ApplicationTable table({"a", "b"});
    table.see(0, running_pod().view(), after(1min));
    table.expect("spark-x-batch-8-1", 1);
    table.take_reports();
    table.begin_snapshot();
    auto another = running_pod();
    another.ticket = "spark-x-batch-9-1";
    list(table, {running_pod().view(), another.view()});
    CHECK_TOLD(table, Words{"spark-x-batch-9-1 1/none"});
    table.complete_snapshot();
    BOOST_TEST(told(table).size() == 2U);  // the rest
    table.complete_snapshot();
    CHECK_TOLD(table, Words());
}

BOOST_AUTO_TEST_CASE(what_is_missing_in_a_list_has_gone_but_only_of_its_own_namespace) {
    ApplicationTable table({"a", "b"});
    table.see(0, running_pod().view(), after(1min));
    CHECK_TOLD(table, started);
    list(table, {}, 1);
    CHECK_TOLD(table, Words());
    list(table, {}, 0);
    CHECK_TOLD(table, lost);
    list(table, {}, 0);
    BOOST_TEST(table.size() == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_submitted_during_a_list_need_not_be_in_it) {
    ApplicationTable table({"jobs"});
    table.begin_list(0);
    table.expect(ticket, 0);
    CHECK_TOLD(table, submitted);
    table.end_list(0, after(1min));
    CHECK_TOLD(table, Words());
    list(table, {});  // but in the next one
    CHECK_TOLD(table, lost);
}

BOOST_AUTO_TEST_CASE(what_is_submitted_again_during_a_list_need_not_be_in_it_either) {
    ApplicationTable table({"jobs"});
    table.expect(ticket, 0);
    CHECK_TOLD(table, submitted);
    table.begin_list(0);
    table.expect(ticket, 0);
    CHECK_TOLD(table, submitted);
    table.end_list(0, after(1min));
    CHECK_TOLD(table, Words());
}

BOOST_AUTO_TEST_CASE(a_kill_without_a_pod_is_told_and_a_late_pod_is_removed) {
    ApplicationTable table({"jobs"});
    table.kill_without_pod(ticket, 0, after(1s));
    CHECK_TOLD(table, killed);
    table.see(0, PodJson().view(), after(2s));
    CHECK_TOLD(table, Words());
    const auto removals = table.take_removals();
    BOOST_TEST_REQUIRE(removals.size() == 1U);
    BOOST_TEST((removals[0] == PodRemoval{ticket, "jobs", ticket + "-driver", "uid-1", ""}));
    table.see_deleted(0, PodJson().view(), after(3s));
    CHECK_TOLD(table, Words());
}

BOOST_AUTO_TEST_CASE(a_kill_of_what_runs_is_told_when_it_is_over) {
    ApplicationTable table({"jobs"});
    table.see(0, running_pod().view(), after(1min));
    table.kill(ticket, 0);
    CHECK_TOLD(table, started);
    table.see(0, deleted(ended_pod(1)).view(), after(2min));  // Python's exit after SIGTERM
    CHECK_TOLD(table, killed);
    table.see_deleted(0, deleted(ended_pod(1)).view(), after(2min));
    CHECK_TOLD(table, Words());
    BOOST_TEST(table.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_kill_before_the_first_list_waits_for_it) {
    ApplicationTable table({"jobs"});
    table.kill(ticket, 0);
    list(table, {});
    CHECK_TOLD(table, killed);
}

BOOST_AUTO_TEST_CASE(a_pod_that_vanishes_says_how_it_ended_with_its_last_words) {
    ApplicationTable table({"jobs"});
    table.see(0, running_pod().view(), after(1min));
    table.see_deleted(0, ended_pod(0).view(), after(2min));
    CHECK_TOLD(table, (Words{ticket + " 1/none", ticket + " 3/success"}));
    ApplicationTable other({"jobs"});
    other.see(0, running_pod().view(), after(1min));
    other.see_deleted(0, running_pod().view(), after(2min));
    CHECK_TOLD(other, (Words{ticket + " 1/none", ticket + " 3/unknown"}));
}

BOOST_AUTO_TEST_CASE(user_code_does_not_run_twice) {
    ApplicationTable table({"jobs"});
    table.see(0, running_pod().view(), after(1min));
    told(table);
    table.see(0, other_pod().view(), after(61min));
    CHECK_TOLD(table, lost);
    BOOST_TEST(table.take_removals().size() == 1U);
    table.see(0, running_pod().view(), after(61min));  // late news of the first
    CHECK_TOLD(table, Words());
    BOOST_TEST(table.take_removals().empty());
}

BOOST_AUTO_TEST_CASE(late_news_of_the_pod_before_harm_nobody) {
    ApplicationTable table({"jobs"});
    table.see(0, other_pod().view(), after(61min));
    told(table);
    table.see(0, running_pod().view(), after(61min));
    table.see_deleted(0, running_pod().view(), after(61min));
    CHECK_TOLD(table, Words());
    BOOST_TEST(table.take_removals().empty());
}

BOOST_AUTO_TEST_CASE(what_is_not_a_driver_of_its_ticket_is_left_alone) {
    ApplicationTable table({"jobs"});
    auto view = running_pod().view();
    view.name = "somebody-elses";
    table.see(0, view, after(1s));
    view = running_pod().view();
    view.ticket.clear();
    table.see(0, view, after(1s));
    BOOST_TEST(table.size() == 0U);
    BOOST_TEST(!table.has_news());
}

BOOST_AUTO_TEST_CASE(what_was_released_is_forgotten) {
    ApplicationTable table({"jobs"});
    table.see(0, ended_pod(0).view(), after(1s));
    table.forget(ticket);
    table.forget(ticket);
    BOOST_TEST(table.size() == 0U);
    table.see(0, deleted(ended_pod(0)).view(), after(2s));  // as the finalizer goes
    table.see_deleted(0, deleted(ended_pod(0)).view(), after(3s));
    BOOST_TEST(table.size() == 0U);
}

BOOST_AUTO_TEST_CASE(executors_are_found_by_ticket_or_application) {
    for (const bool by_ticket : {true, false}) {
        ApplicationTable table({"jobs"});
        table.see(0, running_pod().view(), after(1min));
        told(table);
        PodView executor;
        executor.created = after(20s).wall;
        executor.application_id = "spark-unknown";
        table.see_executor(executor);
        CHECK_TOLD(table, Words());
        (by_ticket ? executor.ticket : executor.application_id) =
            by_ticket ? ticket : std::string("spark-0123");
        table.see_executor(executor);
        CHECK_TOLD(table, Words{ticket + " 2/none"});
        table.forget(ticket);
        table.see_executor(executor);
        BOOST_TEST(!table.has_news());
    }
}

BOOST_AUTO_TEST_CASE(what_is_given_up_is_removed_until_it_is_being_deleted) {
    ApplicationTable table({"jobs"});
    table.see(0, waiting_pod("InvalidImageName", "x").view(), after(1s));
    BOOST_TEST(table.needs_checks());
    for (int round = 0; round < 2; ++round) {
        table.check({}, after(2s));
        const auto removals = table.take_removals();
        BOOST_TEST_REQUIRE(removals.size() == 1U);
        BOOST_TEST(!removals[0].given_up.empty());
    }
    table.see(0, deleted(waiting_pod("InvalidImageName", "x")).view(), after(3s));
    table.check({}, after(4s));
    BOOST_TEST(table.take_removals().empty());
}

BOOST_AUTO_TEST_CASE(an_orphan_is_killed_and_removed) {
    ApplicationTable table({"jobs"});
    table.see(0, waiting_pod("ContainerCreating").view(), after(1s));
    told(table);
    table.see_orphan(ticket, "another", true, after(2s));
    BOOST_TEST(!table.has_news());
    table.see_orphan(ticket, "uid-1", true, after(2s));
    CHECK_TOLD(table, killed);
    BOOST_TEST(table.take_removals().front().given_up.empty());
}

BOOST_AUTO_TEST_CASE(ten_thousand_applications_take_little_memory_and_time) {
    constexpr int count = 10000;
    ApplicationTable table({"jobs"});
    std::vector<PodView> pods;
    pods.reserve(count);
    for (int i = 0; i < count; ++i) {
        auto pod = running_pod();
        pod.ticket = "spark-1a2b3c4d-batch-" + std::to_string(i) + "-1";
        pod.uid = "c56df05b-c2eb-4c1e-b175-3545" + std::to_string(10000000 + i);
        auto view = pod.view();
        view.application_id = "spark-0123456789abcdef01234567" + std::to_string(10000000 + i);
        pods.push_back(std::move(view));
    }
    const auto before = mallinfo2().uordblks;
    for (const auto& pod : pods) {
        table.see(0, pod, after(1min));
    }
    table.take_reports();
    const auto each = (mallinfo2().uordblks - before) / count;
    BOOST_TEST_MESSAGE("bytes per application: " << each);
    BOOST_TEST(each < 2048U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::kubernetes
