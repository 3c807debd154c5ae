// SPDX-License-Identifier: Apache-2.0
#include "http/client.hpp"

#include "support/http/scripted_server.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <string>
#include <vector>

namespace sparkhost::detail::http {

namespace {

using test::CertificateRequest;
using test::ScriptedServer;
using test::TestAuthority;

const TestAuthority& tls_authority() {
    static const TestAuthority authority("test authority");
    return authority;
}

CertificateRequest loopback_certificate() {
    CertificateRequest request;
    request.names = {"IP:127.0.0.1", "DNS:localhost", "DNS:api.example"};
    return request;
}

/// Asks a TLS server once; the server has `certificate`, the client what `change` makes of it.
Result<Response> ask_over_tls(const CertificateRequest& certificate,
                              const std::function<void(ClientOptions&)>& change,
                              const std::string& client_authority = {},
                              std::vector<LogEvent>* log = nullptr) {
    (void)log;
    return test::run([&](asio::any_io_executor executor) -> asio::awaitable<Result<Response>> {
        const auto issued = tls_authority().issue(certificate);
        ScriptedServer server(executor, test::always("secure"),
                              test::server_tls(issued, client_authority));
        ClientOptions options;
        options.url = server.url();
        options.ca_data = tls_authority().certificate();
        change(options);
        Client client(executor, std::move(options));
        Request request;
        request.repeatable = true;
        co_return co_await client.send(std::move(request));
    });
}

std::string detail_of(const Result<Response>& response) {
    return response ? "an answer with status " + std::to_string(response->status)
                    : response.error().detail;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_tls)

BOOST_AUTO_TEST_CASE(a_server_is_known_by_its_authority_and_address) {
    const auto response = ask_over_tls(loopback_certificate(), [](ClientOptions&) {});
    BOOST_TEST_REQUIRE(response.has_value(), detail_of(response));
    BOOST_TEST(response->body == "secure");
}

BOOST_AUTO_TEST_CASE(a_server_is_known_by_a_name_that_it_is_asked_for) {
    const auto by_name = [](ClientOptions& options) {
        options.url.replace(options.url.find("127.0.0.1"), 9, "localhost");
    };
    const auto by_option = [](ClientOptions& options) { options.server_name = "api.example"; };
    auto certificate = loopback_certificate();
    certificate.names = {"DNS:localhost", "DNS:api.example"};
    for (const std::function<void(ClientOptions&)>& change :
         {std::function<void(ClientOptions&)>(by_name),
          std::function<void(ClientOptions&)>(by_option)}) {
        const auto response = ask_over_tls(certificate, change);
        BOOST_TEST(response.has_value(), detail_of(response));
    }
}

BOOST_AUTO_TEST_CASE(an_authority_may_come_from_a_file) {
    const test::TempDir dir;
    const auto file = dir.write("ca.crt", tls_authority().certificate());
    const auto from_file = [&](ClientOptions& options) {
        options.ca_data.clear();
        options.ca_file = file.string();
    };
    const auto response = ask_over_tls(loopback_certificate(), from_file);
    BOOST_TEST(response.has_value(), detail_of(response));
    const auto missing = [&](ClientOptions& options) {
        options.ca_data.clear();
        options.ca_file = (dir / "nothing").string();
    };
    const auto failed = ask_over_tls(loopback_certificate(), missing);
    BOOST_TEST_REQUIRE(failed.has_error());
    BOOST_TEST(failed.error().is(Errc::backend_failed));
    BOOST_TEST(failed.error().detail.find("ca_file: cannot read " + (dir / "nothing").string()) !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_server_that_cannot_be_trusted_is_not_talked_to) {
    struct Case {
        std::string name;
        std::string words;
        std::function<void(CertificateRequest&)> server;
        std::function<void(ClientOptions&)> client;
    };
    static const TestAuthority other("another authority");
    const auto nothing = [](auto&) {};
    const std::vector<Case> cases{
        {"authority", "unable to get local issuer certificate", nothing,
         [](ClientOptions& options) { options.ca_data = other.certificate(); }},
        {"system's authorities", "unable to get local issuer certificate", nothing,
         [](ClientOptions& options) { options.ca_data.clear(); }},
        {"expired", "certificate has expired",
         [](CertificateRequest& request) {
             request.begins = std::chrono::hours(-48);
             request.ends = std::chrono::hours(-24);
         },
         nothing},
        {"not yet", "certificate is not yet valid",
         [](CertificateRequest& request) { request.begins = std::chrono::hours(12); }, nothing},
        {"address", "IP address mismatch",
         [](CertificateRequest& request) {
             request.names = {"IP:127.0.0.2", "DNS:127.0.0.1"};
         },
         nothing},
        {"name", "hostname mismatch", nothing,
         [](ClientOptions& options) { options.server_name = "example.com"; }},
    };
    for (const Case& item : cases) {
        BOOST_TEST_CONTEXT(item.name) {
            auto certificate = loopback_certificate();
            item.server(certificate);
            const auto response = ask_over_tls(certificate, item.client);
            BOOST_TEST_REQUIRE(response.has_error());
            BOOST_TEST(response.error().is(Errc::backend_failed));
            BOOST_TEST_INFO(response.error().detail);
            BOOST_TEST(response.error().detail.find(
                           "TLS failed: the server's certificate is not accepted: ") !=
                       std::string::npos);
            BOOST_TEST_INFO(response.error().detail);
            BOOST_TEST(response.error().detail.find(item.words) != std::string::npos);
            const auto blind = ask_over_tls(certificate, [&](ClientOptions& options) {
                item.client(options);
                options.verify = false;
            });
            BOOST_TEST(blind.has_value(), detail_of(blind));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_client_knows_that_it_is_the_server_that_is_not_trusted) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        const auto issued = tls_authority().issue(loopback_certificate());
        auto tls = test::server_tls(issued);
        ScriptedServer server(executor, test::always("secure"), std::move(tls));
        ClientOptions options;
        options.url = server.url();
        options.ca_data = TestAuthority("another authority").certificate();
        Client stranger(executor, options);
        BOOST_TEST(!stranger.is_untrusted());
        Request request;
        Result<Response> refused = co_await stranger.send(std::move(request));
        BOOST_TEST(refused.has_error());
        BOOST_TEST(stranger.is_untrusted());

        options.url = "https://127.0.0.1:1";
        Client lonely(executor, options);
        Request unheard;
        refused = co_await lonely.send(std::move(unheard));
        BOOST_TEST(refused.has_error());
        BOOST_TEST(!lonely.is_untrusted());
    });
}

BOOST_AUTO_TEST_CASE(a_server_may_demand_a_certificate) {
    const auto mine = tls_authority().issue(CertificateRequest());
    const test::TempDir dir;
    const auto data = [&](ClientOptions& options) {
        options.client_certificate = mine.certificate;
        options.client_key = mine.key;
    };
    const auto files = [&](ClientOptions& options) {
        options.client_certificate_file = dir.write("tls.crt", mine.certificate).string();
        options.client_key_file = dir.write("tls.key", mine.key).string();
    };
    const std::string authority = tls_authority().certificate();
    const auto first = ask_over_tls(loopback_certificate(), data, authority);
    BOOST_TEST(first.has_value(), detail_of(first));
    const auto second = ask_over_tls(loopback_certificate(), files, authority);
    BOOST_TEST(second.has_value(), detail_of(second));
    const auto without = ask_over_tls(
        loopback_certificate(), [](ClientOptions&) {}, authority);
    BOOST_TEST_REQUIRE(without.has_error());
    BOOST_TEST(without.error().is(Errc::backend_failed), detail_of(without));
    BOOST_TEST(without.error().detail.find("certificate required") != std::string::npos,
               detail_of(without));
}

BOOST_AUTO_TEST_CASE(a_key_of_another_certificate_is_refused_without_showing_it) {
    const auto one = tls_authority().issue(CertificateRequest());
    const auto two = tls_authority().issue(CertificateRequest());
    ClientOptions options;
    options.url = "https://127.0.0.1:1";
    options.client_certificate = one.certificate;
    options.client_key = two.key;
    asio::io_context io;
    BOOST_CHECK_EXCEPTION(
        Client(io.get_executor(), options), std::invalid_argument,
        [](const std::invalid_argument& failure) {
            return failure.what() ==
                   std::string("client_key: does not belong to the client certificate");
        });
}

BOOST_AUTO_TEST_CASE(plain_words_to_a_tls_server_and_back) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        ScriptedServer server(executor,
                              [](std::shared_ptr<test::Peer> peer) -> asio::awaitable<void> {
                                  co_await peer->say("HTTP/1.1 400 Bad Request\r\n\r\n");
                                  co_await peer->hold();
                              });
        ClientOptions options;
        options.url = "https://127.0.0.1:" + std::to_string(server.port());
        Client client(executor, std::move(options));
        Request request;
        const auto response = co_await client.send(std::move(request));
        BOOST_TEST_REQUIRE(response.has_error());
        BOOST_TEST(response.error().is(Errc::backend_failed));
        BOOST_TEST(response.error().detail.find("TLS failed: ") != std::string::npos);
    });
}

BOOST_AUTO_TEST_CASE(connections_are_kept_and_bodies_carried_over_tls) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto script = [](std::shared_ptr<test::Peer> peer) -> asio::awaitable<void> {
            for (;;) {
                const std::string request = co_await peer->request();
                if (request.empty()) {
                    co_return;
                }
                co_await peer->answer(request.substr(request.find("\r\n\r\n") + 4));
            }
        };
        ScriptedServer server(executor, script,
                              test::server_tls(tls_authority().issue(loopback_certificate())));
        ClientOptions options;
        options.url = server.url();
        options.ca_data = tls_authority().certificate();
        Client client(executor, std::move(options));
        for (const std::size_t size : {1u, 100u, 300000u, 5u}) {
            Request request;
            request.method = "POST";
            request.body = std::string(size, 'x');
            const std::string sent = request.body;
            const auto response = co_await client.send(std::move(request));
            BOOST_TEST_REQUIRE(response.has_value(), detail_of(response));
            BOOST_TEST((response->body == sent));
        }
        BOOST_TEST(server.connections() == 1);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::http
