// SPDX-License-Identifier: Apache-2.0
#include "host_fixture.hpp"

#include <boost/test/unit_test.hpp>

namespace sparkhost::host_test {

BOOST_FIXTURE_TEST_SUITE(host_batches, HostFixture)

BOOST_AUTO_TEST_CASE(a_batch_goes_all_the_way_and_wait_gives_its_end) {
    cluster->set_pace(FakeCluster::Pace::runs_through);
    start();
    const auto accepted = submit();
    BOOST_TEST(accepted.id == BatchId{0});
    BOOST_TEST(accepted.version == 1);
    BOOST_TEST(accepted.phase == BatchPhase::accepted);

    const auto end = ask(host().wait(accepted.id)).value();

    BOOST_TEST(end.state() == BatchState::success);
    BOOST_TEST(cluster->starts(end.ticket) == 1u);
    BOOST_TEST(phase(accepted.id) == BatchPhase::released);
    BOOST_TEST(cluster->calls("reserve") == 1u);
    BOOST_TEST(cluster->calls("submit") == 1u);
    BOOST_TEST(cluster->calls("release") == 1u);
    BOOST_TEST(cluster->calls("kill") == 0u);
}

BOOST_AUTO_TEST_CASE(a_batch_is_durable_before_it_is_answered_and_before_its_ticket_is_asked_for) {
    start();
    faults().hold_commits();
    auto submitted = begin(host().submit(spec()));
    BOOST_TEST(!submitted->done());
    BOOST_TEST(cluster->calls("reserve") == 0u);
    faults().let_one_go();
    settle();
    BOOST_TEST(submitted->done());
    BOOST_TEST(cluster->calls("reserve") == 1u);
    BOOST_TEST(cluster->calls("submit") == 0u, "the ticket is not durable yet");
    faults().let_go();
    settle();
    BOOST_TEST(cluster->calls("submit") == 1u);
}

BOOST_AUTO_TEST_CASE(a_submit_cannot_be_cancelled) {
    start();
    faults().hold_commits();
    auto submitted = begin(host().submit(spec()));
    cancel(submitted);
    BOOST_TEST(!submitted->done());
    faults().let_go();
    settle();
    BOOST_TEST(submitted->done());
    BOOST_TEST(find(BatchId{0}).phase == BatchPhase::submitted);
}

BOOST_AUTO_TEST_CASE(a_broken_spec_is_refused_and_nothing_stored) {
    start();
    auto answer = ask(host().submit(BatchSpec{}));
    BOOST_TEST(answer.error().is(Errc::invalid_argument));
    BOOST_TEST(answer.error().field == "file");
    BOOST_TEST(ask(host().list({})).value().total == 0);
}

BOOST_AUTO_TEST_CASE(an_unknown_backend_is_refused) {
    start();
    auto wanted = spec();
    wanted.backend = "moon";
    auto answer = ask(host().submit(wanted));
    BOOST_TEST(answer.error().is(Errc::invalid_argument));
    BOOST_TEST(answer.error().field == "backend");
}

BOOST_AUTO_TEST_CASE(batches_go_to_the_backend_they_name_and_else_to_the_first) {
    backend_names = {"one", "two"};
    start();
    auto wanted = spec();
    wanted.backend = "two";
    BOOST_TEST(submit().spec.backend == "one");
    BOOST_TEST(submit(wanted).spec.backend == "two");
    for (int i = 0; i < 2; ++i) {
        finish(BatchId{i});
        BOOST_TEST(find(BatchId{i}).state() == BatchState::success);
    }
    BOOST_TEST(find(BatchId{1}).ticket_data.ends_with("/two"));
}

BOOST_AUTO_TEST_CASE(a_batch_is_found_by_id_and_by_name) {
    start();
    const auto made = submit(spec("nightly"));
    BOOST_TEST(find(made.id).spec.name == "nightly");
    BOOST_TEST(ask(host().find("nightly")).value().id == made.id);
    BOOST_TEST(ask(host().find("daily")).error().is(Errc::not_found));
    BOOST_TEST(ask(host().find(BatchId{1})).error().is(Errc::not_found));
    BOOST_TEST(ask(host().find(BatchId{-1})).error().is(Errc::not_found));
}

BOOST_AUTO_TEST_CASE(a_name_is_taken_until_its_batch_is_erased) {
    start();
    const auto first = submit(spec("nightly")).id;
    for (int i = 0; i < 2; ++i) {
        const auto answer = ask(host().submit(spec("nightly")));
        BOOST_TEST(answer.error().is(Errc::already_exists));
        BOOST_TEST(answer.error().field == "name");
        if (i == 0) {
            finish(first);
        }
    }
    ask(host().erase(first)).value();
    BOOST_TEST(submit(spec("nightly")).id == BatchId{1});
}

BOOST_AUTO_TEST_CASE(a_list_gives_what_was_asked_for) {
    options.max_running = 2;
    start();
    for (int i = 0; i < 6; ++i) {
        auto wanted = spec();
        wanted.owner = i % 2 == 0 ? "anna" : "otto";
        submit(wanted);
    }
    cluster->start(ticket(BatchId{0}));
    settle();
    finish(BatchId{1}, Outcome::failed, 1);
    const auto ids = [&](BatchQuery query) {
        std::string text;
        const auto page = ask(host().list(query)).value();
        for (const auto& batch : page.batches) {
            text += std::to_string(batch.id.value) + ' ';
        }
        return text + "of " + std::to_string(page.total);
    };
    BOOST_TEST(ids({}) == "0 1 2 3 4 5 of 6");
    BOOST_TEST(ids({.newest_first = true}) == "5 4 3 2 1 0 of 6");
    BOOST_TEST(ids({.limit = 2}) == "0 1 of 6");
    BOOST_TEST(ids({.offset = 4}) == "4 5 of 6");
    BOOST_TEST(ids({.offset = -4}) == "0 1 2 3 4 5 of 6");
    BOOST_TEST(ids({.limit = 0}) == "of 6");
    BOOST_TEST(ids({.after = BatchId{3}}) == "4 5 of 6");
    BOOST_TEST(ids({.after = BatchId{3}, .newest_first = true}) == "2 1 0 of 6");
    BOOST_TEST(ids({.owner = "otto"}) == "1 3 5 of 3");
    BOOST_TEST(ids({.state = BatchState::running}) == "0 of 1");
    BOOST_TEST(ids({.state = BatchState::dead}) == "1 of 1");
    BOOST_TEST(ids({.state = BatchState::starting}) == "2 3 4 5 of 4");
    BOOST_TEST(ids({.state = BatchState::starting, .owner = "anna"}) == "2 4 of 2");
}

BOOST_AUTO_TEST_CASE(the_timeline_tells_where_the_time_went) {
    options.max_running = 1;
    start();
    const auto first = submit().id;
    const auto id = submit().id;
    advance(1s);
    finish(first);
    advance(2s);
    cluster->start(ticket(id));
    advance(3s);
    cluster->bring_context_up(ticket(id), "app-9");
    advance(4s);
    finish(id, Outcome::failed, 3);

    const auto batch = find(id);
    const Words steps{"accepted",        "admitted",   "submitted",
                      "process_started", "context_up", "ended"};
    BOOST_TEST(timeline_of(batch) == steps, boost::test_tools::per_element());
    const std::vector<int> seconds{0, 1, 1, 3, 6, 10};
    for (std::size_t i = 0; i < seconds.size(); ++i) {
        BOOST_TEST((batch.timeline[i].at - batch.created == std::chrono::seconds(seconds[i])));
    }
    BOOST_TEST(batch.application_id == "app-9");
    BOOST_TEST(batch.ui_url != "");
    BOOST_TEST(*batch.exit_code == 3);
}

BOOST_AUTO_TEST_CASE(a_record_read_from_the_store_is_the_same_as_one_in_memory) {
    cluster->set_pace(FakeCluster::Pace::runs_through);
    start();
    const auto id = submit(spec("nightly")).id;
    const auto before = find(id);
    restart();
    BOOST_TEST(find(id) == before);
    BOOST_TEST(ask(host().list({})).value().batches.front() == before);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_utf8_do_not_keep_the_next_host_from_opening) {
    options.max_running = 1;
    start();
    auto wanted = spec();
    wanted.args = {"caf\xe9"};
    submit(wanted);
    submit(wanted);
    restart();
    BOOST_TEST(find(BatchId{0}).spec.args.front() == "caf\xe9");
    finish(BatchId{0});
    BOOST_TEST(phase(BatchId{1}) == BatchPhase::submitted);
}

BOOST_AUTO_TEST_CASE(the_status_counts_what_there_is) {
    options.max_running = 2;
    start();
    for (int i = 0; i < 5; ++i) {
        submit();
    }
    cluster->start(ticket(BatchId{0}));
    settle();
    auto status = host().status();
    BOOST_TEST(status.ready);
    BOOST_TEST(!status.draining);
    BOOST_TEST(status.storage_healthy);
    BOOST_TEST(status.store_uuid != "");
    BOOST_TEST(status.problem == "");
    BOOST_TEST(status.queued == 3);
    BOOST_TEST(status.active == 2);
    const std::vector<std::int64_t> phases{3, 0, 1, 1, 0, 0, 0, 0};
    BOOST_TEST(status.by_phase == phases, boost::test_tools::per_element());
    BOOST_TEST(status.accept.count == 5u);
    BOOST_TEST(status.dispatch.count == 2u, "only those that never waited for a slot");
    BOOST_TEST(status.push.count >= 1u);

    finish(BatchId{0}, Outcome::failed, 1);
    finish(BatchId{1});
    status = host().status();
    const std::vector<std::int64_t> ends{0, 0, 1, 1, 0};
    BOOST_TEST(status.ended_by_state == ends, boost::test_tools::per_element());
    BOOST_TEST(status.by_phase[static_cast<std::size_t>(BatchPhase::released)] == 2);
    BOOST_TEST(status.queued == 1);

    restart();
    status = host().status();
    const std::vector<std::int64_t> after_restart{1, 0, 2, 0, 0, 0, 0, 2};
    BOOST_TEST(status.by_phase == after_restart, boost::test_tools::per_element());
    BOOST_TEST(status.queued == 1);
    BOOST_TEST(status.active == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
