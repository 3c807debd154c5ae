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
    close_store(phase_);
}

void Engine::close() {
    auto phase = Phase::closed;
    bool sound = false;
    {
        std::unique_lock lock(mutex_);
        closing_ = true;
        idle_.wait(lock, [this] { return running_ == 0; });
        phase = phase_;
        sound = phase == Phase::open || closed_while_sound_;
    }
    if (sound && lock_.held())
        lock_.mark_closed();
    close_store(phase);
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

/// Moves it into the queue, or says why not.
std::optional<Error> Engine::refuse_or_queue(Write& write) {
    {
        std::lock_guard lock(mutex_);
        if (auto refused = refusal())
            return refused;
        writes_.push_back(std::move(write));
    }
    post_due_jobs();
    return std::nullopt;
}

void Engine::commit(Transaction transaction, Done<CommitResult> done) {
    Write write = Commit{std::move(transaction), std::move(done)};
    if (auto refused = refuse_or_queue(write))
        std::get<Commit>(write).done(*refused);
}

void Engine::prune(PruneRequest request, Done<PruneStep> done) {
    Write write = Prune{request, std::move(done)};
    if (auto refused = refuse_or_queue(write))
        std::get<Prune>(write).done(*refused);
}

void Engine::probe(Done<void> done) {
    Write write = Probe{std::move(done)};
    if (auto refused = refuse_or_queue(write))
        std::get<Probe>(write).done(*refused);
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
    StorageStats stats{.commits = commits_,
                       .disk_commits = disk_commits_,
                       .disk_seconds = static_cast<double>(disk_microseconds_) / 1e6,
                       .failures = failures_,
                       .healthy = healthy_};
    for (std::size_t i = 0; i < stats.failures_by_kind.size(); ++i)
        stats.failures_by_kind[i] = failures_by_kind_[i];
    return stats;
}

std::optional<Error> Engine::refusal() const {
    switch (phase_) {
        case Phase::closed:
            return Error(Errc::storage_failed, "the store is not open: call open() first");
        case Phase::poisoned:
            return Error(Errc::indeterminate,
                         "a commit failed while it was made durable: open the store again");
        case Phase::misplaced:
            return Error(Errc::indeterminate, why_);
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

/// Closes what is open and opens it, or what has its name.
Result<StoreInfo> Engine::reopen() {
    if (store_)
        guard_ = store_->guard;
    close_store(phase_);
    if (known_ && guard_.look() == FileGuard::Finding::database_gone)
        return Error(Errc::storage_failed, guard_.error(FileGuard::Finding::database_gone).detail);
    if (!lock_.held() || !lock_.in_place(options_.path)) {
        auto lock = LockFile::acquire(options_.path);
        if (!lock)
            return lock.error();
        lock_ = std::move(*lock);
    }
    OpenRequest request;
    request.path = options_.path;
    request.vfs = options_.vfs;
    request.log = lock_.left_open() && !known_ ? Log::must_be_there : Log::may_be_there;
    request.known = known_;
    request.check_pages = damaged_;
    auto store = open_store(request);
    if (!store)
        return store.error();
    store_ = std::move(*store);
    damaged_ = false;
    lock_.mark_open(options_.path);
    return store_->info;
}

void Engine::run_open() {
    Opening opening;
    {
        std::lock_guard lock(mutex_);
        opening = std::move(openings_.front());
        openings_.pop_front();
    }
    auto info = reopen();
    auto kind = damaged_ ? StorageFailure::damaged : StorageFailure::other;
    note(info ? std::nullopt : std::optional(Failure(info.error(), kind)), "opening");
    if (!info && !known_)
        lock_ = LockFile();
    if (!info && (phase_ == Phase::open || phase_ == Phase::closed))
        shut(Phase::closed, info.error());
    {
        std::lock_guard lock(mutex_);
        opening_ = false;
        log_plan_ = {};
        if (info)
            phase_ = Phase::open;
    }
    if (info)
        known_ = *info;
    opening.done(std::move(info));
    post_due_jobs();
}

void Engine::run_writes() {
    std::vector<Commit> group;
    std::optional<Write> alone;
    {
        std::lock_guard lock(mutex_);
        while (!writes_.empty() && group.size() < options_.max_group && !alone) {
            auto* commit = std::get_if<Commit>(&writes_.front());
            if (commit)
                group.push_back(std::move(*commit));
            else if (group.empty())
                alone = std::move(writes_.front());
            else
                break;
            writes_.pop_front();
        }
    }
    if (alone && std::holds_alternative<Prune>(*alone))
        write_alone(std::get<Prune>(std::move(*alone)));
    else if (alone)
        write_alone(std::get<Probe>(std::move(*alone)));
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
    auto answer_all = [&](const Error& error) {
        for (auto& work : works)
            if (work)
                work(nullptr, &error);
    };
    if (auto misplaced = find_misplaced()) {
        note(misplaced, "a read");
        answer_all(*misplaced);
        works.clear();
    }
    try {
        if (!works.empty()) {
            Reader::Snapshot snapshot(store_->reader);
            for (auto& work : works)
                std::exchange(work, nullptr)(&store_->reader, nullptr);
        }
    } catch (const std::exception& failure) {
        answer_all(read_failed(failure));
    }
    {
        std::lock_guard lock(mutex_);
        reading_ = false;
    }
    post_due_jobs();
}

void Engine::close_store(Phase phase) {
    if (!store_)
        return;
    // A log without a name is read for the last time now: what it holds goes to the database.
    if (phase == Phase::misplaced && store_->guard.look() == FileGuard::Finding::log_gone &&
        !store_->writer.checkpoint())
        report("what a removed log held could not be saved");
    if (phase == Phase::poisoned || phase == Phase::misplaced)
        store_->distrust();
    store_.reset();
}

}  // namespace sparkhost::detail::sqlite
