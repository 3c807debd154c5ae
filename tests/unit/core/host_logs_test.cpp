// SPDX-License-Identifier: Apache-2.0
#include "host_fixture.hpp"

#include <boost/test/unit_test.hpp>

namespace sparkhost::host_test {

BOOST_FIXTURE_TEST_SUITE(host_logs, HostFixture)

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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
