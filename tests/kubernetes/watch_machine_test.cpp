// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/watch_machine.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

namespace sparkhost::detail::kubernetes {

namespace {

using namespace std::chrono_literals;
using Kind = WatchAction::Kind;
using End = WatchMachine::End;

ApiStatus refusal(int code, std::string message = {}, std::chrono::seconds retry_after = 0s) {
    ApiStatus status;
    status.code = code;
    status.message = std::move(message);
    status.retry_after = retry_after;
    return status;
}

/// One that has listed and watches from version 10.
WatchMachine watching() {
    WatchMachine machine;
    machine.page_read("10", "");
    machine.watch_began();
    return machine;
}

std::chrono::milliseconds pause_of(WatchMachine& machine) {
    const auto action = machine.next();
    if (action.kind != Kind::pause) {
        return 0ms;
    }
    machine.paused();
    return action.pause;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_watch_machine)

BOOST_AUTO_TEST_CASE(a_list_in_pages_comes_before_the_watch) {
    WatchMachine machine;
    auto action = machine.next();
    BOOST_TEST((action.kind == Kind::list));
    BOOST_TEST(action.begins);
    BOOST_TEST(action.limit == WatchRules().page);
    BOOST_TEST(!machine.page_read("10", "more"));
    action = machine.next();
    BOOST_TEST((action.kind == Kind::list));
    BOOST_TEST(!action.begins);
    BOOST_TEST(action.continue_token == "more");
    BOOST_TEST(machine.page_read("10", ""));
    action = machine.next();
    BOOST_TEST((action.kind == Kind::watch));
    BOOST_TEST(action.resource_version == "10");
    BOOST_TEST((action.silence > action.watch_time));
}

BOOST_AUTO_TEST_CASE(a_watch_that_ends_goes_on_where_it_was) {
    struct Row {
        const char* name;
        bool event;
        End how;
        std::chrono::milliseconds lived;
        bool at_once;
    };
    const Row rows[] = {
        {"regular, with events", true, End::regular, 5ms, true},
        {"regular, quiet but long", false, End::regular, 240s, true},
        {"regular, at once and without a word", false, End::regular, 5ms, false},
        {"silent", true, End::silent, 100s, true},
        {"broken", true, End::broken, 100s, false},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.name) {
            auto machine = watching();
            if (row.event) {
                machine.event_read(WatchEvent::Type::modified, "17");
            }
            machine.watch_ended(row.how, row.lived, 0.5);
            BOOST_TEST((pause_of(machine) == 0ms) == row.at_once);
            const auto action = machine.next();
            BOOST_TEST((action.kind == Kind::watch));
            BOOST_TEST(action.resource_version == (row.event ? "17" : "10"));
        }
    }
}

BOOST_AUTO_TEST_CASE(bookmarks_move_the_place_and_shorten_the_silence_that_is_borne) {
    auto machine = watching();
    const auto before = machine.next().silence;
    machine.event_read(WatchEvent::Type::bookmark, "99");
    machine.watch_ended(End::silent, 100s, 0);
    BOOST_TEST(machine.next().resource_version == "99");
    BOOST_TEST((machine.next().silence < before));
}

BOOST_AUTO_TEST_CASE(an_expired_version_leads_to_a_new_list) {
    for (const auto& status :
         {refusal(410),
          [] {
              auto gone = refusal(500);
              gone.reason = "Expired";
              return gone;
          }(),
          refusal(504, "Too large resource version: 900, current: 12"), refusal(400)}) {
        BOOST_TEST_CONTEXT(status.code) {
            auto machine = watching();
            machine.refused(status, 0.5);
            pause_of(machine);
            const auto action = machine.next();
            BOOST_TEST((action.kind == Kind::list));
            BOOST_TEST(action.begins);
            BOOST_TEST(action.continue_token.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(an_expired_version_is_told_and_is_no_trouble) {
    using Word = WatchMachine::Notice::Kind;
    auto machine = watching();
    const auto version = machine.resource_version();
    machine.refused(refusal(410), 0.5);
    auto notice = machine.take_notice();
    BOOST_TEST_REQUIRE(notice.has_value());
    BOOST_TEST((notice->kind == Word::expired));
    BOOST_TEST(notice->text == "version " + version + " has expired (410): listing again");
    pause_of(machine);
    machine.page_read("20", "more");
    machine.refused(refusal(410), 0.5);
    BOOST_TEST(machine.take_notice()->text ==
               "the list has expired between its pages (410): listing again");
    machine.page_read("30", "");
    BOOST_TEST(!machine.take_notice().has_value(), "nothing to recover from");
}

BOOST_AUTO_TEST_CASE(an_expired_version_does_not_hide_that_it_works_again) {
    using Word = WatchMachine::Notice::Kind;
    auto machine = watching();
    machine.refused(refusal(500), 0.5);
    machine.take_notice();
    machine.event_read(WatchEvent::Type::modified, "11");
    machine.refused(refusal(410), 0.5);
    BOOST_TEST((machine.take_notice()->kind == Word::recovered));
}

BOOST_AUTO_TEST_CASE(a_watch_that_always_expires_is_not_asked_in_a_hurry) {
    WatchMachine machine;
    std::chrono::milliseconds last = 0ms;
    for (int round = 0; round < 6; ++round) {
        machine.page_read("10", "");
        machine.watch_began();
        machine.refused(refusal(410), 0.5);
        const auto pause = pause_of(machine);
        BOOST_TEST((pause > last));
        last = pause;
    }
    machine.page_read("10", "");
    machine.watch_began();
    machine.event_read(WatchEvent::Type::modified, "11");
    machine.refused(refusal(410), 1.0);  // it went well until then
    BOOST_TEST((pause_of(machine) == 200ms));
    BOOST_TEST((machine.next().kind == Kind::list));
}

BOOST_AUTO_TEST_CASE(a_list_that_expires_between_its_pages_is_asked_for_at_once_in_the_end) {
    WatchMachine machine;
    for (const std::size_t limit : {WatchRules().page, WatchRules().page, std::size_t{0}}) {
        const auto action = machine.next();
        BOOST_TEST(action.begins);
        BOOST_TEST(action.limit == limit);
        machine.page_read("10", "more");
        machine.refused(refusal(410), 0.5);
        pause_of(machine);
    }
    machine.page_read("12", "");
    machine.watch_began();
    machine.refused(refusal(410), 0.5);
    pause_of(machine);
    BOOST_TEST(machine.next().limit == WatchRules().page);
}

BOOST_AUTO_TEST_CASE(pauses_double_up_to_a_limit_with_jitter_and_begin_anew_when_it_works) {
    auto machine = watching();
    const std::chrono::milliseconds wanted[] = {200ms, 400ms, 800ms, 1600ms, 3200ms};
    for (const auto longest : wanted) {
        machine.refused(refusal(503), 1.0);
        BOOST_TEST((pause_of(machine) == longest));
    }
    for (int i = 0; i < 10; ++i) {
        machine.refused(refusal(503), 0.0);
        pause_of(machine);
    }
    machine.refused(refusal(503), 0.0);
    BOOST_TEST((pause_of(machine) == 15s));
    machine.page_read("10", "");
    machine.watch_began();
    machine.event_read(WatchEvent::Type::added, "11");
    machine.refused(refusal(503), 1.0);
    BOOST_TEST((pause_of(machine) == 200ms));
}

BOOST_AUTO_TEST_CASE(the_server_may_ask_for_a_longer_pause) {
    auto machine = watching();
    machine.refused(refusal(429, "slow down", 7s), 0.5);
    BOOST_TEST((pause_of(machine) == 7s));
    BOOST_TEST((machine.next().kind == Kind::watch));
}

BOOST_AUTO_TEST_CASE(a_watch_that_is_refused_again_and_again_is_doubted) {
    auto machine = watching();
    for (int i = 0; i < 5; ++i) {
        machine.refused(refusal(500), 0.5);
        pause_of(machine);
        BOOST_TEST((machine.next().kind == Kind::watch));
    }
    machine.refused(refusal(500), 0.5);
    pause_of(machine);
    BOOST_TEST((machine.next().kind == Kind::list));
}

BOOST_AUTO_TEST_CASE(trouble_is_told_once_and_so_is_its_end) {
    using Word = WatchMachine::Notice::Kind;
    WatchMachine machine;
    machine.refused(refusal(403, "pods is forbidden: User \"x\" cannot list"), 0.5);
    auto notice = machine.take_notice();
    BOOST_TEST_REQUIRE(notice.has_value());
    BOOST_TEST((notice->kind == Word::forbidden));
    BOOST_TEST(notice->text.find("cannot list") != std::string::npos);
    machine.refused(refusal(403, "pods is forbidden"), 0.5);
    BOOST_TEST(!machine.take_notice().has_value());
    machine.refused(refusal(401), 0.5);
    BOOST_TEST(machine.take_notice()->text.find("credentials") != std::string::npos);
    machine.refused(refusal(0, "connection refused"), 0.5);
    BOOST_TEST((machine.take_notice()->kind == Word::trouble));
    machine.page_read("10", "");
    BOOST_TEST((machine.take_notice()->kind == Word::recovered));
    machine.watch_began();
    machine.watch_ended(End::regular, 1min, 0.5);
    BOOST_TEST(!machine.take_notice().has_value());  // nothing is wrong
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::kubernetes
