// SPDX-License-Identifier: Apache-2.0
#include "storages/sqlite/reader.hpp"

#include "storages/sqlite/schema.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace sparkhost::detail::sqlite {

namespace {

constexpr auto no_limit = std::numeric_limits<std::int64_t>::max();

std::int64_t clamp_limit(std::size_t limit) {
    return static_cast<std::int64_t>(
        std::min<std::uint64_t>(limit, static_cast<std::uint64_t>(no_limit / 4)));
}

/// Sorted and without repetitions: each state is walked once.
std::vector<std::string> distinct(std::vector<std::string> states) {
    std::sort(states.begin(), states.end());
    states.erase(std::unique(states.begin(), states.end()), states.end());
    return states;
}

bool is_wanted(const std::vector<std::string>& states, const std::string& state) {
    return states.empty() || std::find(states.begin(), states.end(), state) != states.end();
}

/// Narrows by the keyset cursor.
Start after_cursor(const Query& query) {
    Start start;
    start.skip = std::clamp<std::int64_t>(query.offset, 0, no_limit / 4);
    if (query.after)
        (query.newest_first ? start.below : start.above) = *query.after;
    return start;
}

/// The same bounds as row numbers, kept within the kind.
std::pair<std::int64_t, std::int64_t> row_bounds(RecordKind kind, const Start& start) {
    constexpr std::int64_t ids = std::int64_t{1} << kind_shift;
    return {row_of({kind, std::clamp<std::int64_t>(start.above, -1, ids)}),
            row_of({kind, std::clamp<std::int64_t>(start.below, -1, ids)})};
}

}  // namespace

Reader::Reader(SQLite::Database database) : database_(std::move(database)) {}

Reader::Snapshot::~Snapshot() {
    try {
        reader_.end_.run();
    } catch (const std::exception&) {
        // the next BEGIN reports what is wrong
    }
}

std::string Reader::uuid() {
    return database_.execAndGet("SELECT value FROM meta WHERE name = 'uuid'").getString();
}

Result<Record> Reader::find(RecordKey key) {
    Record record;
    if (is_possible(key)) {
        auto on_row = [&] {
            record = {key, find_.int64(0), find_.text(1), find_.text(2), find_.text(3)};
        };
        find_.each(on_row, row_of(key));
    }
    if (record.key.id < 0)
        return Errc::not_found;
    return record;
}

Result<RecordKey> Reader::find_unique(const std::string& scope, const std::string& value) {
    RecordKey holder;
    find_unique_.each([&] { holder = key_of(find_unique_.int64(0)); }, scope, value);
    if (holder.id < 0)
        return Errc::not_found;
    return holder;
}

Result<std::vector<StoredEvent>> Reader::read_events(const EventQuery& query) {
    std::int64_t oldest = 1;
    oldest_.each([&] { oldest = oldest_.int64(0); });
    if (query.after < oldest - 1)
        return Error(Errc::expired, std::to_string(oldest));
    std::vector<StoredEvent> found;
    auto on_row = [&] {
        Timestamp at{std::chrono::milliseconds(events_.int64(2))};
        found.push_back(
            {events_.int64(0), key_of(events_.int64(1)), at, events_.text(3), events_.text(4)});
    };
    events_.each(on_row, query.after, clamp_limit(query.limit));
    return found;
}

Result<Page> Reader::list(const Query& asked) {
    Query query = asked;
    query.states = distinct(std::move(query.states));
    Page page;
    auto start = after_cursor(query);
    auto states = query.states;
    if (!query.owner.empty()) {
        states = owned_states(query, page.total);
    } else if (query.want_total || (query.offset > 0 && !query.after)) {
        auto buckets = count_buckets(query);
        for (auto& each : buckets)
            page.total += each.live;
        if (!query.after) {
            auto found = find_start(buckets, start.skip, query.newest_first);
            query.limit = found ? query.limit : 0;
            start = found.value_or(start);
        }
    }
    if (!query.want_total)
        page.total = 0;
    if (query.limit == 0)
        return page;
    if (query.owner.empty() && states.empty())
        walk_all(query, start, page);
    else
        walk_states(query, states, start, page);
    return page;
}

std::vector<BucketCount> Reader::count_buckets(const Query& query) {
    std::vector<BucketCount> buckets;
    auto on_row = [&] {
        if (!is_wanted(query.states, buckets_.text(1)))
            return;
        auto bucket = buckets_.int64(0);
        if (buckets.empty() || buckets.back().bucket != bucket)
            buckets.push_back({bucket, 0});
        buckets.back().live += buckets_.int64(2);
    };
    buckets_.each(on_row, static_cast<std::int64_t>(query.kind));
    return buckets;
}

std::vector<std::string> Reader::owned_states(const Query& query, std::int64_t& total) {
    std::vector<std::string> states;
    auto on_row = [&] {
        auto state = owners_.text(0);
        if (!is_wanted(query.states, state))
            return;
        total += owners_.int64(1);
        states.push_back(std::move(state));
    };
    owners_.each(on_row, static_cast<std::int64_t>(query.kind), query.owner);
    return states;
}

void Reader::walk_all(const Query& query, const Start& start, Page& page) {
    auto [above, below] = row_bounds(query.kind, start);
    auto& walk = query.newest_first ? all_down_ : all_up_;
    auto on_row = [&] {
        page.records.push_back(
            {key_of(walk.int64(0)), walk.int64(1), walk.text(2), walk.text(3), walk.text(4)});
    };
    walk.each(on_row, above, below, clamp_limit(query.limit), start.skip);
}

void Reader::walk_states(const Query& query, const std::vector<std::string>& states,
                         const Start& start, Page& page) {
    auto [above, below] = row_bounds(query.kind, start);
    auto take = clamp_limit(query.limit);
    // One walk skips by itself; of several, each may have to give all that is skipped.
    bool single = states.size() == 1;
    auto limit = single ? take : take + start.skip;
    auto offset = single ? start.skip : 0;
    Ids rows;
    for (auto& state : states) {
        if (query.owner.empty()) {
            auto& walk = query.newest_first ? state_down_ : state_up_;
            walk.each([&] { rows.push_back(walk.int64(0)); }, state, above, below, limit, offset);
        } else {
            auto& walk = query.newest_first ? owner_down_ : owner_up_;
            walk.each([&] { rows.push_back(walk.int64(0)); }, query.owner, state, above, below,
                      limit, offset);
        }
    }
    for (auto row : merge_ids(std::move(rows), single ? 0 : start.skip, take, query.newest_first))
        if (auto record = find(key_of(row)))
            page.records.push_back(std::move(*record));
}

}  // namespace sparkhost::detail::sqlite
