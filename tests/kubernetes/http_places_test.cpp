// SPDX-License-Identifier: Apache-2.0
#include "http/places.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <stdexcept>
#include <string>

namespace sparkhost::detail::http {

namespace {

std::shared_ptr<Places> places_of(boost::asio::io_context& io, std::vector<std::string> urls) {
    return std::make_shared<Places>(io.get_executor(), ClientOptions(), urls);
}

/// Whom a round asks, in order.
std::string asked_in(Round& round) {
    std::string asked;
    while (const Place* place = round.next()) {
        asked += place->url.substr(7);
        round.was_wrong("no");
    }
    return asked;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_places)

BOOST_AUTO_TEST_CASE(each_is_asked_once_and_who_was_right_first_the_next_time) {
    boost::asio::io_context io;
    const auto places = places_of(io, {"http://a", "http://b", "http://c"});
    Round first(places);
    first.next();
    first.was_wrong("is away");
    BOOST_TEST(first.next()->url == "http://b");
    first.was_right();
    Round second(places);
    BOOST_TEST(asked_in(second) == "bca");
    BOOST_TEST(second.words() == "http://b: no; http://c: no; http://a: no");
    // a round under way is not led astray by another one
    Round third(places);
    third.next();
    places->was_right(0);
    BOOST_TEST(asked_in(third) == "ca");
    BOOST_TEST(first.words() == "http://a: is away");
}

BOOST_AUTO_TEST_CASE(without_places_nobody_is_asked) {
    boost::asio::io_context io;
    Round round(places_of(io, {}));
    BOOST_TEST(round.next() == nullptr);
    BOOST_TEST(round.words().empty());
}

BOOST_AUTO_TEST_CASE(wrong_addresses_are_refused) {
    boost::asio::io_context io;
    BOOST_CHECK_THROW(places_of(io, {"http://a", "b:8088"}), std::invalid_argument);
    ClientTable table(io.get_executor(), ClientOptions());
    const auto wrong = table.at("b:8088");
    BOOST_TEST_REQUIRE(wrong.has_error());
    BOOST_TEST(wrong.error().is(Errc::backend_failed));
    BOOST_TEST(wrong.error().detail.starts_with("b:8088: "));
}

BOOST_AUTO_TEST_CASE(a_server_has_one_client) {
    boost::asio::io_context io;
    ClientTable table(io.get_executor(), ClientOptions());
    const auto first = table.at("http://a");
    BOOST_TEST_REQUIRE(first.has_value());
    BOOST_TEST((*table.at("http://a") == *first));
    BOOST_TEST((*table.at("http://b") != *first));
    for (int i = 0; i < 1000; ++i) {
        BOOST_TEST_REQUIRE(table.at("http://node" + std::to_string(i)).has_value());
    }
    BOOST_TEST((*table.at("http://a") != *first), "who is not needed is forgotten");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::http
