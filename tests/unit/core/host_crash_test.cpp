// SPDX-License-Identifier: Apache-2.0
#include "host_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <set>

// A host dies, or its storage fails, at every durable step of a batch.

namespace sparkhost::host_test {

namespace crash_test {

constexpr std::size_t too_many_steps = 40;

struct CrashFixture : HostFixture {
    CrashFixture() { cluster->set_pace(FakeCluster::Pace::runs_through); }

    std::size_t total_starts() const {
        std::size_t starts = 0;
        for (const auto& each : cluster->submitted()) {
            BOOST_TEST(cluster->starts(each) <= 1u);
            starts += cluster->starts(each);
        }
        return starts;
    }
    std::vector<BatchRecord> all() {
        BatchQuery query;
        return ask(host().list(query)).value().batches;
    }
    void check_events() {
        std::int64_t expected = 0;
        for (const auto& event : events_after(0)) {
            BOOST_TEST(event.sequence == ++expected);
        }
        BOOST_TEST(expected == host().status().last_sequence);
    }
    /// Lets commits pass one by one until `count` have, or none is left to pass.
    bool let_commits_pass(std::size_t count) {
        for (std::size_t passed = 0; passed < count; ++passed) {
            if (!faults().let_one_go()) {
                return false;
            }
            settle();
        }
        return true;
    }
    /// Lets storage and backend retries come due until nothing is left to be done.
    void let_retries_pass() {
        for (int round = 0; round < 20; ++round) {
            advance(std::chrono::seconds(31));
        }
    }
};

constexpr std::array points{StorageFaults::Hold::before_writing,
                            StorageFaults::Hold::after_writing};
constexpr std::array faults_tried{StorageFault::failed, StorageFault::indeterminate_written,
                                  StorageFault::indeterminate_lost};

const char* to_word(StorageFault fault) {
    switch (fault) {
        case StorageFault::failed:
            return "failed";
        case StorageFault::indeterminate_written:
            return "indeterminate_written";
        case StorageFault::indeterminate_lost:
            return "indeterminate_lost";
    }
    return "unknown";
}

}  // namespace crash_test

using crash_test::CrashFixture;

BOOST_AUTO_TEST_SUITE(host_crash)

BOOST_AUTO_TEST_CASE(a_crash_at_any_commit_neither_loses_nor_doubles_a_batch) {
    std::size_t crashes = 0;
    for (const auto point : crash_test::points) {
        bool through = false;
        for (std::size_t step = 0; !through; ++step) {
            BOOST_TEST_REQUIRE(step < crash_test::too_many_steps);
            BOOST_TEST_CONTEXT("step " << step << " point " << static_cast<int>(point)) {
                CrashFixture fixture;
                fixture.start();
                fixture.faults().hold_commits(point);
                auto submitted = fixture.begin(fixture.host().submit(HostFixture::spec()));
                through = !fixture.let_commits_pass(step) || fixture.faults().held() == 0;
                const bool answered = submitted->done();
                fixture.crash();
                fixture.start();

                const auto batches = fixture.all();
                const bool stored = step > 0 || point == StorageFaults::Hold::after_writing;
                BOOST_TEST(batches.size() == (stored ? 1u : 0u));
                BOOST_TEST((!answered || stored), "what was answered has to be there");
                for (const auto& batch : batches) {
                    BOOST_TEST(batch.state() == BatchState::success);
                    BOOST_TEST(batch.phase == BatchPhase::released);
                }
                BOOST_TEST(fixture.total_starts() == batches.size());
                fixture.check_events();
                ++crashes;
            }
        }
    }
    BOOST_TEST(crashes >= 8u);
}

BOOST_AUTO_TEST_CASE(a_crash_at_any_call_of_the_backend_neither_loses_nor_doubles_a_batch) {
    for (const char* operation :
         {"reserve", "reserve_reply", "submit", "submit_reply", "release", "release_reply"}) {
        BOOST_TEST_CONTEXT(operation) {
            CrashFixture fixture;
            fixture.start();
            fixture.cluster->hold(operation);
            const auto id = fixture.submit().id;
            BOOST_TEST_REQUIRE(fixture.cluster->calls(operation) == 1u);
            fixture.crash();
            fixture.cluster->let_go(operation);
            fixture.start();

            const auto batch = fixture.find(id);
            BOOST_TEST(batch.state() == BatchState::success);
            BOOST_TEST(batch.phase == BatchPhase::released);
            BOOST_TEST(fixture.total_starts() == 1u);
            fixture.check_events();
        }
    }
}

BOOST_AUTO_TEST_CASE(a_kill_that_was_answered_holds_after_a_crash_at_any_commit) {
    for (const auto point : crash_test::points) {
        bool through = false;
        for (std::size_t step = 0; !through; ++step) {
            BOOST_TEST_REQUIRE(step < crash_test::too_many_steps);
            BOOST_TEST_CONTEXT("step " << step << " point " << static_cast<int>(point)) {
                CrashFixture fixture;
                fixture.cluster->set_pace(FakeCluster::Pace::by_hand);
                fixture.start();
                const auto id = fixture.submit().id;
                fixture.faults().hold_commits(point);
                auto kill = fixture.begin(fixture.host().kill(id));
                through = !fixture.let_commits_pass(step) || fixture.faults().held() == 0;
                const bool wished = kill->done() || point == StorageFaults::Hold::after_writing;
                fixture.crash();
                fixture.start();

                if (wished || step > 0) {
                    BOOST_TEST(fixture.find(id).state() == BatchState::killed);
                    BOOST_TEST(fixture.phase(id) == BatchPhase::released);
                } else {
                    BOOST_TEST(fixture.find(id).state() == BatchState::starting);
                }
                BOOST_TEST(fixture.total_starts() <= 1u);
                fixture.check_events();
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(after_a_kill_was_answered_nothing_starts_wherever_the_host_was_and_crashes) {
    for (const char* operation : {"reserve", "reserve_reply", "submit"}) {
        for (const bool crashes : {false, true}) {
            BOOST_TEST_CONTEXT(operation << (crashes ? " and a crash" : "")) {
                CrashFixture fixture;
                fixture.start();
                fixture.cluster->hold(operation);
                const auto id = fixture.submit().id;
                fixture.ask(fixture.host().kill(id)).value();
                if (crashes) {
                    fixture.crash();
                }
                fixture.cluster->let_go(operation);
                if (crashes) {
                    fixture.start();
                }
                fixture.settle();
                for (auto& old : fixture.crashed) {
                    old.io->restart();
                    old.io->poll();  // what was in flight still arrives at the cluster
                }

                BOOST_TEST(fixture.find(id).state() == BatchState::killed);
                BOOST_TEST(fixture.phase(id) == BatchPhase::released);
                BOOST_TEST(fixture.total_starts() == 0u);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(an_erase_is_carried_through_after_a_crash_at_any_commit) {
    for (const auto point : crash_test::points) {
        bool through = false;
        for (std::size_t step = 0; !through; ++step) {
            BOOST_TEST_REQUIRE(step < crash_test::too_many_steps);
            BOOST_TEST_CONTEXT("step " << step << " point " << static_cast<int>(point)) {
                CrashFixture fixture;
                fixture.start();
                const auto id = fixture.submit().id;
                BOOST_TEST_REQUIRE(fixture.phase(id) == BatchPhase::released);
                fixture.faults().hold_commits(point);
                auto erase = fixture.begin(fixture.host().erase(id));
                through = !fixture.let_commits_pass(step) || fixture.faults().held() == 0;
                fixture.crash();
                fixture.start();

                const bool wished = step > 0 || point == StorageFaults::Hold::after_writing;
                BOOST_TEST(fixture.all().size() == (wished ? 0u : 1u));
                fixture.check_events();
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_storage_that_fails_once_at_any_operation_changes_no_end) {
    for (const auto fault : crash_test::faults_tried) {
        bool happened = true;
        for (std::size_t n = 0; happened; ++n) {
            BOOST_TEST_REQUIRE(n < crash_test::too_many_steps);
            BOOST_TEST_CONTEXT(crash_test::to_word(fault) << " at operation " << n) {
                CrashFixture fixture;
                fixture.start();
                fixture.faults().plan({.after = n, .fault = fault});
                auto submitted = fixture.begin(fixture.host().submit(HostFixture::spec()));
                fixture.let_retries_pass();
                happened = fixture.faults().happened();
                fixture.faults().heal();

                BOOST_TEST_REQUIRE(submitted->answer.has_value());
                const auto& answer = *submitted->answer;
                const bool stored =
                    n > 0 || fault == StorageFault::indeterminate_written || !happened;
                if (n == 0) {
                    BOOST_TEST(answer.has_error());
                    BOOST_TEST(answer.error().is(fault == StorageFault::failed
                                                     ? Errc::storage_failed
                                                     : Errc::indeterminate));
                } else {
                    BOOST_TEST(answer.has_value());
                }
                const auto batches = fixture.all();
                BOOST_TEST_REQUIRE(batches.size() == (stored ? 1u : 0u));
                for (const auto& batch : batches) {
                    BOOST_TEST(batch.phase == BatchPhase::released);
                    BOOST_TEST(batch.state() == BatchState::success);
                }
                BOOST_TEST(fixture.total_starts() == batches.size());
                BOOST_TEST(fixture.host().status().ready);
                fixture.check_events();
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_storage_that_fails_for_long_from_any_operation_on_changes_no_end) {
    for (const auto fault : crash_test::faults_tried) {
        bool happened = true;
        for (std::size_t n = 1; happened; ++n) {
            BOOST_TEST_REQUIRE(n < crash_test::too_many_steps);
            BOOST_TEST_CONTEXT(crash_test::to_word(fault) << " from operation " << n << " on") {
                CrashFixture fixture;
                fixture.start();
                fixture.faults().plan({.after = n, .fault = fault, .repeat = true});
                fixture.submit();
                fixture.let_retries_pass();
                happened = fixture.faults().happened();
                fixture.faults().heal();
                fixture.let_retries_pass();

                const auto batches = fixture.all();
                BOOST_TEST_REQUIRE(batches.size() == 1u);
                BOOST_TEST(batches.front().phase == BatchPhase::released);
                BOOST_TEST(batches.front().state() == BatchState::success);
                BOOST_TEST(fixture.total_starts() == 1u);
                fixture.check_events();
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(an_erase_meets_a_failing_storage_at_any_operation_and_is_carried_through) {
    for (const auto fault : crash_test::faults_tried) {
        bool happened = true;
        for (std::size_t n = 0; happened; ++n) {
            BOOST_TEST_REQUIRE(n < crash_test::too_many_steps);
            BOOST_TEST_CONTEXT(crash_test::to_word(fault) << " at operation " << n) {
                CrashFixture fixture;
                fixture.start();
                const auto id = fixture.submit().id;
                fixture.faults().plan({.after = n, .fault = fault});
                auto erased = fixture.begin(fixture.host().erase(id));
                fixture.let_retries_pass();
                happened = fixture.faults().happened();
                fixture.faults().heal();

                BOOST_TEST_REQUIRE(erased->done());
                const bool wished =
                    erased->answer->has_value() || fault == StorageFault::indeterminate_written;
                if (wished) {
                    BOOST_TEST(fixture.all().empty());
                } else {
                    const auto again = fixture.ask(fixture.host().erase(id));
                    BOOST_TEST((again.has_value() || again.error().is(Errc::not_found)));
                    BOOST_TEST(fixture.all().empty());
                }
                fixture.check_events();
            }
        }
    }
}

BOOST_FIXTURE_TEST_CASE(nobody_is_answered_while_it_is_not_known_what_is_durable, CrashFixture) {
    cluster->set_pace(FakeCluster::Pace::by_hand);
    start();
    const auto id = submit().id;
    faults().plan({.fault = StorageFault::indeterminate_written, .repeat = true});
    auto kill = begin(host().kill(id));
    BOOST_TEST(kill->answer->error().is(Errc::indeterminate));
    BOOST_TEST(ask(host().find(id)).error().is(Errc::indeterminate));
    BOOST_TEST(ask(host().submit(spec())).error().is(Errc::indeterminate));
    BOOST_TEST(!host().status().ready);
    BOOST_TEST(!host().status().storage_healthy);
    BOOST_TEST(!host().status().problem.empty());

    faults().heal();
    let_retries_pass();

    BOOST_TEST(find(id).state() == BatchState::killed);
    BOOST_TEST(host().status().ready);
    BOOST_TEST(host().status().problem == "");
}

BOOST_FIXTURE_TEST_CASE(a_read_whose_answer_is_in_doubt_has_the_store_reopened, CrashFixture) {
    options.cached_records = 0;
    start();
    const auto id = submit().id;
    faults().plan({.fault = StorageFault::indeterminate_lost});
    BOOST_TEST(ask(host().find(id)).error().is(Errc::indeterminate));
    let_retries_pass();
    BOOST_TEST(find(id).state() == BatchState::success);
}

BOOST_FIXTURE_TEST_CASE(a_kill_that_waits_for_a_broken_storage_is_answered_when_the_host_stops,
                        CrashFixture) {
    cluster->set_pace(FakeCluster::Pace::by_hand);
    start();
    const auto id = submit().id;
    faults().plan({.fault = StorageFault::failed, .repeat = true, .commits_only = true});
    cluster->start(ticket(id));
    settle();
    auto kill = begin(host().kill(id));
    BOOST_TEST_REQUIRE(kill->done());
    BOOST_TEST(kill->answer->error().is(Errc::storage_failed));
    BOOST_TEST(stop().has_value());
}

BOOST_FIXTURE_TEST_CASE(a_report_that_could_not_be_stored_is_stored_when_the_storage_works_again,
                        CrashFixture) {
    cluster->set_pace(FakeCluster::Pace::by_hand);
    start();
    const auto id = submit().id;
    faults().plan({.fault = StorageFault::failed, .repeat = true, .commits_only = true});
    cluster->end(ticket(id), Outcome::failed, 3, "boom");
    settle();
    BOOST_TEST(find(id).state() == BatchState::starting);
    faults().heal();
    let_retries_pass();
    BOOST_TEST(find(id).state() == BatchState::dead);
    BOOST_TEST(*find(id).exit_code == 3);
}

BOOST_FIXTURE_TEST_CASE(a_queue_of_batches_survives_a_crash_in_its_order, CrashFixture) {
    options.max_running = 1;
    cluster->set_pace(FakeCluster::Pace::by_hand);
    start();
    for (int i = 0; i < 5; ++i) {
        submit();
    }
    crash();
    start();
    BOOST_TEST(host().status().queued == 4);
    BOOST_TEST(host().status().active == 1);
    for (int i = 0; i < 5; ++i) {
        BOOST_TEST_REQUIRE(cluster->submitted().size() == static_cast<std::size_t>(i + 1));
        finish(BatchId{i});
    }
    BOOST_TEST(total_starts() == 5u);
    BOOST_TEST(host().status().queued == 0);
    check_events();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
