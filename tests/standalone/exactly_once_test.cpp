// SPDX-License-Identifier: Apache-2.0
#include "standalone/standalone_fixture.hpp"
#include "support/fake_cluster/journey.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

// A host that dies here is left as it is, with all that was under way: what that held is nobody's.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
    return "detect_leaks=0";
}

namespace sparkhost::test::alone {

namespace exactly_once_test {

struct World {
    using Fake = FakeStandalone;
    static BatchSpec spec(const std::string& program, const std::string& mark) {
        return scripted_spec(program, mark);
    }
    /// Looks at /json change nothing, and are as many as there is time.
    static bool matters(const HttpRequest& request) {
        return request.target.find("/submissions/") != std::string::npos;
    }
    /// A create, a kill. What is killed at once may never be asked for.
    static std::size_t least(Course course) {
        return course == Course::killed_while_running ? 2 : course == Course::succeeds ? 1 : 0;
    }
    static bool all_over(Cluster& cluster) {
        return std::ranges::all_of(cluster.drivers.all(),
                                   [](const auto& each) { return each->is_over(); });
    }
    static std::vector<std::string> left(FakeStandalone&) { return {}; }
};

}  // namespace exactly_once_test

BOOST_AUTO_TEST_SUITE(standalone_exactly_once)

using namespace exactly_once_test;

BOOST_AUTO_TEST_CASE(a_host_that_dies_in_any_request_starts_user_code_once) {
    for (const auto course : courses) {
        die_in_each_request<World>(course);
    }
}

BOOST_AUTO_TEST_CASE(a_kill_in_the_middle_of_any_request_keeps_its_promise) {
    kill_in_each_request<World>();
}

BOOST_AUTO_TEST_CASE(a_request_or_answer_that_is_lost_anywhere_changes_no_end) {
    for (const auto course : courses) {
        lose_each_request<World>(course);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::alone
