// SPDX-License-Identifier: Apache-2.0
#include "rest/request_reader.hpp"

#include "rest/status.hpp"
#include "rest/wire.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::detail::rest;
using Step = RequestReader::Step;

namespace {

struct Feeder {
    RequestReader reader{{.max_header = 1024, .max_body = 100}};

    /// Feeds bytes as a socket would, in parts of `part`; stops when something is to be done.
    Step feed(std::string_view bytes, std::size_t part = 1'000'000) {
        Step step = reader.step();
        while (!bytes.empty() && (step == Step::need_more || step == Step::send_continue)) {
            const auto room = reader.prepare();
            const auto size = std::min({bytes.size(), part, room.size()});
            BOOST_TEST_REQUIRE(size > 0u, "no room");
            boost::asio::buffer_copy(room, boost::asio::buffer(bytes.data(), size));
            reader.commit(size);
            bytes.remove_prefix(size);
            step = reader.step();
        }
        return step;
    }
    unsigned refused(std::string_view bytes) {
        const Step step = feed(bytes);
        BOOST_TEST((step == Step::refused), bytes);
        return static_cast<unsigned>(reader.refusal().status);
    }
};

const std::string get_text = "GET /batches HTTP/1.1\r\nHost: localhost\r\n\r\n";
const std::string post_text =
    "POST /batches HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";
const std::string chunked_text =
    "POST /batches HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: t\r\n\r\n";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rest_request_reader, Feeder)

BOOST_AUTO_TEST_CASE(requests_come_out_however_the_bytes_arrive) {
    for (const auto& text : {get_text, post_text, chunked_text}) {
        for (const std::size_t part : {1u, 2u, 7u, 1000u}) {
            Feeder feeder;
            BOOST_TEST(!feeder.reader.has_begun());
            BOOST_TEST((feeder.feed(text, part) == Step::complete));
            const auto request = feeder.reader.take();
            BOOST_TEST(std::string_view(request.target()) == "/batches");
            BOOST_TEST(request.body() == (text == get_text ? "" : "hello"));
            BOOST_TEST(!feeder.reader.has_begun());
        }
    }
}

BOOST_AUTO_TEST_CASE(an_empty_chunked_body_may_be_cut_anywhere) {
    const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string last : {"0\r\n\r\n", "0\r\nT: x\r\n\r\n", "000;e=f\r\n\r\n"}) {
        for (const std::size_t part : {1u, 2u, 3u, 4u, 5u, 1000u}) {
            BOOST_TEST_CONTEXT(last << " in parts of " << part) {
                Feeder feeder;
                BOOST_TEST((feeder.feed(head + last + get_text, part) == Step::complete));
                BOOST_TEST(feeder.reader.take().body() == "");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(pipelined_requests_wait_for_their_turn) {
    BOOST_TEST((feed(post_text + get_text + "\r\n" + chunked_text) == Step::complete));
    BOOST_TEST(reader.take().body() == "hello");
    BOOST_TEST(reader.has_begun());
    BOOST_TEST((reader.step() == Step::complete));
    BOOST_TEST((reader.take().method() == http::verb::get));
    BOOST_TEST((reader.step() == Step::complete));
    BOOST_TEST(reader.take().body() == "hello");
    BOOST_TEST((reader.step() == Step::need_more));
}

BOOST_AUTO_TEST_CASE(empty_lines_before_a_request_are_skipped) {
    BOOST_TEST((feed("\r\n\r\n") == Step::need_more));
    BOOST_TEST(!reader.has_begun());
    BOOST_TEST((feed(get_text) == Step::complete));
}

BOOST_AUTO_TEST_CASE(a_client_that_waits_is_told_to_go_on_once) {
    const std::string head =
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    BOOST_TEST((feed(head) == Step::send_continue));
    BOOST_TEST((reader.step() == Step::need_more));
    BOOST_TEST((feed("ok") == Step::complete));
    BOOST_TEST(reader.take().body() == "ok");
    BOOST_TEST((feed(head + "ok") == Step::complete), "the body is here already");
}

BOOST_AUTO_TEST_CASE(an_old_client_is_never_told_to_go_on) {
    BOOST_TEST((feed("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n") ==
                Step::need_more));
}

BOOST_AUTO_TEST_CASE(other_expectations_fail) {
    BOOST_TEST(refused("POST / HTTP/1.1\r\nHost: h\r\nExpect: cake\r\nContent-Length: 2\r\n\r\n") ==
               417u);
}

BOOST_AUTO_TEST_CASE(a_body_that_is_announced_too_large_is_refused_before_it_comes) {
    BOOST_TEST(refused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n") == 413u);
    BOOST_TEST(reader.refusal().reason.find("100 bytes") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_waiting_client_with_too_large_a_body_is_refused_not_continued) {
    BOOST_TEST(refused("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                       "Content-Length: 101\r\n\r\n") == 413u);
}

BOOST_AUTO_TEST_CASE(chunks_that_add_up_to_too_much_are_refused) {
    std::string text = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 11; ++i) {
        text += "a\r\n0123456789\r\n";
    }
    BOOST_TEST(refused(text) == 413u);
}

BOOST_AUTO_TEST_CASE(headers_have_a_limit) {
    BOOST_TEST(refused("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(2000, 'x')) == 431u);
    Feeder drip;
    std::string text = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (int i = 0; i < 200; ++i) {
        text += "X" + std::to_string(i) + ": y\r\n";
    }
    BOOST_TEST((drip.feed(text, 1) == Step::refused));
    BOOST_TEST(static_cast<unsigned>(drip.reader.refusal().status) == 431u);
}

BOOST_AUTO_TEST_CASE(what_is_not_http_is_400) {
    for (const std::string text :
         {"\x16\x03\x01\x02\x01 hello\r\n\r\n", "GET /\r\n\r\n",
          "GET / HTTP/9.9\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost h\r\n\r\n",
          "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello"}) {
        Feeder feeder;
        BOOST_TEST(feeder.refused(text) == 400u, text);
    }
}

BOOST_AUTO_TEST_CASE(an_old_request_needs_no_host) {
    BOOST_TEST((feed("GET / HTTP/1.0\r\n\r\n") == Step::complete));
    BOOST_TEST(!reader.take().keep_alive());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(rest_wire)

BOOST_AUTO_TEST_CASE(dates_are_written_as_http_wants_them) {
    BOOST_TEST(http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
    BOOST_TEST(http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
    BOOST_TEST(http_date(1772323199) == "Sat, 28 Feb 2026 23:59:59 GMT");
}

BOOST_AUTO_TEST_CASE(heads_say_how_the_connection_goes_on) {
    Response response{http::status::not_found, 11};
    response.set("X-Test", "1");
    const std::string start = "HTTP/1.1 404 Not Found\r\nDate: D\r\nX-Test: 1\r\n";
    BOOST_TEST(response_head(response, {11, true, "D"}) == start + "\r\n");
    BOOST_TEST(response_head(response, {11, false, "D"}) == start + "Connection: close\r\n\r\n");
    BOOST_TEST(response_head(response, {10, true, "D"}) ==
               start + "Connection: keep-alive\r\n\r\n");
    BOOST_TEST(response_head(response, {10, false, "D"}) == start + "Connection: close\r\n\r\n");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(rest_status)

BOOST_AUTO_TEST_CASE(every_error_has_its_status) {
    struct Row {
        Error error;
        unsigned native;
        unsigned livy;
        bool retry_later;
    };
    const std::vector<Row> rows{
        {Errc::not_found, 404, 404, false},
        {Errc::already_exists, 409, 400, false},
        {Error(Errc::already_exists, "", "name"), 409, 400, false},
        {Error(Errc::already_exists, "", "idempotency_key"), 422, 422, false},
        {Errc::conflict, 409, 409, true},
        {Errc::invalid_argument, 400, 400, false},
        {Errc::invalid_state, 409, 400, false},
        {Errc::rejected, 429, 400, true},
        {Errc::not_supported, 501, 400, false},
        {Errc::backend_failed, 502, 502, false},
        {Errc::storage_failed, 503, 503, true},
        {Errc::indeterminate, 503, 503, true},
        {Errc::expired, 410, 410, false},
        {Errc::timed_out, 504, 504, true},
        {Errc::stopped, 503, 503, true},
        {Error(boost::asio::error::operation_aborted), 503, 503, true},
        {Error(boost::asio::error::eof), 500, 500, false},
    };
    for (const Row& row : rows) {
        BOOST_TEST_CONTEXT(row.error.text()) {
            const auto native = to_status(row.error, Dialect::native);
            const auto livy = to_status(row.error, Dialect::livy);
            BOOST_TEST(static_cast<unsigned>(native.status) == row.native);
            BOOST_TEST(static_cast<unsigned>(livy.status) == row.livy);
            BOOST_TEST(native.retry_later == row.retry_later);
            BOOST_TEST(livy.retry_later == row.retry_later);
        }
    }
}

BOOST_AUTO_TEST_CASE(uploads_have_a_limit_of_their_own_and_share_memory) {
    const auto large = std::make_shared<LargeBodies>(1000, 1500);
    const auto upload = [](std::size_t size, const std::string& target) {
        return "POST " + target +
               " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(size) +
               "\r\n\r\n" + std::string(size, 'x');
    };
    const ReadLimits limits{.max_header = 1024, .max_body = 100, .large = large};
    const std::string at = "/sessions/0/upload-file?x=y";
    Feeder first{RequestReader(limits)};
    BOOST_TEST((first.feed(upload(1000, at), 7) == Step::complete));
    BOOST_TEST(first.reader.is_large());
    BOOST_TEST(first.reader.take().body().size() == 1000u);
    {
        Feeder beside{RequestReader(limits)};
        BOOST_TEST((beside.feed(upload(500, "/sessions/0/statements")) == Step::complete));
        Feeder late{RequestReader(limits)};
        BOOST_TEST(late.refused(upload(101, at)) == 503u);  // the others' are still in memory
        Feeder small{RequestReader(limits)};
        BOOST_TEST((small.feed(upload(100, at)) == Step::complete));  // needs no room
    }
    Feeder chunked{RequestReader(limits)};
    BOOST_TEST(chunked.refused("POST " + at +
                               " HTTP/1.1\r\nHost: localhost\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n") == 503u);
    BOOST_TEST((first.feed(get_text) == Step::complete));  // its room is free again
    Feeder third{RequestReader(limits)};
    BOOST_TEST((third.feed(upload(1000, "/sessions/0/submit-job")) == Step::complete));
    Feeder greedy{RequestReader(limits)};
    BOOST_TEST(greedy.refused(upload(1001, at)) == 413u);
    Feeder elsewhere{RequestReader(limits)};
    BOOST_TEST(elsewhere.refused(upload(101, "/sessions")) == 413u);
}

BOOST_AUTO_TEST_SUITE_END()
