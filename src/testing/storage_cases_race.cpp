// SPDX-License-Identifier: Apache-2.0
#include "testing/storage_cases.hpp"

#include <algorithm>
#include <set>

namespace sparkhost::testing::storage_cases {

namespace {

constexpr std::size_t crowd = 50;

Case of_racing_updates_exactly_one_wins(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto id = co_await put(*storage, "a");
    for (std::int64_t version = 1; version < 5; ++version) {
        std::vector<Awaitable<CommitResult>> racers;
        for (std::size_t i = 0; i < crowd; ++i) {
            Transaction transaction;
            transaction.updates = {change(id, version, "b", std::to_string(i))};
            transaction.events = {event_about(id, "won", std::to_string(i))};
            racers.push_back(storage->commit(std::move(transaction)));
        }
        auto results = co_await gather(std::move(racers));
        std::size_t winner = crowd;
        for (std::size_t i = 0; i < crowd; ++i) {
            if (!results[i]) {
                expect_error(results[i], Errc::conflict);
                continue;
            }
            expect_equal(winner, crowd, "an earlier winner");
            winner = i;
        }
        expect(winner < crowd, "somebody wins");
        expect_equal((co_await get(*storage, id)).body, std::to_string(winner), "the body");
        EventQuery query{version - 1, 100};
        auto events = value_of(co_await storage->read_events(query));
        expect_equal(events.size(), 1u, "the number of events of a round");
        expect_equal(events[0].body, std::to_string(winner), "the event's body");
    }
}

Case of_racing_inserts_with_one_key_exactly_one_wins(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    std::vector<Awaitable<CommitResult>> racers;
    for (std::size_t i = 0; i < crowd; ++i) {
        Transaction transaction;
        transaction.inserts = {new_record("a")};
        transaction.inserts[0].unique = {UniqueKey{"key", "same", std::to_string(i), {}}};
        racers.push_back(storage->commit(std::move(transaction)));
    }
    auto results = co_await gather(std::move(racers));
    std::size_t winners = 0;
    std::string winner;
    for (std::size_t i = 0; i < crowd; ++i) {
        auto result = value_of(results[i]).duplicate;
        winners += result ? 0 : 1;
        winner = result ? winner : std::to_string(i);
    }
    expect_equal(winners, 1u, "the number of winners");
    for (auto& each : results)
        if (each->duplicate)
            expect(each->duplicate->holder == batch(0) && each->duplicate->fingerprint == winner,
                   "the others learn of the winner");
    auto page = value_of(co_await storage->list(Query()));
    expect_equal(page.total, 1, "the number of records");
}

Case racing_commits_fail_one_by_one(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto id = co_await put(*storage, "a");
    std::vector<Awaitable<CommitResult>> racers;
    for (std::size_t i = 0; i < crowd; ++i) {
        Transaction transaction;
        transaction.inserts = {new_record("a", "", std::to_string(i))};
        transaction.events = {event_about(-1, "made", std::to_string(i))};
        if (i % 3 == 1)
            transaction.updates = {change(id, 99, "b")};
        if (i % 3 == 2)
            transaction.inserts[0].unique = {UniqueKey{"key", "same", "", {}}};
        racers.push_back(storage->commit(std::move(transaction)));
    }
    auto results = co_await gather(std::move(racers));
    std::set<std::int64_t> ids;
    for (std::size_t i = 0; i < crowd; ++i) {
        if (i % 3 == 1) {
            expect_error(results[i], Errc::conflict);
            continue;
        }
        if (results[i]->duplicate)
            continue;
        auto made = results[i]->ids.at(0);
        expect(ids.insert(made).second, "ids are different");
        expect_equal((co_await get(*storage, made)).body, std::to_string(i), "the body");
    }
    auto succeeded = static_cast<std::int64_t>(ids.size());
    expect_equal(succeeded, 18, "the number of successes");
    expect(*ids.begin() == id + 1 && *ids.rbegin() == id + succeeded, "ids have no holes");
    auto events = value_of(co_await storage->read_events(EventQuery()));
    expect_equal(events.size(), ids.size(), "the number of events");
    expect_equal(events.back().sequence, succeeded, "the last number, without holes,");
}

/// Each worker makes a record and moves it on, reading what it has just written.
Awaitable<std::int64_t> make_and_move(Storage& storage, int steps) {
    auto id = co_await put(storage, "0");
    for (int step = 1; step <= steps; ++step) {
        Transaction transaction;
        transaction.updates = {change(id, step, std::to_string(step))};
        transaction.events = {event_about(id, "moved", std::to_string(step))};
        co_await commit(storage, std::move(transaction));
        auto record = co_await get(storage, id);
        expect_equal(record.version, step + 1, "the version read after a commit");
    }
    co_return id;
}

Case reads_see_what_has_been_committed(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    std::vector<Awaitable<std::int64_t>> workers;
    for (std::size_t i = 0; i < crowd; ++i)
        workers.push_back(make_and_move(*storage, 10));
    auto ids = co_await gather(std::move(workers));
    auto events = value_of(co_await storage->read_events(EventQuery()));
    expect_equal(events.size(), 10 * crowd, "the number of events");
    std::vector<int> steps(crowd, 0);
    for (auto& event : events)
        expect_equal(event.body,
                     std::to_string(++steps.at(static_cast<std::size_t>(event.subject.id))),
                     "the order of one record's events");
    Query query;
    query.states = {"10"};
    query.limit = 0;
    auto page = value_of(co_await storage->list(query));
    expect_equal(page.total, static_cast<std::int64_t>(crowd), "the number that have arrived");
}

}  // namespace

void add_race_cases(std::vector<StorageCase>& cases) {
    cases.insert(cases.end(),
                 {{"of_racing_updates_exactly_one_wins", of_racing_updates_exactly_one_wins},
                  {"of_racing_inserts_with_one_key_exactly_one_wins",
                   of_racing_inserts_with_one_key_exactly_one_wins},
                  {"racing_commits_fail_one_by_one", racing_commits_fail_one_by_one},
                  {"reads_see_what_has_been_committed", reads_see_what_has_been_committed}});
}

}  // namespace sparkhost::testing::storage_cases
