// SPDX-License-Identifier: Apache-2.0
#include "http/limit_machine.hpp"
#include "http/retry_machine.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace sparkhost::detail::http {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using What = RetryDecision::What;
using End = Attempt::End;

Attempt answered_with(int status, std::optional<milliseconds> retry_after = std::nullopt) {
    Attempt attempt;
    attempt.status = status;
    attempt.retry_after = retry_after;
    return attempt;
}

Attempt ended_as(End end, bool reused) {
    Attempt attempt;
    attempt.end = end;
    attempt.reused = reused;
    return attempt;
}

RetryFacts facts_of(bool repeatable, int throttled = 1, int broken = 1) {
    RetryFacts facts;
    facts.repeatable = repeatable;
    facts.throttled = throttled;
    facts.broken = broken;
    facts.left = seconds(30);
    return facts;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_machines)

BOOST_AUTO_TEST_CASE(what_is_tried_again_and_when) {
    struct Case {
        std::string name;
        Attempt attempt;
        RetryFacts facts;
        What what;
        milliseconds delay;
        bool fresh;
    };
    auto with_token = facts_of(false);
    with_token.may_reread_token = true;
    auto late = facts_of(true);
    late.left = seconds(2);
    auto unlucky = facts_of(true, 3);
    unlucky.dice = 0.5;
    const std::vector<Case> cases{
        {"200", answered_with(200), facts_of(true), What::give, {}, false},
        {"404", answered_with(404), facts_of(true), What::give, {}, false},
        {"401 without a file", answered_with(401), facts_of(true), What::give, {}, false},
        {"401 with a file", answered_with(401), with_token, What::reread_token, {}, false},
        {"403 with a file", answered_with(403), with_token, What::give, {}, false},
        {"429 with a time", answered_with(429, seconds(1)), facts_of(true), What::again,
         milliseconds(1031), false},
        {"429, third", answered_with(429), unlucky, What::again, milliseconds(750), false},
        {"429, not repeatable",
         answered_with(429, seconds(1)),
         facts_of(false),
         What::give,
         {},
         false},
        {"429, too late", answered_with(429, seconds(2)), late, What::give, {}, false},
        {"429, too often", answered_with(429), facts_of(true, 20), What::give, {}, false},
        {"500", answered_with(500), facts_of(true), What::give, {}, false},
        {"500 with a time", answered_with(500, seconds(0)), facts_of(true), What::again,
         milliseconds(31), false},
        {"503 with a time", answered_with(503, seconds(1)), facts_of(true), What::again,
         milliseconds(1031), false},
        {"404 with a time", answered_with(404, seconds(1)), facts_of(true), What::give, {}, false},
        {"unreachable", ended_as(End::unreachable, false), facts_of(true), What::give, {}, false},
        {"stale", ended_as(End::unanswered, true), facts_of(true), What::again, {}, true},
        {"stale, not repeatable",
         ended_as(End::unanswered, true),
         facts_of(false),
         What::give,
         {},
         false},
        {"stale, unsent", ended_as(End::not_sent, true), facts_of(false), What::again, {}, true},
        {"no answer", ended_as(End::unanswered, false), facts_of(true), What::again,
         milliseconds(125), true},
        {"half an answer", ended_as(End::half_answered, true), facts_of(true), What::again,
         milliseconds(125), true},
        {"half an answer, not repeatable",
         ended_as(End::half_answered, true),
         facts_of(false),
         What::give,
         {},
         false},
        {"broken too often",
         ended_as(End::unanswered, true),
         facts_of(true, 0, 3),
         What::give,
         {},
         false},
    };
    for (const Case& item : cases) {
        BOOST_TEST_CONTEXT(item.name) {
            const auto decision = decide_retry(item.attempt, item.facts);
            BOOST_TEST((decision.what == item.what));
            BOOST_TEST(decision.delay.count() == item.delay.count());
            BOOST_TEST(decision.fresh_connection == item.fresh);
        }
    }
}

BOOST_AUTO_TEST_CASE(retry_after_is_seconds_or_a_date) {
    struct Case {
        std::string value;
        std::string date;
        std::optional<milliseconds> expected;
    };
    const std::string date = "Sun, 06 Nov 1994 08:49:37 GMT";
    const std::vector<Case> cases{
        {"0", "", milliseconds(0)},
        {"120", "", seconds(120)},
        {"99999999", "", std::chrono::hours(24)},
        {"-1", "", std::nullopt},
        {"", "", std::nullopt},
        {"soon", "", std::nullopt},
        {"1.5", "", std::nullopt},
        {"Sun, 06 Nov 1994 08:49:47 GMT", date, seconds(10)},
        {"Sun, 06 Nov 1994 08:49:27 GMT", date, seconds(0)},
        {"Sun, 06 Nov 1994 08:49:47 GMT", "", std::nullopt},
        {"Sun, 06 Nov 1994", date, std::nullopt},
    };
    for (const Case& item : cases) {
        BOOST_TEST_CONTEXT(item.value) {
            BOOST_TEST((parse_retry_after(item.value, item.date) == item.expected));
        }
    }
}

BOOST_AUTO_TEST_CASE(the_client_holds_back_as_long_as_it_is_told_but_no_minute) {
    BOOST_TEST(hold_after(answered_with(200, seconds(5))).count() == 0);
    BOOST_TEST(hold_after(answered_with(500, seconds(5))).count() == 0);
    BOOST_TEST(hold_after(answered_with(429)).count() == 0);
    BOOST_TEST(hold_after(answered_with(429, seconds(5))).count() == 5000);
    BOOST_TEST(hold_after(answered_with(503, std::chrono::hours(1))).count() == 60000);
}

BOOST_AUTO_TEST_CASE(the_limit_is_halved_once_for_what_was_under_way_together) {
    ConcurrencyLimit limit(8);
    std::vector<std::uint64_t> rounds;
    for (int i = 0; i < 8; ++i) {
        rounds.push_back(limit.begin());
    }
    for (int i = 0; i < 8; ++i) {
        limit.end(rounds[static_cast<std::size_t>(i)], ConcurrencyLimit::End::throttled);
    }
    BOOST_TEST(limit.limit() == 4u);
    BOOST_TEST(limit.in_use() == 0u);
    limit.end(limit.begin(), ConcurrencyLimit::End::throttled);
    BOOST_TEST(limit.limit() == 2u);
    for (int i = 0; i < 5; ++i) {
        limit.end(limit.begin(), ConcurrencyLimit::End::throttled);
    }
    BOOST_TEST(limit.limit() == 1u);
}

BOOST_AUTO_TEST_CASE(the_limit_grows_by_one_for_each_full_round_of_answers) {
    ConcurrencyLimit limit(4);
    limit.end(limit.begin(), ConcurrencyLimit::End::throttled);
    limit.end(limit.begin(), ConcurrencyLimit::End::throttled);
    BOOST_TEST(limit.limit() == 1u);
    limit.end(limit.begin(), ConcurrencyLimit::End::broken);
    BOOST_TEST(limit.limit() == 1u);
    limit.end(limit.begin(), ConcurrencyLimit::End::answered);
    BOOST_TEST(limit.limit() == 2u);
    limit.end(limit.begin(), ConcurrencyLimit::End::answered);
    limit.end(limit.begin(), ConcurrencyLimit::End::answered);
    limit.end(limit.begin(), ConcurrencyLimit::End::answered);
    BOOST_TEST(limit.limit() == 2u);  // one at a time does not try the second place
    for (int i = 0; i < 30; ++i) {
        std::vector<std::uint64_t> rounds;
        while (limit.may_begin({})) {
            rounds.push_back(limit.begin());
        }
        for (const auto round : rounds) {
            limit.end(round, ConcurrencyLimit::End::answered);
        }
    }
    BOOST_TEST(limit.limit() == 4u);
}

BOOST_AUTO_TEST_CASE(nothing_begins_while_the_server_wants_to_be_left_alone) {
    const ConcurrencyLimit::Time begin{};
    ConcurrencyLimit limit(1);
    BOOST_TEST(limit.may_begin(begin));
    limit.hold(begin + seconds(5));
    limit.hold(begin + seconds(3));
    BOOST_TEST(!limit.may_begin(begin + seconds(4)));
    BOOST_TEST(limit.may_begin(begin + seconds(5)));
    limit.begin();
    BOOST_TEST(!limit.may_begin(begin + seconds(5)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::http
