// SPDX-License-Identifier: Apache-2.0
#include "http/url.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace sparkhost::detail::http {

BOOST_AUTO_TEST_SUITE(http_url)

BOOST_AUTO_TEST_CASE(a_url_is_taken_apart) {
    struct Case {
        std::string text;
        bool tls;
        std::string host;
        bool is_address;
        int port;
        std::string authority;
        std::string base;
        std::string peer;
    };
    const std::vector<Case> cases{
        {"http://a", false, "a", false, 80, "a", "", "a:80"},
        {"https://a.b/", true, "a.b", false, 443, "a.b", "", "a.b:443"},
        {"https://a:443/x/y/", true, "a", false, 443, "a", "/x/y", "a:443"},
        {"https://a:6443", true, "a", false, 6443, "a:6443", "", "a:6443"},
        {"https://127.0.0.1:1", true, "127.0.0.1", true, 1, "127.0.0.1:1", "", "127.0.0.1:1"},
        {"https://[::1]:6443", true, "::1", true, 6443, "[::1]:6443", "", "[::1]:6443"},
        {"http://[fe80::1]/k8s", false, "fe80::1", true, 80, "[fe80::1]", "/k8s", "[fe80::1]:80"},
    };
    for (const Case& item : cases) {
        BOOST_TEST_CONTEXT(item.text) {
            const auto url = parse_server_url(item.text);
            BOOST_TEST_REQUIRE(url.has_value());
            BOOST_TEST(url->tls == item.tls);
            BOOST_TEST(url->host == item.host);
            BOOST_TEST(url->is_address == item.is_address);
            BOOST_TEST(url->port == item.port);
            BOOST_TEST(url->authority == item.authority);
            BOOST_TEST(url->base == item.base);
            BOOST_TEST(url->peer() == item.peer);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_url_that_cannot_be_used_is_refused) {
    for (const std::string text :
         {"", "a", "a:80", "/x", "ftp://a", "http://", "http:///x", "https://u:p@a", "http://a?b",
          "http://a#b", "http://a:0", "http://a:65536", "http://a b", "http://a\nb"}) {
        BOOST_TEST_CONTEXT(text) {
            const auto url = parse_server_url(text);
            BOOST_TEST_REQUIRE(url.has_error());
            BOOST_TEST(url.error().is(Errc::invalid_argument));
            BOOST_TEST(!url.error().detail.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(text_is_encoded_for_paths_and_queries) {
    BOOST_TEST(percent_encoded("aZ0-._~") == "aZ0-._~");
    BOOST_TEST(percent_encoded("a b/c?d&e=\xE2\x82\xAC%") == "a%20b%2Fc%3Fd%26e%3D%E2%82%AC%25");
    BOOST_TEST(percent_encoded("/a b/c", "/") == "/a%20b/c");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::http
