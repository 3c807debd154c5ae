// SPDX-License-Identifier: Apache-2.0
#include "fake_backend_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>

namespace sparkhost::testing {
namespace fake_backend_log_test {

namespace asio = boost::asio;

struct LogFixture : fake_backend_test::Fixture {
    Ticket ticket{submitted()};
    std::optional<Result<LogPage>> followed;
    asio::cancellation_signal stop_following;

    void say(std::initializer_list<const char*> lines) {
        for (const auto* line : lines) {
            cluster->append_log(ticket.id, line);
        }
    }
    void follow(std::int64_t offset) {
        LogRequest wanted{.ticket = ticket, .offset = offset, .follow = true};
        asio::co_spawn(io, backend->read_log(wanted),
                       asio::bind_cancellation_slot(
                           stop_following.slot(),
                           [this](std::exception_ptr, Result<LogPage> page) { followed = page; }));
        settle();
    }
};

}  // namespace fake_backend_log_test

using boost::test_tools::per_element;
using fake_backend_log_test::LogFixture;
using fake_backend_test::Lines;

BOOST_FIXTURE_TEST_SUITE(fake_backend_log, LogFixture)

namespace asio = boost::asio;

BOOST_AUTO_TEST_CASE(a_page_begins_at_the_offset_and_ends_at_the_limit) {
    say({"a", "b", "c", "d"});
    struct Row {
        std::int64_t offset;
        std::size_t limit;
        std::int64_t first;
        Lines lines;
    };
    const Row rows[] = {{0, 100, 0, {"a", "b", "c", "d"}},
                        {1, 2, 1, {"b", "c"}},
                        {-1, 100, 3, {"d"}},
                        {-3, 2, 1, {"b", "c"}},
                        {-9, 1, 0, {"a"}},
                        {4, 100, 4, {}},
                        {9, 100, 9, {}},
                        {0, 0, 0, {}}};
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT("offset " << row.offset << " limit " << row.limit) {
            auto page = read_log({.ticket = ticket, .offset = row.offset, .limit = row.limit});
            BOOST_TEST(page.value().lines == row.lines, per_element());
            BOOST_TEST(page.value().offset == row.first);
            BOOST_TEST(page.value().total == 4);
            BOOST_TEST(!page.value().complete);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_page_stops_before_too_many_bytes_but_gives_at_least_one_line) {
    say({"aaaa", "bbbb", "cccc"});
    auto two = read_log({.ticket = ticket, .max_bytes = 8}).value();
    BOOST_TEST(two.lines.size() == 2u);
    auto one = read_log({.ticket = ticket, .max_bytes = 1}).value();
    BOOST_TEST(one.lines == Lines{"aaaa"}, per_element());
}

BOOST_AUTO_TEST_CASE(a_log_is_complete_when_its_application_has_ended) {
    say({"a"});
    cluster->end(ticket.id, Outcome::success, 0);
    BOOST_TEST(read_log({.ticket = ticket}).value().complete);
}

BOOST_AUTO_TEST_CASE(following_waits_for_the_line_at_the_offset) {
    say({"a"});
    follow(1);
    BOOST_TEST(!followed.has_value());
    say({"b"});
    settle();
    BOOST_TEST_REQUIRE(followed.has_value());
    BOOST_TEST(followed->value().lines == Lines{"b"}, per_element());
}

BOOST_AUTO_TEST_CASE(following_does_not_wait_for_a_line_that_is_there) {
    say({"a"});
    follow(0);
    BOOST_TEST_REQUIRE(followed.has_value());
    BOOST_TEST(followed->value().lines == Lines{"a"}, per_element());
}

BOOST_AUTO_TEST_CASE(following_ends_with_the_application) {
    follow(0);
    BOOST_TEST(!followed.has_value());
    cluster->end(ticket.id, Outcome::success, 0);
    settle();
    BOOST_TEST_REQUIRE(followed.has_value());
    BOOST_TEST(followed->value().complete);
    BOOST_TEST(followed->value().lines.empty());
}

BOOST_AUTO_TEST_CASE(following_ends_with_the_release) {
    follow(0);
    release(ticket, false).value();
    settle();
    BOOST_TEST_REQUIRE(followed.has_value());
    BOOST_TEST(followed->error().is(Errc::not_found));
}

BOOST_AUTO_TEST_CASE(following_can_be_cancelled) {
    follow(0);
    stop_following.emit(asio::cancellation_type::terminal);
    settle();
    BOOST_TEST_REQUIRE(followed.has_value());
    BOOST_TEST(followed->error().is(Errc::stopped));
}

BOOST_AUTO_TEST_CASE(a_release_keeps_the_log_or_not_as_asked) {
    say({"a", "b"});
    cluster->end(ticket.id, Outcome::success, 0);
    release(ticket, true).value();
    auto kept = read_log({.ticket = ticket, .offset = -1}).value();
    BOOST_TEST(kept.lines == Lines{"b"}, per_element());
    BOOST_TEST(kept.complete);
    release(ticket, false).value();
    BOOST_TEST(read_log({.ticket = ticket}).error().is(Errc::not_found));
}

BOOST_AUTO_TEST_CASE(what_never_ran_has_no_log) {
    const auto reserved = reserve("batch-2");
    BOOST_TEST(read_log({.ticket = reserved}).error().is(Errc::not_found));
    kill(reserved).value();
    BOOST_TEST(read_log({.ticket = reserved}).error().is(Errc::not_found));
    release(reserved).value();
    BOOST_TEST(read_log({.ticket = reserved}).error().is(Errc::not_found));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::testing
