// SPDX-License-Identifier: Apache-2.0
#include "rest/statement_stream.hpp"

#include "rest/wire.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::detail::rest;

BOOST_AUTO_TEST_SUITE(rest_statement_stream)

BOOST_AUTO_TEST_CASE(an_event_has_its_name_and_its_data) {
    BOOST_TEST(event_text("statement", "", "{}") == "event: statement\ndata: {}\n\n");
    BOOST_TEST(event_text("output", "7", "{}") == "id: 7\nevent: output\ndata: {}\n\n");
}

BOOST_AUTO_TEST_CASE(each_chunk_is_an_event_with_the_position_behind_it) {
    std::size_t position = 10;
    BOOST_TEST(output_event({OutputStream::standard_output, "a\nb"}, position) ==
               "id: 13\nevent: output\ndata: {\"stream\":\"stdout\",\"text\":\"a\\nb\"}\n\n");
    BOOST_TEST(output_event({OutputStream::standard_error, "\xC3\xA9\xFF"}, position) ==
               "id: 16\nevent: output\ndata: {\"stream\":\"stderr\","
               "\"text\":\"\xC3\xA9\xEF\xBF\xBD\"}\n\n");
    BOOST_TEST(position == 16u);  // bytes as they were written
}

BOOST_AUTO_TEST_CASE(a_stream_is_asked_for_with_1) {
    BOOST_TEST(!*wants_stream(*parse_target("/x")));
    BOOST_TEST(!*wants_stream(*parse_target("/x?stream=0")));
    BOOST_TEST(*wants_stream(*parse_target("/x?stream=1")));
    for (const std::string target : {"/x?stream", "/x?stream=", "/x?stream=true", "/x?stream=2"}) {
        BOOST_TEST(wants_stream(*parse_target(target)).has_error(), target);
    }
}

BOOST_AUTO_TEST_CASE(a_stream_begins_where_the_client_was) {
    struct Row {
        std::string last_event_id;
        std::string target;
        std::size_t position;
    };
    const std::vector<Row> rows{{"", "/x", 0},
                                {"", "/x?position=7", 7},
                                {"12", "/x", 12},
                                {"12", "/x?position=7", 12}};  // a browser that connects anew
    for (const Row& row : rows) {
        BOOST_TEST(*stream_position(row.last_event_id, *parse_target(row.target)) == row.position);
    }
    BOOST_TEST(stream_position("-1", *parse_target("/x")).error().field == "Last-Event-ID");
    for (const std::string target : {"/x?position=", "/x?position=-1", "/x?position=1x",
                                     "/x?position=99999999999999999999999"}) {
        BOOST_TEST(stream_position("", *parse_target(target)).error().field == "position", target);
    }
}

BOOST_AUTO_TEST_CASE(chunks_tell_their_length_and_the_empty_one_is_the_end) {
    BOOST_TEST(chunk_of("") == "0\r\n\r\n");
    BOOST_TEST(chunk_of("abc") == "3\r\nabc\r\n");
    BOOST_TEST(chunk_of(std::string(26, 'x')) == "1a\r\n" + std::string(26, 'x') + "\r\n");
}

BOOST_AUTO_TEST_SUITE_END()
