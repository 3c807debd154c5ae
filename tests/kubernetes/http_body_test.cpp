// SPDX-License-Identifier: Apache-2.0
#include "http/client.hpp"

#include "support/http/scripted_server.hpp"
#include "support/run.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <vector>

namespace sparkhost::detail::http {

namespace {

namespace asio = boost::asio;
using test::Peer;
using test::ScriptedServer;
using PeerPtr = std::shared_ptr<Peer>;

ClientOptions options_of(const ScriptedServer& server) {
    ClientOptions options;
    options.url = server.url();
    return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_body)

BOOST_AUTO_TEST_CASE(a_body_is_sent_as_its_source_gives_it) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        std::string seen;
        ScriptedServer server(executor, [&seen](PeerPtr peer) -> asio::awaitable<void> {
            seen = co_await peer->request();
            co_await peer->answer("", "201 Created");
        });
        const std::string whole(300'000, 'x');
        auto source = std::make_shared<BodySource>();
        source->size = whole.size();
        source->read = [&whole](std::uint64_t offset) -> Awaitable<std::string> {
            co_return whole.substr(offset, 70'000);
        };
        Client client(executor, options_of(server));
        Request request;
        request.method = "PUT";
        request.source = std::move(source);
        const auto response = co_await client.send(std::move(request));
        BOOST_TEST_REQUIRE(response.has_value());
        BOOST_TEST(response->status == 201);
        BOOST_TEST(seen.find("\r\nContent-Length: 300000\r\n") != std::string::npos);
        BOOST_TEST(seen.ends_with("\r\n\r\n" + whole));
    });
}

BOOST_AUTO_TEST_CASE(a_body_whose_source_fails_is_not_sent_again) {
    struct Case {
        std::string name;
        Result<std::string> second;
        std::string words;
    };
    const std::vector<Case> cases{
        {"error", Error(Errc::not_found, "the file is gone"), "the file is gone"},
        {"short", std::string(), "the body has changed while it was sent"},
        {"long", std::string(20, 'x'), "the body has changed while it was sent"},
    };
    for (const auto& each : cases) {
        BOOST_TEST_CONTEXT(each.name) {
            test::run([&each](asio::any_io_executor executor) -> asio::awaitable<void> {
                // it may read on when the client has gone, so it keeps nothing of ours
                ScriptedServer server(executor, [](PeerPtr peer) -> asio::awaitable<void> {
                    (void)co_await peer->request();
                });
                auto source = std::make_shared<BodySource>();
                source->size = 20;
                source->read = [&each](std::uint64_t offset) -> Awaitable<std::string> {
                    co_return offset == 0 ? Result<std::string>("begin") : each.second;
                };
                Client client(executor, options_of(server));
                Request request;
                request.method = "PUT";
                request.source = std::move(source);
                request.repeatable = true;
                const auto response = co_await client.send(std::move(request));
                BOOST_TEST_REQUIRE(response.has_error());
                BOOST_TEST(response.error().detail == each.words);
                BOOST_TEST(server.connections() == 1);
            });
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::http
