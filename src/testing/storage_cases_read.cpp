// SPDX-License-Identifier: Apache-2.0
#include "testing/storage_cases.hpp"

#include <algorithm>

namespace sparkhost::testing::storage_cases {

namespace {

std::vector<std::int64_t> ids_of(const Page& page) {
    std::vector<std::int64_t> ids;
    for (auto& record : page.records)
        ids.push_back(record.key.id);
    return ids;
}

std::string text_of(const std::vector<std::int64_t>& ids) {
    std::string text = "{";
    for (auto id : ids)
        text += (text.size() > 1 ? "," : "") + std::to_string(id);
    return text + "}";
}

asio::awaitable<Page> page_of(Storage& storage, Query query, Here here = Here::current()) {
    co_return value_of(co_await storage.list(std::move(query)), here);
}

asio::awaitable<void> expect_ids(Storage& storage, Query query, const char* wanted,
                                 Here here = Here::current()) {
    auto page = co_await page_of(storage, std::move(query), here);
    expect_equal(text_of(ids_of(page)), wanted, "the page", here);
}

/// Ids 0 to 5 in states a, b, a, b, a, c, of owners -, ann, bob, ann, bob, ann.
asio::awaitable<StoragePtr> six_records(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    const std::vector<std::string> states{"a", "b", "a", "b", "a", "c"};
    const std::vector<std::string> owners{"", "ann", "bob", "ann", "bob", "ann"};
    for (std::size_t i = 0; i < states.size(); ++i)
        co_await put(*storage, states[i], owners[i]);
    co_return storage;
}

Case a_missing_record_is_not_found(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    expect_error(co_await storage->find(batch(0)), Errc::not_found);
    expect_error(co_await storage->find(batch(-1)), Errc::not_found);
    expect_error(co_await storage->find_unique("name", "x"), Errc::not_found);
}

Case an_empty_store_lists_nothing(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto page = co_await page_of(*storage, Query());
    expect(page.records.empty() && page.total == 0, "no records, total 0");
}

Case list_gives_whole_records_by_id(StorageFixture& fixture) {
    auto storage = co_await six_records(fixture);
    auto page = co_await page_of(*storage, Query());
    expect_equal(text_of(ids_of(page)), "{0,1,2,3,4,5}", "the page");
    Record wanted{batch(3), 1, "b", "ann", "body"};
    expect(page.records.at(3) == wanted, "a listed record is complete");
    Query newest;
    newest.newest_first = true;
    newest.limit = 4;
    co_await expect_ids(*storage, newest, "{5,4,3,2}");
}

Case the_cursor_is_exclusive_in_both_orders(StorageFixture& fixture) {
    auto storage = co_await six_records(fixture);
    Query query;
    query.after = 2;
    co_await expect_ids(*storage, query, "{3,4,5}");
    query.offset = 1;
    query.limit = 1;
    co_await expect_ids(*storage, query, "{4}");
    query.newest_first = true;
    co_await expect_ids(*storage, query, "{0}");
    query.after = 100;
    co_await expect_ids(*storage, query, "{4}");
}

Case limit_zero_gives_the_total_alone(StorageFixture& fixture) {
    auto storage = co_await six_records(fixture);
    Query query;
    query.limit = 0;
    auto page = co_await page_of(*storage, query);
    expect(page.records.empty(), "no records");
    expect_equal(page.total, 6, "the total");
}

Case the_total_ignores_the_page(StorageFixture& fixture) {
    auto storage = co_await six_records(fixture);
    Query query;
    query.states = {"a", "c"};
    query.after = 3;
    query.offset = 1;
    query.limit = 1;
    auto page = co_await page_of(*storage, query);
    expect_equal(page.total, 4, "the total");
    query.want_total = false;
    page = co_await page_of(*storage, query);
    expect_equal(page.total, 0, "a total that was not asked for");
    expect_equal(text_of(ids_of(page)), "{5}", "the page");
}

Case filters_combine(StorageFixture& fixture) {
    auto storage = co_await six_records(fixture);
    Query query;
    query.states = {"b", "b", "c", "none"};
    co_await expect_ids(*storage, query, "{1,3,5}");
    query.owner = "ann";
    co_await expect_ids(*storage, query, "{1,3,5}");
    query.states = {"a", "c"};
    co_await expect_ids(*storage, query, "{5}");
    query.owner = "bob";
    co_await expect_ids(*storage, query, "{2,4}");
    query.states.clear();
    co_await expect_ids(*storage, query, "{2,4}");
    query.owner = "nobody";
    co_await expect_ids(*storage, query, "{}");
}

Case list_follows_changes(StorageFixture& fixture) {
    auto storage = co_await six_records(fixture);
    Transaction transaction;
    transaction.updates = {change(0, 1, "b"), change(1, 1, "c"), change(2, 1, "a")};
    transaction.erases = {removal(3, 1)};
    co_await commit(*storage, std::move(transaction));
    Query query;
    query.states = {"b"};
    auto page = co_await page_of(*storage, query);
    expect(text_of(ids_of(page)) == "{0}" && page.total == 1, "b is record 0 alone");
    query.states = {"c"};
    query.owner = "ann";
    page = co_await page_of(*storage, query);
    expect(text_of(ids_of(page)) == "{1,5}" && page.total == 2, "c of ann is 1 and 5");
    page = co_await page_of(*storage, Query());
    expect(text_of(ids_of(page)) == "{0,1,2,4,5}" && page.total == 5, "3 is gone");
}

/// The rules of Query, written down as plainly as possible.
Page model_page(const std::vector<Record>& records, const Query& query) {
    Page page;
    auto walk = records;
    if (query.newest_first)
        std::reverse(walk.begin(), walk.end());
    std::int64_t skipped = 0;
    for (auto& record : walk) {
        auto& states = query.states;
        bool matches = (states.empty() ||
                        std::find(states.begin(), states.end(), record.state) != states.end()) &&
                       (query.owner.empty() || query.owner == record.owner);
        if (!matches)
            continue;
        page.total += query.want_total ? 1 : 0;
        bool beyond = !query.after || (query.newest_first ? record.key.id < *query.after
                                                          : record.key.id > *query.after);
        if (beyond && skipped++ >= query.offset && page.records.size() < query.limit)
            page.records.push_back(record);
    }
    return page;
}

/// Several thousand records, some changed, some gone, whole stretches of ids among them.
asio::awaitable<std::vector<Record>> fill(Storage& storage) {
    constexpr std::int64_t count = 5000;
    std::vector<Record> records;
    Transaction inserts;
    Transaction changes;
    for (std::int64_t id = 0; id < count; ++id) {
        Record record{batch(id), 1, "done", id % 5 == 0 ? "ann" : "", std::to_string(id)};
        inserts.inserts.push_back(new_record(record.state, record.owner, record.body));
        bool erased = id % 7 == 0 || (id > 1500 && id < 3500);
        if (erased) {
            changes.erases.push_back(removal(id, 1));
            continue;
        }
        if (id % 11 == 0) {
            changes.updates.push_back(change(id, 1, id % 2 ? "odd" : "even"));
            record = {record.key, 2, id % 2 ? "odd" : "even", record.owner, "changed"};
        }
        records.push_back(record);
    }
    co_await commit(storage, std::move(inserts));
    co_await commit(storage, std::move(changes));
    co_return records;
}

Case list_agrees_with_a_model(StorageFixture& fixture) {
    auto storage = co_await open_storage(fixture);
    auto records = co_await fill(*storage);
    const std::vector<std::vector<std::string>> states{{}, {"done"}, {"odd"}, {"odd", "even"}};
    const std::vector<std::int64_t> offsets{0, 1, 99, 877, 878, 1024, 1286, 2000, 2570, 9999};
    const std::vector<std::optional<std::int64_t>> cursors{{}, 1023, 1024, 3500, 4999};
    Query query;
    query.limit = 20;
    for (int flags = 0; flags < 4; ++flags)
        for (auto& wanted : states)
            for (auto offset : offsets)
                for (auto& after : cursors) {
                    query.newest_first = flags & 1;
                    query.owner = flags & 2 ? "ann" : "";
                    query.states = wanted;
                    query.offset = offset;
                    query.after = after;
                    auto page = co_await page_of(*storage, query);
                    auto model = model_page(records, query);
                    auto where = " with flags " + std::to_string(flags) + ", offset " +
                                 std::to_string(offset) + ", after " +
                                 std::to_string(after.value_or(-1)) + ", states " +
                                 std::to_string(wanted.size());
                    expect_equal(text_of(ids_of(page)), text_of(ids_of(model)), "the page" + where);
                    expect(page.records == model.records, "records" + where);
                    expect_equal(page.total, model.total, "the total" + where);
                }
}

}  // namespace

void add_read_cases(std::vector<StorageCase>& cases) {
    cases.insert(
        cases.end(),
        {{"a_missing_record_is_not_found", a_missing_record_is_not_found},
         {"an_empty_store_lists_nothing", an_empty_store_lists_nothing},
         {"list_gives_whole_records_by_id", list_gives_whole_records_by_id},
         {"the_cursor_is_exclusive_in_both_orders", the_cursor_is_exclusive_in_both_orders},
         {"limit_zero_gives_the_total_alone", limit_zero_gives_the_total_alone},
         {"the_total_ignores_the_page", the_total_ignores_the_page},
         {"filters_combine", filters_combine},
         {"list_follows_changes", list_follows_changes},
         {"list_agrees_with_a_model", list_agrees_with_a_model}});
}

}  // namespace sparkhost::testing::storage_cases
