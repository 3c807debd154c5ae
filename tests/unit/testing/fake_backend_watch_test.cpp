// SPDX-License-Identifier: Apache-2.0
#include "fake_backend_fixture.hpp"

#include <boost/test/unit_test.hpp>

namespace sparkhost::testing {

using boost::test_tools::per_element;
using fake_backend_test::Fixture;
using fake_backend_test::Lines;

BOOST_FIXTURE_TEST_SUITE(fake_backend_watch, Fixture)

namespace asio = boost::asio;

BOOST_AUTO_TEST_CASE(an_empty_cluster_gives_an_empty_snapshot) {
    watch();
    BOOST_TEST(heard() == Lines{"complete"}, per_element());
}

BOOST_AUTO_TEST_CASE(a_reserved_ticket_is_not_in_the_snapshot) {
    reserve();
    watch();
    BOOST_TEST(heard() == Lines{"complete"}, per_element());
}

BOOST_AUTO_TEST_CASE(the_snapshot_comes_first_then_each_change) {
    const auto one = submitted("batch-1");
    const auto two = submitted("batch-2");
    cluster->start(two.id);
    watch();
    const Lines snapshot{one.id + " submitted", two.id + " started", "complete"};
    BOOST_TEST(heard() == snapshot, per_element());
    cluster->start(one.id);
    BOOST_TEST(heard() == Lines{one.id + " started"}, per_element());
    const auto three = submitted("batch-3");
    BOOST_TEST(heard() == Lines{three.id + " submitted"}, per_element());
}

BOOST_AUTO_TEST_CASE(a_report_tells_everything_known) {
    const auto ticket = submitted();
    watch();
    cluster->start(ticket.id);
    clock->advance(std::chrono::seconds(5));
    cluster->bring_context_up(ticket.id, "app-1");
    clock->advance(std::chrono::seconds(5));
    cluster->end(ticket.id, Outcome::failed, 3, "it broke");
    settle();
    const auto begin = clock->now() - std::chrono::seconds(10);
    BOOST_TEST(sink->last.state == ApplicationState::ended);
    BOOST_TEST(sink->last.outcome == Outcome::failed);
    BOOST_TEST(sink->last.exit_code == 3);
    BOOST_TEST(sink->last.reason == "it broke");
    BOOST_TEST(sink->last.application_id == "app-1");
    BOOST_TEST(sink->last.ui_url == "http://driver.example:4040");
    BOOST_TEST((sink->last.started == begin));
    BOOST_TEST((sink->last.context_up == begin + std::chrono::seconds(5)));
    BOOST_TEST((sink->last.ended == clock->now()));
}

BOOST_AUTO_TEST_CASE(reports_never_go_back) {
    const auto ticket = submitted();
    watch();
    cluster->bring_context_up(ticket.id, "app-1");
    cluster->start(ticket.id);
    cluster->end(ticket.id, Outcome::success, 0);
    cluster->bring_context_up(ticket.id, "app-2");
    cluster->end(ticket.id, Outcome::failed, 1);
    const Lines expected{ticket.id + " submitted", "complete", ticket.id + " context_up",
                         ticket.id + " ended"};
    BOOST_TEST(heard() == expected, per_element());
    BOOST_TEST(sink->last.outcome == Outcome::success);
    BOOST_TEST(sink->last.application_id == "app-1");
}

BOOST_AUTO_TEST_CASE(killing_what_never_started_reports_the_end) {
    const auto ticket = reserve();
    watch();
    kill(ticket).value();
    const Lines expected{"complete", ticket.id + " ended"};
    BOOST_TEST(heard() == expected, per_element());
    BOOST_TEST(sink->last.outcome == Outcome::killed);
    BOOST_TEST(!sink->last.exit_code.has_value());
}

BOOST_AUTO_TEST_CASE(killing_what_runs_reports_the_end_once) {
    const auto ticket = submitted();
    cluster->start(ticket.id);
    watch();
    heard();
    kill(ticket).value();
    kill(ticket).value();
    BOOST_TEST(heard() == Lines{ticket.id + " ended"}, per_element());
    BOOST_TEST(sink->last.exit_code == 143);
}

BOOST_AUTO_TEST_CASE(a_kill_after_the_end_changes_nothing) {
    const auto ticket = submitted();
    cluster->end(ticket.id, Outcome::success, 0);
    kill(ticket).value();
    watch();
    BOOST_TEST(sink->last.outcome == Outcome::success);
}

BOOST_AUTO_TEST_CASE(what_runs_through_is_reported_step_by_step) {
    cluster->set_pace(FakeCluster::Pace::runs_through);
    watch();
    const auto ticket = submitted();
    const Lines expected{"complete", ticket.id + " started", ticket.id + " context_up",
                         ticket.id + " ended"};
    BOOST_TEST(heard() == expected, per_element());
    BOOST_TEST(sink->last.outcome == Outcome::success);
    BOOST_TEST(sink->last.exit_code == 0);
    BOOST_TEST(sink->last.application_id == "fake-app-1");
}

BOOST_AUTO_TEST_CASE(what_is_released_or_forgotten_is_in_no_snapshot) {
    const auto released = submitted("batch-1");
    const auto forgotten = submitted("batch-2");
    release(released).value();
    cluster->forget(forgotten.id);
    cluster->end(forgotten.id, Outcome::success, 0);
    watch();
    BOOST_TEST(heard() == Lines{"complete"}, per_element());
    BOOST_TEST(cluster->starts(released.id) == 1u);
    BOOST_TEST(cluster->starts(forgotten.id) == 1u);
}

BOOST_AUTO_TEST_CASE(a_forgotten_application_is_neither_started_again_nor_unkillable) {
    const auto ticket = submitted();
    cluster->forget(ticket.id);
    BOOST_TEST(submit(ticket).has_value());
    BOOST_TEST(cluster->starts(ticket.id) == 1u);
    watch();
    kill(ticket).value();
    const Lines expected{"complete", ticket.id + " ended"};
    BOOST_TEST(heard() == expected, per_element());
}

BOOST_AUTO_TEST_CASE(a_dropped_watch_begins_a_new_snapshot) {
    const auto ticket = submitted();
    watch();
    heard();
    cluster->start(ticket.id);
    cluster->drop_watches();
    const Lines expected{"begin", ticket.id + " started", "complete"};
    BOOST_TEST(heard() == expected, per_element());
}

BOOST_AUTO_TEST_CASE(after_cancellation_the_sink_hears_nothing_and_a_new_watch_begins_anew) {
    const auto ticket = submitted();
    watch();
    heard();
    cluster->start(ticket.id);
    stop_watching.emit(asio::cancellation_type::terminal);
    settle();
    BOOST_TEST(!watching);
    heard();
    cluster->bring_context_up(ticket.id, "app-1");
    BOOST_TEST(heard() == Lines{}, per_element());
    watch();
    const Lines expected{ticket.id + " context_up", "complete"};
    BOOST_TEST(heard() == expected, per_element());
}

BOOST_AUTO_TEST_CASE(a_sink_may_stop_the_watch_from_within_a_report) {
    class StoppingSink final : public EventSink {
    public:
        explicit StoppingSink(asio::cancellation_signal& signal) : signal_(signal) {}
        void status(ApplicationStatus) override {}
        void snapshot_complete() override { signal_.emit(asio::cancellation_type::terminal); }

    private:
        asio::cancellation_signal& signal_;
    };
    bool over = false;
    asio::co_spawn(
        io, backend->watch(std::make_shared<StoppingSink>(stop_watching)),
        asio::bind_cancellation_slot(stop_watching.slot(), [&](std::exception_ptr escaped,
                                                               Result<void>) { over = !escaped; }));
    settle();
    BOOST_TEST(over);
}

BOOST_AUTO_TEST_CASE(stores_and_backends_see_their_own_applications_only) {
    submitted();
    auto stranger = open_backend("fedcba9876543210");
    auto namesake = open_backend("0123456789abcdef", {.name = "other"});
    for (auto* other : {&stranger, &namesake}) {
        backend.swap(*other);
        watch();
        BOOST_TEST(heard() == Lines{"complete"}, per_element());
        stop_watching.emit(asio::cancellation_type::terminal);
        settle();
        backend.swap(*other);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::testing
