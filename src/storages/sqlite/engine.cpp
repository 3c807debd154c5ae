// SPDX-License-Identifier: Apache-2.0
#include "storages/sqlite/engine.hpp"

#include "storages/sqlite/failure.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace sparkhost::detail::sqlite {

namespace {

constexpr std::size_t max_reads = 64;  // in one job, so that other users of the pool get a turn

}  // namespace

/// A function of the engine on its way through the pool. One that the pool drops without
/// running it (it was stopped) drops the queues too: they hold coroutines that may hold us.
class Engine::Job {
public:
    Job(std::shared_ptr<Engine> engine, Work work) : engine_(std::move(engine)), work_(work) {}
    Job(Job&&) = default;
    ~Job() {
        if (engine_)
            engine_->abandon();
    }
    void operator()() {
        auto engine = std::move(engine_);
        engine->run(work_);
    }

private:
    std::shared_ptr<Engine> engine_;
    Work work_;
};

Engine::Engine(SqliteStorageOptions options) : options_(std::move(options)) {}

Engine::~Engine() {
    close_store();
}

void Engine::close() {
    {
        std::unique_lock lock(mutex_);
        closing_ = true;
        idle_.wait(lock, [this] { return running_ == 0; });
    }
    close_store();
    lock_ = LockFile();
}

void Engine::run(Work work) {
    bool closed = false;
    {
        std::lock_guard lock(mutex_);
        closed = closing_;
        running_ += closed ? 0 : 1;
    }
    if (closed) {
        shut(Phase::closed, Error(Errc::storage_failed, "the store has been closed"));
        return;
    }
    (this->*work)();
    std::lock_guard lock(mutex_);
    --running_;
    idle_.notify_all();
}

void Engine::open(StorageContext context, Done<StoreInfo> done) {
    if (!context.blocking_executor) {
        done(Error(Errc::storage_failed, "StorageContext.blocking_executor: must be given"));
        return;
    }
    {
        std::lock_guard lock(mutex_);
        context_ = context;
        openings_.push_back({std::move(context), std::move(done)});
    }
    post_due_jobs();
}

void Engine::commit(Transaction transaction, Done<CommitResult> done) {
    std::optional<Error> refused;
    {
        std::lock_guard lock(mutex_);
        refused = refusal();
        if (!refused)
            writes_.push_back(Commit{std::move(transaction), std::move(done)});
    }
    if (refused)
        done(*refused);
    else
        post_due_jobs();
}

void Engine::prune(PruneRequest request, Done<PruneStep> done) {
    std::optional<Error> refused;
    {
        std::lock_guard lock(mutex_);
        refused = refusal();
        if (!refused)
            writes_.push_back(Prune{request, std::move(done)});
    }
    if (refused)
        done(*refused);
    else
        post_due_jobs();
}

void Engine::read(ReadWork work) {
    std::optional<Error> refused;
    {
        std::lock_guard lock(mutex_);
        refused = refusal();
        if (!refused)
            reads_.push_back(std::move(work));
    }
    if (refused)
        work(nullptr, &*refused);
    else
        post_due_jobs();
}

StorageStats Engine::stats() const {
    return {commits_, disk_commits_, static_cast<double>(disk_microseconds_) / 1e6, failures_,
            healthy_};
}

std::optional<Error> Engine::refusal() const {
    switch (phase_) {
        case Phase::closed:
            return Error(Errc::storage_failed, "the store is not open: call open() first");
        case Phase::poisoned:
            return Error(Errc::indeterminate,
                         "a commit failed while it was made durable: open the store again");
        case Phase::open:
            break;
    }
    return std::nullopt;
}

void Engine::post_due_jobs() {
    std::vector<Work> due;
    boost::asio::any_io_executor pool;
    {
        std::lock_guard lock(mutex_);
        collect_due(due);
        pool = context_.blocking_executor;
    }
    for (auto work : due)
        boost::asio::post(pool, Job(shared_from_this(), work));
}

void Engine::collect_due(std::vector<Work>& due) {
    if (opening_)
        return;
    if (!openings_.empty()) {
        opening_ = !writing_ && !reading_ && !moving_log_;
        if (opening_)
            due.push_back(&Engine::run_open);
        return;
    }
    if (phase_ != Phase::open)
        return;
    if (!writing_ && !writes_.empty()) {
        writing_ = true;
        due.push_back(&Engine::run_writes);
    }
    if (!reading_ && !reads_.empty()) {
        reading_ = true;
        due.push_back(&Engine::run_reads);
    }
    if (!moving_log_ && log_plan_.wants_move()) {
        moving_log_ = true;
        due.push_back(&Engine::run_checkpoint);
    }
}

void Engine::abandon() {
    std::deque<Opening> openings;
    std::deque<Write> writes;
    std::deque<ReadWork> reads;
    std::lock_guard lock(mutex_);
    openings.swap(openings_);
    writes.swap(writes_);
    reads.swap(reads_);
}

void Engine::run_open() {
    Opening opening;
    {
        std::lock_guard lock(mutex_);
        opening = std::move(openings_.front());
        openings_.pop_front();
    }
    auto attempt = [&]() -> Result<StoreInfo> {
        close_store();
        if (!lock_.held()) {
            auto lock = LockFile::acquire(options_.path);
            if (!lock)
                return lock.error();
            lock_ = std::move(*lock);
        }
        auto store = open_store(options_.path, options_.vfs);
        if (!store)
            return store.error();
        store_ = std::move(*store);
        return store_->info;
    };
    auto info = attempt();
    note(info ? std::nullopt : std::optional(info.error()), "open");
    if (!info && phase_ != Phase::poisoned) {
        lock_ = LockFile();
        shut(Phase::closed, info.error());
    }
    {
        std::lock_guard lock(mutex_);
        opening_ = false;
        log_plan_ = {};
        if (info)
            phase_ = Phase::open;
    }
    opening.done(std::move(info));
    post_due_jobs();
}

void Engine::run_writes() {
    std::vector<Commit> group;
    std::optional<Prune> prune;
    {
        std::lock_guard lock(mutex_);
        while (!writes_.empty() && group.size() < options_.max_group) {
            auto* commit = std::get_if<Commit>(&writes_.front());
            if (!commit) {
                if (group.empty()) {
                    prune = std::get<Prune>(std::move(writes_.front()));
                    writes_.pop_front();
                }
                break;
            }
            group.push_back(std::move(*commit));
            writes_.pop_front();
        }
    }
    if (prune)
        write_prune(std::move(*prune));
    else
        write_group(std::move(group));
}

void Engine::run_reads() {
    std::vector<ReadWork> works;
    {
        std::lock_guard lock(mutex_);
        auto count = std::min(max_reads, reads_.size());
        for (std::size_t i = 0; i < count; ++i) {
            works.push_back(std::move(reads_.front()));
            reads_.pop_front();
        }
    }
    try {
        Reader::Snapshot snapshot(store_->reader);
        for (auto& work : works)
            std::exchange(work, nullptr)(&store_->reader, nullptr);
    } catch (const std::exception& failure) {
        auto error = classify(failure, Stage::reading);
        for (auto& work : works)
            if (work)
                work(nullptr, &error);
    }
    {
        std::lock_guard lock(mutex_);
        reading_ = false;
    }
    post_due_jobs();
}

void Engine::close_store() {
    if (store_ && phase_ == Phase::poisoned)
        store_->distrust();
    store_.reset();
}

}  // namespace sparkhost::detail::sqlite
