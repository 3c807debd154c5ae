// SPDX-License-Identifier: Apache-2.0
#include "backends/local/process_identity.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <limits>
#include <string>
#include <string_view>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace sparkhost::detail;

std::string stat_line(std::string_view name, std::string_view state) {
    return "4242 (" + std::string(name) + ") " + std::string(state) +
           " 17 4200 4100 0 -1 4194304 100 0 0 0 1 2 3 4 20 0 5 0 987654321 1000 200 "
           "18446744073709551615\n";
}

/// A child that is stopped before it does anything, or over and not reaped.
struct Fork {
    pid_t pid;
    explicit Fork(bool over) : pid(::fork()) {
        if (pid == 0) {
            if (!over) {
                ::raise(SIGSTOP);
            }
            ::_exit(0);
        }
        siginfo_t info{};
        ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WSTOPPED | WNOWAIT);
    }
    ~Fork() {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
};

ProcessIdentity identify(pid_t pid) {
    return {.pid = pid, .start_time = read_start_time(pid).value_or(0), .boot_id = boot_id()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(process_identity)

BOOST_AUTO_TEST_CASE(a_line_of_proc_is_read_whatever_the_program_is_called) {
    for (const std::string_view name : {"java", "", "a b", ") Z 1 2", "((", "x\ny"}) {
        BOOST_TEST_CONTEXT(name) {
            const auto stat = parse_process_stat(stat_line(name, "S"));
            BOOST_REQUIRE(stat.has_value());
            BOOST_TEST(stat->pid == 4242);
            BOOST_TEST(stat->state == 'S');
            BOOST_TEST(stat->parent == 17);
            BOOST_TEST(stat->group == 4200);
            BOOST_TEST(stat->start_time == 987654321U);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_line_of_proc_is_not_read) {
    const auto line = stat_line("java", "S");
    for (std::size_t size = 0; size < line.find("987654321"); ++size) {
        BOOST_TEST(!parse_process_stat(line.substr(0, size)).has_value(), "cut at " << size);
    }
    BOOST_TEST(!parse_process_stat("x (java) S 1 2").has_value());
    BOOST_TEST(!parse_process_stat(stat_line("java", "SS")).has_value());
}

BOOST_AUTO_TEST_CASE(this_process_is_alive_and_under_this_boot) {
    const auto self = identify(::getpid());
    BOOST_TEST(self.start_time > 0U);
    BOOST_TEST(self.boot_id.size() == 36U);
    BOOST_TEST(is_alive(self));
    BOOST_TEST(read_process_stat(::getpid())->parent == ::getppid());
}

BOOST_AUTO_TEST_CASE(a_process_is_told_from_another_with_the_same_number) {
    auto other = identify(::getpid());
    ++other.start_time;
    BOOST_TEST(!is_alive(other));
    other = identify(::getpid());
    other.boot_id.back() = other.boot_id.back() == '0' ? '1' : '0';
    BOOST_TEST(!is_alive(other));
    BOOST_TEST(!is_alive({}));
}

BOOST_AUTO_TEST_CASE(a_process_that_is_over_is_not_alive_even_before_it_is_reaped) {
    const Fork stopped(false);
    BOOST_TEST(is_alive(identify(stopped.pid)));
    const Fork over(true);
    BOOST_TEST(read_start_time(over.pid).has_value());
    BOOST_TEST(!is_alive(identify(over.pid)));
}

BOOST_AUTO_TEST_CASE(a_number_without_process_has_no_start_time) {
    BOOST_TEST(!read_start_time(std::numeric_limits<pid_t>::max()).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
