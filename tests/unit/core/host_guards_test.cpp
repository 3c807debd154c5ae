// SPDX-License-Identifier: Apache-2.0

// The guards of drivers claim their tickets from the backends, over the host's endpoint.

#include "guard_fixture.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <utility>

namespace sparkhost::host_test {

BOOST_FIXTURE_TEST_SUITE(host_guards, GuardFixture)

BOOST_AUTO_TEST_CASE(backends_are_told_what_their_drivers_dial) {
    start();
    BOOST_TEST(near_context.agent_address == "unix:" + options.agent_folder + "/agents.sock");
    BOOST_TEST(far_context.agent_address.starts_with("tcp:127.0.0.1:"));
    BOOST_TEST(!far_context.agent_address.ends_with(":0"));
    const auto before = far_context.agent_address;
    restart();
    BOOST_TEST(far_context.agent_address == before);
}

BOOST_AUTO_TEST_CASE(without_an_address_there_are_no_claims) {
    options.agent_address = "";
    start();
    BOOST_TEST(near_context.agent_address.starts_with("unix:"));
    BOOST_TEST(!!near_context.take_claims);
    BOOST_TEST(far_context.agent_address == "");
    BOOST_TEST(!far_context.take_claims);
    stop().value();
    next_life();
    options.agent_folder = "";
    start();
    BOOST_TEST(near_context.agent_address == "");
    BOOST_TEST(!near_context.take_claims);
}

BOOST_AUTO_TEST_CASE(a_guard_is_granted_by_the_backend_that_knows_its_ticket) {
    start();
    auto guard = dial();
    say(guard, greeting());
    BOOST_TEST(hear(guard) ==
               R"({"type":"grant","version":1,"files":[{"name":"x.py","base64":"cHJpbnQoMSkK"}]})");
    BOOST_TEST_REQUIRE(far->claims.size() == 1u);
    BOOST_TEST(far->claims[0].ticket == "far-1");
    BOOST_TEST(far->claims[0].nonce == nonce);
    BOOST_TEST(far->claims[0].driver == "driver-1");
    BOOST_TEST(near->claims.size() == 1u, "which was asked first");
    auto here = dial(near_context.agent_address);
    BOOST_TEST(claim(here, greeting("near-1", "one", nonce)) == "granted");
    BOOST_TEST(far->claims.size() == 1u, "nobody is asked after the one that knows");
}

BOOST_AUTO_TEST_CASE(refusals_of_each_kind_reach_the_guard_which_is_left) {
    start();
    using Code = ClaimAnswer::Code;
    for (const auto& [code, word] : {std::pair(Code::claimed, "claimed"),
                                     {Code::ended, "ended"},
                                     {Code::later, "later"},
                                     {Code::unknown, "unknown"}}) {
        far->told = ClaimAnswer{code, "so it is", {}};
        auto guard = dial();
        say(guard, greeting());
        const auto answer = hear(guard);
        BOOST_TEST(code_of(answer) == word);
        BOOST_TEST(answer.find("so it is") != std::string::npos);
        BOOST_TEST((answer.find(R"("retry":true)") != std::string::npos) == (code == Code::later));
        const bool lasting = code == Code::claimed || code == Code::ended;
        BOOST_TEST(was_logged("driver 'driver-1' of far-1 runs no user code: so it is") == lasting);
        logged.clear();
        BOOST_TEST(hear(guard) == "");
    }
    far->told.reset();
    for (const auto& line :
         {greeting("far-1", "wrong", nonce), greeting("nobody-1", "two", nonce)}) {
        auto guard = dial();
        say(guard, line);
        const auto answer = hear(guard);
        BOOST_TEST(code_of(answer) == "unknown");
        BOOST_TEST(answer.find("no such ticket here") != std::string::npos);
    }
    auto first = dial();
    auto twin = dial();
    BOOST_TEST(claim(first, greeting()) == "granted");
    BOOST_TEST(claim(twin, greeting("far-1", "two", other_nonce)) == "claimed");
}

BOOST_AUTO_TEST_CASE(a_judge_that_is_gone_is_not_asked) {
    start();
    far.reset();
    near.reset();
    stop().value();
    next_life();
    start();
    auto guard = dial();
    say(guard, greeting());
    BOOST_TEST(hear(guard).find("no backend of this host knows the ticket") != std::string::npos);
    BOOST_TEST(hear(guard) == "");
}

BOOST_AUTO_TEST_CASE(a_judge_that_fails_sends_the_guard_away_for_now) {
    start();
    far->fails = true;
    auto refused = dial();
    say(refused, greeting());
    const auto answer = hear(refused);
    BOOST_TEST(code_of(answer) == "later");
    BOOST_TEST(answer.find("no room on the disk") != std::string::npos);
    far->fails = false;
    far->throws = true;
    auto thrown = dial();
    BOOST_TEST(claim(thrown, greeting()) == "later");
    far->throws = false;
    auto guard = dial();
    BOOST_TEST(claim(guard, greeting()) == "granted");
}

BOOST_AUTO_TEST_CASE(a_guard_whose_answer_was_lost_is_granted_again) {
    start();
    far->gate = std::make_shared<asio::steady_timer>(io(), asio::steady_timer::time_point::max());
    {
        auto lost = dial();
        say(lost, greeting());
        BOOST_TEST(far->claims.size() == 1u);
    }
    settle();
    std::exchange(far->gate, nullptr)->cancel();
    settle();
    BOOST_TEST(far->granted.at("far-1") == nonce);
    auto guard = dial();
    BOOST_TEST(claim(guard, greeting()) == "granted");
    BOOST_TEST(answers(guard));
    auto twin = dial();
    BOOST_TEST(claim(twin, greeting("far-1", "two", other_nonce)) == "claimed");
    BOOST_TEST(answers(guard), "a twin that is refused disturbs nobody");
}

BOOST_AUTO_TEST_CASE(reports_reach_the_judge_with_ticket_and_driver) {
    start();
    auto guard = dial();
    claim(guard, greeting());
    say(guard, R"({"type":"report","application_id":"app-1","ui_url":"http://w:4040"})");
    say(guard, R"({"type":"news","of":"later versions"})");
    say(guard, R"({"type":"report","application_id":"app-1","ended":true,"error":"X: y"})");
    BOOST_TEST(answers(guard));
    BOOST_TEST_REQUIRE(far->reports.size() == 2u);
    for (const auto& report : far->reports) {
        BOOST_TEST(report.ticket == "far-1");
        BOOST_TEST(report.driver == "driver-1");
        BOOST_TEST(report.application_id == "app-1");
    }
    BOOST_TEST(far->reports[0].ui_url == "http://w:4040");
    BOOST_TEST(!far->reports[0].ended);
    BOOST_TEST(far->reports[1].ended);
    BOOST_TEST(far->reports[1].error == "X: y");
    BOOST_TEST(near->reports.empty());
}

BOOST_AUTO_TEST_CASE(a_judge_that_throws_at_a_report_costs_nobody_anything) {
    start();
    auto guard = dial();
    claim(guard, greeting());
    far->throws = true;
    say(guard, R"({"type":"report","application_id":"app-1"})");
    BOOST_TEST(answers(guard));
    BOOST_TEST(was_logged("the judge is broken"));
}

BOOST_AUTO_TEST_CASE(the_end_of_a_guards_connection_is_told) {
    start();
    {
        auto guard = dial();
        claim(guard, greeting());
        BOOST_TEST(answers(guard));
        BOOST_TEST(far->gone.empty());
    }
    auto other = dial();
    BOOST_TEST(claim(other, greeting("near-1", "one", nonce)) == "granted");
    BOOST_TEST(far->gone == Words{"far-1"}, boost::test_tools::per_element());
    BOOST_TEST(near->gone.empty());
}

BOOST_AUTO_TEST_CASE(a_newer_connection_takes_the_place_of_the_older) {
    start();
    auto older = dial();
    claim(older, greeting());
    BOOST_TEST(answers(older));
    auto newer = dial();
    BOOST_TEST(claim(newer, greeting()) == "granted");
    BOOST_TEST(hear(older) == "");
    say(newer, R"({"type":"report","application_id":"app-1"})");
    BOOST_TEST(answers(newer));
    BOOST_TEST(far->reports.size() == 1u);
    BOOST_TEST(far->gone.empty(), "the driver is there");
}

BOOST_AUTO_TEST_CASE(what_is_no_message_ends_the_connection_and_nothing_else) {
    start();
    for (const std::string& said :
         {std::string("GET / HTTP/1.1"), std::string("{}"), std::string("[]"),
          std::string(R"({"type":"report","ended":7})"), std::string(R"({"type":"report"} x)"),
          std::string("\xff\xfe"), std::string(300'000, 'x')}) {
        auto guard = dial();
        BOOST_TEST(claim(guard, greeting()) == "granted");
        const auto complaints = logged.size();
        say(guard, said);
        BOOST_TEST(hear(guard) == "", said.substr(0, 40));
        BOOST_TEST(logged.size() == complaints + 1);
        BOOST_TEST(logged.back().find("the guard of far-1 was not understood") == 0u);
    }
    BOOST_TEST(far->gone.size() == 7u);
    BOOST_TEST(far->reports.empty());
    auto guard = dial();
    BOOST_TEST(claim(guard, greeting()) == "granted");
    BOOST_TEST(answers(guard));
}

BOOST_AUTO_TEST_CASE(a_line_may_come_in_pieces_and_many_at_once) {
    start();
    auto guard = dial();
    claim(guard, greeting());
    std::string many;
    for (int number = 0; number < 20; ++number) {
        many += R"({"type":"report","application_id":"app-)" + std::to_string(number) + "\"}\n";
    }
    many.pop_back();
    const auto half = many.size() / 2;
    const auto first = many.substr(0, half);
    asio::write(guard, asio::buffer(first));
    settle();
    say(guard, many.substr(half));
    BOOST_TEST(answers(guard));
    BOOST_TEST_REQUIRE(far->reports.size() == 20u);
    BOOST_TEST(far->reports[13].application_id == "app-13");
}

BOOST_AUTO_TEST_CASE(a_guard_that_talks_without_end_is_heard_slowly) {
    start();
    auto guard = dial();
    claim(guard, greeting());
    std::string many;
    for (int number = 0; number < 1'000; ++number) {
        many += "{\"type\":\"report\"}\n";
    }
    asio::write(guard, asio::buffer(many));
    test::run_on(io(), [&]() -> asio::awaitable<void> {
        asio::steady_timer turn(io());
        while (far->reports.size() < 64) {
            turn.expires_after(std::chrono::milliseconds(1));
            co_await turn.async_wait(asio::use_awaitable);
        }
    });
    settle();
    BOOST_TEST(far->reports.size() == 64u);
    advance(250ms);
    BOOST_TEST(far->reports.size() == 65u);
    advance(250ms);
    BOOST_TEST(far->reports.size() == 66u);
    auto newer = dial();
    BOOST_TEST(claim(newer, greeting()) == "granted");
    advance(250ms);
    BOOST_TEST(far->reports.size() == 66u, "whose place another one has taken");
}

BOOST_AUTO_TEST_CASE(who_dials_before_the_host_is_ready_is_told_to_come_later) {
    cluster->hold("open");
    start();
    BOOST_TEST_REQUIRE(near_context.agent_address != "");
    for (const auto& line :
         {greeting("near-1", "one", nonce),
          std::string(R"({"type":"claim","versions":[1],"ticket":"session-0-1","secret":"s",)"
                      R"("nonce":"n","kinds":[],"pid":1})")}) {
        auto early = dial(near_context.agent_address);
        BOOST_TEST(claim(early, line) == "later");
        BOOST_TEST(hear(early) == "");
    }
    BOOST_TEST(near->claims.empty());
    BOOST_TEST(!host().status().ready);
    cluster->let_go("open");
    settle();
    BOOST_TEST(host().status().ready);
    auto guard = dial();
    BOOST_TEST(claim(guard, greeting()) == "granted");
}

BOOST_AUTO_TEST_CASE(a_host_that_is_stopped_while_it_opens_closes_its_doors) {
    cluster->hold("open");
    start();
    const auto address = near_context.agent_address;
    life.host->stop();
    settle();
    {
        auto early = dial(address);
        BOOST_TEST(claim(early, greeting("near-1", "one", nonce)) == "later");
    }
    cluster->let_go("open");
    settle();
    BOOST_TEST_REQUIRE(life.running->done());
    BOOST_TEST(life.running->answer->has_value());
    BOOST_CHECK_THROW(dial(address), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(a_host_whose_backend_never_opens_closes_its_doors_after_the_grace) {
    cluster->hold("open");
    start();
    const auto address = near_context.agent_address;
    life.host->stop();
    settle();
    advance(options.stop_grace);
    BOOST_TEST_REQUIRE(life.running->done());
    BOOST_CHECK_THROW(dial(address), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(a_host_that_cannot_open_closes_its_doors) {
    cluster->fail_next("open", Error(Errc::backend_failed, "no cluster"));
    start();
    BOOST_TEST_REQUIRE(life.running->done());
    BOOST_TEST(life.running->answer->has_error());
    BOOST_CHECK_THROW(dial(near_context.agent_address), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(guards_are_left_when_the_host_stops_and_come_to_the_next) {
    start();
    const auto context = life.io;  // longer than its sockets
    auto guard = dial();
    claim(guard, greeting());
    BOOST_TEST(answers(guard));
    stop().value();
    BOOST_TEST(hear(guard) == "");
    BOOST_TEST(far->gone.empty(), "that says nothing of the driver");
    next_life();
    start();
    auto again = dial();
    BOOST_TEST(claim(again, greeting()) == "granted");
    BOOST_TEST(answers(again));
}

BOOST_AUTO_TEST_CASE(a_claim_under_way_keeps_the_host_from_ending_and_is_answered) {
    start();
    far->gate = std::make_shared<asio::steady_timer>(io(), asio::steady_timer::time_point::max());
    auto guard = dial();
    say(guard, greeting());
    life.host->stop();
    settle();
    BOOST_TEST(!life.running->done(), "a backend is being asked");
    std::exchange(far->gate, nullptr)->cancel();
    settle();
    BOOST_TEST_REQUIRE(life.running->done());
    BOOST_TEST(code_of(hear(guard)) == "granted", "which is durable");
    BOOST_TEST(hear(guard) == "", "but nobody listens to it here");
}

BOOST_AUTO_TEST_CASE(a_claim_that_is_never_decided_is_left_after_the_grace) {
    start();
    far->gate = std::make_shared<asio::steady_timer>(io(), asio::steady_timer::time_point::max());
    auto guard = dial();
    say(guard, greeting());
    life.host->stop();
    settle();
    advance(options.stop_grace);
    BOOST_TEST(life.running->done());
    std::exchange(far->gate, nullptr)->cancel();
    settle();
}

BOOST_AUTO_TEST_CASE(while_the_store_is_in_doubt_guards_wait) {
    start();
    auto guard = dial();
    claim(guard, greeting());
    faults().plan({.fault = StorageFault::indeterminate_lost, .repeat = true});
    BOOST_TEST(ask(host().submit(spec())).has_error());
    auto second = dial();
    BOOST_TEST(claim(second, greeting("near-1", "one", nonce)) == "later");
    BOOST_TEST(answers(guard), "who has been granted goes on");
    faults().heal();
    advance(options.storage_retry);
    auto third = dial();
    BOOST_TEST(claim(third, greeting("near-1", "one", nonce)) == "granted");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
