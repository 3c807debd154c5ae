// SPDX-License-Identifier: Apache-2.0
#include "rest/allowed_host.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using sparkhost::detail::rest::AllowedHosts;

BOOST_AUTO_TEST_SUITE(rest_allowed_host)

BOOST_AUTO_TEST_CASE(loopback_is_always_allowed) {
    const AllowedHosts hosts({});
    for (const std::string host :
         {"localhost", "LOCALHOST:8998", "127.0.0.1", "127.8.9.1:80", "[::1]", "[::1]:8998"}) {
        BOOST_TEST(hosts.allows_authority(host), host);
        BOOST_TEST(hosts.allows_origin("http://" + host), host);
        BOOST_TEST(hosts.allows_origin("https://" + host), host);
    }
}

BOOST_AUTO_TEST_CASE(everybody_else_is_foreign) {
    const AllowedHosts hosts({});
    for (const std::string host :
         {"", "example.org", "10.0.0.1", "0.0.0.0", "[::]", "[2001:db8::1]",
          "localhost.example.org", "127.0.0.1.example.org", "notlocalhost", "127.0.0.1@example.org",
          "example.org:127.0.0.1", "::1", "[::1", "[::1]x", "localhost/", ":80", "*"}) {
        BOOST_TEST(!hosts.allows_authority(host), host);
        BOOST_TEST(!hosts.allows_origin("http://" + host), host);
    }
}

BOOST_AUTO_TEST_CASE(an_origin_without_a_scheme_is_foreign) {
    const AllowedHosts hosts({});
    BOOST_TEST(!hosts.allows_origin("null"));
    BOOST_TEST(!hosts.allows_origin("localhost"));
    BOOST_TEST(!hosts.allows_origin(""));
    BOOST_TEST(!hosts.allows_origin("http://evil.org/http://localhost"));
}

BOOST_AUTO_TEST_CASE(configured_names_are_allowed_with_any_port_and_case) {
    const AllowedHosts hosts({"Spark.example.org", "2001:db8::1", "10.0.0.5"});
    BOOST_TEST(hosts.allows_authority("spark.EXAMPLE.org:8998"));
    BOOST_TEST(hosts.allows_authority("[2001:db8::1]:80"));
    BOOST_TEST(hosts.allows_authority("10.0.0.5"));
    BOOST_TEST(hosts.allows_origin("https://spark.example.org"));
    BOOST_TEST(!hosts.allows_authority("example.org"));
    BOOST_TEST(!hosts.allows_authority("xspark.example.org"));
}

BOOST_AUTO_TEST_CASE(a_star_allows_anybody) {
    const AllowedHosts hosts({"*"});
    BOOST_TEST(hosts.allows_authority("example.org"));
    BOOST_TEST(hosts.allows_origin("null"));
}

BOOST_AUTO_TEST_CASE(entries_that_are_no_hosts_are_refused) {
    for (const std::string entry :
         {"", "host:80", "http://host", "host/path", "[::1", "[::1]:80"}) {
        BOOST_TEST_CONTEXT("'" << entry << "'") {
            BOOST_CHECK_THROW(AllowedHosts({entry}), std::invalid_argument);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
