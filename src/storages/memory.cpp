// SPDX-License-Identifier: Apache-2.0
#include <sparkhost/storages/memory.hpp>

#include "storages/transaction_checks.hpp"
#include "storages/uuid.hpp"

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost {
namespace detail::memory {

using UniqueName = std::pair<std::string, std::string>;  // scope, value

struct Holder {
    RecordKey record;
    std::string fingerprint;
    Timestamp keep_until;
};

struct Kind {
    std::int64_t next_id{0};
    std::map<std::int64_t, Record> records;
    std::map<std::int64_t, std::vector<UniqueName>> freed_with;  ///< keys that go with a record
};

struct State {
    std::string uuid{make_uuid()};
    bool opened{false};
    std::map<RecordKind, Kind> kinds;
    std::map<UniqueName, Holder> unique;
    std::deque<StoredEvent> events;
    std::int64_t oldest_sequence{1};
    StorageStats stats;

    std::int64_t last_sequence() const {
        return oldest_sequence + static_cast<std::int64_t>(events.size()) - 1;
    }

    const Record* find(RecordKey key) const {
        auto kind = kinds.find(key.kind);
        if (kind == kinds.end())
            return nullptr;
        auto record = kind->second.records.find(key.id);
        return record == kind->second.records.end() ? nullptr : &record->second;
    }
};

using StatePtr = std::shared_ptr<State>;

Error not_open() {
    return Error(Errc::storage_failed, "the store is not open: call open() first");
}

std::optional<CommitResult::Duplicate> find_duplicate(const State& state,
                                                      const Transaction& transaction) {
    return detail::find_duplicate(transaction, [&](const UniqueKey& key) {
        std::optional<CommitResult::Duplicate> duplicate;
        auto taken = state.unique.find(UniqueName(key.scope, key.value));
        if (taken != state.unique.end())
            duplicate = {key.scope, taken->second.record, taken->second.fingerprint};
        return duplicate;
    });
}

Result<void> check(const State& state, const Transaction& transaction) {
    if (auto shape = check_shape(transaction); !shape)
        return shape;
    return check_versions(transaction, [&](RecordKey key) {
        auto* record = state.find(key);
        return record ? record->version : 0;
    });
}

void insert(State& state, Insert insert, CommitResult& result) {
    auto& kind = state.kinds[insert.kind];
    RecordKey key{insert.kind, kind.next_id++};
    for (auto& unique : insert.unique) {
        UniqueName name(std::move(unique.scope), std::move(unique.value));
        if (unique.keep_until == Timestamp())
            kind.freed_with[key.id].push_back(name);
        state.unique.emplace(std::move(name),
                             Holder{key, std::move(unique.fingerprint), unique.keep_until});
    }
    kind.records.emplace(key.id, Record{key, 1, std::move(insert.state), std::move(insert.owner),
                                        std::move(insert.body)});
    result.ids.push_back(key.id);
}

void update(State& state, Update update) {
    auto& record = state.kinds[update.key.kind].records.at(update.key.id);
    ++record.version;
    record.state = std::move(update.state);
    record.body = std::move(update.body);
}

void erase(State& state, RecordKey key) {
    auto& kind = state.kinds[key.kind];
    kind.records.erase(key.id);
    auto freed = kind.freed_with.extract(key.id);
    if (!freed.empty())
        for (auto& name : freed.mapped())
            state.unique.erase(name);
}

void append(State& state, NewEvent event, CommitResult& result) {
    auto subject = event.subject;
    if (subject.id < 0)
        subject.id = result.ids[static_cast<std::size_t>(-1 - subject.id)];
    result.last_sequence = state.last_sequence() + 1;
    state.events.push_back(
        {result.last_sequence, subject, event.at, std::move(event.type), std::move(event.body)});
}

Awaitable<StoreInfo> open(StatePtr state) {
    state->opened = true;
    StoreInfo info{state->uuid, state->last_sequence(), state->oldest_sequence};
    co_return info;
}

Awaitable<CommitResult> commit(StatePtr state, Transaction transaction) {
    if (!state->opened)
        co_return not_open();
    if (auto checked = check(*state, transaction); !checked)
        co_return checked.error();
    CommitResult result;
    result.duplicate = find_duplicate(*state, transaction);
    if (result.duplicate)
        co_return result;
    for (auto& each : transaction.inserts)
        insert(*state, std::move(each), result);
    for (auto& each : transaction.updates)
        update(*state, std::move(each));
    for (auto& each : transaction.erases)
        erase(*state, each.key);
    for (auto& each : transaction.events)
        append(*state, std::move(each), result);
    ++state->stats.commits;
    co_return result;
}

Awaitable<Record> find(StatePtr state, RecordKey key) {
    if (!state->opened)
        co_return not_open();
    if (auto* record = state->find(key))
        co_return *record;
    co_return Errc::not_found;
}

Awaitable<RecordKey> find_unique(StatePtr state, std::string scope, std::string value) {
    if (!state->opened)
        co_return not_open();
    UniqueName name(std::move(scope), std::move(value));
    auto found = state->unique.find(name);
    if (found == state->unique.end())
        co_return Errc::not_found;
    co_return found->second.record;
}

bool matches(const Query& query, const Record& record) {
    auto& states = query.states;
    return (query.owner.empty() || query.owner == record.owner) &&
           (states.empty() ||
            std::find(states.begin(), states.end(), record.state) != states.end());
}

/// Walks [at, end) of one kind in the order asked.
template <class Iterator>
void fill_page(const Query& query, Iterator at, Iterator end, Page& page) {
    auto skip = query.offset;
    for (; at != end && page.records.size() < query.limit; ++at)
        if (matches(query, at->second) && skip-- <= 0)
            page.records.push_back(at->second);
}

Awaitable<Page> list(StatePtr state, Query query) {
    if (!state->opened)
        co_return not_open();
    Page page;
    auto& records = state->kinds[query.kind].records;
    if (query.want_total)
        page.total = std::count_if(records.begin(), records.end(),
                                   [&](auto& entry) { return matches(query, entry.second); });
    if (query.newest_first) {
        auto before = query.after ? records.lower_bound(*query.after) : records.end();
        fill_page(query, std::make_reverse_iterator(before), records.rend(), page);
    } else {
        auto from = query.after ? records.upper_bound(*query.after) : records.begin();
        fill_page(query, from, records.end(), page);
    }
    co_return page;
}

Awaitable<std::vector<StoredEvent>> read_events(StatePtr state, EventQuery query) {
    if (!state->opened)
        co_return not_open();
    if (query.after < state->oldest_sequence - 1)
        co_return Error(Errc::expired, std::to_string(state->oldest_sequence));
    auto& events = state->events;
    auto skip = std::min<std::int64_t>(query.after - state->oldest_sequence + 1,
                                       static_cast<std::int64_t>(events.size()));
    auto from = events.begin() + skip;
    auto count = std::min(query.limit, static_cast<std::size_t>(events.end() - from));
    std::vector<StoredEvent> found(from, from + static_cast<std::ptrdiff_t>(count));
    co_return found;
}

Awaitable<std::int64_t> prune(StatePtr state, PruneRequest request) {
    if (!state->opened)
        co_return not_open();
    while (!state->events.empty() && state->oldest_sequence <= request.events_through) {
        state->events.pop_front();
        ++state->oldest_sequence;
    }
    std::erase_if(state->unique, [&](auto& entry) {
        auto keep_until = entry.second.keep_until;
        return keep_until != Timestamp() && keep_until < request.unique_before;
    });
    co_return state->oldest_sequence;
}

class MemoryStorage final : public Storage {
public:
    Awaitable<StoreInfo> open(StorageContext) override { return memory::open(state_); }
    Awaitable<CommitResult> commit(Transaction transaction) override {
        return memory::commit(state_, std::move(transaction));
    }
    Awaitable<Record> find(RecordKey key) override { return memory::find(state_, key); }
    Awaitable<RecordKey> find_unique(std::string scope, std::string value) override {
        return memory::find_unique(state_, std::move(scope), std::move(value));
    }
    Awaitable<Page> list(Query query) override { return memory::list(state_, std::move(query)); }
    Awaitable<std::vector<StoredEvent>> read_events(EventQuery query) override {
        return memory::read_events(state_, query);
    }
    Awaitable<std::int64_t> prune(PruneRequest request) override {
        return memory::prune(state_, request);
    }
    StorageStats stats() const override { return state_->stats; }

private:
    StatePtr state_ = std::make_shared<State>();
};

}  // namespace detail::memory

std::unique_ptr<Storage> make_memory_storage() {
    return std::make_unique<detail::memory::MemoryStorage>();
}

}  // namespace sparkhost
