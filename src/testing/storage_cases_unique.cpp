// SPDX-License-Identifier: Apache-2.0
#include "testing/storage_cases.hpp"

namespace sparkhost::testing::storage_cases {

namespace {

Transaction keyed(std::string scope, std::string value, Timestamp keep_until = {},
                  std::string fingerprint = "print") {
    Transaction transaction;
    transaction.inserts = {new_record("a")};
    transaction.inserts.back().unique = {
        UniqueKey{std::move(scope), std::move(value), std::move(fingerprint), keep_until}};
    return transaction;
}

Case a_taken_key_is_a_duplicate(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    co_await put(*storage, "a");
    auto id = (co_await commit(*storage, keyed("name", "x", Timestamp(), "first"))).ids.at(0);
    auto second = value_of(co_await storage->commit(keyed("name", "x", Timestamp(), "second")));
    expect(second.duplicate.has_value(), "the second one is a duplicate");
    expect(second.ids.empty() && second.last_sequence == 0, "which writes nothing");
    expect_equal(second.duplicate->scope, "name", "the scope");
    expect(second.duplicate->holder == batch(id), "it names the holder");
    expect_equal(second.duplicate->fingerprint, "first", "the fingerprint");
    expect_error(co_await storage->find(batch(id + 1)), Errc::not_found);
}

Case scopes_are_separate(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto name = co_await commit(*storage, keyed("name", "x"));
    auto other = co_await commit(*storage, keyed("idempotency", "x"));
    auto found = value_of(co_await storage->find_unique("name", "x"));
    expect(found == batch(name.ids.at(0)), "the holder of name x");
    found = value_of(co_await storage->find_unique("idempotency", "x"));
    expect(found == batch(other.ids.at(0)), "the holder of idempotency x");
    expect_error(co_await storage->find_unique("x", "name"), Errc::not_found);
    expect_error(co_await storage->find_unique("name", "X"), Errc::not_found);
}

Case keys_within_a_transaction_collide_too(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    Transaction transaction = keyed("name", "x", {}, "first");
    transaction.inserts.push_back(keyed("name", "x").inserts.at(0));
    auto result = value_of(co_await storage->commit(std::move(transaction)));
    expect(result.duplicate.has_value(), "the second insert is a duplicate of the first");
    expect_equal(result.duplicate->holder.id, -1, "the holder, as inserts[0],");
    expect_error(co_await storage->find_unique("name", "x"), Errc::not_found);
}

Case an_erased_record_frees_its_keys(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto id = (co_await commit(*storage, keyed("name", "x"))).ids.at(0);
    Transaction update;
    update.updates = {change(id, 1, "b")};
    co_await commit(*storage, std::move(update));
    auto still = value_of(co_await storage->commit(keyed("name", "x")));
    expect(still.duplicate.has_value(), "an update frees nothing");
    Transaction erase;
    erase.erases = {removal(id, 2)};
    co_await commit(*storage, std::move(erase));
    expect_error(co_await storage->find_unique("name", "x"), Errc::not_found);
    co_await commit(*storage, keyed("name", "x"));
}

Case a_kept_key_outlives_its_record(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto id = (co_await commit(*storage, keyed("key", "x", at_second(100)))).ids.at(0);
    Transaction erase;
    erase.erases = {removal(id, 1)};
    co_await commit(*storage, std::move(erase));
    PruneRequest just_not{0, at_second(100)};
    value_of(co_await storage->prune(just_not));
    auto again = value_of(co_await storage->commit(keyed("key", "x")));
    expect(again.duplicate.has_value(), "keep_until is not earlier than unique_before");
    expect(again.duplicate->holder == batch(id), "the holder is the erased record");
    PruneRequest later{0, at_second(101)};
    value_of(co_await storage->prune(later));
    expect_error(co_await storage->find_unique("key", "x"), Errc::not_found);
    co_await commit(*storage, keyed("key", "x"));
}

Case prune_keeps_keys_that_are_not_timed(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto id = (co_await commit(*storage, keyed("name", "x"))).ids.at(0);
    PruneRequest all{0, at_second(2'000'000'000)};
    value_of(co_await storage->prune(all));
    auto found = value_of(co_await storage->find_unique("name", "x"));
    expect(found == batch(id), "the key is still held");
}

}  // namespace

void add_unique_cases(std::vector<StorageCase>& cases) {
    cases.insert(cases.end(),
                 {{"a_taken_key_is_a_duplicate", a_taken_key_is_a_duplicate},
                  {"scopes_are_separate", scopes_are_separate},
                  {"keys_within_a_transaction_collide_too", keys_within_a_transaction_collide_too},
                  {"an_erased_record_frees_its_keys", an_erased_record_frees_its_keys},
                  {"a_kept_key_outlives_its_record", a_kept_key_outlives_its_record},
                  {"prune_keeps_keys_that_are_not_timed", prune_keeps_keys_that_are_not_timed}});
}

}  // namespace sparkhost::testing::storage_cases
