// SPDX-License-Identifier: Apache-2.0
#include "http/client.hpp"

#include "support/http/scripted_server.hpp"
#include "support/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace sparkhost::detail::http {

namespace {

namespace asio = boost::asio;
using test::Peer;
using test::ScriptedServer;
using PeerPtr = std::shared_ptr<Peer>;
using std::chrono::milliseconds;
using std::chrono::seconds;

ClientOptions options_for(const ScriptedServer& server) {
    ClientOptions options;
    options.url = server.url();
    return options;
}

Request get(std::string target, bool repeatable = false) {
    Request request;
    request.target = std::move(target);
    request.repeatable = repeatable;
    return request;
}

Request post(std::string target, std::string body) {
    Request request;
    request.method = "POST";
    request.target = std::move(target);
    request.body = std::move(body);
    return request;
}

/// A promise between two coroutines of one test.
class Gate {
public:
    explicit Gate(asio::any_io_executor executor)
        : timer_(executor, asio::steady_timer::time_point::max()) {}
    void open() {
        open_ = true;
        timer_.cancel();
    }
    asio::awaitable<void> passed() {
        boost::system::error_code woken;
        while (!open_) {
            co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        }
    }

private:
    asio::steady_timer timer_;
    bool open_{false};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(http_client)

BOOST_AUTO_TEST_CASE(a_request_is_sent_as_it_was_asked_for) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        std::string seen;
        ScriptedServer server(executor, [&seen](PeerPtr peer) -> asio::awaitable<void> {
            seen = co_await peer->request();
            co_await peer->answer("made", "201 Created", "X-One: 1\r\nx-two: 2\r\n");
        });
        auto options = options_for(server);
        options.url += "/base/";
        options.user = "Aladdin";
        options.password = "open sesame";
        Client client(executor, std::move(options));
        Request request = post("/path?q=1", "{}");
        request.headers.push_back({"Content-Type", "application/json"});
        const auto response = co_await client.send(std::move(request));
        BOOST_TEST_REQUIRE(response.has_value());
        BOOST_TEST(response->status == 201);
        BOOST_TEST(response->body == "made");
        BOOST_TEST(response->header("X-TWO") == "2");
        BOOST_TEST(response->header("X-Three") == "");
        const std::string host = "127.0.0.1:" + std::to_string(server.port());
        BOOST_TEST(seen == "POST /base/path?q=1 HTTP/1.1\r\nHost: " + host +
                               "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
                               "\r\nContent-Type: application/json\r\nUser-Agent: sparkhost"
                               "\r\nContent-Length: 2\r\n\r\n{}");
    });
}

BOOST_AUTO_TEST_CASE(requests_one_after_the_other_use_one_connection) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        ScriptedServer server(executor, test::always("x"));
        Client client(executor, options_for(server));
        for (int i = 0; i < 20; ++i) {
            const auto response = co_await client.send(get("/"));
            BOOST_TEST_REQUIRE(response.has_value());
        }
        BOOST_TEST(server.connections() == 1);
    });
}

BOOST_AUTO_TEST_CASE(answers_of_every_framing_are_understood) {
    struct Case {
        std::string name;
        std::string method;
        std::string answer;
        int status;
        std::string body;
        bool reusable;
    };
    const std::vector<Case> cases{
        {"length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, "abc", true},
        {"chunks", "GET",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
         200, "abc", true},
        {"nothing", "GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", true},
        {"head", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", 200, "", true},
        {"interim", "GET",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 "
         "OK\r\nContent-Length: 1\r\n\r\na",
         200, "a", true},
        {"close", "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na", 200,
         "a", false},
        {"1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", 200, "a", false},
        {"too much", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc", 200, "a", false},
    };
    for (const Case& item : cases) {
        BOOST_TEST_CONTEXT(item.name) {
            test::run([item](asio::any_io_executor executor) -> asio::awaitable<void> {
                auto script = [item](PeerPtr peer) -> asio::awaitable<void> {
                    const std::string text = item.answer;
                    std::string asked = co_await peer->request();
                    while (!asked.empty()) {
                        co_await peer->say(text);
                        asked = co_await peer->request();
                    }
                };
                ScriptedServer server(executor, std::move(script));
                Client client(executor, options_for(server));
                for (int i = 0; i < 2; ++i) {
                    Request request = get("/");
                    request.method = item.method;
                    const auto response = co_await client.send(std::move(request));
                    BOOST_TEST_REQUIRE(response.has_value());
                    BOOST_TEST(response->status == item.status);
                    BOOST_TEST(response->body == item.body);
                }
                BOOST_TEST(server.connections() == (item.reusable ? 1 : 2));
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(an_answer_byte_by_byte_and_one_that_ends_with_the_connection) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        ScriptedServer server(executor, [](PeerPtr peer) -> asio::awaitable<void> {
            const std::string text = "HTTP/1.1 200 OK\r\nX: y\r\n\r\nto the end";
            (void)co_await peer->request();
            for (const char byte : text) {
                co_await peer->say(std::string(1, byte));
            }
        });
        Client client(executor, options_for(server));
        const auto response = co_await client.send(get("/"));
        BOOST_TEST_REQUIRE(response.has_value());
        BOOST_TEST(response->body == "to the end");
    });
}

BOOST_AUTO_TEST_CASE(a_connection_that_the_server_closed_meanwhile_is_not_used_for_a_request) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto closed = std::make_shared<Gate>(executor);
        ScriptedServer server(executor, [closed](PeerPtr peer) -> asio::awaitable<void> {
            const auto gate = closed;
            (void)co_await peer->request();
            co_await peer->answer("x");
            peer->close();
            gate->open();
        });
        Client client(executor, options_for(server));
        for (int i = 0; i < 3; ++i) {
            const auto response = co_await client.send(post("/", "not to be repeated"));
            BOOST_TEST_REQUIRE(response.has_value());
            co_await closed->passed();
        }
        BOOST_TEST(server.connections() == 3);
    });
}

/// The server closes just when the second request arrives: it has not looked at it, but the
/// client cannot know.
BOOST_AUTO_TEST_CASE(a_request_on_a_stale_connection_is_repeated_only_where_that_is_safe) {
    for (const bool repeatable : {true, false}) {
        BOOST_TEST_CONTEXT("repeatable " << repeatable) {
            test::run([repeatable](asio::any_io_executor executor) -> asio::awaitable<void> {
                ScriptedServer server(executor, [](PeerPtr peer) -> asio::awaitable<void> {
                    (void)co_await peer->request();
                    co_await peer->answer("x");
                    (void)co_await peer->request();
                });
                Client client(executor, options_for(server));
                const auto first = co_await client.send(get("/"));
                BOOST_TEST_REQUIRE(first.has_value());
                const auto second = co_await client.send(get("/", repeatable));
                BOOST_TEST(second.has_value() == repeatable);
                BOOST_TEST(server.connections() == (repeatable ? 2 : 1));
                if (!second) {
                    BOOST_TEST(second.error().is(Errc::indeterminate));
                }
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(an_answer_that_breaks_off_is_asked_for_again_or_told) {
    for (const bool repeatable : {true, false}) {
        BOOST_TEST_CONTEXT("repeatable " << repeatable) {
            test::run([repeatable](asio::any_io_executor executor) -> asio::awaitable<void> {
                ScriptedServer server(executor, [](PeerPtr peer) -> asio::awaitable<void> {
                    (void)co_await peer->request();
                    if (peer->number == 1) {
                        co_await peer->say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
                        co_return;
                    }
                    co_await peer->answer("whole");
                });
                Client client(executor, options_for(server));
                const auto response = co_await client.send(get("/", repeatable));
                BOOST_TEST(response.has_value() == repeatable);
                if (response) {
                    BOOST_TEST(response->body == "whole");
                } else {
                    BOOST_TEST(response.error().is(Errc::indeterminate));
                    BOOST_TEST(response.error().detail.find("in the middle of the answer") !=
                               std::string::npos);
                }
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_http_is_told_as_that) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        ScriptedServer server(executor, [](PeerPtr peer) -> asio::awaitable<void> {
            (void)co_await peer->request();
            co_await peer->say("SSH-2.0-OpenSSH_9.2\r\n\r\n");
        });
        Client client(executor, options_for(server));
        const auto response = co_await client.send(get("/"));
        BOOST_TEST_REQUIRE(response.has_error());
        BOOST_TEST(response.error().is(Errc::indeterminate));
        BOOST_TEST(response.error().detail.find("no HTTP answer") != std::string::npos);
    });
}

BOOST_AUTO_TEST_CASE(no_answer_in_time) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        ScriptedServer server(executor, [](PeerPtr peer) -> asio::awaitable<void> {
            (void)co_await peer->request();
            co_await peer->answer("x");
            (void)co_await peer->request();
            co_await peer->say("HTTP/1.1 200 OK\r\n");
            co_await peer->hold();
        });
        Client client(executor, options_for(server));
        const auto first = co_await client.send(get("/"));  // so that connecting takes no time
        BOOST_TEST_REQUIRE(first.has_value());
        Request request = get("/", true);
        request.deadline = seconds(1);
        const auto response = co_await client.send(std::move(request));
        BOOST_TEST_REQUIRE(response.has_error());
        BOOST_TEST(response.error().is(Errc::indeterminate));
        const std::string peer = "127.0.0.1:" + std::to_string(server.port());
        BOOST_TEST(response.error().detail == peer + ": the answer broke off: it took too long");
    });
}

BOOST_AUTO_TEST_CASE(a_request_that_never_gets_its_turn_was_not_sent) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto asked = std::make_shared<Gate>(executor);
        ScriptedServer server(executor, [asked](PeerPtr peer) -> asio::awaitable<void> {
            const auto gate = asked;
            (void)co_await peer->request();
            gate->open();
            co_await peer->hold();
        });
        auto options = options_for(server);
        options.max_connections = 1;
        auto client = std::make_shared<Client>(executor, std::move(options));
        auto first = std::make_shared<Result<Response>>();
        auto ended = std::make_shared<Gate>(executor);
        auto body = [](std::shared_ptr<Client> asker, std::shared_ptr<Result<Response>> result,
                       std::shared_ptr<Gate> done) -> asio::awaitable<void> {
            *result = co_await asker->send(get("/"));
            done->open();
        };
        asio::co_spawn(executor, body(client, first, ended), [](std::exception_ptr) {});
        co_await asked->passed();
        Request request = get("/", true);
        request.deadline = milliseconds(30);
        const auto second = co_await client->send(std::move(request));
        BOOST_TEST_REQUIRE(second.has_error());
        BOOST_TEST(second.error().is(Errc::backend_failed));
        BOOST_TEST(second.error().detail.find("behind other requests") != std::string::npos);
        BOOST_TEST(server.connections() == 1);
    });
}

BOOST_AUTO_TEST_CASE(nobody_listens) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        const test::ClosedDoor closed(executor);
        ClientOptions options;
        options.url = closed.url();
        const std::string peer = options.url.substr(7);
        Client client(executor, std::move(options));
        const auto response = co_await client.send(get("/", true));
        BOOST_TEST_REQUIRE(response.has_error());
        BOOST_TEST(response.error().is(Errc::backend_failed));
        BOOST_TEST(response.error().detail == peer + ": connecting failed: Connection refused");
    });
}

BOOST_AUTO_TEST_CASE(names_are_resolved_and_unknown_ones_told) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        ScriptedServer server(executor, test::always("x"));
        ClientOptions options;
        options.url = "http://localhost:" + std::to_string(server.port());
        Client client(executor, options);
        const auto response = co_await client.send(get("/"));
        BOOST_TEST(response.has_value());
        options.url = "http://no-such-host.invalid";
        Client lost(executor, options);
        const auto failed = co_await lost.send(get("/"));
        BOOST_TEST_REQUIRE(failed.has_error());
        BOOST_TEST(failed.error().is(Errc::backend_failed));
        BOOST_TEST(failed.error().detail.starts_with(
            "no-such-host.invalid:80: resolving the name failed: "));
    });
}

BOOST_AUTO_TEST_CASE(bodies_and_headers_have_bounds) {
    struct Case {
        std::string answer;
        std::string words;
    };
    const std::vector<Case> cases{
        {"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", "larger than 100 bytes"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n60\r\n" + std::string(0x60, 'x') +
             "\r\n60\r\n" + std::string(0x60, 'x') + "\r\n0\r\n\r\n",
         "larger than 100 bytes"},
        {"HTTP/1.1 200 OK\r\n\r\n" + std::string(101, 'x'), "larger than 100 bytes"},
        {"HTTP/1.1 200 OK\r\nX: " + std::string(70000, 'x') + "\r\n\r\n", "header is larger than"},
    };
    for (const Case& item : cases) {
        BOOST_TEST_CONTEXT(item.answer.substr(0, 60)) {
            test::run([item](asio::any_io_executor executor) -> asio::awaitable<void> {
                auto script = [item](PeerPtr peer) -> asio::awaitable<void> {
                    const std::string text = item.answer;
                    (void)co_await peer->request();
                    co_await peer->say(text);
                };
                ScriptedServer server(executor, std::move(script));
                auto options = options_for(server);
                options.max_body = 100;
                Client client(executor, std::move(options));
                const auto response = co_await client.send(get("/"));
                BOOST_TEST_REQUIRE(response.has_error());
                BOOST_TEST(response.error().is(Errc::indeterminate));
                BOOST_TEST_INFO(response.error().detail);
                BOOST_TEST(response.error().detail.find(item.words) != std::string::npos);
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_that_comes_while_the_body_is_sent_is_heard) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        ScriptedServer server(executor, [](PeerPtr peer) -> asio::awaitable<void> {
            co_await peer->answer("", "413 Content Too Large", "Connection: close\r\n");
            boost::system::error_code ignored;
            peer->socket.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
            co_await peer->hold();
        });
        Client client(executor, options_for(server));
        const auto response = co_await client.send(post("/", std::string(8u << 20, 'x')));
        BOOST_TEST_REQUIRE(response.has_value());
        BOOST_TEST(response->status == 413);
    });
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_down_is_refused) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        ClientOptions options;
        options.url = "http://127.0.0.1:1";
        Client client(executor, std::move(options));
        std::vector<Request> requests(4);
        requests[0].method = "GE T";
        requests[1].target = "/a b";
        requests[2].target = "a";
        requests[3].headers.push_back({"X", "a\r\nY: b"});
        for (const Request& request : requests) {
            const auto response = co_await client.send(request);
            BOOST_TEST_REQUIRE(response.has_error());
            BOOST_TEST(response.error().is(Errc::invalid_argument));
        }
    });
}

BOOST_AUTO_TEST_CASE(options_that_cannot_be_are_named) {
    struct Case {
        std::string name;
        std::function<void(ClientOptions&)> change;
    };
    const std::vector<Case> cases{
        {"url", [](ClientOptions& options) { options.url = "127.0.0.1"; }},
        {"ca_data", [](ClientOptions& options) { options.ca_data = "x"; }},
        {"client_key", [](ClientOptions& options) { options.client_certificate = "x"; }},
        {"client_certificate", [](ClientOptions& options) { options.client_key_file = "/x"; }},
        {"client_certificate",
         [](ClientOptions& options) { options.client_certificate = options.client_key = "x"; }},
        {"bearer_token", [](ClientOptions& options) { options.bearer_token = "a\nb"; }},
        {"user", [](ClientOptions& options) { options.user = "a:b"; }},
        {"max_connections", [](ClientOptions& options) { options.max_connections = 0; }},
        {"max_body", [](ClientOptions& options) { options.max_body = 0; }},
        {"idle_limit", [](ClientOptions& options) { options.idle_limit = {}; }},
        {"connect_deadline", [](ClientOptions& options) { options.connect_deadline = {}; }},
    };
    asio::io_context io;
    for (const Case& item : cases) {
        BOOST_TEST_CONTEXT(item.name) {
            ClientOptions options;
            options.url = "https://127.0.0.1:1";
            item.change(options);
            BOOST_CHECK_EXCEPTION(
                Client(io.get_executor(), options), std::invalid_argument,
                [&](const std::invalid_argument& failure) {
                    return std::string(failure.what()).starts_with(item.name + ": ");
                });
        }
    }
}

BOOST_AUTO_TEST_CASE(a_busy_server_is_asked_again_when_it_says) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        ScriptedServer server(executor, [](PeerPtr peer) -> asio::awaitable<void> {
            std::string asked = co_await peer->request();
            while (!asked.empty()) {
                const bool busy = peer->requests % 2 == 1;
                const std::string status = busy ? "429 Too Many Requests" : "200 OK";
                const std::string when = busy ? "Retry-After: 1\r\n" : "";
                co_await peer->answer("x", status, when);
                asked = co_await peer->request();
            }
        });
        Client client(executor, options_for(server));
        const auto begin = std::chrono::steady_clock::now();
        const auto response = co_await client.send(get("/", true));
        BOOST_TEST_REQUIRE(response.has_value());
        BOOST_TEST(response->status == 200);
        BOOST_TEST((std::chrono::steady_clock::now() - begin >= seconds(1)));
        const auto refused = co_await client.send(post("/", "once"));
        BOOST_TEST_REQUIRE(refused.has_value());
        BOOST_TEST(refused->status == 429);
        BOOST_TEST(server.connections() == 1);
    });
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_ends_what_is_under_way) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto asked = std::make_shared<Gate>(executor);
        ScriptedServer server(executor, [asked](PeerPtr peer) -> asio::awaitable<void> {
            const auto gate = asked;
            (void)co_await peer->request();
            gate->open();
            co_await peer->hold();
        });
        auto options = options_for(server);
        options.max_connections = 1;
        auto client = std::make_unique<Client>(executor, std::move(options));
        auto results = std::make_shared<std::vector<Result<Response>>>();
        auto both = std::make_shared<Gate>(executor);
        auto body = [](Awaitable<Response> sending,
                       std::shared_ptr<std::vector<Result<Response>>> list,
                       std::shared_ptr<Gate> done) -> asio::awaitable<void> {
            list->push_back(co_await std::move(sending));
            if (list->size() == 2) {
                done->open();
            }
        };
        // one is at the server, the other waits for its turn
        asio::co_spawn(executor, body(client->send(get("/", true)), results, both),
                       [](std::exception_ptr) {});
        asio::co_spawn(executor, body(client->send(get("/", true)), results, both),
                       [](std::exception_ptr) {});
        co_await asked->passed();
        client.reset();
        co_await both->passed();
        for (const auto& result : *results) {
            BOOST_TEST_REQUIRE(result.has_error());
            BOOST_TEST(result.error().detail.find("the client was closed") != std::string::npos);
        }
    });
}

BOOST_AUTO_TEST_CASE(a_cancelled_request_ends_at_once) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto asked = std::make_shared<Gate>(executor);
        auto ended = std::make_shared<Gate>(executor);
        ScriptedServer server(executor, [asked](PeerPtr peer) -> asio::awaitable<void> {
            const auto gate = asked;
            (void)co_await peer->request();
            gate->open();
            co_await peer->hold();
        });
        auto client = std::make_shared<Client>(executor, options_for(server));
        auto result = std::make_shared<Result<Response>>();
        asio::cancellation_signal signal;
        auto body = [](std::shared_ptr<Client> asker, std::shared_ptr<Result<Response>> slot,
                       std::shared_ptr<Gate> done) -> asio::awaitable<void> {
            *slot = co_await asker->send(get("/", true));
            done->open();
        };
        auto token = asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {});
        asio::co_spawn(executor, body(client, result, ended), std::move(token));
        co_await asked->passed();
        signal.emit(asio::cancellation_type::terminal);
        co_await ended->passed();
        BOOST_TEST_REQUIRE(result->has_error());
        BOOST_TEST(result->error().is(Errc::stopped));
    });
}

BOOST_AUTO_TEST_CASE(a_context_that_goes_with_requests_under_way_frees_them) {
    asio::io_context io;
    ScriptedServer server(io.get_executor(), [](PeerPtr peer) -> asio::awaitable<void> {
        (void)co_await peer->request();
        co_await peer->hold();
    });
    auto options = options_for(server);
    options.max_connections = 2;
    Client client(io.get_executor(), std::move(options));
    auto body = [](Awaitable<Response> sending) -> asio::awaitable<void> {
        (void)co_await std::move(sending);
    };
    for (int i = 0; i < 4; ++i) {
        asio::co_spawn(io, body(client.send(get("/", true))), [](std::exception_ptr) {});
    }
    while (server.connections() < 2) {
        BOOST_TEST_REQUIRE(io.run_one_for(test::patience) == 1u);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::http
