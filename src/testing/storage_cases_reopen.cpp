// SPDX-License-Identifier: Apache-2.0
#include "testing/storage_cases.hpp"

namespace sparkhost::testing::storage_cases {

namespace {

asio::awaitable<StoreInfo> info_of(Storage& storage, StorageFixture& fixture) {
    StorageContext context{fixture.blocking_executor, {}};
    co_return value_of(co_await storage.open(std::move(context)));
}

Case the_uuid_never_changes(StorageFixture& fixture) {
    auto storage = fixture.make();
    auto first = co_await info_of(*storage, fixture);
    expect_equal(first.uuid.size(), 36u, "the length of the UUID");
    auto again = co_await info_of(*storage, fixture);
    expect_equal(again.uuid, first.uuid, "the UUID after a second open()");
}

Case the_uuid_outlives_the_handle(StorageFixture& fixture) {
    auto storage = fixture.make();
    auto first = co_await info_of(*storage, fixture);
    storage.reset();
    storage = fixture.make();
    auto again = co_await info_of(*storage, fixture);
    expect_equal(again.uuid, first.uuid, "the UUID through another handle");
    expect(again.last_sequence == 0 && again.oldest_sequence == 1, "no events yet");
}

Case everything_outlives_the_handle(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    Transaction transaction;
    transaction.inserts = {new_record("a", "ann"), new_record("b"), new_record("c")};
    transaction.inserts[0].unique = {UniqueKey{"name", "x", "print", {}}};
    transaction.events = {event_about(-1), event_about(-2), event_about(-3)};
    co_await commit(*storage, std::move(transaction));
    Transaction second;
    second.updates = {change(0, 1, "z")};
    second.erases = {removal(2, 1)};
    co_await commit(*storage, std::move(second));
    PruneRequest request{1, {}};
    value_of(co_await storage->prune(request));
    storage.reset();

    storage = fixture.make();
    auto info = co_await info_of(*storage, fixture);
    expect(info.last_sequence == 3 && info.oldest_sequence == 2, "events 2 and 3 are kept");
    Record wanted{batch(0), 2, "z", "ann", "changed"};
    expect(co_await get(*storage, 0) == wanted, "the record is as it was");
    expect(value_of(co_await storage->find_unique("name", "x")) == batch(0), "the key is held");
    auto page = value_of(co_await storage->list(Query()));
    expect(page.records.size() == 2 && page.total == 2, "two records are left");
    expect_equal(co_await put(*storage, "a"), 3, "the next id, not that of the erased one,");
    Transaction third;
    third.events = {event_about(0)};
    expect_equal((co_await commit(*storage, std::move(third))).last_sequence, 4, "the next number");
}

Case numbers_go_on_after_everything_is_gone(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    Transaction transaction;
    transaction.inserts = {new_record("a")};
    transaction.events = {event_about(-1)};
    co_await commit(*storage, std::move(transaction));
    Transaction second;
    second.erases = {removal(0, 1)};
    co_await commit(*storage, std::move(second));
    PruneRequest all{100, {}};
    value_of(co_await storage->prune(all));
    storage.reset();

    storage = fixture.make();
    auto info = co_await info_of(*storage, fixture);
    expect(info.last_sequence == 1 && info.oldest_sequence == 2, "event 1 was given and is gone");
    Transaction third;
    third.inserts = {new_record("a")};
    third.events = {event_about(-1)};
    auto result = co_await commit(*storage, std::move(third));
    expect(result.ids.at(0) == 1 && result.last_sequence == 2, "id 1, event 2");
}

Case a_probe_changes_nothing(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    co_await put(*storage, "a");
    auto probed = co_await storage->probe();
    expect(probed.has_value(), "a probe of a storage that works succeeds");
    auto page = value_of(co_await storage->list(Query()));
    expect(page.records.size() == 1 && page.records[0].version == 1, "one record, as it was");
    expect(value_of(co_await storage->read_events(EventQuery())).empty(), "no event");
    expect_equal(co_await put(*storage, "b"), 1, "the next id");
    Transaction transaction;
    transaction.events = {event_about(0)};
    auto result = co_await commit(*storage, std::move(transaction));
    expect_equal(result.last_sequence, 1, "the next number");
}

Case a_second_opener_is_refused(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto second = fixture.make();
    StorageContext context{fixture.blocking_executor, {}};
    auto refused = co_await second->open(context);
    expect_error(refused, Errc::storage_failed);
    expect(!refused.error().detail.empty(), "the error says who holds it and what to do");
    expect_error(co_await second->find(batch(0)), Errc::storage_failed);
    co_await put(*storage, "a");
    storage.reset();
    value_of(co_await second->open(context));
    co_await get(*second, 0);
}

}  // namespace

void add_reopen_cases(std::vector<StorageCase>& cases, const StorageConformanceOptions& options) {
    cases.push_back({"the_uuid_never_changes", the_uuid_never_changes});
    cases.push_back({"a_probe_changes_nothing", a_probe_changes_nothing});
    if (options.durable) {
        cases.push_back({"the_uuid_outlives_the_handle", the_uuid_outlives_the_handle});
        cases.push_back({"everything_outlives_the_handle", everything_outlives_the_handle});
        cases.push_back(
            {"numbers_go_on_after_everything_is_gone", numbers_go_on_after_everything_is_gone});
    }
    if (options.exclusive)
        cases.push_back({"a_second_opener_is_refused", a_second_opener_is_refused});
}

}  // namespace sparkhost::testing::storage_cases
