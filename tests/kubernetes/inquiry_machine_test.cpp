// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/inquiry_machine.hpp"

#include "kubernetes/pod_json.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

namespace sparkhost::detail::kubernetes {

namespace {

using namespace std::chrono_literals;
using namespace sparkhost::test;

Moment moment_after(std::chrono::milliseconds time) {
    return {Timestamp(time), SteadyTime(time)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_inquiry_machine)

BOOST_AUTO_TEST_CASE(a_driver_that_waits_is_asked_about_ever_less_often) {
    ApplicationTable table({"jobs"});
    table.see(0, PodJson().view(), moment_after(0s));
    InquiryMachine machine;
    std::vector<int> asked;
    bool doubtful = false;
    for (int second = 0; second < 200; ++second) {
        for (const auto& inquiry :
             machine.due(table, moment_after(std::chrono::seconds(second)).steady)) {
            asked.push_back(second);
            BOOST_TEST(inquiry.uid == "uid-1");
            BOOST_TEST(inquiry.name_space == "jobs");
            BOOST_TEST(inquiry.doubtful == (asked.size() > 2));
            doubtful = inquiry.doubtful;
        }
    }
    BOOST_TEST(asked == (std::vector<int>{3, 8, 18, 38, 78, 158}),
               boost::test_tools::per_element());
    BOOST_TEST(doubtful);
    table.see(0, running_pod().view(), moment_after(200s));
    BOOST_TEST(machine.due(table, moment_after(200s).steady).size() == 1U);  // for the timeline
    BOOST_TEST(machine.due(table, moment_after(900s).steady).empty());
    BOOST_TEST(machine.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_quick_start_is_not_asked_about) {
    ApplicationTable table({"jobs"});
    InquiryMachine machine;
    table.see(0, PodJson().view(), moment_after(0s));
    BOOST_TEST(machine.due(table, moment_after(2s).steady).empty());
    table.see(0, running_pod().view(), moment_after(2s));
    BOOST_TEST(machine.due(table, moment_after(4s).steady).empty());
    BOOST_TEST(machine.size() == 0U);
}

BOOST_AUTO_TEST_CASE(many_are_asked_about_in_turn) {
    ApplicationTable table({"jobs"});
    InquiryMachine machine;
    for (int i = 0; i < 35; ++i) {
        PodJson pod;
        pod.ticket += "-" + std::to_string(i);
        pod.uid = "u" + std::to_string(i);
        table.see(0, pod.view(), moment_after(0s));
    }
    machine.due(table, moment_after(0s).steady);
    std::vector<std::size_t> sizes;
    for (int second = 3; second < 8; ++second) {
        sizes.push_back(
            machine.due(table, moment_after(std::chrono::seconds(second)).steady).size());
    }
    BOOST_TEST(sizes == (std::vector<std::size_t>{10, 10, 10, 5, 0}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::kubernetes
