// SPDX-License-Identifier: Apache-2.0
#include "unit/local/supervised.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace sparkhost::test;

struct Starter {
    pid_t pid{-1};
    LineStream answers{};
};

Starter start_another(const std::string& folder) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    Starter starter{.answers = LineStream(ends[0])};
    starter.pid = start_supervisor(folder, ends[1]);
    ::close(ends[1]);
    return starter;
}

std::size_t count_entries(const std::filesystem::path& folder, const std::string& begin) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        count += entry.path().filename().string().compare(0, begin.size(), begin) == 0 ? 1U : 0U;
    }
    return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(supervisor_claim)

BOOST_AUTO_TEST_CASE(a_ticket_is_started_once_and_then_taken_for_ever) {
    Supervised ticket;
    ticket.script("echo ran >> " + (ticket.dir() / "runs").string());
    BOOST_TEST(ticket.start() == "claimed");
    BOOST_TEST(ticket.wait() == 0);
    const auto journal = ticket.journal_text();
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(ticket.start() == "taken");
        BOOST_TEST(ticket.wait() == 0);
    }
    BOOST_TEST(read_text(ticket.dir() / "runs") == "ran\n");
    BOOST_TEST(ticket.journal_text() == journal);
    BOOST_TEST(count_entries(ticket.folder(), "control") == 0U);
    BOOST_TEST(count_entries(ticket.folder(), "claim") == 1U);
}

BOOST_AUTO_TEST_CASE(a_second_supervisor_leaves_the_first_alone) {
    Supervised ticket;
    Gate gate(ticket.dir() / "gate");
    ticket.script("echo up > " + gate.out() + "; read x < " + gate.in());
    ticket.start();
    BOOST_TEST(gate.line() == "up");
    auto other = start_another(ticket.folder().string());
    BOOST_TEST(other.answers.rest() == "taken\n");
    BOOST_REQUIRE(::waitpid(other.pid, nullptr, 0) == other.pid);
    auto peer = ticket.connect();
    gate.open();
    BOOST_TEST(told(peer.rest()).back() == "ended exit 0");
    ticket.wait();
}

BOOST_AUTO_TEST_CASE(of_supervisors_that_race_exactly_one_starts_the_driver) {
    for (int round = 0; round < 50; ++round) {
        Supervised ticket;
        ticket.script("echo ran >> " + (ticket.dir() / "runs").string());
        ticket.write_launch();
        std::vector<Starter> starters;
        for (int i = 0; i < 3; ++i) {
            starters.push_back(start_another(ticket.folder().string()));
        }
        int claimed = 0;
        for (auto& starter : starters) {
            const auto answer = starter.answers.line();
            BOOST_TEST((answer == "claimed" || answer == "taken"), answer);
            claimed += answer == "claimed" ? 1 : 0;
            wait_until_gone(starter.pid);
            BOOST_REQUIRE(::waitpid(starter.pid, nullptr, 0) == starter.pid);
        }
        BOOST_TEST(claimed == 1);
        BOOST_TEST(read_text(ticket.dir() / "runs") == "ran\n");
        BOOST_TEST(ticket.journal().size() == 4U);
    }
}

BOOST_AUTO_TEST_CASE(a_killers_claim_keeps_the_driver_from_ever_starting) {
    Supervised ticket;
    ticket.script("echo ran > ran");
    ticket.dir().write("ticket/claim", "killed 1795257694749\n");
    BOOST_TEST(ticket.start() == "taken");
    BOOST_TEST(ticket.wait() == 0);
    BOOST_TEST(!std::filesystem::exists(ticket.folder() / "work/ran"));
    BOOST_TEST(ticket.journal_text().empty());
    BOOST_TEST(read_text(ticket.folder() / "claim") == "killed 1795257694749\n");
    BOOST_TEST(count_entries(ticket.folder(), "control") == 0U);
}

BOOST_AUTO_TEST_CASE(whoever_reads_the_claim_can_connect) {
    Supervised ticket;
    Gate gate(ticket.dir() / "gate");
    ticket.script("read x < " + gate.in());
    BOOST_TEST(ticket.start() == "claimed");
    const auto claim = sparkhost::detail::parse_claim(read_text(ticket.folder() / "claim"));
    BOOST_REQUIRE(claim.has_value());
    BOOST_TEST(claim->supervisor.pid == ticket.pid());
    auto peer = ticket.connect();
    BOOST_TEST(told(peer.line() + "\n").front() == "claimed");
    gate.open();
    ticket.wait();
}

BOOST_AUTO_TEST_SUITE_END()
