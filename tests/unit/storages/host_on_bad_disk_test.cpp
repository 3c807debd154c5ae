// SPDX-License-Identifier: Apache-2.0

// A whole host on a disk that fails in each way that it can, for a while.

#include "support/fault_vfs.hpp"
#include "support/temp_dir.hpp"
#include "unit/core/host_fixture.hpp"

#include <sparkhost/storages/sqlite.hpp>

#include <sqlite3.h>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace sparkhost::host_test {

namespace bad_disk {

using test::FaultVfs;
using Op = FaultVfs::Op;

struct DiskFixture : HostFixture {
    DiskFixture() {
        vfs.sync_really(false);
        store = make_sqlite_storage({.path = path(), .vfs = vfs.name()});
        cluster->set_pace(FakeCluster::Pace::by_hand);
        options.cached_records = 0;
    }
    ~DiskFixture() {
        vfs.heal();
        clear_away(life);
        life = Life{};
        store.reset();
    }
    std::string path() const { return (folder / "jobs.db").string(); }
    void let_retries_pass() {
        for (int round = 0; round < 4; ++round) {
            advance(options.storage_retry_max);
        }
    }
    long said(const std::string& words) const {
        return std::count_if(logged.begin(), logged.end(), [&](const std::string& line) {
            return line.find(words) != std::string::npos;
        });
    }
    void finish_without_store(const std::string& of, Outcome outcome, int exit_code) {
        cluster->end(of, outcome, exit_code);
        settle();
    }

    FaultVfs vfs;
    test::TempDir folder;
};

struct Fault {
    std::string name;
    std::function<void(DiskFixture&)> begin;
    std::function<void(DiskFixture&)> end;
    bool doubtful;      ///< nothing may be answered while it lasts
    std::string words;  ///< of what is told
};

Fault disk(std::string name, Op op, int code, bool doubtful, std::string words) {
    return {std::move(name),
            [op, code](DiskFixture& fixture) {
                fixture.vfs.plan({FaultVfs::bit(op), 0, code, true});
            },
            [](DiskFixture& fixture) { fixture.vfs.heal(); }, doubtful, std::move(words)};
}

std::vector<Fault> faults() {
    namespace fs = std::filesystem;
    auto move_away = [](DiskFixture& fixture) {
        fs::rename(fixture.path(), fixture.path() + ".away");
    };
    auto move_back = [](DiskFixture& fixture) {
        fs::rename(fixture.path() + ".away", fixture.path());
    };
    return {disk("full disk", Op::write, SQLITE_FULL, false, "make room"),
            disk("read-only file system", Op::write, SQLITE_READONLY, false, "read-only"),
            disk("writes fail", Op::write, SQLITE_IOERR_WRITE, true, "see the system's log"),
            disk("syncs fail", Op::sync, SQLITE_IOERR_FSYNC, true, "see the system's log"),
            {"file moved away", move_away, move_back, true, "put it back"}};
}

}  // namespace bad_disk

BOOST_AUTO_TEST_SUITE(host_on_bad_disk)

BOOST_AUTO_TEST_CASE(a_disk_that_fails_for_a_while_changes_no_end_and_is_seen_from_outside) {
    for (const auto& fault : bad_disk::faults()) {
        BOOST_TEST_CONTEXT(fault.name) {
            bad_disk::DiskFixture fixture;
            fixture.start();
            const auto first = fixture.submit().id;
            const auto second = fixture.submit().id;
            const auto first_ticket = fixture.ticket(first);
            const auto second_ticket = fixture.ticket(second);
            const auto before = fixture.host().status().last_sequence;
            fault.begin(fixture);

            // nobody is told success, and what is shown is the last that was durable, or nothing
            auto refused = fixture.ask(fixture.host().submit(HostFixture::spec())).error();
            BOOST_TEST(refused.is(fault.doubtful ? Errc::indeterminate : Errc::storage_failed));
            fixture.finish_without_store(second_ticket, Outcome::failed, 3);
            fixture.finish_without_store(first_ticket, Outcome::success, 0);
            for (int round = 0; round < 3; ++round) {
                auto seen = fixture.ask(fixture.host().find(first));
                BOOST_TEST(seen.has_error() == fault.doubtful);
                BOOST_TEST((!seen || !seen->has_ended()));
                BOOST_TEST((!seen || fixture.host().status().last_sequence == before));
                fixture.advance(fixture.options.storage_retry_max);
            }
            auto status = fixture.host().status();
            BOOST_TEST(!status.storage_healthy);
            BOOST_TEST(status.storage_failing_since.has_value());
            BOOST_TEST(status.storage_error.find(fault.words) != std::string::npos,
                       status.storage_error);
            BOOST_TEST(status.problem.find(fault.words) != std::string::npos, status.problem);
            BOOST_TEST(status.storage_degraded_seconds > 29);
            BOOST_TEST(status.storage.failures > 0u);
            BOOST_TEST(fixture.said("the storage does not work") == 1);
            BOOST_TEST(fixture.logged.size() < 40u);

            fault.end(fixture);
            fixture.let_retries_pass();

            // what waited is stored, once, and in its order
            BOOST_TEST(fixture.find(first).state() == BatchState::success);
            BOOST_TEST(fixture.find(second).state() == BatchState::dead);
            BOOST_TEST(*fixture.find(second).exit_code == 3);
            status = fixture.host().status();
            BOOST_TEST(status.storage_healthy);
            BOOST_TEST(status.ready);
            BOOST_TEST(status.problem == "");
            BOOST_TEST(!status.storage_failing_since.has_value());
            BOOST_TEST(status.storage_oldest_unstored_seconds == 0);
            BOOST_TEST(status.storage_degraded_seconds > 29);
            BOOST_TEST(fixture.said("works again") == 1);
            BOOST_TEST(fixture.cluster->starts(first_ticket) == 1u);
            for (const auto id : {first, second}) {
                const auto types = fixture.event_types(id);
                BOOST_TEST(std::count(types.begin(), types.end(), "batch.ended") == 1);
            }
            const auto third = fixture.submit();
            BOOST_TEST(third.id.value >= 2);
            fixture.stop().value();
        }
    }
}

BOOST_FIXTURE_TEST_CASE(a_disk_heals_where_nobody_writes, bad_disk::DiskFixture) {
    start();
    vfs.plan({test::FaultVfs::bit(test::FaultVfs::Op::write), 0, SQLITE_FULL, true});
    BOOST_TEST(ask(host().submit(spec())).error().is(Errc::storage_failed));
    BOOST_TEST(!host().status().storage_healthy);
    let_retries_pass();
    BOOST_TEST(!host().status().storage_healthy);
    vfs.heal();
    let_retries_pass();
    BOOST_TEST(host().status().storage_healthy);
    BOOST_TEST(said("the storage does not work") == 1);
    BOOST_TEST(said("works again") == 1);
}

BOOST_FIXTURE_TEST_CASE(the_age_of_what_waits_to_be_stored_is_a_figure, bad_disk::DiskFixture) {
    start();
    const auto id = submit().id;
    BOOST_TEST(host().status().storage_oldest_unstored_seconds == 0);
    vfs.plan({test::FaultVfs::bit(test::FaultVfs::Op::write), 0, SQLITE_FULL, true});
    cluster->start(ticket(id));
    settle();
    advance(7s);
    BOOST_TEST(host().status().storage_oldest_unstored_seconds == 7);
}

BOOST_FIXTURE_TEST_CASE(a_store_that_is_gone_is_not_replaced_by_an_empty_one,
                        bad_disk::DiskFixture) {
    start();
    const auto id = submit().id;
    std::filesystem::rename(path(), path() + ".away");
    BOOST_TEST(ask(host().submit(spec())).error().is(Errc::indeterminate));
    let_retries_pass();
    BOOST_TEST(!std::filesystem::exists(path()));
    BOOST_TEST(ask(host().find(id)).error().is(Errc::indeterminate));
    BOOST_TEST(said("the store cannot be reopened") == 1);
    std::filesystem::rename(path() + ".away", path());
    let_retries_pass();
    BOOST_TEST(phase(id) == BatchPhase::submitted);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
