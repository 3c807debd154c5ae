// SPDX-License-Identifier: Apache-2.0
#include "storages/sqlite/engine.hpp"
#include "storages/sqlite/failure.hpp"

#include "crash_point.hpp"

#include <sqlite3.h>

#include <algorithm>
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
    auto misplaced = outcome.failure ? std::nullopt : find_misplaced();
    if (misplaced) {  // it went into files that have no names any more
        outcome.failure = misplaced;
        outcome.results.assign(group.size(), *misplaced);
    }
    if (outcome.failure || outcome.written > 0)
        note(outcome.failure, "a commit");
    for (const auto& result : outcome.results)
        if (result && known_)
            known_->last_sequence = std::max(known_->last_sequence, result->last_sequence);
    for (std::size_t i = 0; i < group.size(); ++i)
        group[i].done(std::move(outcome.results[i]));
    finish_log();
    {
        std::lock_guard lock(mutex_);
        writing_ = false;
    }
    post_due_jobs();
}

void Engine::write_alone(Prune prune) {
    auto step = store_->writer.prune(prune.request);
    note(step ? std::nullopt : store_->writer.failure(), "a prune");
    {
        std::lock_guard lock(mutex_);
        log_plan_.committed(store_->writer.log_pages());
        writing_ = false;
    }
    prune.done(std::move(step));
    post_due_jobs();
}

void Engine::write_alone(Probe probe) {
    auto written = store_->writer.probe();
    auto failure = written ? find_misplaced() : store_->writer.failure();
    note(failure, "a probe");
    {
        std::lock_guard lock(mutex_);
        log_plan_.committed(store_->writer.log_pages());
        writing_ = false;
    }
    probe.done(failure ? Result<void>(*failure) : ok());
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
        note(store_->writer.failure(), "a checkpoint");
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
             "a checkpoint");
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

/// After a write, so that it is known that others can find it; and before a read.
std::optional<Failure> Engine::find_misplaced() const {
    auto finding = store_->guard.look();
    if (finding != FileGuard::Finding::in_place)
        return Failure(store_->guard.error(finding), StorageFailure::moved);
    if (!lock_.in_place(options_.path))
        return Failure(Error(Errc::indeterminate,
                             options_.path + ".lock has been removed or replaced while it was in "
                                             "use: see that no other server uses the store"),
                       StorageFailure::moved);
    return std::nullopt;
}

/// Books what the disk said. What leaves open whether data is durable poisons the store.
void Engine::note(const std::optional<Failure>& failure, const char* what) {
    bool worked = healthy_.exchange(!failure);
    if (!failure)
        return;
    ++failures_;
    ++failures_by_kind_[static_cast<std::size_t>(failure->kind)];
    if (worked)  // the others of a row are counted only
        report(std::string(what) + " failed: " + failure->text());
    if (failure->kind == StorageFailure::damaged)
        damaged_ = true;
    if (failure->kind == StorageFailure::moved)
        shut(Phase::misplaced, *failure);
    else if (failure->is(Errc::indeterminate))
        shut(Phase::poisoned, *failure);
}

void Engine::report(const std::string& message) {
    LogSink log;
    {
        std::lock_guard lock(mutex_);
        log = context_.log;
    }
    if (log)
        log({LogLevel::error, "sqlite", message});
}

/// Counted, but no sign that nothing can be written; unless what is there makes no sense.
Error Engine::read_failed(const std::exception& exception) {
    auto failure = classify(exception, Stage::reading);
    if (failure.is(Errc::indeterminate)) {
        note(failure, "a read");
    } else {
        ++failures_;
        ++failures_by_kind_[static_cast<std::size_t>(failure.kind)];
    }
    return failure;
}

/// Nothing more is done until open() has succeeded; what waits is answered now.
void Engine::shut(Phase phase, const Error& error) {
    std::deque<Opening> openings;
    std::deque<Write> writes;
    std::deque<ReadWork> reads;
    {
        std::lock_guard lock(mutex_);
        // Whoever doubts the disk does not save a log; so this doubt stays.
        const bool stays_poisoned = phase == Phase::misplaced && phase_ == Phase::poisoned;
        closed_while_sound_ |= closing_ && phase == Phase::closed && phase_ == Phase::open;
        if (!stays_poisoned)
            phase_ = phase;
        why_ = error.detail;
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
