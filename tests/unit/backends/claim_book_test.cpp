// SPDX-License-Identifier: Apache-2.0
#include "backends/common/claim_book.hpp"

#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <filesystem>
#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

namespace sparkhost::detail {

namespace claim_book_test {

namespace fs = std::filesystem;
using Answer = ClaimDecision::Answer;
using Holder = ClaimEntry::Holder;

const std::string ticket = "spark-0123abcd-batch-7-1";
const std::string first(32, 'a');
const std::string other(32, 'b');
const std::string driver = "driver-20261122063000-0001";

struct Book {
    test::TempDir dir;
    ClaimBook book{(dir / "claims").string()};

    Book() { book.open().value(); }
    Answer claim(const std::string& nonce, const std::string& name = {}) {
        return book.claim(ticket, nonce, name).value().answer;
    }
    ClaimEntry entry() { return book.read(ticket).value(); }
    std::size_t files() {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(dir / "claims"), fs::directory_iterator()));
    }
    void put(const std::string& name, const std::string& content) {
        dir.write("claims/" + name, content);
    }
    std::string text() { return test::read_text(dir / ("claims/" + ticket)); }
};

/// No file may grow beyond so many bytes: as good as a full disk.
class LittleRoom {
public:
    explicit LittleRoom(rlim_t size) {
        std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit little{.rlim_cur = size, .rlim_max = before_.rlim_max};
        BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &little) == 0);
    }
    ~LittleRoom() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    LittleRoom(const LittleRoom&) = delete;
    LittleRoom& operator=(const LittleRoom&) = delete;

private:
    rlimit before_{};
};

}  // namespace claim_book_test

using namespace claim_book_test;

BOOST_FIXTURE_TEST_SUITE(claim_book_suite, Book)

BOOST_AUTO_TEST_CASE(the_first_nonce_is_granted_and_again_and_no_other_ever) {
    BOOST_TEST((entry() == ClaimEntry{}));
    const auto decision = book.claim(ticket, first, driver).value();
    BOOST_TEST((decision.answer == Answer::granted));
    BOOST_TEST((decision.entry == ClaimEntry{Holder::driver, false, first, driver}));
    BOOST_TEST((claim(first) == Answer::granted));
    const auto refused = book.claim(ticket, other, "driver-20261122063000-0002").value();
    BOOST_TEST((refused.answer == Answer::claimed));
    BOOST_TEST(refused.entry.driver == driver, "who has it");
    BOOST_TEST((entry() == ClaimEntry{Holder::driver, false, first, driver}));
    BOOST_TEST((book.claim("another-ticket", other, driver).value().answer == Answer::granted));
    BOOST_TEST(files() == 2u);
}

BOOST_AUTO_TEST_CASE(a_name_that_was_not_known_is_filled_in_once) {
    claim(first);
    BOOST_TEST(entry().driver == "");
    BOOST_TEST((claim(first, driver) == Answer::granted));
    BOOST_TEST(entry().driver == driver);
    BOOST_TEST((claim(first, "driver-20261122063000-0009") == Answer::granted));
    BOOST_TEST(entry().driver == driver);
    BOOST_TEST((claim(other, "driver-20261122063000-0009") == Answer::claimed));
    BOOST_TEST(entry().driver == driver);
    BOOST_TEST(text() == "claimed " + first + " \n", "what was written first stays");
}

BOOST_AUTO_TEST_CASE(a_kill_before_a_claim_refuses_all) {
    const ClaimEntry killed{Holder::nobody, true, "", ""};
    BOOST_TEST((book.take(ticket).value() == killed));
    BOOST_TEST((claim(first, driver) == Answer::killed));
    BOOST_TEST((claim(other) == Answer::killed));
    BOOST_TEST((book.take(ticket).value() == killed));
    BOOST_TEST((entry() == killed));
    BOOST_TEST(files() == 1u);
}

BOOST_AUTO_TEST_CASE(a_kill_after_a_claim_says_whose_it_was_and_refuses_even_that) {
    claim(first, driver);
    const ClaimEntry taken{Holder::driver, true, first, driver};
    BOOST_TEST((book.take(ticket).value() == taken));
    BOOST_TEST((claim(first, driver) == Answer::killed), "whose answer may have been lost");
    BOOST_TEST((claim(other) == Answer::killed));
    BOOST_TEST((book.take(ticket).value() == taken));
}

BOOST_AUTO_TEST_CASE(a_killed_claim_without_a_name_gets_none) {
    claim(first);
    book.take(ticket).value();
    BOOST_TEST((claim(first, driver) == Answer::killed));
    BOOST_TEST((entry() == ClaimEntry{Holder::driver, true, first, ""}));
}

BOOST_AUTO_TEST_CASE(what_is_forgotten_is_gone_however_often) {
    book.forget(ticket).value();
    claim(first);
    claim(first, driver);
    book.take(ticket).value();
    BOOST_TEST(files() == 3u);
    book.forget(ticket).value();
    book.forget(ticket).value();
    BOOST_TEST(files() == 0u);
    BOOST_TEST((entry() == ClaimEntry{}));
}

BOOST_AUTO_TEST_CASE(a_book_that_is_opened_again_knows_all) {
    claim(first);
    claim(first, driver);
    ClaimBook again((dir / "claims").string());
    again.open().value();
    BOOST_TEST((again.claim(ticket, other, "").value().answer == Answer::claimed));
    BOOST_TEST((again.claim(ticket, first, "").value().answer == Answer::granted));
    BOOST_TEST(again.read(ticket).value().driver == driver);
}

BOOST_AUTO_TEST_CASE(no_beginning_of_a_file_is_taken_for_a_free_ticket_or_for_another_nonce) {
    for (const bool kills : {false, true}) {
        Book whole;
        if (kills) {
            whole.book.take(ticket).value();
        } else {
            whole.claim(first, driver);
        }
        const auto text = whole.text();
        for (std::size_t size = 0; size < text.size(); ++size) {
            BOOST_TEST_CONTEXT("the first " << size << " bytes of " << text) {
                Book torn;
                torn.put(ticket, text.substr(0, size));
                BOOST_TEST((torn.entry() == ClaimEntry{Holder::unreadable, false, "", ""}));
                for (const auto& nonce : {first, other, first.substr(0, 5)}) {
                    BOOST_TEST((torn.claim(nonce, driver) == Answer::claimed));
                }
                BOOST_TEST((torn.book.take(ticket).value() ==
                            ClaimEntry{Holder::unreadable, true, "", ""}));
                BOOST_TEST((torn.claim(first, driver) == Answer::killed));
                torn.book.forget(ticket).value();
                BOOST_TEST(torn.files() == 0u);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_entry_is_never_a_free_ticket) {
    const std::vector<std::string> contents{
        std::string(40, '\0'),
        "killed",
        "killed\n\n",
        "claimed\n",
        "claimed  \n",
        "claimed " + first + "\n",
        "claimed " + first + " a b\n",
        "claimed " + first + " " + driver + "\nclaimed " + other + " " + driver + "\n",
        "Claimed " + first + " " + driver + "\n",
        "claimed " + std::string(65, 'a') + " \n"};
    for (const auto& content : contents) {
        BOOST_TEST_CONTEXT(content) {
            put(ticket, content);
            BOOST_TEST((entry().holder == Holder::unreadable));
            BOOST_TEST((claim(first, driver) == Answer::claimed));
        }
    }
    put(ticket, std::string(100'000, 'x'));
    BOOST_TEST(book.claim(ticket, first, driver).has_error());
    fs::remove(dir / ("claims/" + ticket));
    fs::create_directory(dir / ("claims/" + ticket));
    BOOST_TEST(book.claim(ticket, first, driver).has_error());
    BOOST_TEST(book.take(ticket).has_error());
}

/// What a process that died at each step of a claim, a naming, a kill and a removal leaves.
BOOST_AUTO_TEST_CASE(a_death_at_each_step_leaves_it_as_before_or_as_after) {
    using Files = std::vector<std::pair<std::string, std::string>>;
    const std::string of_first = "claimed " + first + " " + driver + "\n";
    const std::string unnamed = "claimed " + first + " \n";
    struct Row {
        std::string moment;
        Files files;
        ClaimEntry entry;
        Answer to_first;
        Answer to_other;
    };
    const ClaimEntry claimed{Holder::driver, false, first, driver};
    const ClaimEntry nameless{Holder::driver, false, first, ""};
    const ClaimEntry killed{Holder::nobody, true, "", ""};
    const ClaimEntry both{Holder::driver, true, first, driver};
    const auto granted = Answer::granted;
    const std::vector<Row> rows{
        {"a claim, before a byte", {{".tmp.1", ""}}, {}, granted, granted},
        {"a claim, half", {{".tmp.1", "claimed aa"}}, {}, granted, granted},
        {"a claim, not linked", {{".tmp.1", of_first}}, {}, granted, granted},
        {"a claim, linked",
         {{".tmp.1", of_first}, {"", of_first}},
         claimed,
         granted,
         Answer::claimed},
        {"a name, not linked",
         {{"", unnamed}, {".driver.tmp.1", driver}},
         nameless,
         granted,
         Answer::claimed},
        {"a name, linked",
         {{"", unnamed}, {".driver", driver + "\n"}},
         claimed,
         granted,
         Answer::claimed},
        {"a name, torn",
         {{"", unnamed}, {".driver", driver.substr(0, 9)}},
         nameless,
         granted,
         Answer::claimed},
        {"a kill, not linked", {{".tmp.1", "killed\n"}}, {}, granted, granted},
        {"a kill, linked",
         {{".tmp.1", "killed\n"}, {"", "killed\n"}},
         killed,
         Answer::killed,
         Answer::killed},
        {"a kill of a claim, not linked",
         {{"", of_first}, {".killed.tmp.1", "killed\n"}},
         claimed,
         granted,
         Answer::claimed},
        {"a kill of a claim, linked",
         {{"", of_first}, {".killed", "killed\n"}},
         both,
         Answer::killed,
         Answer::killed},
        {"a kill of a claim, torn",
         {{"", of_first}, {".killed", ""}},
         both,
         Answer::killed,
         Answer::killed},
        {"a removal, the claim gone",
         {{".driver", driver + "\n"}, {".killed", "killed\n"}},
         killed,
         Answer::killed,
         Answer::killed},
        {"a removal, the mark left",
         {{".killed", "killed\n"}},
         killed,
         Answer::killed,
         Answer::killed},
    };
    for (const auto& row : rows) {
        for (const auto& [nonce, answer] :
             {std::pair(first, row.to_first), std::pair(other, row.to_other)}) {
            BOOST_TEST_CONTEXT(row.moment << ", then " << nonce) {
                Book left;
                for (const auto& [suffix, content] : row.files) {
                    left.put(ticket + suffix, content);
                }
                BOOST_TEST((left.entry() == row.entry));
                ClaimBook next((left.dir / "claims").string());
                next.open().value();
                BOOST_TEST((next.read(ticket).value() == row.entry));
                BOOST_TEST((next.claim(ticket, nonce, "").value().answer == answer));
                const auto taken = next.take(ticket).value();
                BOOST_TEST(taken.killed);
                const bool somebody = answer == granted || row.entry.holder != Holder::nobody;
                BOOST_TEST((taken.holder == (somebody ? Holder::driver : Holder::nobody)));
                next.forget(ticket).value();
                BOOST_TEST(left.files() == 0u, "nothing stays");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(hosts_and_threads_that_race_agree_on_one) {
    constexpr int racers = 6;
    constexpr int rounds = 40;
    for (int round = 0; round < rounds; ++round) {
        const auto name = "race-" + std::to_string(round);
        std::vector<std::optional<ClaimDecision>> decisions(racers);
        std::optional<ClaimEntry> taken;
        {
            std::latch start(racers + 1);
            std::vector<std::jthread> threads;
            for (int racer = 0; racer < racers; ++racer) {
                threads.emplace_back([&, racer] {
                    ClaimBook own((dir / "claims").string());
                    const std::string nonce(32, static_cast<char>('a' + racer / 2));
                    start.arrive_and_wait();
                    decisions[static_cast<std::size_t>(racer)] =
                        own.claim(name, nonce, driver).value();
                });
            }
            threads.emplace_back([&] {
                ClaimBook own((dir / "claims").string());
                start.arrive_and_wait();
                if (round % 2 == 0) {
                    taken = own.take(name).value();
                }
            });
        }
        const auto end = book.read(name).value();
        std::size_t granted = 0;
        for (const auto& decision : decisions) {
            if (decision->answer == Answer::granted) {
                ++granted;
                BOOST_TEST(decision->entry.nonce == end.nonce, "all of one process");
            }
        }
        BOOST_TEST(granted <= 2u);
        if (taken) {
            BOOST_TEST(end.killed);
            BOOST_TEST((taken->holder == end.holder), "a kill knows whom to end");
            BOOST_TEST(taken->nonce == end.nonce);
            BOOST_TEST((granted == 0 || taken->holder == Holder::driver));
        } else {
            BOOST_TEST(granted == 2u, "both connections of the one that came first");
        }
    }
}

BOOST_AUTO_TEST_CASE(without_room_nothing_is_granted_and_everything_later) {
    for (const rlim_t size : {rlim_t{0}, rlim_t{5}}) {
        Book little;
        std::optional<LittleRoom> room(size);
        const auto claimed = little.book.claim(ticket, first, driver);
        const auto taken = little.book.take(ticket);
        room.reset();
        BOOST_TEST(claimed.error().is(Errc::rejected), claimed.error().text());
        BOOST_TEST(taken.error().is(Errc::rejected), taken.error().text());
        BOOST_TEST(little.files() == 0u, "and nothing is left");
        BOOST_TEST((little.claim(first) == Answer::granted));
        room.emplace(size);
        BOOST_TEST(little.book.claim(ticket, first, driver).error().is(Errc::rejected));
        BOOST_TEST(little.book.take(ticket).error().is(Errc::rejected));
        BOOST_TEST((little.book.claim(ticket, other, driver).value().answer == Answer::claimed));
        BOOST_TEST(little.book.forget(ticket).has_value());
        room.reset();
        BOOST_TEST(little.files() == 0u);
    }
}

BOOST_AUTO_TEST_CASE(a_book_whose_folder_is_gone_grants_nothing) {
    claim(first);
    fs::remove_all(dir / "claims");
    BOOST_TEST(book.read(ticket).error().is(Errc::backend_failed));
    BOOST_TEST(book.claim(ticket, other, driver).error().is(Errc::backend_failed));
    BOOST_TEST(book.take(ticket).error().is(Errc::backend_failed));
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_made_is_told) {
    dir.write("file", "");
    ClaimBook nowhere((dir / "file/claims").string());
    const auto opened = nowhere.open();
    BOOST_TEST_REQUIRE(opened.has_error());
    BOOST_TEST(opened.error().detail.find("file/claims") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_no_ticket_nonce_or_driver_touches_no_file) {
    for (const std::string& wrong :
         {std::string(), std::string("../x"), std::string("a/b"), std::string("A"),
          std::string("a.killed"), std::string(64, 'a'), std::string("a\0b", 3)}) {
        BOOST_TEST(book.claim(wrong, first, driver).error().is(Errc::invalid_argument));
        BOOST_TEST(book.take(wrong).error().is(Errc::invalid_argument));
        BOOST_TEST(book.read(wrong).error().is(Errc::invalid_argument));
        BOOST_TEST(book.forget(wrong).error().is(Errc::invalid_argument));
    }
    for (const std::string& wrong :
         {std::string(), std::string("a b"), std::string("a\n"), std::string(65, 'a')}) {
        BOOST_TEST(book.claim(ticket, wrong, driver).error().is(Errc::invalid_argument));
    }
    for (const std::string& wrong :
         {std::string("a b"), std::string("a\n"), std::string("\xff"), std::string(256, 'a')}) {
        BOOST_TEST(book.claim(ticket, first, wrong).error().is(Errc::invalid_argument));
    }
    BOOST_TEST(files() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
