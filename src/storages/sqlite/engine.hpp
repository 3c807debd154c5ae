// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_STORAGES_SQLITE_ENGINE_HPP
#define SPARKHOST_SRC_STORAGES_SQLITE_ENGINE_HPP

#include "storages/sqlite/lock_file.hpp"
#include "storages/sqlite/log_plan.hpp"
#include "storages/sqlite/store.hpp"

#include <sparkhost/storage.hpp>
#include <sparkhost/storages/sqlite.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

namespace sparkhost::detail::sqlite {

/// Decides which work goes to the pool, and when: at most one job at a time for each of
/// writing, reading and moving the log, and opening alone. Work that arrives while a job of its
/// kind runs waits in a queue and is done together by the next one (group commit).
///
/// Jobs hold the engine, so one that the pool runs late finds it alive, though closed.
/// Thread safety: all public functions are safe.
class Engine : public std::enable_shared_from_this<Engine> {
public:
    /// Gets the connection, or what refuses the work. Called on a pool thread, or at once on
    /// the caller's when the store is not open.
    using ReadWork = std::function<void(Reader*, const Error*)>;
    template <class T>
    using Done = std::function<void(Result<T>)>;

    explicit Engine(SqliteStorageOptions options);
    ~Engine();

    /// Closes the file and gives the lock back. Waits for a disk operation in progress, never
    /// for the pool; what is still queued is answered storage_failed.
    void close();

    void open(StorageContext context, Done<StoreInfo> done);
    void commit(Transaction transaction, Done<CommitResult> done);
    void prune(PruneRequest request, Done<PruneStep> done);
    void probe(Done<void> done);
    void read(ReadWork work);
    /// Something that was read by a ReadWork failed; gives what to answer.
    Error read_failed(const std::exception& failure);
    StorageStats stats() const;

private:
    /// Poisoned: what is durable is in doubt. Misplaced: the files are not where they belong.
    enum class Phase { closed, open, poisoned, misplaced };
    struct Opening {
        StorageContext context;
        Done<StoreInfo> done;
    };
    struct Commit {
        Transaction transaction;
        Done<CommitResult> done;
    };
    struct Prune {
        PruneRequest request;
        Done<PruneStep> done;
    };
    struct Probe {
        Done<void> done;
    };
    using Write = std::variant<Commit, Prune, Probe>;
    using Work = void (Engine::*)();
    class Job;

    std::optional<Error> refusal() const;
    std::optional<Error> refuse_or_queue(Write& write);
    void run(Work work);
    void post_due_jobs();
    void collect_due(std::vector<Work>& due);
    void abandon();

    void run_open();
    void run_writes();
    void run_reads();
    void run_checkpoint();

    Result<StoreInfo> reopen();
    void write_group(std::vector<Commit> group);
    void write_alone(Prune prune);
    void write_alone(Probe probe);
    std::optional<Failure> find_misplaced() const;
    void finish_log();
    void close_store(Phase phase);
    void note(const std::optional<Failure>& failure, const char* what);
    void report(const std::string& message);
    void shut(Phase phase, const Error& error);

    const SqliteStorageOptions options_;

    mutable std::mutex mutex_;
    StorageContext context_;
    Phase phase_{Phase::closed};
    std::deque<Opening> openings_;
    std::deque<Write> writes_;
    std::deque<ReadWork> reads_;
    bool opening_{false};
    bool writing_{false};
    bool reading_{false};
    bool moving_log_{false};
    bool closing_{false};
    bool closed_while_sound_{false};  ///< a job has found it closing, and nothing was wrong
    int running_{0};                  ///< jobs that are not only posted but at work
    std::condition_variable idle_;
    LogPlan log_plan_;

    // Each used by the one job that may: the lock first, so that it is released last.
    LockFile lock_;
    std::unique_ptr<Store> store_;
    std::optional<StoreInfo> known_;  ///< what has been answered, once it has been open
    std::atomic<bool> damaged_{false};
    FileGuard guard_;  ///< of the store that was open last
    std::string why_;  ///< misplaced: in which way

    std::atomic<std::uint64_t> commits_{0};
    std::atomic<std::uint64_t> disk_commits_{0};
    std::atomic<std::uint64_t> disk_microseconds_{0};
    std::atomic<std::uint64_t> failures_{0};
    std::array<std::atomic<std::uint64_t>, storage_failures.size()> failures_by_kind_{};
    std::atomic<bool> healthy_{true};
};

}  // namespace sparkhost::detail::sqlite

#endif
