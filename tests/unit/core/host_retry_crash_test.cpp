// SPDX-License-Identifier: Apache-2.0
#include "host_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>

// A host dies, or its storage fails, at every durable step of a batch whose first attempts fail.

namespace sparkhost::host_test {

namespace retry_crash_test {

constexpr std::size_t too_many_steps = 60;
constexpr std::array points{StorageFaults::Hold::before_writing,
                            StorageFaults::Hold::after_writing};
constexpr std::array faults_tried{StorageFault::failed, StorageFault::indeterminate_written,
                                  StorageFault::indeterminate_lost};

/// How many of the first attempts fail, and what becomes of a batch that may have three.
struct Story {
    std::size_t failures;
    BatchState end;
    std::size_t attempts;
};
constexpr std::array stories{Story{1, BatchState::success, 2}, Story{3, BatchState::dead, 3}};

struct RetryCrashFixture : HostFixture {
    explicit RetryCrashFixture(const Story& story) {
        cluster->set_pace(FakeCluster::Pace::runs_through);
        cluster->end_next(Outcome::failed, 1, story.failures);
    }
    static BatchSpec retried() {
        auto made = spec();
        made.retry.max_attempts = 3;
        made.retry.delay = 5s;
        return made;
    }
    /// Lets storage, backend and the next attempts come due until nothing is left to be done.
    void let_time_pass() {
        for (int round = 0; round < 20; ++round) {
            advance(std::chrono::seconds(31));
        }
    }
    /// Lets commits pass one by one, and time where there is none, until `count` have passed.
    bool let_commits_pass(std::size_t count) {
        for (std::size_t passed = 0; passed < count; ++passed) {
            if (faults().held() == 0) {
                advance(std::chrono::seconds(31));
            }
            if (!faults().let_one_go()) {
                return false;
            }
            settle();
        }
        return true;
    }
    std::vector<BatchRecord> all() { return ask(host().list(BatchQuery())).value().batches; }

    /// Each ticket was started once at most, and the story has come to its end.
    void check(const Story& story, bool stored) {
        std::size_t starts = 0;
        for (const auto& each : cluster->submitted()) {
            BOOST_TEST(cluster->starts(each) <= 1u);
            starts += cluster->starts(each);
        }
        const auto batches = all();
        BOOST_TEST_REQUIRE(batches.size() == (stored ? 1u : 0u));
        BOOST_TEST(starts == (stored ? story.attempts : 0u));
        for (const auto& batch : batches) {
            BOOST_TEST(batch.phase == BatchPhase::released);
            BOOST_TEST(batch.state() == story.end);
            BOOST_TEST(batch.attempt == static_cast<int>(story.attempts));
            BOOST_TEST(batch.attempts.size() == story.attempts - 1);
            BOOST_TEST(!batch.next_attempt);
        }
        BOOST_TEST(host().status().active == 0);
        BOOST_TEST(host().status().queued == 0);
        check_events();
    }
    /// Without holes, and no client has seen a state go back.
    void check_events() {
        std::int64_t expected = 0;
        std::size_t rank = 0;
        const Words order{"starting", "running", "success", "dead", "killed"};
        for (const auto& event : events_after(0)) {
            BOOST_TEST(event.sequence == ++expected);
            const auto now = static_cast<std::size_t>(
                std::find(order.begin(), order.end(), event.state) - order.begin());
            BOOST_TEST(now >= rank, event.type + " " + event.state);
            rank = now;
        }
        BOOST_TEST(expected == host().status().last_sequence);
    }
};

}  // namespace retry_crash_test

using retry_crash_test::RetryCrashFixture;

BOOST_AUTO_TEST_SUITE(host_retry_crash)

BOOST_AUTO_TEST_CASE(a_crash_at_any_commit_neither_loses_nor_doubles_an_attempt) {
    std::size_t crashes = 0;
    for (const auto& story : retry_crash_test::stories) {
        for (const auto point : retry_crash_test::points) {
            bool through = false;
            for (std::size_t step = 0; !through; ++step) {
                BOOST_TEST_REQUIRE(step < retry_crash_test::too_many_steps);
                BOOST_TEST_CONTEXT(to_string(story.end)
                                   << " step " << step << " point " << static_cast<int>(point)) {
                    RetryCrashFixture fixture(story);
                    fixture.start();
                    fixture.faults().hold_commits(point);
                    auto submitted =
                        fixture.begin(fixture.host().submit(RetryCrashFixture::retried()));
                    through = !fixture.let_commits_pass(step);
                    fixture.crash();
                    fixture.start();
                    fixture.let_time_pass();
                    fixture.check(story, step > 0 || point == StorageFaults::Hold::after_writing);
                    ++crashes;
                }
            }
        }
    }
    BOOST_TEST(crashes >= 50u);
}

BOOST_AUTO_TEST_CASE(a_crash_at_any_call_of_the_backend_neither_loses_nor_doubles_an_attempt) {
    const auto& story = retry_crash_test::stories[0];
    for (const char* operation :
         {"reserve", "reserve_reply", "submit", "submit_reply", "release", "release_reply"}) {
        for (const std::size_t attempt : {1u, 2u}) {
            BOOST_TEST_CONTEXT(operation << " of attempt " << attempt) {
                RetryCrashFixture fixture(story);
                fixture.start();
                if (attempt == 1) {
                    fixture.cluster->hold(operation);
                }
                const auto id = fixture.submit(RetryCrashFixture::retried()).id;
                if (attempt == 2) {
                    BOOST_TEST_REQUIRE(fixture.phase(id) == BatchPhase::waiting);
                    fixture.cluster->hold(operation);
                    fixture.advance(5s);
                }
                BOOST_TEST_REQUIRE(fixture.cluster->calls(operation) == attempt);
                fixture.crash();
                fixture.cluster->let_go(operation);
                fixture.start();
                fixture.let_time_pass();
                fixture.check(story, true);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_storage_that_fails_at_any_operation_changes_no_end) {
    for (const auto& story : retry_crash_test::stories) {
        for (const auto fault : retry_crash_test::faults_tried) {
            for (const bool lasting : {false, true}) {
                bool happened = true;
                for (std::size_t n = 0; happened; ++n) {
                    BOOST_TEST_REQUIRE(n < retry_crash_test::too_many_steps);
                    BOOST_TEST_CONTEXT(to_string(story.end)
                                       << " fault " << static_cast<int>(fault) << " at operation "
                                       << n << (lasting ? " and from there on" : "")) {
                        RetryCrashFixture fixture(story);
                        fixture.start();
                        fixture.faults().plan({.after = n, .fault = fault, .repeat = lasting});
                        auto submitted =
                            fixture.begin(fixture.host().submit(RetryCrashFixture::retried()));
                        fixture.let_time_pass();
                        happened = fixture.faults().happened();
                        fixture.faults().heal();
                        fixture.let_time_pass();
                        BOOST_TEST_REQUIRE(submitted->done());
                        fixture.check(story, submitted->answer->has_value() ||
                                                 fault == StorageFault::indeterminate_written);
                    }
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_kill_that_was_answered_holds_after_a_crash_at_any_commit) {
    for (const auto point : retry_crash_test::points) {
        bool through = false;
        for (std::size_t step = 0; !through; ++step) {
            BOOST_TEST_REQUIRE(step < retry_crash_test::too_many_steps);
            BOOST_TEST_CONTEXT("step " << step << " point " << static_cast<int>(point)) {
                RetryCrashFixture fixture(retry_crash_test::stories[0]);
                fixture.start();
                const auto id = fixture.submit(RetryCrashFixture::retried()).id;
                BOOST_TEST_REQUIRE(fixture.phase(id) == BatchPhase::waiting);
                fixture.faults().hold_commits(point);
                auto kill = fixture.begin(fixture.host().kill(id));
                through = !fixture.let_commits_pass(step);
                const bool killed =
                    step > 0 || kill->done() || point == StorageFaults::Hold::after_writing;
                fixture.crash();
                fixture.start();
                fixture.let_time_pass();
                BOOST_TEST(fixture.find(id).state() ==
                           (killed ? BatchState::killed : BatchState::success));
                BOOST_TEST(fixture.phase(id) == BatchPhase::released);
                BOOST_TEST(fixture.cluster->submitted().size() == (killed ? 1u : 2u));
                fixture.check_events();
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
