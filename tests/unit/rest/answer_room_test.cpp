// SPDX-License-Identifier: Apache-2.0
#include "rest/answer_room.hpp"

#include "unit/rest/serve_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::rest_test;
using detail::rest::AnswerRoom;

namespace {

struct OneRoom {
    std::shared_ptr<AnswerRoom> room{std::make_shared<AnswerRoom>(100)};
    std::vector<int> woken{};

    std::shared_ptr<AnswerRoom::Wake> waker(int number) {
        return std::make_shared<AnswerRoom::Wake>([this, number] { woken.push_back(number); });
    }
    AnswerRoom::Hold begin(const std::shared_ptr<AnswerRoom::Wake>& wake, bool again = false) {
        return AnswerRoom::begin(room, wake, again);
    }
};

/// Clients that ask for a log of some megabytes and do not take it.
struct SlowReaders : ServeFixture {
    void start() {
        ServeFixture::start();
        const auto id = create();
        begin_running(id);
        for (int i = 0; i < 400; ++i) {
            cluster->append_log(ticket(id), std::string(40'000, 'x'));
        }
    }
    Client reader() {
        auto client = connected();
        client.say(get_line("/batches/0/log?size=-1"));
        return client;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rest_answer_room, OneRoom)

BOOST_AUTO_TEST_CASE(targets_that_may_have_large_answers_are_known) {
    using detail::rest::makes_large_answer;
    for (const char* target :
         {"/batches", "/batches/", "/batches?size=9", "/spark/sessions", "/batches/7/log?size=-1",
          "/sessions/1/log", "/sessions/1/statements"}) {
        BOOST_TEST(makes_large_answer(target), target);
    }
    for (const char* target : {"/", "/healthz", "/batches/7", "/batches/7/state", "/log-in",
                               "/sessions/1/statements/4", "/metrics"}) {
        BOOST_TEST(!makes_large_answer(target), target);
    }
}

BOOST_AUTO_TEST_CASE(a_few_are_made_at_a_time_and_the_others_have_their_turn_in_order) {
    std::vector<AnswerRoom::Hold> making;
    for (int i = 0; i < 4; ++i) {
        making.push_back(begin(waker(i)));
        BOOST_TEST(making.back().get());
    }
    const auto first = waker(10);
    const auto second = waker(11);
    BOOST_TEST(!begin(first).get());
    BOOST_TEST(!begin(second).get());
    making.pop_back();
    BOOST_TEST(woken == std::vector<int>{10}, boost::test_tools::per_element());
    BOOST_TEST(!begin(waker(12)).get(), "who comes now is behind those who wait");
    BOOST_TEST(begin(first, true).get());
}

BOOST_AUTO_TEST_CASE(who_waits_no_longer_is_passed_over) {
    auto full = AnswerRoom::keep(room, 100);
    BOOST_TEST(room->is_full());
    auto gone = waker(1);
    const auto next = waker(2);
    BOOST_TEST(!begin(gone).get());
    BOOST_TEST(!begin(next).get());
    gone.reset();
    full.reset();
    BOOST_TEST(woken == std::vector<int>{2}, boost::test_tools::per_element());
    BOOST_TEST(!room->is_full());
}

BOOST_AUTO_TEST_CASE(who_is_woken_in_vain_keeps_its_place) {
    auto full = AnswerRoom::keep(room, 100);
    const auto first = waker(1);
    const auto second = waker(2);
    BOOST_TEST(!begin(first).get());
    BOOST_TEST(!begin(second).get());
    full.reset();
    full = AnswerRoom::keep(room, 100);
    BOOST_TEST(!begin(first, true).get());
    full.reset();
    const std::vector<int> expected{1, 1};
    BOOST_TEST(woken == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(rest_serve_answer_memory, SlowReaders)

BOOST_AUTO_TEST_CASE(while_answers_wait_to_be_taken_large_ones_wait_and_small_ones_do_not) {
    serve_options.answer_memory = 20u << 20;
    SlowReaders::start();
    auto first = reader();
    auto second = reader();  // 32 MB with the first
    first.hear_until("xxxx");
    second.hear_until("xxxx");
    auto third = reader();
    auto other = connected();
    BOOST_TEST(other.ask(get_line("/batches/0/state")).result_int() == 200u);
    boost::system::error_code none;
    BOOST_TEST(third.socket().available(none) == 0u);
    first.close();
    second.close();
    BOOST_TEST(third.hear_until("xxxx").starts_with("HTTP/1.1 200"));
}

BOOST_AUTO_TEST_CASE(who_has_waited_too_long_is_told_to_come_again) {
    serve_options.io_timeout = 50ms;
    ServeFixture::start();
    const auto id = create();
    begin_running(id);
    cluster->hold("read_log");
    std::vector<Client> others;
    for (std::size_t made = 1; made <= 4; ++made) {  // as many as are made at a time
        others.push_back(connected());
        others.back().say(get_line("/batches/0/log"));
        until([&] { return cluster->calls("read_log") == made; });
    }
    const auto response = connected().ask(get_line("/batches/0/log?size=1"));
    BOOST_TEST(response.result_int() == 503u);
    BOOST_TEST(header(response, "Retry-After") == "5");
    cluster->let_go("read_log");
    for (auto& other : others) {
        BOOST_TEST(other.hear().result_int() == 200u);
    }
}

BOOST_AUTO_TEST_CASE(the_end_does_not_wait_for_who_waits_for_room) {
    serve_options.answer_memory = 1;
    serve_options.close_grace = 50ms;
    SlowReaders::start();
    auto slow = reader();
    slow.hear_until("xxxx");
    auto waiting = reader();
    settle();
    cancel_serving();
    until_served();
}

BOOST_AUTO_TEST_SUITE_END()
