// SPDX-License-Identifier: Apache-2.0
#include "testing/storage_cases.hpp"

namespace sparkhost::testing::storage_cases {

namespace {

asio::awaitable<std::vector<StoredEvent>> events_after(Storage& storage, std::int64_t after,
                                                       std::size_t limit = 1000,
                                                       Here here = Here::current()) {
    EventQuery query{after, limit};
    co_return value_of(co_await storage.read_events(query), here);
}

asio::awaitable<void> append(Storage& storage, int count) {
    for (int i = 0; i < count; ++i) {
        Transaction transaction;
        transaction.events = {event_about(0, "type", std::to_string(i))};
        co_await commit(storage, std::move(transaction));
    }
}

Case events_are_numbered_from_one_in_order(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    Transaction two;
    two.events = {event_about(7, "x", "1"), event_about(8, "y", "2")};
    expect_equal((co_await commit(*storage, std::move(two))).last_sequence, 2, "the last number");
    co_await put(*storage, "a");
    Transaction one;
    one.events = {event_about(7, "z", "3")};
    expect_equal((co_await commit(*storage, std::move(one))).last_sequence, 3, "the last number");
    auto events = co_await events_after(*storage, 0);
    expect_equal(events.size(), 3u, "the number of events");
    for (std::size_t i = 0; i < events.size(); ++i) {
        expect_equal(events[i].sequence, static_cast<std::int64_t>(i + 1), "the number");
        expect_equal(events[i].body, std::to_string(i + 1), "the body");
        expect(events[i].at == event_about(0).at, "the time");
    }
    expect(events[1].subject == batch(8) && events[1].type == "y", "subject and type");
}

Case an_event_may_be_about_an_insert(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    co_await put(*storage, "a");
    Transaction transaction;
    transaction.inserts.assign(2, new_record("a"));
    transaction.events = {event_about(-2), event_about(-1), event_about(0)};
    co_await commit(*storage, std::move(transaction));
    auto events = co_await events_after(*storage, 0);
    expect(events.at(0).subject == batch(2), "-2 is inserts[1]");
    expect(events.at(1).subject == batch(1), "-1 is inserts[0]");
    expect(events.at(2).subject == batch(0), "0 is record 0");
}

Case an_event_about_no_insert_is_refused(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    Transaction transaction;
    transaction.inserts = {new_record("a")};
    transaction.events = {event_about(-2)};
    expect_error(co_await storage->commit(std::move(transaction)), Errc::invalid_argument);
    expect_error(co_await storage->find(batch(0)), Errc::not_found);
    expect_equal(co_await put(*storage, "a"), 0, "the id that was not used up");
}

Case events_are_read_in_pages(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    co_await append(*storage, 10);
    auto events = co_await events_after(*storage, 4, 3);
    expect_equal(events.size(), 3u, "the size of a page");
    expect(events.front().sequence == 5 && events.back().sequence == 7, "5 to 7");
    expect_equal((co_await events_after(*storage, 8, 3)).size(), 2u, "the size of the last page");
    expect((co_await events_after(*storage, 10)).empty(), "nothing after the newest");
    expect((co_await events_after(*storage, 99)).empty(), "nor beyond it");
    expect((co_await events_after(*storage, 0, 0)).empty(), "limit 0 gives none");
}

Case pruned_events_are_expired(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    co_await append(*storage, 10);
    PruneRequest request{4, {}};
    expect_equal(value_of(co_await storage->prune(request)), 5, "the oldest number kept");
    EventQuery too_old{3, 100};
    auto expired = co_await storage->read_events(too_old);
    expect_error(expired, Errc::expired);
    expect_equal(expired.error().detail, "5", "the detail");
    auto events = co_await events_after(*storage, 4);
    expect(events.size() == 6 && events.front().sequence == 5, "5 to 10 are kept");
    PruneRequest earlier{2, {}};
    expect_equal(value_of(co_await storage->prune(earlier)), 5,
                 "after a lesser number, the oldest");
}

Case prune_stops_at_the_newest_event(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    PruneRequest all{1000, {}};
    expect_equal(value_of(co_await storage->prune(all)), 1, "in an empty store, the oldest");
    co_await append(*storage, 3);
    expect_equal(value_of(co_await storage->prune(all)), 4, "the number of the next event");
    expect((co_await events_after(*storage, 3)).empty(), "nothing is kept, nothing expired");
    co_await append(*storage, 1);
    auto events = co_await events_after(*storage, 3);
    expect(events.size() == 1 && events[0].sequence == 4, "numbers go on");
}

Case a_long_log_is_pruned_at_once(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    Transaction many;
    many.events.assign(20'000, event_about(0, "t", ""));
    co_await commit(*storage, std::move(many));
    PruneRequest request{19'990, {}};
    expect_equal(value_of(co_await storage->prune(request)), 19'991, "the oldest number kept");
    expect_equal((co_await events_after(*storage, 19'990)).size(), 10u, "the number left");
}

Case opening_again_tells_the_numbers(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    co_await append(*storage, 5);
    PruneRequest request{2, {}};
    value_of(co_await storage->prune(request));
    StorageContext context{fixture.blocking_executor, {}};
    auto info = value_of(co_await storage->open(std::move(context)));
    expect_equal(info.last_sequence, 5, "the newest number");
    expect_equal(info.oldest_sequence, 3, "the oldest number");
    expect_equal((co_await events_after(*storage, 2)).size(), 3u, "the number of events");
}

}  // namespace

void add_event_cases(std::vector<StorageCase>& cases) {
    cases.insert(cases.end(),
                 {{"events_are_numbered_from_one_in_order", events_are_numbered_from_one_in_order},
                  {"an_event_may_be_about_an_insert", an_event_may_be_about_an_insert},
                  {"an_event_about_no_insert_is_refused", an_event_about_no_insert_is_refused},
                  {"events_are_read_in_pages", events_are_read_in_pages},
                  {"pruned_events_are_expired", pruned_events_are_expired},
                  {"prune_stops_at_the_newest_event", prune_stops_at_the_newest_event},
                  {"a_long_log_is_pruned_at_once", a_long_log_is_pruned_at_once},
                  {"opening_again_tells_the_numbers", opening_again_tells_the_numbers}});
}

}  // namespace sparkhost::testing::storage_cases
