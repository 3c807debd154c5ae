// SPDX-License-Identifier: Apache-2.0
#include "testing/storage_cases.hpp"

namespace sparkhost::testing::storage_cases {

namespace {

Case ids_count_from_zero(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    for (std::int64_t wanted = 0; wanted < 3; ++wanted)
        expect_equal(co_await put(*storage, "a"), wanted, "the id");
    Transaction three;
    three.inserts.assign(3, new_record("a"));
    auto result = co_await commit(*storage, std::move(three));
    expect(result.ids == std::vector<std::int64_t>{3, 4, 5}, "ids come in the order of inserts");
}

Case a_new_record_is_as_inserted(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto id = co_await put(*storage, "state", "owner", "body");
    Record wanted{batch(id), 1, "state", "owner", "body"};
    expect(co_await get(*storage, id) == wanted, "the record is what was inserted, version 1");
}

Case any_bytes_are_kept(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    using namespace std::string_literals;
    const auto odd = "\0a'\"\\%_;\xff\xc3\x28 \n\xf0\x9f\x90\x98"s;
    const std::string large(1 << 20, 'x');
    const std::vector<std::string> bodies{odd, large, ""};
    for (auto& text : bodies) {
        auto id = co_await put(*storage, odd, odd, text);
        auto record = co_await get(*storage, id);
        expect(record.body == text && record.state == odd && record.owner == odd,
               "text comes back byte by byte");
    }
    Transaction transaction;
    transaction.events.push_back(event_about(0, odd, odd));
    co_await commit(*storage, std::move(transaction));
    auto events = value_of(co_await storage->read_events(EventQuery()));
    expect(events.at(0).type == odd && events.at(0).body == odd, "an event's text as well");
}

Case an_update_replaces_state_and_body(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto id = co_await put(*storage, "old", "owner", "old body");
    Transaction transaction;
    transaction.updates.push_back(change(id, 1, "new", "new body"));
    auto result = co_await commit(*storage, std::move(transaction));
    expect(result.ids.empty() && result.last_sequence == 0, "no ids and no event");
    Record wanted{batch(id), 2, "new", "owner", "new body"};
    expect(co_await get(*storage, id) == wanted, "version 2, new state and body, same owner");
}

Case an_update_in_the_same_state_works(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto id = co_await put(*storage, "same");
    Transaction transaction;
    transaction.updates.push_back(change(id, 1, "same", "new body"));
    co_await commit(*storage, std::move(transaction));
    auto record = co_await get(*storage, id);
    expect(record.version == 2 && record.body == "new body", "the body is new");
}

Case another_version_is_a_conflict(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto id = co_await put(*storage, "a");
    auto before = co_await get(*storage, id);
    const std::vector<std::int64_t> wrong{0, 2, -1};
    for (auto version : wrong) {
        Transaction update;
        update.updates.push_back(change(id, version, "b"));
        expect_error(co_await storage->commit(std::move(update)), Errc::conflict);
        Transaction erase;
        erase.erases.push_back(removal(id, version));
        expect_error(co_await storage->commit(std::move(erase)), Errc::conflict);
    }
    expect(co_await get(*storage, id) == before, "the record has not changed");
}

Case a_missing_record_is_a_conflict(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    const std::vector<std::int64_t> ids{0, -1, std::int64_t{1} << 60};
    for (auto id : ids) {
        for (std::int64_t version = 0; version < 2; ++version) {
            Transaction update;
            update.updates.push_back(change(id, version, "b"));
            expect_error(co_await storage->commit(std::move(update)), Errc::conflict);
            Transaction erase;
            erase.erases.push_back(removal(id, version));
            expect_error(co_await storage->commit(std::move(erase)), Errc::conflict);
        }
    }
}

Case an_erased_record_is_gone_and_its_id_too(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    co_await put(*storage, "a");
    auto last = co_await put(*storage, "a");
    Transaction transaction;
    transaction.erases.push_back(removal(last, 1));
    co_await commit(*storage, std::move(transaction));
    expect_error(co_await storage->find(batch(last)), Errc::not_found);
    expect_equal(co_await put(*storage, "a"), last + 1, "the next id");
}

Case a_record_may_be_touched_twice(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto id = co_await put(*storage, "a");
    Transaction same_twice;
    same_twice.updates = {change(id, 1, "b"), change(id, 1, "c")};
    expect_error(co_await storage->commit(std::move(same_twice)), Errc::conflict);
    Transaction chain;
    chain.updates = {change(id, 1, "b"), change(id, 2, "c")};
    co_await commit(*storage, std::move(chain));
    auto record = co_await get(*storage, id);
    expect(record.version == 3 && record.state == "c", "both were applied, in order");
    Transaction last_words;
    last_words.updates = {change(id, 3, "d")};
    last_words.erases = {removal(id, 4)};
    co_await commit(*storage, std::move(last_words));
    expect_error(co_await storage->find(batch(id)), Errc::not_found);
}

/// One with everything in it, whose last step fails.
Transaction failing_at(int place, std::int64_t changed, std::int64_t erased) {
    Transaction transaction;
    transaction.inserts = {new_record("new"), new_record("new")};
    transaction.updates = {change(changed, place == 0 ? 7 : 1, "b")};
    transaction.erases = {removal(erased, place == 1 ? 7 : 1)};
    transaction.events = {event_about(-1), event_about(changed)};
    UniqueKey taken{"name", place == 2 ? "taken" : "free", "", {}};
    transaction.inserts.back().unique = {UniqueKey{"name", "other", "", {}}, taken};
    return transaction;
}

Case a_transaction_is_all_or_nothing(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto changed = co_await put(*storage, "a");
    auto erased = co_await put(*storage, "a");
    Transaction holder;
    holder.inserts = {new_record("a")};
    holder.inserts.back().unique = {UniqueKey{"name", "taken", "", {}}};
    auto last = (co_await commit(*storage, std::move(holder))).ids.at(0);
    for (int place = 0; place < 3; ++place) {
        auto result = co_await storage->commit(failing_at(place, changed, erased));
        if (place < 2)
            expect_error(result, Errc::conflict);
        else
            expect(value_of(result).duplicate.has_value(), "a taken key is a duplicate");
        auto record = co_await get(*storage, changed);
        expect(record.version == 1 && record.state == "a", "nothing was updated");
        co_await get(*storage, erased);
        expect_error(co_await storage->find(batch(last + 1)), Errc::not_found);
        expect_error(co_await storage->find_unique("name", "other"), Errc::not_found);
        auto events = value_of(co_await storage->read_events(EventQuery()));
        expect(events.empty(), "no event was written");
    }
    auto result = co_await commit(*storage, failing_at(3, changed, erased));
    expect_equal(result.ids.at(0), last + 1, "the failed ones took no id; the next");
    expect_equal(result.last_sequence, 2, "nor a sequence number; the last");
}

Case an_empty_transaction_succeeds(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto result = co_await commit(*storage, Transaction());
    expect(result.ids.empty() && result.last_sequence == 0, "it gives nothing");
}

Case nothing_works_before_open(StorageFixture& fixture) {
    auto storage = fixture.make();
    expect_error(co_await storage->commit(Transaction()), Errc::storage_failed);
    expect_error(co_await storage->find(batch(0)), Errc::storage_failed);
    expect_error(co_await storage->find_unique("a", "b"), Errc::storage_failed);
    expect_error(co_await storage->list(Query()), Errc::storage_failed);
    expect_error(co_await storage->read_events(EventQuery()), Errc::storage_failed);
    expect_error(co_await storage->prune(PruneRequest()), Errc::storage_failed);
}

Case statistics_count_commits(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto before = storage->stats().commits;
    auto id = co_await put(*storage, "a");
    Transaction losing;
    losing.updates = {change(id, 9, "b")};
    expect_error(co_await storage->commit(std::move(losing)), Errc::conflict);
    expect_equal(storage->stats().commits - before, 1u, "the number of commits");
    expect(storage->stats().healthy, "a conflict is no sign of bad health");
}

}  // namespace

void add_commit_cases(std::vector<StorageCase>& cases) {
    cases.insert(
        cases.end(),
        {{"ids_count_from_zero", ids_count_from_zero},
         {"a_new_record_is_as_inserted", a_new_record_is_as_inserted},
         {"any_bytes_are_kept", any_bytes_are_kept},
         {"an_update_replaces_state_and_body", an_update_replaces_state_and_body},
         {"an_update_in_the_same_state_works", an_update_in_the_same_state_works},
         {"another_version_is_a_conflict", another_version_is_a_conflict},
         {"a_missing_record_is_a_conflict", a_missing_record_is_a_conflict},
         {"an_erased_record_is_gone_and_its_id_too", an_erased_record_is_gone_and_its_id_too},
         {"a_record_may_be_touched_twice", a_record_may_be_touched_twice},
         {"a_transaction_is_all_or_nothing", a_transaction_is_all_or_nothing},
         {"an_empty_transaction_succeeds", an_empty_transaction_succeeds},
         {"nothing_works_before_open", nothing_works_before_open},
         {"statistics_count_commits", statistics_count_commits}});
}

}  // namespace sparkhost::testing::storage_cases
