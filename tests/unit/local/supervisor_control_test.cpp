// SPDX-License-Identifier: Apache-2.0
#include "unit/local/supervised.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <sys/stat.h>

namespace {

using namespace sparkhost::test;
using Words = std::vector<std::string>;

/// A driver that runs until its gate is opened.
struct Waiting {
    Supervised ticket{};
    Gate gate{ticket.dir() / "gate"};

    Waiting() {
        ticket.script("echo up > " + gate.out() + "; read x < " + gate.in() + "; exit 4");
        BOOST_TEST(ticket.start() == "claimed");
        BOOST_TEST(gate.line() == "up");
    }
};

Words take(LineStream& peer, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
        text += peer.line() + "\n";
    }
    return told(text);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(supervisor_control)

BOOST_AUTO_TEST_CASE(a_peer_is_told_what_was_and_then_what_happens) {
    Waiting driver;
    auto peer = driver.ticket.connect();
    BOOST_TEST(take(peer, 3) == (Words{"claimed", "process", "started"}),
               boost::test_tools::per_element());
    driver.gate.open();
    BOOST_TEST(told(peer.rest()) == (Words{"ended exit 4"}), boost::test_tools::per_element());
    driver.ticket.wait();
}

BOOST_AUTO_TEST_CASE(peers_hear_exactly_the_bytes_of_the_journal) {
    Waiting driver;
    auto peer = driver.ticket.connect();
    auto other = driver.ticket.connect();
    driver.ticket.send_kill();
    const auto heard = peer.rest();
    BOOST_TEST(heard == other.rest());
    driver.ticket.wait();
    BOOST_TEST(heard == driver.ticket.journal_text());
}

BOOST_AUTO_TEST_CASE(who_connects_again_gets_everything_again) {
    Waiting driver;
    {
        auto peer = driver.ticket.connect();
        take(peer, 2);
    }
    auto again = driver.ticket.connect();
    BOOST_TEST(take(again, 3).size() == 3U);
    driver.gate.open();
    BOOST_TEST(told(again.rest()).back() == "ended exit 4");
    driver.ticket.wait();
}

BOOST_AUTO_TEST_CASE(a_peer_that_closes_its_sending_side_is_still_told_everything) {
    Waiting driver;
    auto peer = driver.ticket.connect();
    BOOST_REQUIRE(::shutdown(peer.fd(), SHUT_WR) == 0);
    take(peer, 3);
    driver.gate.open();
    BOOST_TEST(told(peer.rest()).back() == "ended exit 4");
    driver.ticket.wait();
}

BOOST_AUTO_TEST_CASE(a_request_may_come_in_pieces_and_with_the_end_of_the_stream) {
    Waiting driver;
    auto peer = driver.ticket.connect();
    peer.write("ki");
    take(peer, 3);
    peer.write("ll\n");
    BOOST_REQUIRE(::shutdown(peer.fd(), SHUT_WR) == 0);
    BOOST_TEST(told(peer.rest()) == (Words{"kill_requested", "ended signal 15"}),
               boost::test_tools::per_element());
    driver.ticket.wait();
}

BOOST_AUTO_TEST_CASE(requests_that_are_not_understood_do_nothing) {
    Waiting driver;
    auto peer = driver.ticket.connect();
    peer.write("hello\nkil\nkill now\n\n");
    auto rude = driver.ticket.connect();
    rude.write(std::string(64, 'x'));
    take(rude, 3);
    BOOST_TEST(rude.at_end());
    take(peer, 3);
    driver.gate.open();
    BOOST_TEST(told(peer.rest()) == (Words{"ended exit 4"}), boost::test_tools::per_element());
    driver.ticket.wait();
}

BOOST_AUTO_TEST_CASE(a_peer_that_never_reads_delays_nobody) {
    Waiting driver;
    const auto silent = driver.ticket.connect();
    auto peer = driver.ticket.connect();
    driver.gate.open();
    BOOST_TEST(told(peer.rest()).back() == "ended exit 4");
    BOOST_TEST(driver.ticket.wait() == 0);
}

BOOST_AUTO_TEST_CASE(of_too_many_peers_the_oldest_is_dropped) {
    Waiting driver;
    std::vector<LineStream> peers;
    for (int i = 0; i < 17; ++i) {
        peers.push_back(driver.ticket.connect());
        take(peers.back(), 3);
    }
    BOOST_TEST(peers.front().at_end());
    driver.gate.open();
    for (std::size_t i = 1; i < peers.size(); ++i) {
        BOOST_TEST(told(peers[i].rest()).back() == "ended exit 4");
    }
    driver.ticket.wait();
}

BOOST_AUTO_TEST_CASE(the_socket_is_for_the_user_alone_and_gone_at_the_end) {
    Waiting driver;
    const auto path = driver.ticket.folder() / ("control." + std::to_string(driver.ticket.pid()));
    struct stat socket {};
    BOOST_REQUIRE(::stat(path.c_str(), &socket) == 0);
    BOOST_TEST(S_ISSOCK(socket.st_mode));
    BOOST_TEST((socket.st_mode & 0777U) == 0600U);
    driver.gate.open();
    driver.ticket.wait();
    BOOST_TEST(!std::filesystem::exists(path));
}

BOOST_AUTO_TEST_SUITE_END()
