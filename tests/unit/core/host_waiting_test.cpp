// SPDX-License-Identifier: Apache-2.0
#include "host_fixture.hpp"

#include <boost/test/unit_test.hpp>

// Whoever waits: for a batch, for events, for output.

namespace sparkhost::host_test {

BOOST_FIXTURE_TEST_SUITE(host_waiting, HostFixture)

BOOST_AUTO_TEST_CASE(wait_completes_at_the_end_and_not_before) {
    start();
    const auto id = submit().id;
    auto wait = begin(host().wait(id));
    cluster->start(ticket(id));
    settle();
    BOOST_TEST(!wait->done());
    finish(id, Outcome::failed, 3);
    BOOST_TEST_REQUIRE(wait->done());
    BOOST_TEST(wait->answer->value().state() == BatchState::dead);
    BOOST_TEST(ask(host().wait(id)).value().state() == BatchState::dead);
    BOOST_TEST(ask(host().wait(BatchId{5})).error().is(Errc::not_found));
}

BOOST_AUTO_TEST_CASE(many_wait_for_one_batch) {
    start();
    const auto id = submit().id;
    std::vector<PendingPtr<BatchRecord>> waits;
    for (int i = 0; i < 100; ++i) {
        waits.push_back(begin(host().wait(id)));
    }
    cancel(waits[7]);
    finish(id);
    for (std::size_t i = 0; i < waits.size(); ++i) {
        BOOST_TEST_REQUIRE(waits[i]->done());
        BOOST_TEST(waits[i]->answer->has_value() == (i != 7));
    }
}

BOOST_AUTO_TEST_CASE(a_change_is_seen_by_version) {
    start();
    const auto id = submit().id;
    const auto seen = find(id).version;
    auto same = begin(host().wait_for_change({.id = id, .seen_version = seen}));
    auto old = begin(host().wait_for_change({.id = id, .seen_version = seen - 1}));
    BOOST_TEST(!same->done());
    BOOST_TEST(old->done());
    cluster->start(ticket(id));
    settle();
    BOOST_TEST_REQUIRE(same->done());
    BOOST_TEST(same->answer->value().version == seen + 1);
}

BOOST_AUTO_TEST_CASE(a_change_is_seen_by_state) {
    start();
    const auto id = submit().id;
    auto left = begin(host().wait_for_change({.id = id, .not_state = BatchState::starting}));
    BOOST_TEST(!left->done());
    BOOST_TEST(ask(host().wait_for_change({.id = id, .not_state = BatchState::dead})).has_value());
    cluster->start(ticket(id));
    settle();
    BOOST_TEST_REQUIRE(left->done());
    BOOST_TEST(left->answer->value().state() == BatchState::running);
}

BOOST_AUTO_TEST_CASE(a_wait_for_a_change_times_out_at_its_deadline) {
    start();
    const auto id = submit().id;
    ChangeRequest request{.id = id, .not_state = BatchState::starting, .timeout = 30s};
    auto wait = begin(host().wait_for_change(request));
    advance(29s);
    cluster->bring_context_up(ticket(id), "app");
    BOOST_TEST(!wait->done());
    settle();
    BOOST_TEST(wait->answer->has_value());

    request.not_state = BatchState::running;
    wait = begin(host().wait_for_change(request));
    const auto sleeping = clock->sleepers();
    advance(29s);
    ask(host().submit(spec())).value();
    BOOST_TEST(!wait->done());
    advance(1s);
    BOOST_TEST_REQUIRE(wait->done());
    BOOST_TEST(wait->answer->error().is(Errc::timed_out));
    BOOST_TEST(clock->sleepers() == sleeping - 1);
}

BOOST_AUTO_TEST_CASE(a_wait_that_is_over_leaves_no_timer_behind) {
    start();
    const auto id = submit().id;
    const auto sleeping = clock->sleepers();
    ChangeRequest request{.id = id, .not_state = BatchState::starting, .timeout = 30s};
    auto abandoned = begin(host().wait_for_change(request));
    auto answered = begin(host().wait_for_change(request));
    BOOST_TEST(clock->sleepers() == sleeping + 2);
    cancel(abandoned);
    BOOST_TEST(abandoned->done());
    cluster->start(ticket(id));
    settle();
    BOOST_TEST(answered->done());
    BOOST_TEST(clock->sleepers() == sleeping);
}

BOOST_AUTO_TEST_CASE(a_wait_that_is_cancelled_while_it_looks_is_cancelled_without_a_throw) {
    options.cached_records = 0;
    start();
    const auto id = submit().id;
    auto wait = std::make_shared<Pending<BatchRecord>>();
    auto over = [wait](std::exception_ptr escaped, Result<BatchRecord> answer) {
        wait->escaped = escaped;
        wait->answer = std::move(answer);
    };
    asio::co_spawn(io(), host().wait(id),
                   asio::bind_cancellation_slot(wait->cancel.slot(), std::move(over)));
    io().restart();
    io().run_one();  // it has begun, and is on its way to the host
    cancel(wait);
    BOOST_TEST_REQUIRE(wait->done());
    BOOST_TEST(!wait->escaped);
    BOOST_TEST((wait->answer->error().code == asio::error::operation_aborted));
}

BOOST_AUTO_TEST_CASE(a_batch_erased_meanwhile_is_not_found) {
    options.max_running = 1;
    start();
    submit();
    const auto id = submit().id;
    auto wait = begin(host().wait_for_change({.id = id, .not_state = BatchState::starting}));
    auto never = begin(host().wait_for_change({.id = id, .seen_version = 77}));
    ask(host().erase(id)).value();
    BOOST_TEST(wait->done());
    BOOST_TEST(never->done());
}

BOOST_AUTO_TEST_CASE(stop_releases_everybody_who_waits) {
    start();
    const auto id = submit().id;
    auto wait = begin(host().wait(id));
    auto change = begin(host().wait_for_change({.id = id, .not_state = BatchState::starting, .timeout = 1h}));
    auto follower = host().follow_events(host().status().last_sequence);
    auto events = begin(follower.next());
    auto lines = begin(host().read_log({.id = id, .follow = true}));
    cluster->hold("kill");
    auto erased = begin(host().erase(id));
    host().stop();
    settle();
    BOOST_TEST(wait->answer->error().is(Errc::stopped));
    BOOST_TEST(change->answer->error().is(Errc::stopped));
    BOOST_TEST(events->answer->error().is(Errc::stopped));
    BOOST_TEST(lines->answer->error().is(Errc::stopped));
    BOOST_TEST(erased->answer->error().is(Errc::stopped));
    BOOST_TEST(!life.running->done(), "the kill is under way");
    cluster->let_go("kill");
    settle();
    BOOST_TEST(life.running->done());
    BOOST_TEST(clock->sleepers() == 0u);
}

// --- events ---

BOOST_AUTO_TEST_CASE(every_change_is_an_event_in_order_and_without_holes) {
    start();
    const auto id = submit().id;
    cluster->start(ticket(id));
    settle();
    cluster->bring_context_up(ticket(id), "app");
    settle();
    ask(host().kill(id)).value();
    ask(host().erase(id)).value();

    const auto events = events_after(0);
    const Words types{"batch.accepted", "batch.reserved",       "batch.submitted",
                      "batch.running",  "batch.updated",        "batch.kill_requested",
                      "batch.ended",    "batch.released",       "batch.updated",
                      "batch.erased"};
    BOOST_TEST(event_types(id) == types, boost::test_tools::per_element());
    std::int64_t version = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        BOOST_TEST(events[i].sequence == static_cast<std::int64_t>(i + 1));
        BOOST_TEST(events[i].version >= version);
        version = events[i].version;
    }
    BOOST_TEST(events[3].state == BatchState::running);
    BOOST_TEST(events[6].state == BatchState::killed);
}

BOOST_AUTO_TEST_CASE(a_follower_resumes_after_any_number_before_and_after_a_restart) {
    cluster->set_pace(FakeCluster::Pace::runs_through);
    start();
    for (int i = 0; i < 3; ++i) {
        submit();
    }
    const auto all = events_after(0);
    for (const bool restarted : {false, true}) {
        if (restarted) {
            restart();
        }
        for (std::size_t after = 0; after <= all.size(); ++after) {
            const auto rest = events_after(static_cast<std::int64_t>(after));
            BOOST_TEST_REQUIRE(rest.size() == all.size() - after);
            BOOST_TEST((std::vector<Event>(all.begin() + static_cast<std::ptrdiff_t>(after),
                                           all.end()) == rest));
        }
    }
}

BOOST_AUTO_TEST_CASE(followers_wait_for_what_is_to_come) {
    start();
    std::vector<EventFollower> followers;
    for (int i = 0; i < 20; ++i) {
        followers.push_back(host().follow_events(0));
    }
    std::vector<PendingPtr<std::vector<Event>>> waits;
    for (auto& follower : followers) {
        waits.push_back(begin(follower.next()));
        BOOST_TEST(!waits.back()->done());
    }
    cancel(waits[3]);
    submit();
    for (std::size_t i = 0; i < waits.size(); ++i) {
        BOOST_TEST_REQUIRE(waits[i]->done());
        if (i == 3) {
            BOOST_TEST(waits[i]->answer->has_error());
            BOOST_TEST(followers[i].position() == 0);
        } else {
            BOOST_TEST(waits[i]->answer->value().front().type == "batch.accepted");
            BOOST_TEST(followers[i].position() >= 1);
        }
    }
    BOOST_TEST(ask(followers[3].next()).value().front().sequence == 1, "nothing is lost");
}

BOOST_AUTO_TEST_CASE(one_read_gives_at_most_a_thousand_events) {
    cluster->set_pace(FakeCluster::Pace::runs_through);
    start();
    for (int i = 0; i < 300; ++i) {
        submit();
    }
    BOOST_TEST(host().status().last_sequence > 1000);
    auto follower = host().follow_events(0);
    BOOST_TEST(ask(follower.next()).value().size() == 1000u);
    BOOST_TEST(ask(follower.next()).value().front().sequence == 1001);
    std::int64_t expected = 0;
    for (const auto& event : events_after(0)) {
        BOOST_TEST(event.sequence == ++expected);
    }
}

BOOST_AUTO_TEST_CASE(old_events_are_pruned_and_a_follower_of_them_is_told) {
    options.max_events = 10;
    cluster->set_pace(FakeCluster::Pace::runs_through);
    start();
    for (int i = 0; i < 20; ++i) {
        submit();
    }
    restart();
    const auto last = host().status().last_sequence;
    auto stale = host().follow_events(0);
    BOOST_TEST(ask(stale.next()).error().is(Errc::expired));
    BOOST_TEST(stale.position() == 0);
    BOOST_TEST(events_after(last - 10).size() == 10u);
}

// --- output ---

BOOST_AUTO_TEST_CASE(output_is_read_by_lines) {
    start();
    const auto id = submit().id;
    for (int i = 0; i < 5; ++i) {
        cluster->append_log(ticket(id), "line " + std::to_string(i));
    }
    const auto page = ask(host().read_log({.id = id, .offset = 1, .limit = 2})).value();
    BOOST_TEST(page.offset == 1);
    BOOST_TEST(page.lines == (Words{"line 1", "line 2"}), boost::test_tools::per_element());
    BOOST_TEST(page.total == 5);
    BOOST_TEST(!page.complete);
    BOOST_TEST(ask(host().read_log({.id = id, .offset = -2})).value().offset == 3);
    finish(id);
    BOOST_TEST(ask(host().read_log({.id = id})).value().complete);
    BOOST_TEST(ask(host().read_log({.id = BatchId{9}})).error().is(Errc::not_found));
}

BOOST_AUTO_TEST_CASE(a_batch_without_output_gives_an_empty_page) {
    options.max_running = 1;
    start();
    submit();
    const auto queued = submit().id;
    auto page = ask(host().read_log({.id = queued})).value();
    BOOST_TEST(page.lines.empty());
    BOOST_TEST(!page.complete);
    ask(host().kill(queued)).value();
    BOOST_TEST(ask(host().read_log({.id = queued, .follow = true})).value().complete);
}

BOOST_AUTO_TEST_CASE(following_output_waits_for_the_next_line_or_the_end) {
    options.max_running = 1;
    start();
    const auto first = submit().id;
    const auto id = submit().id;
    auto lines = begin(host().read_log({.id = id, .follow = true}));
    finish(first);
    BOOST_TEST(!lines->done(), "it runs now but has not said anything");
    cluster->append_log(ticket(id), "hello");
    settle();
    BOOST_TEST_REQUIRE(lines->done());
    BOOST_TEST(lines->answer->value().lines.front() == "hello");
    lines = begin(host().read_log({.id = id, .offset = 1, .follow = true}));
    BOOST_TEST(!lines->done());
    finish(id);
    BOOST_TEST_REQUIRE(lines->done());
    BOOST_TEST(lines->answer->value().complete);
}

BOOST_AUTO_TEST_CASE(following_output_can_be_cancelled) {
    options.max_running = 1;
    start();
    const auto talking = submit().id;
    const auto queued = submit().id;
    for (const auto id : {talking, queued}) {
        auto lines = begin(host().read_log({.id = id, .follow = true}));
        cancel(lines);
        BOOST_TEST_REQUIRE(lines->done());
        BOOST_TEST(!lines->escaped);
        BOOST_TEST((lines->answer->error().code == asio::error::operation_aborted));
    }
    stop().value();
}

BOOST_AUTO_TEST_CASE(the_last_lines_are_kept_with_the_record) {
    options.log_tail_lines = 2;
    start();
    const auto id = submit().id;
    for (const char* line : {"a", "b", "c"}) {
        cluster->append_log(ticket(id), line);
    }
    finish(id, Outcome::failed, 1);
    BOOST_TEST(find(id).log_tail == (Words{"b", "c"}), boost::test_tools::per_element());
}

// --- what the cluster tells ---

BOOST_AUTO_TEST_CASE(reports_that_come_twice_or_late_change_nothing) {
    start();
    const auto id = submit().id;
    cluster->start(ticket(id));
    cluster->bring_context_up(ticket(id), "app");
    settle();
    const auto before = find(id);
    for (int i = 0; i < 3; ++i) {
        cluster->drop_watches();
        settle();
    }
    BOOST_TEST(find(id) == before);
}

BOOST_AUTO_TEST_CASE(an_application_the_cluster_has_lost_is_over_and_nobody_knows_how) {
    for (const bool restarted : {false, true}) {
        BOOST_TEST_CONTEXT(restarted) {
            HostFixture fixture;
            fixture.start();
            const auto id = fixture.submit().id;
            const auto kept = fixture.submit().id;
            fixture.cluster->start(fixture.ticket(id));
            fixture.settle();
            fixture.cluster->forget(fixture.ticket(id));
            if (restarted) {
                fixture.restart();
            } else {
                fixture.cluster->drop_watches();
                fixture.settle();
            }
            const auto lost = fixture.find(id);
            BOOST_TEST(lost.outcome == Outcome::unknown);
            BOOST_TEST(lost.state() == BatchState::dead);
            BOOST_TEST(!lost.reason.empty());
            BOOST_TEST(fixture.phase(kept) == BatchPhase::submitted);
            BOOST_TEST(fixture.cluster->submitted().size() == 2u);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_submitted_while_a_snapshot_is_taken_is_not_lost) {
    for (const char* gate : {"submit", "submit_reply"}) {
        BOOST_TEST_CONTEXT(gate) {
            HostFixture fixture;
            fixture.start();
            fixture.cluster->hold(gate);
            const auto id = fixture.submit().id;
            fixture.cluster->drop_watches();
            fixture.cluster->let_go(gate);
            fixture.settle();
            BOOST_TEST(fixture.phase(id) == BatchPhase::submitted);
            fixture.cluster->drop_watches();
            fixture.settle();
            BOOST_TEST(fixture.phase(id) == BatchPhase::submitted);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_restart_takes_up_what_runs_without_a_change) {
    start();
    const auto id = submit().id;
    cluster->start(ticket(id));
    settle();
    const auto before = find(id);
    restart();
    BOOST_TEST(find(id) == before);
    BOOST_TEST(cluster->calls("submit") == 1u);
    finish(id);
    BOOST_TEST(phase(id) == BatchPhase::released);
}

BOOST_AUTO_TEST_CASE(what_ended_while_no_host_ran_is_learned_at_the_start) {
    start();
    const auto id = submit().id;
    const auto held = ticket(id);
    stop().value();
    next_life();
    cluster->end(held, Outcome::failed, 9, "meanwhile");
    start();
    BOOST_TEST(find(id).reason == "meanwhile");
    BOOST_TEST(phase(id) == BatchPhase::released);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
