// SPDX-License-Identifier: Apache-2.0
#include "http/client.hpp"

#include "support/http/scripted_server.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace sparkhost::detail::http {

namespace {

using test::ScriptedServer;
using StreamPeer = std::shared_ptr<test::Peer>;
using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string chunked_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Everything up to the end or an error.
asio::awaitable<Result<std::string>> read_all(Stream& stream, milliseconds idle) {
    std::string text;
    for (;;) {
        auto piece = co_await stream.read_some(idle);
        if (!piece) {
            co_return piece.error();
        }
        if (piece->empty()) {
            co_return text;
        }
        text += *piece;
    }
}

ClientOptions token_options(const ScriptedServer& server, const std::string& file) {
    ClientOptions options;
    options.url = server.url();
    options.bearer_token_file = file;
    return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_stream)

BOOST_AUTO_TEST_CASE(pieces_are_given_out_as_they_come) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        ScriptedServer server(executor, [](StreamPeer peer) -> asio::awaitable<void> {
            (void)co_await peer->request();
            co_await peer->say(chunked_head + "2\r\nab\r\n");
            // goes on when it is told to, by a second request
            (void)co_await peer->hold();
        });
        ClientOptions options;
        options.url = server.url();
        options.max_body = 1;  // not for streams
        Client client(executor, std::move(options));
        auto stream = co_await client.stream(Request());
        BOOST_TEST_REQUIRE(stream.has_value());
        BOOST_TEST((*stream)->head().status == 200);
        const auto piece = co_await (*stream)->read_some(seconds(30));
        BOOST_TEST_REQUIRE(piece.has_value());
        BOOST_TEST(*piece == "ab");
        const auto late = co_await (*stream)->read_some(milliseconds(30));
        BOOST_TEST_REQUIRE(late.has_error());
        BOOST_TEST(late.error().is(Errc::timed_out));
        const auto over = co_await (*stream)->read_some(milliseconds(30));
        BOOST_TEST(over.has_error());
    });
}

BOOST_AUTO_TEST_CASE(an_end_in_order_is_no_end_in_the_middle) {
    struct Case {
        std::string name;
        std::string answer;
        bool regular;
    };
    const std::vector<Case> cases{
        {"last chunk", chunked_head + "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", true},
        {"no last chunk", chunked_head + "2\r\nab\r\n1\r\nc\r\n", false},
        {"half a chunk", chunked_head + "9\r\nabc", false},
        {"broken chunk", chunked_head + "2\r\nabX\r\n", false},
        {"length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", true},
        {"short", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", false},
        {"until the end", "HTTP/1.1 200 OK\r\n\r\nabc", true},
    };
    for (const Case& item : cases) {
        BOOST_TEST_CONTEXT(item.name) {
            test::run([item](asio::any_io_executor executor) -> asio::awaitable<void> {
                auto script = [item](StreamPeer peer) -> asio::awaitable<void> {
                    const std::string text = item.answer;
                    (void)co_await peer->request();
                    co_await peer->say(text);
                };
                ScriptedServer server(executor, std::move(script));
                ClientOptions options;
                options.url = server.url();
                Client client(executor, std::move(options));
                auto stream = co_await client.stream(Request());
                BOOST_TEST_REQUIRE(stream.has_value());
                const auto text = co_await read_all(**stream, seconds(30));
                BOOST_TEST(text.has_value() == item.regular);
                if (text) {
                    BOOST_TEST(*text == "abc");
                } else {
                    BOOST_TEST(text.error().is(Errc::backend_failed));
                }
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_is_read_whole) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        ScriptedServer server(executor, test::always("gone for good", "410 Gone"));
        ClientOptions options;
        options.url = server.url();
        Client client(executor, std::move(options));
        auto stream = co_await client.stream(Request());
        BOOST_TEST_REQUIRE(stream.has_value());
        BOOST_TEST((*stream)->head().status == 410);
        BOOST_TEST((*stream)->head().body == "gone for good");
        const auto piece = co_await (*stream)->read_some(seconds(30));
        BOOST_TEST_REQUIRE(piece.has_value());
        BOOST_TEST(piece->empty());
    });
}

BOOST_AUTO_TEST_CASE(reading_can_be_cancelled) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        ScriptedServer server(executor, [](StreamPeer peer) -> asio::awaitable<void> {
            (void)co_await peer->request();
            co_await peer->say(chunked_head);
            co_await peer->hold();
        });
        ClientOptions options;
        options.url = server.url();
        Client client(executor, std::move(options));
        auto opened = co_await client.stream(Request());
        BOOST_TEST_REQUIRE(opened.has_value());
        auto result = std::make_shared<Result<std::string>>();
        asio::steady_timer ended(executor, asio::steady_timer::time_point::max());
        auto body = [](Awaitable<std::string> reading, std::shared_ptr<Result<std::string>> slot,
                       asio::steady_timer& done) -> asio::awaitable<void> {
            *slot = co_await std::move(reading);
            done.cancel();
        };
        asio::cancellation_signal signal;
        auto token = asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {});
        asio::co_spawn(executor, body((*opened)->read_some(seconds(30)), result, ended),
                       std::move(token));
        asio::post(executor, [&signal] { signal.emit(asio::cancellation_type::terminal); });
        boost::system::error_code woken;
        co_await ended.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        BOOST_TEST_REQUIRE(result->has_error());
        BOOST_TEST(result->error().is(Errc::stopped));
    });
}

/// The stream goes while it is read; its reader is told.
BOOST_AUTO_TEST_CASE(a_stream_and_its_client_may_go_while_it_is_read) {
    for (const bool client_goes : {true, false}) {
        BOOST_TEST_CONTEXT("the client goes: " << client_goes) {
            test::run([client_goes](asio::any_io_executor executor) -> asio::awaitable<void> {
                ScriptedServer server(executor, [](StreamPeer peer) -> asio::awaitable<void> {
                    (void)co_await peer->request();
                    co_await peer->say(chunked_head);
                    co_await peer->hold();
                });
                ClientOptions options;
                options.url = server.url();
                auto client = std::make_unique<Client>(executor, std::move(options));
                auto opened = co_await client->stream(Request());
                BOOST_TEST_REQUIRE(opened.has_value());
                auto stream = std::move(*opened);
                auto result = std::make_shared<Result<std::string>>();
                asio::steady_timer ended(executor, asio::steady_timer::time_point::max());
                auto body = [](Awaitable<std::string> reading,
                               std::shared_ptr<Result<std::string>> slot,
                               asio::steady_timer& done) -> asio::awaitable<void> {
                    *slot = co_await std::move(reading);
                    done.cancel();
                };
                asio::co_spawn(executor, body(stream->read_some(seconds(30)), result, ended),
                               [](std::exception_ptr) {});
                asio::post(executor, [&, client_goes] {
                    if (client_goes) {
                        client.reset();
                    } else {
                        stream.reset();
                    }
                });
                boost::system::error_code woken;
                co_await ended.async_wait(asio::redirect_error(asio::use_awaitable, woken));
                BOOST_TEST_REQUIRE(result->has_error());
                BOOST_TEST(result->error().is(Errc::backend_failed));
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(a_token_is_read_again_when_it_is_refused) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        const test::TempDir dir;
        const auto file = dir.write("token", "first\n");
        auto good = std::make_shared<std::string>("first");
        auto script = [good](StreamPeer peer) -> asio::awaitable<void> {
            const auto wanted = good;
            for (;;) {
                const std::string request = co_await peer->request();
                if (request.empty()) {
                    co_return;
                }
                const bool right =
                    request.find("Authorization: Bearer " + *wanted + "\r\n") != std::string::npos;
                const std::string status = right ? "200 OK" : "401 Unauthorized";
                co_await peer->answer("x", status);
            }
        };
        ScriptedServer server(executor, script);
        std::string logged;
        auto options = token_options(server, file.string());
        options.log = [&logged](const LogEvent& event) { logged += event.message + "\n"; };
        Client client(executor, std::move(options));
        auto response = co_await client.send(Request());
        BOOST_TEST_REQUIRE(response.has_value());
        BOOST_TEST(response->status == 200);

        *good = "second";  // the file follows later
        response = co_await client.send(Request());
        BOOST_TEST_REQUIRE(response.has_value());
        BOOST_TEST(response->status == 401);
        dir.write("token", "second");
        response = co_await client.send(Request());
        BOOST_TEST_REQUIRE(response.has_value());
        BOOST_TEST(response->status == 200);

        *good = "third";
        dir.write("token", "third");
        auto stream = co_await client.stream(Request());
        BOOST_TEST_REQUIRE(stream.has_value());
        BOOST_TEST((*stream)->head().status == 200);

        *good = "fourth";
        dir.write("token", "");  // caught in the middle of being written
        response = co_await client.send(Request());
        BOOST_TEST_REQUIRE(response.has_value());
        BOOST_TEST(response->status == 401);
        BOOST_TEST(logged.find("bearer_token_file: " + file.string() + " is empty") !=
                   std::string::npos);
        BOOST_TEST(logged.find("third") == std::string::npos);
    });
}

BOOST_AUTO_TEST_CASE(a_token_file_that_never_was_is_named) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        ScriptedServer server(executor, test::always("x"));
        Client client(executor, token_options(server, "/no/such/token"));
        const auto response = co_await client.send(Request());
        BOOST_TEST_REQUIRE(response.has_error());
        BOOST_TEST(response.error().is(Errc::backend_failed));
        BOOST_TEST(response.error().detail.find(
                       "bearer_token_file: cannot read /no/such/token: No such file") !=
                   std::string::npos);
        BOOST_TEST(server.connections() == 0);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::http
