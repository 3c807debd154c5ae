// SPDX-License-Identifier: Apache-2.0
#include "support/fake_cluster/journey.hpp"
#include "yarn/yarn_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

// A host that dies here is left as it is, with all that was under way: what that held is nobody's.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
    return "detect_leaks=0";
}

namespace sparkhost::test::yarn {

namespace exactly_once_test {

struct World {
    using Fake = FakeYarn;
    static BatchSpec spec(const std::string& program, const std::string& mark) {
        return scripted_spec(program, mark);
    }
    /// What changes anything. Looks are as many as there is time, but for those at one application
    /// while it is being submitted.
    static bool matters(const HttpRequest& request) { return request.method != "GET"; }
    /// An id, a folder and two files in two steps each, a submission; a kill. What is killed at
    /// once may never be asked for.
    static std::size_t least(Course course) {
        return course == Course::killed_while_running ? 8 : course == Course::succeeds ? 7 : 0;
    }
    static bool all_over(Cluster& cluster) {
        return std::ranges::all_of(cluster.masters.all(),
                                   [](const auto& each) { return each->is_over(); });
    }
    static std::vector<std::string> left(FakeYarn& cluster) {
        auto found = cluster.sins();
        const auto files = cluster.with(
            [](Cluster& c) { return c.hdfs.below("/user/" + test_user + "/.sparkStaging"); });
        found.insert(found.end(), files.begin(), files.end());
        return found;
    }
};

}  // namespace exactly_once_test

BOOST_AUTO_TEST_SUITE(yarn_exactly_once_of_what_succeeds)

using namespace exactly_once_test;

BOOST_AUTO_TEST_CASE(a_host_that_dies_in_any_request_starts_user_code_once) {
    die_in_each_request<World>(Course::succeeds);
}

BOOST_AUTO_TEST_CASE(a_request_or_answer_that_is_lost_anywhere_changes_no_end) {
    lose_each_request<World>(Course::succeeds);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(yarn_exactly_once_of_what_is_killed)

using namespace exactly_once_test;

BOOST_AUTO_TEST_CASE(a_host_that_dies_in_any_request_starts_user_code_once) {
    die_in_each_request<World>(Course::killed_while_running);
}

BOOST_AUTO_TEST_CASE(a_request_or_answer_that_is_lost_anywhere_changes_no_end) {
    lose_each_request<World>(Course::killed_while_running);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(yarn_exactly_once_of_what_is_killed_at_once)

using namespace exactly_once_test;

BOOST_AUTO_TEST_CASE(a_host_that_dies_in_any_request_starts_user_code_once) {
    die_in_each_request<World>(Course::killed_at_once);
}

BOOST_AUTO_TEST_CASE(a_kill_in_the_middle_of_any_request_keeps_its_promise) {
    kill_in_each_request<World>();
}

BOOST_AUTO_TEST_CASE(a_request_or_answer_that_is_lost_anywhere_changes_no_end) {
    lose_each_request<World>(Course::killed_at_once);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::yarn
