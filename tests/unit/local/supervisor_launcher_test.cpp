// SPDX-License-Identifier: Apache-2.0
#include "backends/local/launcher_protocol.hpp"
#include "unit/local/launcher_bytes.hpp"
#include "unit/local/supervised.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <sstream>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace {

using namespace sparkhost::test;
using Words = std::vector<std::string>;

/// A driver whose Spark is played by the test.
struct Driver {
    Supervised ticket{};
    Gate gate{ticket.dir() / "gate"};
    int port{0};
    std::string secret{};
    LineStream peer{};

    explicit Driver(const std::string& on_term = "exit 0") {
        // `wait`, for a signal that comes just before a `read` does not interrupt it
        ticket.script("trap '" + on_term + "' TERM; echo $_SPARK_LAUNCHER_PORT " +
                      "$_SPARK_LAUNCHER_SECRET > " + gate.out() + "; { read x < " + gate.in() +
                      "; } & wait $!");
        ticket.plan().launcher = true;
        BOOST_TEST(ticket.start() == "claimed");
        std::istringstream told_by_script(gate.line());
        told_by_script >> port >> secret;
        peer = ticket.connect();
        for (int i = 0; i < 3; ++i) {
            peer.line();
        }
    }

    LineStream connect() const {
        LineStream socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(static_cast<in_port_t>(port));
        BOOST_REQUIRE(::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address),
                                sizeof address) == 0);
        return socket;
    }
    std::string greeting() const { return std::string(launcher::header) + launcher::hello(secret); }
    std::string next() { return told(peer.line() + "\n").front(); }
    Words finish() {
        gate.open();
        auto rest = told(peer.rest());
        BOOST_TEST(ticket.wait() == 0);
        return rest;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(supervisor_launcher)

BOOST_AUTO_TEST_CASE(what_spark_tells_is_journaled) {
    Driver driver;
    auto spark = driver.connect();
    spark.write(driver.greeting());
    BOOST_TEST(driver.next() == "connected 3.5.6");
    spark.write(launcher::set_app_id("local-1") + launcher::set_state("RUNNING"));
    BOOST_TEST(driver.next() == "application local-1");
    BOOST_TEST(driver.next() == "state RUNNING");
    spark.write(launcher::set_other_state("FINISHED"));
    BOOST_TEST(driver.next() == "state FINISHED");
    spark.close();
    BOOST_TEST(driver.finish() == (Words{"ended exit 0"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_second_context_may_connect_with_the_same_secret) {
    Driver driver;
    for (const std::string id : {"one", "two"}) {
        auto spark = driver.connect();
        spark.write(driver.greeting() + launcher::set_app_id(id) + launcher::set_state("RUNNING"));
        BOOST_TEST(driver.next() == "connected 3.5.6");
        BOOST_TEST(driver.next() == "application " + id);
        BOOST_TEST(driver.next() == "state RUNNING");
    }
    driver.finish();
}

BOOST_AUTO_TEST_CASE(repetitions_are_not_journaled) {
    Driver driver;
    auto spark = driver.connect();
    spark.write(driver.greeting() + launcher::set_app_id("a") + launcher::set_state("RUNNING") +
                launcher::set_first_state_again() + launcher::set_first_state_again() +
                launcher::set_other_state("FINISHED"));
    for (const std::string line :
         {"connected 3.5.6", "application a", "state RUNNING", "state FINISHED"}) {
        BOOST_TEST(driver.next() == line);
    }
    driver.finish();
}

BOOST_AUTO_TEST_CASE(nothing_is_believed_without_the_secret) {
    Driver driver;
    const std::string head(launcher::header);
    auto guess = driver.secret;
    guess.back() = guess.back() == '0' ? '1' : '0';
    const auto null_secret =
        head + "s" + launcher::hello_class() + "p" + launcher::string_object("3.5.6");
    for (const auto& bytes :
         {head + launcher::hello(guess), head + launcher::hello(""), null_secret,
          head + launcher::hello(driver.secret.substr(0, 63)),
          head + launcher::hello(driver.secret + "0"), std::string("GET / HTTP/1.1\r\n\r\n"),
          head + "sr" + launcher::utf("a.B") + std::string("\0\0\0\0\0\0\0\0\x02\0\0xp", 14),
          head + launcher::hello(std::string(3000, 'x'))}) {
        auto stranger = driver.connect();
        stranger.write(bytes);
        BOOST_TEST(stranger.at_end());
    }
    BOOST_TEST(driver.finish() == (Words{"ended exit 0"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_trusted_stream_that_breaks_is_closed_and_the_driver_runs_on) {
    Driver driver;
    auto spark = driver.connect();
    spark.write(driver.greeting() + "nonsense");
    BOOST_TEST(driver.next() == "connected 3.5.6");
    BOOST_TEST(spark.at_end());
    auto twice = driver.connect();
    twice.write(driver.greeting() + driver.greeting().substr(4));
    BOOST_TEST(twice.at_end());
    auto again = driver.connect();
    again.write(driver.greeting() + launcher::set_app_id("later"));
    BOOST_TEST(driver.next() == "application later");
    driver.finish();
}

BOOST_AUTO_TEST_CASE(strangers_cannot_keep_the_driver_out) {
    Driver driver;
    std::vector<LineStream> strangers;
    for (int i = 0; i < 8; ++i) {
        strangers.push_back(driver.connect());
    }
    auto spark = driver.connect();
    spark.write(driver.greeting());
    BOOST_TEST(driver.next() == "connected 3.5.6");
    for (int i = 0; i < 8; ++i) {
        strangers.push_back(driver.connect());
    }
    BOOST_TEST(strangers.front().at_end());
    spark.write(launcher::set_app_id("here"));
    BOOST_TEST(driver.next() == "application here");
    driver.finish();
}

BOOST_AUTO_TEST_CASE(a_talkative_driver_does_not_fill_the_journal) {
    Driver driver;
    for (int round = 0; round < 40; ++round) {
        auto spark = driver.connect();
        auto bytes = driver.greeting() + launcher::set_app_id(std::to_string(round)) +
                     launcher::set_state("RUNNING");
        for (int i = 0; i < 10; ++i) {
            bytes += launcher::set_other_state(std::to_string(i));
        }
        spark.write(bytes + "end");
        BOOST_TEST(spark.rest().empty());
    }
    const auto rest = driver.finish();
    BOOST_TEST(rest.size() == 257U);
    BOOST_TEST(rest.back() == "ended exit 0");
}

BOOST_AUTO_TEST_CASE(a_kill_asks_spark_to_stop) {
    Driver driver("exit 9");
    auto spark = driver.connect();
    spark.write(driver.greeting());
    BOOST_TEST(driver.next() == "connected 3.5.6");
    driver.ticket.send_kill();
    BOOST_TEST(driver.next() == "kill_requested");
    BOOST_CHECK(spark.bytes(133) == sparkhost::detail::launcher_stop_stream());
    driver.peer.rest();
    BOOST_TEST(driver.ticket.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_context_made_after_the_kill_is_stopped_too) {
    Driver driver("");
    driver.ticket.send_kill();
    BOOST_TEST(driver.next() == "kill_requested");
    auto spark = driver.connect();
    spark.write(driver.greeting());
    BOOST_CHECK(spark.bytes(133) == sparkhost::detail::launcher_stop_stream());
    BOOST_TEST(driver.next() == "connected 3.5.6");
    BOOST_TEST(driver.finish().back().substr(0, 5) == "ended");
}

BOOST_AUTO_TEST_CASE(without_the_launcher_protocol_nothing_of_it_is_offered) {
    Supervised ticket;
    ticket.script("echo \"<$_SPARK_LAUNCHER_PORT$_SPARK_LAUNCHER_SECRET>\"");
    ticket.start();
    ticket.wait();
    BOOST_TEST(ticket.output() == "<>\n");
}

BOOST_AUTO_TEST_SUITE_END()
