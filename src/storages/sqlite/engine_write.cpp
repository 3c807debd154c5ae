// SPDX-License-Identifier: Apache-2.0
#include "storages/sqlite/engine.hpp"
#include "storages/sqlite/failure.hpp"

#include "crash_point.hpp"

#include <sqlite3.h>

#include <utility>

namespace sparkhost::detail::sqlite {

void Engine::write_group(std::vector<Commit> group) {
    std::vector<Transaction> transactions;
    transactions.reserve(group.size());
    for (auto& each : group)
        transactions.push_back(std::move(each.transaction));
    auto outcome = store_->writer.commit(transactions);
    commits_ += outcome.written;
    disk_commits_ += outcome.written > 0 ? 1 : 0;
    disk_microseconds_ += static_cast<std::uint64_t>(outcome.seconds * 1e6);
    if (outcome.failure)
        note(outcome.failure, "commit");
    else if (outcome.written > 0)
        note(std::nullopt, "commit");
    for (std::size_t i = 0; i < group.size(); ++i)
        group[i].done(std::move(outcome.results[i]));
    finish_log();
    {
        std::lock_guard lock(mutex_);
        writing_ = false;
    }
    post_due_jobs();
}

void Engine::write_prune(Prune prune) {
    auto step = store_->writer.prune(prune.request);
    note(step ? std::nullopt : std::optional(step.error()), "prune");
    {
        std::lock_guard lock(mutex_);
        log_plan_.committed(store_->writer.log_pages());
        writing_ = false;
    }
    prune.done(std::move(step));
    post_due_jobs();
}

/// Between two groups: nobody is waiting for this one any more.
void Engine::finish_log() {
    {
        std::lock_guard lock(mutex_);
        log_plan_.committed(store_->writer.log_pages());
        if (phase_ != Phase::open || moving_log_ || !log_plan_.wants_finish())
            return;
    }
    auto moved = store_->writer.checkpoint();
    if (!moved)
        note(moved.error(), "checkpoint");
    std::lock_guard lock(mutex_);
    if (moved)
        log_plan_.moved(*moved);
    log_plan_.finished();
}

void Engine::run_checkpoint() {
    auto* handle = store_->checkpoints.getHandle();
    int log = 0;
    int moved = 0;
    SPARKHOST_CRASH_POINT("sqlite.background_checkpoint.before");
    auto code = sqlite3_wal_checkpoint_v2(handle, nullptr, SQLITE_CHECKPOINT_PASSIVE, &log, &moved);
    SPARKHOST_CRASH_POINT("sqlite.background_checkpoint.after");
    bool failed = code != SQLITE_OK && code != SQLITE_BUSY;
    if (failed)
        note(classify(sqlite3_extended_errcode(handle), Stage::syncing, sqlite3_errmsg(handle)),
             "checkpoint");
    {
        std::lock_guard lock(mutex_);
        moving_log_ = false;
        if (failed)
            log_plan_.failed();
        else
            log_plan_.moved(moved);
    }
    post_due_jobs();
}

/// Books what the disk said. What leaves open whether data is durable poisons the store.
void Engine::note(const std::optional<Error>& failure, const char* what) {
    healthy_ = !failure;
    if (!failure)
        return;
    ++failures_;
    LogSink log;
    {
        std::lock_guard lock(mutex_);
        log = context_.log;
    }
    if (log)
        log({LogLevel::error, "sqlite", std::string(what) + " failed: " + failure->text()});
    if (failure->is(Errc::indeterminate))
        shut(Phase::poisoned, *failure);
}

/// Nothing more is done until open() has succeeded; what waits is answered now.
void Engine::shut(Phase phase, const Error& error) {
    std::deque<Opening> openings;
    std::deque<Write> writes;
    std::deque<ReadWork> reads;
    {
        std::lock_guard lock(mutex_);
        phase_ = phase;
        writes.swap(writes_);
        reads.swap(reads_);
        if (closing_)
            openings.swap(openings_);
    }
    for (auto& each : openings)
        each.done(error);
    for (auto& each : writes)
        std::visit([&](auto& write) { write.done(error); }, each);
    for (auto& each : reads)
        each(nullptr, &error);
}

}  // namespace sparkhost::detail::sqlite
