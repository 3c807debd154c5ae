// SPDX-License-Identifier: Apache-2.0
#include "unit/local/supervised.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

using namespace sparkhost::test;
using Words = std::vector<std::string>;

bool exists(pid_t pid) {
    return ::kill(pid, 0) == 0;
}

/// A python program that does `setup`, leaves its group, session and parent, tells its pid
/// through the gate and stays.
std::string daemon(const Gate& gate, const std::string& setup) {
    return "/usr/bin/python3 -c 'import os,signal,time\n" + setup +
           "\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n"
           "open(\"" +
           gate.out() + "\",\"w\").write(str(os.getpid())+\"\\n\")\ntime.sleep(1000)'";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(supervisor_kill)

BOOST_AUTO_TEST_CASE(a_driver_that_obeys_is_over_at_once) {
    Supervised ticket;
    Gate gate(ticket.dir() / "gate");
    // not `read`: a signal that comes just before it does not interrupt it
    ticket.script("trap 'echo bye; exit 7' TERM; sleep 1000 & echo up > " + gate.out() +
                  "; while :; do wait; done");
    ticket.start();
    BOOST_TEST(gate.line() == "up");
    ticket.send_kill();
    BOOST_TEST(ticket.wait() == 0);
    BOOST_TEST(ticket.output() == "bye\n");
    BOOST_TEST(ticket.journal() ==
                   (Words{"claimed", "process", "started", "kill_requested", "ended exit 7"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_driver_that_does_not_listen_is_killed_after_the_grace) {
    Supervised ticket;
    Gate gate(ticket.dir() / "gate");
    ticket.plan().grace = std::chrono::milliseconds{50};
    ticket.script("trap '' TERM; echo up > " + gate.out() + "; while :; do sleep 1000; done");
    ticket.start();
    BOOST_TEST(gate.line() == "up");
    ticket.send_kill();
    BOOST_TEST(ticket.wait() == 0);
    BOOST_TEST(ticket.journal().back() == "ended signal 9");
}

BOOST_AUTO_TEST_CASE(kills_are_journaled_once_however_many_ask) {
    Supervised ticket;
    Gate gate(ticket.dir() / "gate");
    ticket.script("trap 'read x < " + gate.in() + "; exit 3' TERM; echo up > " + gate.out() +
                  "; while :; do sleep 0.01; done");
    ticket.start();
    BOOST_TEST(gate.line() == "up");
    auto peer = ticket.connect();
    peer.write("kill\nkill\n");
    ticket.send_kill();
    ticket.signal(SIGTERM);
    ticket.signal(SIGINT);
    for (int lines = 0; lines < 4; ++lines) {
        peer.line();
    }
    gate.open();
    const auto rest = told(peer.rest());
    BOOST_TEST(rest == (Words{"ended exit 3"}), boost::test_tools::per_element());
    ticket.wait();
}

BOOST_AUTO_TEST_CASE(a_signal_to_the_supervisor_asks_for_a_kill) {
    for (const int number : {SIGTERM, SIGINT}) {
        Supervised ticket;
        Gate gate(ticket.dir() / "gate");
        ticket.script("echo up > " + gate.out() + "; exec sleep 1000");
        ticket.start();
        BOOST_TEST(gate.line() == "up");
        ticket.signal(number);
        BOOST_TEST(ticket.wait() == 0);
        BOOST_TEST(ticket.journal() == (Words{"claimed", "process", "started", "kill_requested",
                                              "ended signal 15"}),
                   boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(hang_ups_and_broken_pipes_are_nothing_to_the_supervisor) {
    Supervised ticket;
    Gate gate(ticket.dir() / "gate");
    ticket.script("echo up > " + gate.out() + "; read x < " + gate.in() + "; exit 5");
    ticket.start();
    BOOST_TEST(gate.line() == "up");
    ticket.signal(SIGHUP);
    ticket.signal(SIGPIPE);
    gate.open();
    BOOST_TEST(ticket.wait() == 0);
    BOOST_TEST(ticket.journal().back() == "ended exit 5");
}

BOOST_AUTO_TEST_CASE(a_kill_reaches_descendants_that_have_left_group_and_session) {
    Supervised ticket;
    Gate gate(ticket.dir() / "gate");
    ticket.script(daemon(gate, "") + "; exec sleep 1000");
    ticket.start();
    const auto stray = std::stoi(gate.line());
    BOOST_TEST(exists(stray));
    ticket.send_kill();
    BOOST_TEST(ticket.wait() == 0);
    BOOST_TEST(!exists(stray));
    BOOST_TEST(ticket.journal().back() == "ended signal 15");
}

BOOST_AUTO_TEST_CASE(descendants_that_do_not_listen_are_killed_after_the_grace) {
    Supervised ticket;
    Gate gate(ticket.dir() / "gate");
    ticket.plan().grace = std::chrono::milliseconds{50};
    ticket.script(daemon(gate, "signal.signal(signal.SIGTERM, signal.SIG_IGN)") +
                  "; exec sleep 1000");
    ticket.start();
    const auto stray = std::stoi(gate.line());
    ticket.send_kill();
    BOOST_TEST(ticket.wait() == 0);
    BOOST_TEST(!exists(stray));
}

BOOST_AUTO_TEST_CASE(what_a_driver_leaves_behind_ends_before_the_ticket_does) {
    Supervised ticket;
    Gate gate(ticket.dir() / "gate");
    ticket.script(daemon(gate, "") + "; sleep 1000 & echo $! > " + gate.out() + "; read x < " +
                  gate.in() + "; exit 6");
    ticket.start();
    const auto one = std::stoi(gate.line());
    const auto other = std::stoi(gate.line());
    BOOST_TEST(exists(one));
    BOOST_TEST(exists(other));
    gate.open();
    BOOST_TEST(ticket.wait() == 0);
    BOOST_TEST(!exists(one));
    BOOST_TEST(!exists(other));
    BOOST_TEST(ticket.journal() == (Words{"claimed", "process", "started", "ended exit 6"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(processes_that_breed_while_they_are_killed_are_all_ended) {
    Supervised ticket;
    Gate gate(ticket.dir() / "gate");
    ticket.plan().grace = std::chrono::milliseconds{20};
    const auto outlived = ticket.dir() / "outlived";
    // each of a chain starts the next, in a session of its own, and then ends; the chain ends by
    // itself after a while, so that it never outlives a test that is killed
    ticket.script(
        "exec /usr/bin/python3 -c '\nimport os,signal,time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "if os.fork()==0:\n end=time.time()+60\n open(\"" +
        gate.out() +
        "\",\"w\").write(\"up\\n\")\n"
        " while time.time()<end:\n  os.setsid() if os.getpid()!=os.getsid(0) else 0\n"
        "  if os.fork(): os._exit(0)\n open(\"" +
        outlived.string() +
        "\",\"w\")\n os._exit(0)\n"
        "time.sleep(1000)'");
    ticket.start();
    BOOST_TEST(gate.line() == "up");
    ticket.send_kill();
    BOOST_TEST(ticket.wait() == 0);
    BOOST_TEST(ticket.journal().back() == "ended signal 9");
    BOOST_TEST(!std::filesystem::exists(outlived));
}

BOOST_AUTO_TEST_CASE(orphans_that_end_by_themselves_are_reaped_while_the_driver_runs) {
    Supervised ticket;
    Gate gate(ticket.dir() / "gate");
    ticket.script("(sleep 0 & echo $! > " + gate.out() + "); read x < " + gate.in() + "; exit 2");
    ticket.start();
    wait_until_gone(std::stoi(gate.line()));
    gate.open();
    BOOST_TEST(ticket.wait() == 0);
    BOOST_TEST(ticket.journal().back() == "ended exit 2");
}

BOOST_AUTO_TEST_SUITE_END()
