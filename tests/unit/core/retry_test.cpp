// SPDX-License-Identifier: Apache-2.0
#include "core/retry.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

namespace sparkhost::detail {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(retry)

BOOST_AUTO_TEST_CASE(delays_grow_up_to_the_longest_and_chance_shortens_them) {
    RetryPolicy policy;
    policy.delay = 10s;
    policy.factor = 3;
    policy.max_delay = 60s;
    policy.jitter = 0.5;
    const std::vector<std::chrono::milliseconds> whole{10s, 30s, 60s, 60s};
    for (std::size_t failed = 1; failed <= whole.size(); ++failed) {
        BOOST_TEST((delay_after(policy, failed, 0) == whole[failed - 1]));
        BOOST_TEST((delay_after(policy, failed, 1) == whole[failed - 1] / 2));
    }
    BOOST_TEST((delay_after(policy, 100, 0) == 60s));  // beyond what a number can count
    BOOST_TEST((delay_after({}, 1, 0) == 10s));
    BOOST_TEST((delay_after({}, 2, 0) == 20s));
    BOOST_TEST((delay_after({}, 99, 0) == 5min));
    BOOST_TEST((delay_after({}, 1, 1) == 8s));
    policy.delay = 0s;
    BOOST_TEST((delay_after(policy, 2, 0.3) == 0s));
}

BOOST_AUTO_TEST_CASE(only_what_was_asked_for_is_tried_again) {
    RetryPolicy policy;
    BOOST_TEST(!is_retried(policy, 1, RetryCause::failed));
    policy.max_attempts = 2;
    BOOST_TEST(is_retried(policy, 1, RetryCause::failed));
    BOOST_TEST(is_retried(policy, 1, RetryCause::not_started));
    BOOST_TEST(!is_retried(policy, 1, RetryCause::unknown));
    BOOST_TEST(!is_retried(policy, 2, RetryCause::failed));
    policy.causes = {RetryCause::unknown};
    BOOST_TEST(!is_retried(policy, 1, RetryCause::failed));
    BOOST_TEST(is_retried(policy, 1, RetryCause::unknown));
}

BOOST_AUTO_TEST_CASE(what_is_left_of_a_wait_is_never_more_than_the_whole) {
    const Timestamp due{1h};
    const NextAttempt next{due, 10s};
    BOOST_TEST((left_of(next, due - 10s) == 10s));
    BOOST_TEST((left_of(next, due - 4s) == 4s));
    BOOST_TEST((left_of(next, due) == 0s));
    BOOST_TEST((left_of(next, due + 24h) == 0s));
    BOOST_TEST((left_of(next, due - 24h) == 10s));
}

BOOST_AUTO_TEST_CASE(a_request_takes_from_the_site_what_it_does_not_say) {
    RetryPolicy site;
    site.max_attempts = 3;
    site.delay = 1min;
    site.factor = 1;
    site.max_delay = 2min;
    site.jitter = 0;
    site.causes = {RetryCause::failed};
    BOOST_TEST((completed({}, site) == site));
    BOOST_TEST((completed(site, {}) == site));
    RetryPolicy asked;
    asked.max_attempts = 2;
    asked.causes.emplace();
    const auto both = completed(asked, site);
    BOOST_TEST(*both.max_attempts == 2);
    BOOST_TEST(both.causes->empty());
    BOOST_TEST((both.delay == site.delay));
    asked.max_attempts = 1;
    BOOST_TEST((completed(asked, site) == RetryPolicy{}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
