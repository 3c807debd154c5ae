// SPDX-License-Identifier: Apache-2.0
#include "host_fixture.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <stdexcept>

// How a host begins and ends.

namespace sparkhost::host_test {

namespace {

/// A store that opens when the timer is cancelled.
class HeldOpen final : public testing::StorageWrapper {
public:
    HeldOpen(std::shared_ptr<Storage> inner, std::shared_ptr<asio::steady_timer> gate)
        : StorageWrapper(std::move(inner)), gate_(std::move(gate)) {}
    Awaitable<StoreInfo> open(StorageContext context) override {
        return open_later(inner_, gate_, std::move(context));
    }

private:
    static Awaitable<StoreInfo> open_later(std::shared_ptr<Storage> inner,
                                           std::shared_ptr<asio::steady_timer> gate,
                                           StorageContext context) {
        boost::system::error_code woken;
        co_await gate->async_wait(asio::redirect_error(asio::use_awaitable, woken));
        co_return co_await inner->open(std::move(context));
    }
    std::shared_ptr<asio::steady_timer> gate_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(host_life, HostFixture)

BOOST_AUTO_TEST_CASE(calls_made_before_run_wait_for_it) {
    make();
    auto ready = begin(host().ready());
    auto submitted = begin(host().submit(spec()));
    auto listed = begin(host().list({}));
    auto follower = host().follow_events(0);
    auto events = begin(follower.next());
    BOOST_TEST(!ready->done());
    BOOST_TEST(!submitted->done());
    BOOST_TEST(!host().status().ready);
    BOOST_TEST(host().status().problem != "");
    start();
    BOOST_TEST(ready->answer->has_value());
    BOOST_TEST(submitted->answer->has_value());
    BOOST_TEST(listed->answer->has_value());
    BOOST_TEST(events->done());
}

BOOST_AUTO_TEST_CASE(stop_ends_run_and_leaves_applications_alone) {
    start();
    const auto id = submit().id;
    BOOST_TEST(stop().has_value());
    BOOST_TEST(cluster->calls("kill") == 0u);
    BOOST_TEST(ask(host().submit(spec())).error().is(Errc::stopped));
    BOOST_TEST(ask(host().find(id)).error().is(Errc::stopped));
    BOOST_TEST(ask(host().ready()).error().is(Errc::stopped));
    BOOST_TEST(ask(host().read_log({.id = id, .follow = true})).error().is(Errc::stopped));
    const auto status = host().status();
    BOOST_TEST(!status.ready);
    BOOST_TEST(status.draining);
    BOOST_TEST(status.problem != "");
    test::drain(io());
    BOOST_TEST(clock->sleepers() == 0u);
}

BOOST_AUTO_TEST_CASE(stop_may_be_called_again_and_after_the_end) {
    start();
    host().stop();
    host().stop();
    settle();
    BOOST_TEST(life.running->done());
    host().stop();
    settle();
}

BOOST_AUTO_TEST_CASE(stop_before_run_makes_run_complete_at_once) {
    make();
    auto submitted = begin(host().submit(spec()));
    host().stop();
    settle();
    BOOST_TEST_REQUIRE(submitted->done());
    BOOST_TEST(submitted->answer->error().is(Errc::stopped));
    start();
    BOOST_TEST(life.running->answer->has_value());
    BOOST_TEST(cluster->calls("open") == 0u);
}

BOOST_AUTO_TEST_CASE(stop_while_opening_ends_run_when_it_has_opened) {
    cluster->hold("open");
    start();
    auto ready = begin(host().ready());
    host().stop();
    settle();
    BOOST_TEST(ready->answer->error().is(Errc::stopped));
    cluster->let_go("open");
    settle();
    BOOST_TEST_REQUIRE(life.running->done());
    BOOST_TEST(life.running->answer->has_value());
    BOOST_TEST(cluster->calls("watch") == 0u);
}

BOOST_AUTO_TEST_CASE(a_plugin_that_never_opens_is_left_after_the_grace) {
    options.stop_grace = 5s;
    cluster->hold("open");
    start();
    host().stop();
    settle();
    advance(4999ms);
    BOOST_TEST(!life.running->done());
    advance(1ms);
    BOOST_TEST_REQUIRE(life.running->done());
    BOOST_TEST(life.running->answer->error().is(Errc::stopped));
    cluster->let_go("open");
    settle();
    BOOST_TEST(cluster->calls("watch") == 0u);
    test::drain(io());
}

BOOST_AUTO_TEST_CASE(a_store_that_opens_too_late_has_nothing_else_opened) {
    options.stop_grace = 5s;
    auto gate = std::make_shared<asio::steady_timer>(io(), asio::steady_timer::time_point::max());
    HostPlugins plugins;
    plugins.storage = std::make_unique<HeldOpen>(store, gate);
    plugins.backends.push_back(testing::make_fake_backend(cluster));
    make_with(std::move(plugins));
    start();
    host().stop();
    settle();
    advance(5s);
    BOOST_TEST_REQUIRE(life.running->done());
    gate->cancel();
    settle();
    BOOST_TEST(cluster->calls("open") == 0u);
    test::drain(io());
}

BOOST_AUTO_TEST_CASE(run_completes_only_when_what_it_started_has) {
    start();
    cluster->hold("reserve");
    auto submitted = submit();
    host().stop();
    settle();
    BOOST_TEST(!life.running->done());
    cluster->let_go("reserve");
    settle();
    BOOST_TEST(life.running->done());
    BOOST_TEST(cluster->calls("submit") == 0u, "nothing new is begun");
    next_life();
    start();
    BOOST_TEST(cluster->calls("submit") == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_under_way_after_the_grace_is_left) {
    options.stop_grace = 5s;
    start();
    cluster->hold("submit");
    submit();
    host().stop();
    settle();
    advance(4999ms);
    BOOST_TEST(!life.running->done());
    advance(1ms);
    BOOST_TEST(life.running->done());
    cluster->let_go("submit");
    settle();
    test::drain(io());
}

BOOST_AUTO_TEST_CASE(a_submit_under_way_is_answered_while_stopping) {
    start();
    faults().hold_commits();
    auto submitted = begin(host().submit(spec()));
    host().stop();
    settle();
    BOOST_TEST(!life.running->done());
    faults().let_go();
    settle();
    BOOST_TEST(submitted->answer->has_value());
    BOOST_TEST(life.running->done());
    BOOST_TEST(cluster->calls("reserve") == 0u);
}

BOOST_AUTO_TEST_CASE(a_second_run_is_refused_and_the_first_goes_on) {
    start();
    BOOST_TEST(ask(host().run()).error().is(Errc::invalid_state));
    submit();
    stop().value();
    BOOST_TEST(ask(host().run()).error().is(Errc::invalid_state));
}

BOOST_AUTO_TEST_CASE(a_cancelled_run_is_a_stop) {
    start();
    cluster->hold("submit");
    const auto id = submit().id;
    auto wait = begin(host().wait(id));
    cancel(life.running);
    BOOST_TEST(wait->answer->error().is(Errc::stopped));
    BOOST_TEST(!life.running->done(), "a call of the backend is under way");
    cluster->let_go("submit");
    settle();
    BOOST_TEST_REQUIRE(life.running->done());
    BOOST_TEST(!life.running->escaped);
    BOOST_TEST(life.running->answer->has_value());
}

BOOST_AUTO_TEST_CASE(a_store_that_cannot_be_opened_is_what_everybody_is_told) {
    make();
    auto waiting = begin(host().submit(spec()));
    faults().plan({.fault = StorageFault::failed});
    start();
    BOOST_TEST_REQUIRE(life.running->done());
    BOOST_TEST(life.running->answer->error().is(Errc::storage_failed));
    BOOST_TEST(waiting->answer->error().is(Errc::storage_failed));
    BOOST_TEST(ask(host().ready()).error().is(Errc::storage_failed));
    BOOST_TEST(ask(host().find(BatchId{0})).error().is(Errc::storage_failed));
    BOOST_TEST(host().status().problem.find("planned fault") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_backend_that_cannot_be_opened_is_what_everybody_is_told) {
    cluster->fail_next("open", Error(Errc::backend_failed, "no Spark here"));
    start();
    BOOST_TEST(life.running->answer->error().detail == "no Spark here");
    BOOST_TEST(ask(host().submit(spec())).error().detail == "no Spark here");
    BOOST_TEST(host().status().problem == "no Spark here");
}

BOOST_AUTO_TEST_CASE(a_backend_that_still_has_batches_may_not_be_taken_away) {
    backend_names = {"one", "two"};
    start();
    auto wanted = spec();
    wanted.backend = "two";
    submit(wanted);
    stop().value();
    next_life();
    backend_names = {"one"};
    start();
    BOOST_TEST(life.running->answer->error().is(Errc::backend_failed));
    BOOST_TEST(life.running->answer->error().detail.find("'two'") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_handle_may_go_while_operations_are_outstanding) {
    start();
    const auto id = submit().id;
    auto wait = begin(host().wait(id));
    auto lines = begin(host().read_log({.id = id, .follow = true}));
    faults().hold_commits();
    auto submitted = begin(host().submit(spec()));
    auto unstarted = host().find(id);
    auto follower = host().follow_events(0);
    life.host.reset();
    settle();
    BOOST_TEST(wait->answer->error().is(Errc::stopped));
    BOOST_TEST(lines->answer->error().is(Errc::stopped));
    faults().let_go();
    settle();
    BOOST_TEST(submitted->answer->has_value());
    BOOST_TEST(life.running->done());
    BOOST_TEST(ask(std::move(unstarted)).error().is(Errc::stopped));
    BOOST_TEST(ask(follower.next()).error().is(Errc::stopped));
}

BOOST_AUTO_TEST_CASE(a_moved_host_is_the_same_host) {
    start();
    const auto id = submit().id;
    Host other = std::move(*life.host);
    BOOST_TEST(ask(other.find(id)).value().id == id);
    life.host = std::move(other);
    stop().value();
}

BOOST_AUTO_TEST_CASE(several_hosts_live_in_one_process_and_on_one_context) {
    HostFixture other;
    other.life.io = life.io;
    other.cluster = cluster;
    start();
    other.start();
    const auto mine = submit(spec("mine")).id;
    const auto theirs = other.submit(spec("theirs")).id;
    BOOST_TEST(mine == theirs);
    BOOST_TEST(ticket(mine) != other.ticket(theirs));
    finish(mine);
    BOOST_TEST(find(mine).state() == BatchState::success);
    BOOST_TEST(other.find(theirs).state() == BatchState::starting);
    stop().value();
    BOOST_TEST(other.submit().id == BatchId{1});
    other.stop().value();
}

BOOST_AUTO_TEST_CASE(a_host_makes_threads_of_its_own_where_it_is_given_none) {
    auto io = std::make_shared<asio::io_context>(1);
    HostPlugins plugins;
    plugins.storage = make_memory_storage();
    plugins.backends.push_back(testing::make_fake_backend(cluster));
    Host own(io->get_executor(), {}, std::move(plugins));
    asio::co_spawn(*io, own.run(), [](std::exception_ptr, Result<void>) {});
    BOOST_TEST(test::run_on(*io, [&] { return own.submit(spec()); }).has_value());
    own.stop();
    test::drain(*io);
}

BOOST_AUTO_TEST_CASE(wrong_options_throw_and_name_the_option) {
    options.max_running = 0;
    BOOST_CHECK_EXCEPTION(make(), std::invalid_argument, [](const auto& refused) {
        return std::string(refused.what()).find("max_running") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(a_watch_that_ends_is_started_again_after_a_while) {
    cluster->fail_next("watch", Error(Errc::backend_failed, "connection refused"), 2);
    start();
    const auto id = submit().id;
    cluster->end(ticket(id), Outcome::success, 0);
    settle();
    BOOST_TEST(phase(id) == BatchPhase::submitted);
    advance(200ms);
    BOOST_TEST(cluster->calls("watch") == 2u);
    advance(400ms);
    BOOST_TEST(cluster->calls("watch") == 3u);
    BOOST_TEST(phase(id) == BatchPhase::released);
    BOOST_TEST((std::find_if(logged.begin(), logged.end(), [](const std::string& line) {
                    return line.find("connection refused") != std::string::npos;
                }) != logged.end()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
