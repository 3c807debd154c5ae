// SPDX-License-Identifier: Apache-2.0
#include "host_fixture.hpp"

#include <sparkhost/testing/backend_wrapper.hpp>

#include <boost/test/unit_test.hpp>

namespace sparkhost::host_test {

namespace {

/// Each watch gives its snapshot and ends.
class ShortWatches final : public testing::BackendWrapper {
public:
    ShortWatches(std::shared_ptr<Backend> inner, std::shared_ptr<int> begun)
        : BackendWrapper(std::move(inner)), begun_(std::move(begun)) {}
    Awaitable<void> watch(std::shared_ptr<EventSink> sink) override {
        ++*begun_;
        return snapshot(std::move(sink));
    }

private:
    static Awaitable<void> snapshot(std::shared_ptr<EventSink> sink) {
        sink->snapshot_begin();
        sink->snapshot_complete();
        co_return ok();
    }
    std::shared_ptr<int> begun_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(host_watch, HostFixture)

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

BOOST_AUTO_TEST_CASE(a_watch_that_has_worked_is_started_again_without_growing_delays) {
    auto watches = std::make_shared<int>(0);
    HostPlugins plugins;
    plugins.storage = make_memory_storage();
    plugins.backends.push_back(
        std::make_unique<ShortWatches>(testing::make_fake_backend(cluster), watches));
    make_with(std::move(plugins));
    start();
    for (int begun = 1; begun <= 6; ++begun) {
        BOOST_TEST(*watches == begun);
        advance(200ms);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
