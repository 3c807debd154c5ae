// SPDX-License-Identifier: Apache-2.0
#include "unit/local/supervised.hpp"

#include "backends/local/process_identity.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <csignal>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace sparkhost::test;
using Words = std::vector<std::string>;

std::string unused_output(const std::string& folder, int& status) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    LineStream answers(ends[0]);
    const auto pid = start_supervisor(folder, ends[1]);
    ::close(ends[1]);
    auto text = answers.rest();
    BOOST_REQUIRE(::waitpid(pid, &status, 0) == pid);
    return text;
}

/// The words of a /proc file's line, "VmHWM:  776 kB".
long status_number(pid_t pid, const std::string& name) {
    std::istringstream text(read_text("/proc/" + std::to_string(pid) + "/status"));
    for (std::string line; std::getline(text, line);) {
        if (line.compare(0, name.size(), name) == 0) {
            return std::stol(line.substr(name.size() + 1));
        }
    }
    return -1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(supervisor)

BOOST_AUTO_TEST_CASE(a_driver_that_returns_ends_with_its_exit_status) {
    for (const int status : {0, 1, 42, 255}) {
        Supervised ticket;
        ticket.script("exit " + std::to_string(status));
        BOOST_TEST(ticket.start() == "claimed");
        BOOST_TEST(ticket.wait() == 0);
        BOOST_TEST(ticket.journal() == (Words{"claimed", "process", "started",
                                              "ended exit " + std::to_string(status)}),
                   boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_driver_that_crashes_ends_with_its_signal) {
    Supervised ticket;
    ticket.script("ulimit -c 0; kill -SEGV $$");
    BOOST_TEST(ticket.start() == "claimed");
    BOOST_TEST(ticket.wait() == 0);
    BOOST_TEST(ticket.journal().back() == "ended signal 11");
}

BOOST_AUTO_TEST_CASE(a_program_that_is_not_there_fails_with_its_errno) {
    Supervised ticket;
    ticket.plan().arguments = {"/no/such/program"};
    BOOST_TEST(ticket.start() == "claimed");
    BOOST_TEST(ticket.wait() == 0);
    BOOST_TEST(ticket.journal() ==
                   (Words{"claimed", "process",
                          "exec_failed 2 cannot run /no/such/program: No such file or directory",
                          "ended failed 127"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_working_directory_that_is_not_there_fails_with_its_errno) {
    Supervised ticket;
    ticket.script("exit 0");
    ticket.plan().directory = "/no/such/folder";
    BOOST_TEST(ticket.start() == "claimed");
    BOOST_TEST(ticket.wait() == 0);
    BOOST_TEST(ticket.journal()[2] ==
               "exec_failed 2 cannot enter /no/such/folder: No such file or directory");
    BOOST_TEST(ticket.journal().back() == "ended failed 127");
}

BOOST_AUTO_TEST_CASE(what_cannot_begin_is_refused_before_the_claim) {
    Supervised ticket;
    ticket.script("exit 0");
    const auto refused = [&](const std::string& folder, const std::string& begin) {
        int status = 0;
        const auto text = unused_output(folder, status);
        BOOST_TEST(text.substr(0, begin.size()) == begin);
        BOOST_TEST(text.back() == '\n');
        BOOST_TEST(WEXITSTATUS(status) == 1);
        BOOST_TEST(!std::filesystem::exists(ticket.folder() / "claim"));
    };
    refused("/no/such/folder", "error cannot enter /no/such/folder: ");
    refused("relative", "error the ticket's folder must be an absolute path");
    refused(ticket.folder().string(), "error cannot open launch: ");
    ticket.dir().write("ticket/launch", "argument");
    refused(ticket.folder().string(), "error launch cannot be used: it is cut off");
    ticket.plan().output = "/no/such/folder/log";
    ticket.write_launch();
    refused(ticket.folder().string(), "error cannot open /no/such/folder/log: ");
    for (const auto& entry : std::filesystem::directory_iterator(ticket.folder())) {
        BOOST_TEST(entry.path().filename().string().find("control") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(the_driver_sees_the_given_environment_and_nothing_else) {
    Supervised ticket;
    ticket.plan().arguments = {"/usr/bin/env"};
    ticket.plan().environment = {"A=1", "EMPTY=", "B=x y=z", "SPARKHOST_TICKET=forged"};
    ticket.start();
    ticket.wait();
    BOOST_TEST(ticket.output() == "A=1\nEMPTY=\nB=x y=z\nSPARKHOST_TICKET=ticket\n");
}

BOOST_AUTO_TEST_CASE(with_the_launcher_protocol_the_driver_is_told_port_and_secret) {
    Supervised ticket;
    ticket.plan().arguments = {"/usr/bin/env"};
    ticket.plan().environment = {"_SPARK_LAUNCHER_SECRET=old"};
    ticket.plan().launcher = true;
    ticket.start();
    ticket.wait();
    std::istringstream text(ticket.output());
    std::string line;
    std::getline(text, line);
    BOOST_TEST(line == "SPARKHOST_TICKET=ticket");
    std::getline(text, line);
    BOOST_TEST(line.substr(0, 21) == "_SPARK_LAUNCHER_PORT=");
    BOOST_TEST(std::stoi(line.substr(21)) > 0);
    std::getline(text, line);
    BOOST_TEST(line.substr(0, 23) == "_SPARK_LAUNCHER_SECRET=");
    BOOST_TEST(line.substr(23).size() == 64U);
    BOOST_TEST(!std::getline(text, line));
}

BOOST_AUTO_TEST_CASE(arguments_arrive_as_they_are) {
    Supervised ticket;
    ticket.plan().arguments = {"/usr/bin/printf", "<%s>", "", "a b", "*", "\n", "\xff"};
    ticket.start();
    ticket.wait();
    BOOST_TEST(ticket.output() == "<><a b><*><\n><\xff>");
}

BOOST_AUTO_TEST_CASE(the_driver_inherits_no_descriptor_and_reads_nothing) {
    Supervised ticket;
    // one that is not closed at exec, as a careless host would have
    const LineStream leaked(::open("/dev/zero", O_RDONLY));
    ticket.script("for fd in /proc/$$/fd/*; do readlink $fd; done; wc -c");
    ticket.start();
    ticket.wait();
    std::istringstream text(ticket.output());
    std::vector<std::string> open;
    for (std::string line; std::getline(text, line);) {
        open.push_back(line);
    }
    BOOST_TEST(open == (Words{"/dev/null", ticket.plan().output, ticket.plan().output, "0"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(both_outputs_are_in_one_file_in_order_behind_what_was_there) {
    Supervised ticket;
    ticket.dir().write("ticket/driver.log", "before\n");
    ticket.script("i=0; while [ $i -lt 200 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done");
    ticket.start();
    ticket.wait();
    std::string expected = "before\n";
    for (int i = 0; i < 200; ++i) {
        expected += "out " + std::to_string(i) + "\nerr " + std::to_string(i) + "\n";
    }
    BOOST_TEST(ticket.output() == expected);
}

BOOST_AUTO_TEST_CASE(the_driver_has_its_directory_group_signals_and_private_files) {
    Supervised ticket;
    ticket.script(
        "pwd; umask; cut -d' ' -f5 /proc/$$/stat; echo $$; touch made; "
        "exec grep -E '^Sig(Blk|Ign)' /proc/self/status");
    std::signal(SIGUSR1, SIG_IGN);
    ticket.start();
    std::signal(SIGUSR1, SIG_DFL);
    ticket.wait();
    std::istringstream text(ticket.output());
    std::string directory, mask, group, pid, blocked, ignored;
    std::getline(text, directory);
    std::getline(text, mask);
    std::getline(text, group);
    std::getline(text, pid);
    std::getline(text, blocked);
    std::getline(text, ignored);
    BOOST_TEST(directory == ticket.plan().directory);
    BOOST_TEST(mask == "0077");
    BOOST_TEST(group == pid);
    BOOST_TEST(pid == std::to_string(ticket.child()));
    BOOST_TEST(blocked == "SigBlk:\t0000000000000000");
    BOOST_TEST(ignored == "SigIgn:\t0000000000000000");
    struct stat file {};
    BOOST_REQUIRE(::stat(ticket.plan().output.c_str(), &file) == 0);
    BOOST_TEST((file.st_mode & 0777U) == 0600U);
    BOOST_REQUIRE(::stat((ticket.folder() / "journal").c_str(), &file) == 0);
    BOOST_TEST((file.st_mode & 0777U) == 0600U);
}

BOOST_AUTO_TEST_CASE(the_journal_names_supervisor_and_child) {
    Supervised ticket;
    Gate gate(ticket.dir() / "gate");
    ticket.script("read x < " + gate.in());
    BOOST_TEST(ticket.start() == "claimed");
    const auto entries = sparkhost::detail::parse_journal(ticket.journal_text());
    BOOST_REQUIRE(entries.size() >= 2U);
    BOOST_TEST(entries[0].process.pid == ticket.pid());
    BOOST_TEST(sparkhost::detail::is_alive(entries[0].process));
    auto child = entries[1].process;
    child.boot_id = sparkhost::detail::boot_id();
    BOOST_TEST(sparkhost::detail::is_alive(child));
    const auto claim = sparkhost::detail::parse_claim(read_text(ticket.folder() / "claim"));
    BOOST_REQUIRE(claim.has_value());
    BOOST_CHECK(claim->supervisor == entries[0].process);
    gate.open();
    ticket.wait();
    BOOST_TEST(!sparkhost::detail::is_alive(child));
}

BOOST_AUTO_TEST_CASE(only_the_agreed_files_are_left) {
    Supervised ticket("a ticket with blanks");
    ticket.script("true");
    ticket.start();
    ticket.wait();
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(ticket.folder())) {
        names.insert(entry.path().filename().string());
    }
    BOOST_TEST(names == (std::set<std::string>{"claim", "driver.log", "journal", "launch", "work"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_long_path_with_blanks_is_a_ticket_like_any_other) {
    Supervised ticket(std::string(120, 'x') + " y");
    Gate gate(ticket.dir() / "gate");
    ticket.script("read x < " + gate.in());
    BOOST_TEST(ticket.start() == "claimed");
    auto peer = ticket.connect();
    gate.open();
    BOOST_TEST(told(peer.rest()).back() == "ended exit 0");
    BOOST_TEST(ticket.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_supervisor_killed_outright_takes_its_driver_with_it) {
    Supervised ticket;
    Gate gate(ticket.dir() / "gate");
    ticket.script("echo up > " + gate.out() + "; exec sleep 1000");
    ticket.start();
    BOOST_TEST(gate.line() == "up");
    const auto child = ticket.child();
    auto peer = ticket.connect();
    while (!peer.line().ends_with(" started")) {  // the driver may speak before it is journalled
    }
    ticket.signal(SIGKILL);
    BOOST_TEST(ticket.wait() == -SIGKILL);
    wait_until_gone(child);
    BOOST_TEST(ticket.journal() == (Words{"claimed", "process", "started"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_disk_that_is_full_delays_the_journal_but_neither_driver_nor_end) {
    Supervised ticket;
    Gate gate(ticket.dir() / "gate");
    ticket.script("echo up > " + gate.out() + "; read x < " + gate.in());
    ticket.start();
    auto peer = ticket.connect();
    BOOST_TEST(gate.line() == "up");
    for (int lines = 0; lines < 3; ++lines) {
        peer.line();
    }
    const rlimit none{.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
    rlimit before{};
    BOOST_REQUIRE(::prlimit(ticket.pid(), RLIMIT_FSIZE, &none, &before) == 0);
    ticket.send_kill();
    wait_until_gone(ticket.child());
    BOOST_TEST(ticket.journal().back() == "started");
    BOOST_REQUIRE(::prlimit(ticket.pid(), RLIMIT_FSIZE, &before, nullptr) == 0);
    const auto rest = told(peer.rest());
    BOOST_TEST(ticket.wait() == 0);
    BOOST_TEST(rest.back() == "ended signal 15");
    BOOST_TEST(ticket.journal() ==
                   (Words{"claimed", "process", "started", "kill_requested", "ended signal 15"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(without_room_for_the_journal_no_driver_runs) {
    Supervised ticket;
    ticket.script("echo ran > ran");
    ticket.write_launch();
    rlimit before{};
    BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    // enough for the claim, not for the journal's first two lines
    const rlimit little{.rlim_cur = 70, .rlim_max = before.rlim_max};
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &little) == 0);
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    LineStream answers(ends[0]);
    const auto pid = start_supervisor(ticket.folder().string(), ends[1]);
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    ::close(ends[1]);
    BOOST_TEST(answers.line() == "claimed");
    BOOST_REQUIRE(::prlimit(pid, RLIMIT_FSIZE, &before, nullptr) == 0);
    wait_until_gone(pid);
    BOOST_REQUIRE(::waitpid(pid, nullptr, 0) == pid);
    BOOST_TEST(ticket.journal() == (Words{"claimed", "process",
                                          "exec_failed 27 cannot write the journal: File too large",
                                          "ended failed 127"}),
               boost::test_tools::per_element());
    BOOST_TEST(!std::filesystem::exists(ticket.folder() / "work/ran"));
}

BOOST_AUTO_TEST_CASE(it_is_small) {
    Supervised ticket;
    Gate gate(ticket.dir() / "gate");
    ticket.script("read x < " + gate.in());
    ticket.start();
    BOOST_TEST(read_text("/proc/" + std::to_string(ticket.pid()) + "/comm") == "sparkhost-super\n");
#if !defined(SPARKHOST_SUPERVISOR_SANITIZED)
    BOOST_TEST(status_number(ticket.pid(), "VmHWM:") < 2048);
    BOOST_TEST(std::filesystem::file_size(SPARKHOST_SUPERVISOR_PROGRAM) < 1024U * 1024U);
#endif
    BOOST_TEST(status_number(ticket.pid(), "Threads:") == 1);
    gate.open();
    ticket.wait();
}

BOOST_AUTO_TEST_SUITE_END()
