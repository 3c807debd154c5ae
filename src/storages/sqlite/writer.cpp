// SPDX-License-Identifier: Apache-2.0
#include "storages/sqlite/writer.hpp"

#include "storages/sqlite/failure.hpp"
#include "storages/sqlite/schema.hpp"
#include "storages/transaction_checks.hpp"

#include "crash_point.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

namespace sparkhost::detail::sqlite {

namespace {

constexpr std::int64_t prune_step = 4096;
constexpr std::string_view next_id_prefix = "next_id.";

int remember_log_pages(void* pages, sqlite3*, const char*, int count) {
    *static_cast<int*>(pages) = count;
    return SQLITE_OK;
}

bool changes_anything(const Transaction& transaction) {
    return !transaction.inserts.empty() || !transaction.updates.empty() ||
           !transaction.erases.empty() || !transaction.events.empty();
}

}  // namespace

Writer::Writer(SQLite::Database database) : database_(std::move(database)) {
    sqlite3_wal_hook(database_.getHandle(), remember_log_pages, &log_pages_);
    load_counters();
}

void Writer::load_counters() {
    Prepared all(database_, "SELECT name, value FROM counters");
    all.each([&] {
        auto name = all.text(0);
        auto value = all.int64(1);
        if (name == "last_sequence")
            counters_.last_sequence = value;
        else if (name == "oldest_sequence")
            counters_.oldest_sequence = value;
        else if (name.starts_with(next_id_prefix))
            counters_
                .next_ids[static_cast<RecordKind>(std::stoi(name.substr(next_id_prefix.size())))] =
                value;
    });
    stored_counters_ = counters_;
}

StoreInfo Writer::info() const {
    return {{}, stored_counters_.last_sequence, stored_counters_.oldest_sequence};
}

GroupOutcome Writer::commit(std::span<const Transaction> group) {
    using SteadyClock = std::chrono::steady_clock;
    GroupOutcome outcome;
    auto stage = Stage::writing;
    try {
        begin_group();
        for (auto& transaction : group) {
            auto& result = outcome.results.emplace_back(apply(transaction));
            if (result && !result->duplicate && changes_anything(transaction))
                ++outcome.written;
        }
        if (outcome.written == 0) {
            roll_back();
            return outcome;
        }
        flush_counts();
        flush_counters();
        stage = Stage::committing;
        auto started = SteadyClock::now();
        SPARKHOST_CRASH_POINT("sqlite.commit.before");
        commit_.run();
        SPARKHOST_CRASH_POINT("sqlite.commit.after");
        outcome.seconds = std::chrono::duration<double>(SteadyClock::now() - started).count();
        stored_counters_ = counters_;
    } catch (const std::exception& failure) {
        outcome.failure = classify(failure, stage);
        roll_back();
        outcome.written = 0;
        outcome.results.assign(group.size(), *outcome.failure);
    }
    return outcome;
}

void Writer::begin_group() {
    bucket_changes_.clear();
    owner_changes_.clear();
    begin_.run();
}

void Writer::roll_back() noexcept {
    counters_ = stored_counters_;
    try {
        if (!sqlite3_get_autocommit(database_.getHandle()))
            roll_back_.run();
    } catch (const std::exception&) {
        // SQLite has rolled back by itself, or will when the next BEGIN fails and is reported
    }
}

Result<CommitResult> Writer::apply(const Transaction& transaction) {
    known_.clear();
    if (auto checked = check(transaction); !checked)
        return checked.error();
    CommitResult result;
    result.duplicate =
        find_duplicate(transaction, [this](const UniqueKey& key) { return holder(key); });
    if (result.duplicate)
        return result;
    for (auto& each : transaction.inserts)
        result.ids.push_back(insert(each));
    for (auto& each : transaction.updates)
        update(each);
    for (auto& each : transaction.erases)
        erase(each);
    for (auto& each : transaction.events)
        append(each, result);
    return result;
}

Result<void> Writer::check(const Transaction& transaction) {
    if (auto shape = check_shape(transaction); !shape)
        return shape;
    return check_versions(transaction, [this](RecordKey key) { return load(key); });
}

std::int64_t Writer::load(RecordKey key) {
    if (!is_possible(key))
        return 0;
    auto& known = known_[row_of(key)];
    load_.each([&] { known = {load_.int64(0), load_.text(1), load_.text(2)}; }, row_of(key));
    return known.version;
}

std::optional<CommitResult::Duplicate> Writer::holder(const UniqueKey& key) {
    std::optional<CommitResult::Duplicate> found;
    auto on_row = [&] { found = {key.scope, key_of(holder_.int64(0)), holder_.text(1)}; };
    holder_.each(on_row, key.scope, key.value);
    return found;
}

std::int64_t Writer::insert(const Insert& insert) {
    RecordKey key{insert.kind, counters_.next_ids[insert.kind]++};
    insert_.run(row_of(key), insert.state, insert.owner, insert.body);
    for (auto& unique : insert.unique)
        insert_key_.run(unique.scope, unique.value, row_of(key), unique.fingerprint,
                        unique.keep_until.time_since_epoch().count());
    count(key, insert.owner, insert.state, +1);
    return key.id;
}

void Writer::update(const Update& update) {
    auto& known = known_[row_of(update.key)];
    ++known.version;
    if (known.state == update.state) {  // spares the indexes on the state
        update_body_.run(known.version, update.body, row_of(update.key));
        return;
    }
    update_.run(known.version, update.body, update.state, row_of(update.key));
    count(update.key, known.owner, known.state, -1);
    count(update.key, known.owner, update.state, +1);
    known.state = update.state;
}

void Writer::erase(const Erase& erase) {
    auto& known = known_[row_of(erase.key)];
    erase_.run(row_of(erase.key));
    erase_keys_.run(row_of(erase.key));
    count(erase.key, known.owner, known.state, -1);
}

void Writer::append(const NewEvent& event, CommitResult& result) {
    auto subject = event.subject;
    if (subject.id < 0)
        subject.id = result.ids[static_cast<std::size_t>(-1 - subject.id)];
    result.last_sequence = ++counters_.last_sequence;
    append_.run(result.last_sequence, row_of(subject), event.at.time_since_epoch().count(),
                event.type, event.body);
}

void Writer::count(RecordKey key, const std::string& owner, const std::string& state, int change) {
    auto kind = static_cast<std::int64_t>(key.kind);
    bucket_changes_[{kind, key.id / bucket_width, state}] += change;
    if (!owner.empty())
        owner_changes_[{kind, owner, state}] += change;
}

void Writer::flush_counts() {
    for (auto& [key, change] : bucket_changes_) {
        auto& [kind, bucket, state] = key;
        if (change != 0)
            count_bucket_.run(kind, bucket, state, change);
        if (change < 0)
            drop_bucket_.run(kind, bucket, state);
    }
    for (auto& [key, change] : owner_changes_) {
        auto& [kind, owner, state] = key;
        if (change != 0)
            count_owner_.run(kind, owner, state, change);
        if (change < 0)
            drop_owner_.run(kind, owner, state);
    }
}

void Writer::flush_counters() {
    auto set = [this](const std::string& name, std::int64_t now, std::int64_t before) {
        if (now != before)
            set_counter_.run(name, now);
    };
    set("last_sequence", counters_.last_sequence, stored_counters_.last_sequence);
    set("oldest_sequence", counters_.oldest_sequence, stored_counters_.oldest_sequence);
    for (auto& [kind, next] : counters_.next_ids)
        set(std::string(next_id_prefix) + std::to_string(static_cast<int>(kind)), next,
            stored_counters_.next_ids[kind]);
}

Result<PruneStep> Writer::prune(const PruneRequest& request) {
    auto stage = Stage::writing;
    try {
        auto through = std::min(request.events_through, counters_.last_sequence);
        auto here = std::min(through, counters_.oldest_sequence - 1 + prune_step);
        begin_.run();
        if (here >= counters_.oldest_sequence) {
            prune_events_.run(here);
            counters_.oldest_sequence = here + 1;
        }
        auto before = request.unique_before.time_since_epoch().count();
        auto keys = prune_keys_.run(before, prune_step);
        flush_counters();
        stage = Stage::committing;
        commit_.run();
        stored_counters_ = counters_;
        return PruneStep{counters_.oldest_sequence, here >= through && keys < prune_step};
    } catch (const std::exception& failure) {
        auto error = failed(classify(failure, stage));
        roll_back();
        return error;
    }
}

Error Writer::failed(Failure failure) {
    failure_ = failure;
    return failure;
}

Result<void> Writer::probe() {
    auto stage = Stage::writing;
    try {
        begin_.run();
        set_counter_.run("probe", ++probes_);
        stage = Stage::committing;
        commit_.run();
        return ok();
    } catch (const std::exception& failure) {
        auto error = failed(classify(failure, stage));
        roll_back();
        return error;
    }
}

Result<int> Writer::checkpoint() {
    int log = 0;
    int copied = 0;
    SPARKHOST_CRASH_POINT("sqlite.checkpoint.before");
    auto code = sqlite3_wal_checkpoint_v2(database_.getHandle(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                          &log, &copied);
    SPARKHOST_CRASH_POINT("sqlite.checkpoint.after");
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        return failed(classify(sqlite3_extended_errcode(database_.getHandle()), Stage::syncing,
                               sqlite3_errmsg(database_.getHandle())));
    return copied;
}

}  // namespace sparkhost::detail::sqlite
