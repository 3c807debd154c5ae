// SPDX-License-Identifier: Apache-2.0
#include "fake_backend_fixture.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <thread>

namespace sparkhost::testing {

using fake_backend_test::Fixture;
using fake_backend_test::Lines;

BOOST_FIXTURE_TEST_SUITE(fake_backend, Fixture)

namespace asio = boost::asio;

BOOST_AUTO_TEST_CASE(its_name_is_an_option_and_it_serves_logs) {
    BOOST_TEST(backend->traits().name == "fake");
    BOOST_TEST(backend->traits().serves_logs);
    BOOST_TEST(make_fake_backend(cluster, {.name = "other"})->traits().name == "other");
}

BOOST_AUTO_TEST_CASE(it_needs_a_cluster) {
    BOOST_CHECK_THROW(make_fake_backend(nullptr), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_ticket_names_store_subject_and_attempt) {
    BOOST_TEST(reserve("batch-7").id == "01234567-batch-7-1");
    auto second = request("batch-7");
    second.attempt = 2;
    auto ticket = test::run_on(io, [&] { return backend->reserve(second); }).value();
    BOOST_TEST(ticket.id == "01234567-batch-7-2");
}

BOOST_AUTO_TEST_CASE(its_cluster_can_be_followed_without_a_watch) {
    const auto ticket = submitted();
    BOOST_TEST((cluster->status(ticket.id)->state == ApplicationState::submitted));
    const auto seen = cluster->changes();
    bool changed = false;
    asio::co_spawn(io, cluster->until_changed(seen), [&](std::exception_ptr) { changed = true; });
    settle();
    BOOST_TEST(!changed);
    kill(ticket).value();
    settle();
    BOOST_TEST(changed);
    BOOST_TEST((cluster->status(ticket.id)->outcome == Outcome::killed));
    cluster->forget(ticket.id);
    BOOST_TEST(!cluster->status(ticket.id).has_value());
    BOOST_TEST(!cluster->status("unknown").has_value());
}

BOOST_AUTO_TEST_CASE(reserving_starts_nothing) {
    const auto ticket = reserve();
    BOOST_TEST(cluster->starts(ticket.id) == 0u);
    BOOST_TEST(cluster->submitted().empty());
}

BOOST_AUTO_TEST_CASE(submitting_twice_starts_user_code_once) {
    const auto ticket = submitted();
    BOOST_TEST(submit(ticket).has_value());
    BOOST_TEST(cluster->starts(ticket.id) == 1u);
    BOOST_TEST(cluster->calls("submit") == 2u);
    BOOST_TEST(cluster->submitted() == Lines{ticket.id}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(another_backend_on_the_cluster_adopts_after_a_restart) {
    const auto ticket = submitted();
    backend = open_backend();
    BOOST_TEST(submit(ticket).has_value());
    BOOST_TEST(cluster->starts(ticket.id) == 1u);
}

BOOST_AUTO_TEST_CASE(submitting_after_release_starts_nothing) {
    const auto ticket = submitted();
    release(ticket).value();
    BOOST_TEST(submit(ticket).has_value());
    BOOST_TEST(cluster->starts(ticket.id) == 1u);
}

BOOST_AUTO_TEST_CASE(a_killed_ticket_cannot_be_submitted) {
    const auto ticket = reserve();
    kill(ticket).value();
    BOOST_TEST(submit(ticket).error().is(Errc::invalid_state));
    BOOST_TEST(cluster->starts(ticket.id) == 0u);
}

BOOST_AUTO_TEST_CASE(a_kill_overtaking_a_held_submit_wins) {
    const auto ticket = reserve();
    cluster->hold("submit");
    std::optional<Result<void>> answer;
    asio::co_spawn(io, backend->submit(request(), ticket),
                   [&](std::exception_ptr, Result<void> result) { answer = result; });
    test::run_on(io, [&] { return cluster->until_called("submit"); });
    kill(ticket).value();
    BOOST_TEST(!answer.has_value());
    cluster->let_go("submit");
    settle();
    BOOST_TEST_REQUIRE(answer.has_value());
    BOOST_TEST(answer->error().is(Errc::invalid_state));
    BOOST_TEST(cluster->starts(ticket.id) == 0u);
}

BOOST_AUTO_TEST_CASE(holding_a_reply_lets_the_effect_happen_first) {
    const auto ticket = reserve();
    cluster->hold("submit_reply");
    bool answered = false;
    asio::co_spawn(io, backend->submit(request(), ticket),
                   [&](std::exception_ptr, Result<void>) { answered = true; });
    settle();
    BOOST_TEST(cluster->starts(ticket.id) == 1u);
    BOOST_TEST(!answered);
    cluster->let_go("submit_reply");
    settle();
    BOOST_TEST(answered);
}

BOOST_AUTO_TEST_CASE(a_failing_call_does_nothing_and_later_ones_succeed) {
    const auto ticket = reserve();
    cluster->fail_next("submit", Error(Errc::backend_failed, "the cluster is away"), 2);
    BOOST_TEST(submit(ticket).error().detail == "the cluster is away");
    BOOST_TEST(submit(ticket).error().is(Errc::backend_failed));
    BOOST_TEST(cluster->starts(ticket.id) == 0u);
    BOOST_TEST(submit(ticket).has_value());
    BOOST_TEST(cluster->starts(ticket.id) == 1u);
}

BOOST_AUTO_TEST_CASE(a_failing_reply_comes_after_the_effect) {
    const auto ticket = reserve();
    cluster->fail_next("submit_reply", Errc::backend_failed);
    BOOST_TEST(submit(ticket).error().is(Errc::backend_failed));
    BOOST_TEST(cluster->starts(ticket.id) == 1u);
}

BOOST_AUTO_TEST_CASE(each_operation_can_be_made_to_fail) {
    const auto ticket = submitted();
    for (const std::string operation : {"reserve", "submit", "kill", "release", "read_log"}) {
        for (const std::string point : {"", "_reply"}) {
            if (operation == "read_log" && !point.empty()) {
                continue;  // reading has no effect that a reply could hide
            }
            BOOST_TEST_CONTEXT(operation + point) {
                cluster->fail_next(operation + point, Errc::rejected);
                Result<void> answer;
                if (operation == "reserve") {
                    auto made = test::run_on(io, [&] { return backend->reserve(request()); });
                    answer = made ? ok() : Result<void>(made.error());
                } else if (operation == "submit") {
                    answer = submit(ticket);
                } else if (operation == "kill") {
                    answer = kill(ticket);
                } else if (operation == "release") {
                    answer = release(ticket);
                } else {
                    auto page = read_log({.ticket = ticket});
                    answer = page ? ok() : Result<void>(page.error());
                }
                BOOST_TEST_REQUIRE(!answer.has_value());
                BOOST_TEST(answer.error().is(Errc::rejected));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(opening_can_be_made_to_fail) {
    cluster->fail_next("open", Error(Errc::backend_failed, "no cluster here"));
    auto other = make_fake_backend(cluster);
    auto opened = test::run_on(io, [&] { return other->open({}); });
    BOOST_TEST(opened.error().detail == "no cluster here");
}

BOOST_AUTO_TEST_CASE(releasing_is_idempotent_and_unknown_tickets_are_a_success) {
    const auto ticket = submitted();
    BOOST_TEST(release(ticket).has_value());
    BOOST_TEST(release(ticket).has_value());
    Ticket unknown;
    unknown.id = "nobody-knows";
    BOOST_TEST(release(unknown).has_value());
}

BOOST_AUTO_TEST_CASE(steering_an_unknown_application_is_a_mistake_of_the_test) {
    BOOST_CHECK_THROW(cluster->start("nobody-knows"), std::invalid_argument);
    BOOST_CHECK_THROW(cluster->end("nobody-knows", Outcome::success, 0), std::invalid_argument);
    BOOST_CHECK_THROW(cluster->append_log("nobody-knows", "x"), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(controls_may_be_used_from_another_thread) {
    const auto ticket = submitted();
    watch();
    std::thread other([&] {
        cluster->start(ticket.id);
        cluster->end(ticket.id, Outcome::failed, 3);
    });
    test::run_on(io, [&]() -> asio::awaitable<void> {
        while (sink->last.state != ApplicationState::ended) {
            co_await asio::post(asio::use_awaitable);
        }
    });
    other.join();
    BOOST_TEST(sink->last.exit_code == 3);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::testing
