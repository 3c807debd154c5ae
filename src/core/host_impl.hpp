// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_HOST_IMPL_HPP
#define SPARKHOST_SRC_CORE_HOST_IMPL_HPP

#include "core/batch_machine.hpp"
#include "core/record_cache.hpp"
#include "hop.hpp"
#include "waiter.hpp"

#include <sparkhost/host.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/thread_pool.hpp>

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace sparkhost {

/// A batch that something has to be done for. Lives on the host's strand. `record` is always
/// what the storage has; wishes for change wait in `inbox` until they are committed.
struct ActiveBatch {
    BatchRecord record{};
    detail::BatchProgress progress{};
    std::size_t backend{0};

    struct Item {
        detail::BatchObservation observation{};
        /// Called with the outcome of its commit; without it a failed commit is tried again.
        std::function<void(Result<BatchRecord>)> done{};
        SteadyTime arrived{};
    };
    std::deque<Item> inbox{};
    bool committing{false};
    bool retrying{false};       ///< an effect failed and waits for its next try
    std::uint64_t taken_in{0};  ///< the watch epoch in which the backend took it; 0: before run()
    std::uint64_t reported_in{0};  ///< the watch epoch of its last report
    SteadyTime durable_at{};       ///< when it was accepted, for the dispatch histogram
    bool direct{false};            ///< admitted without waiting for a slot
    std::chrono::milliseconds retry_delay{0};
    bool gone{false};  ///< its record has been erased: nothing is to be done for it any more
};
using ActivePtr = std::shared_ptr<ActiveBatch>;
using WaiterPtr = std::shared_ptr<detail::Waiter>;

/// Counts a piece of work that run() must not end before.
class HostImpl;
class TaskGuard {
public:
    explicit TaskGuard(HostImpl& host);
    ~TaskGuard();
    TaskGuard(const TaskGuard&) = delete;
    TaskGuard& operator=(const TaskGuard&) = delete;

private:
    HostImpl& host_;
};

/// Calls a plug-in; an exception that escapes it becomes an error.
template <class T, class Call>
boost::asio::awaitable<Result<T>> guarded(Call call, Errc on_exception) {
    try {
        co_return co_await call();
    } catch (const std::exception& failure) {
        co_return Error(on_exception, failure.what());
    } catch (...) {
        co_return Error(on_exception, "an exception of an unknown type");
    }
}

/// Everything a Host is. All members but `counters` belong to the strand.
class HostImpl : public std::enable_shared_from_this<HostImpl> {
public:
    HostImpl(boost::asio::any_io_executor executor, HostOptions options, HostPlugins plugins);

    // host.cpp: the life of the host
    boost::asio::awaitable<Result<void>> run_on_strand();
    boost::asio::awaitable<Result<void>> open_within_grace();
    boost::asio::awaitable<void> open_and_tell(std::shared_ptr<Result<void>> opened);
    boost::asio::awaitable<void> finish();
    void begin_grace();
    boost::asio::awaitable<void> end_of_grace();
    void begin_stop();
    boost::asio::awaitable<Result<void>> until_ready();
    void wake_ready_waiters();
    Result<void> availability() const;
    /// Starts a task on the strand that run() waits for.
    void spawn(boost::asio::awaitable<void> task);
    /// The same, cancelled by stop() or by emitting the signal returned.
    using Signal = std::shared_ptr<boost::asio::cancellation_signal>;
    /// `finally` is called in any case when the task is over.
    Signal spawn_cancellable(boost::asio::awaitable<void> task, std::function<void()> finally = {});
    void task_done();
    void log(LogLevel level, std::string message) const;
    /// Asks the storage; an answer in doubt has it reopened, whatever was asked.
    template <class T, class Call>
    boost::asio::awaitable<Result<T>> from_storage(Call call) {
        auto answer = co_await guarded<T>(std::move(call), Errc::storage_failed);
        if (!answer && answer.error().is(Errc::indeterminate)) {
            storage_lost();
        }
        co_return answer;
    }

    // recovery.cpp
    boost::asio::awaitable<Result<void>> open_plugins();
    boost::asio::awaitable<Result<void>> load_counts();
    boost::asio::awaitable<Result<void>> load_active();
    boost::asio::awaitable<void> watch_backend(std::size_t index);
    void snapshot_complete(std::size_t backend);
    void report(std::size_t backend, ApplicationStatus status);
    void storage_lost();         ///< a commit is indeterminate: reopen, then read what is true
    void storage_retry_later();  ///< a write or read failed: try again after a while
    boost::asio::awaitable<void> reopen_storage();
    boost::asio::awaitable<void> retry_storage();
    boost::asio::awaitable<Result<void>> resync();

    // batch_driver.cpp: from observations to commits to effects
    void pump(ActivePtr active);
    void observe(ActivePtr active, detail::BatchObservation observation,
                 std::function<void(Result<BatchRecord>)> done = {});
    boost::asio::awaitable<void> commit_inbox(ActivePtr active);
    void settle_success(const ActivePtr& active, BatchRecord next, std::vector<Event> events,
                        std::int64_t last);
    boost::asio::awaitable<void> settle_failure(ActivePtr active, Error error,
                                                std::deque<ActiveBatch::Item> items);
    void pump_all();
    void refuse_wishes(const ActivePtr& active, const Error& error);
    boost::asio::awaitable<Result<void>> reload(ActivePtr active);
    boost::asio::awaitable<void> erase_record(ActivePtr active);
    boost::asio::awaitable<Result<ActivePtr>> acquire(BatchId id);
    boost::asio::awaitable<Result<BatchRecord>> read_record(BatchId id);
    void forget(const ActivePtr& active);
    ActivePtr activate(BatchRecord record);
    std::optional<std::size_t> backend_index(const BatchSpec& spec) const;
    void drop_if_idle(const ActivePtr& active);
    void retry_later(ActivePtr active);

    // effects.cpp: calls of the backends
    void start_effect(ActivePtr active, detail::BatchEffect effect);
    boost::asio::awaitable<void> do_reserve(ActivePtr active);
    boost::asio::awaitable<void> do_submit(ActivePtr active);
    boost::asio::awaitable<void> do_kill(ActivePtr active);
    boost::asio::awaitable<void> do_release(ActivePtr active);
    boost::asio::awaitable<std::vector<std::string>> read_tail(ActivePtr active);
    SubmitRequest request_for(const ActiveBatch& active) const;

    // admission.cpp: who may have a slot
    void dispatch();
    boost::asio::awaitable<void> dispatch_from_store();
    void admit(ActivePtr active);
    void slot_freed();

    // operations.cpp: what the public members do, on the strand
    boost::asio::awaitable<Result<BatchRecord>> submit(BatchSpec spec);
    void accepted(const BatchRecord& record, std::size_t backend, SteadyTime called,
                  std::int64_t sequence);
    boost::asio::awaitable<Result<BatchRecord>> answer_duplicate(CommitResult::Duplicate duplicate,
                                                                 std::string name,
                                                                 std::string request_fingerprint);
    boost::asio::awaitable<bool> is_repeated(const BatchSpec& spec);
    boost::asio::awaitable<bool> forget_expired_key(CommitResult::Duplicate duplicate,
                                                    Timestamp now);
    boost::asio::awaitable<Result<BatchRecord>> find(BatchId id);
    boost::asio::awaitable<Result<BatchRecord>> find_named(std::string name);
    boost::asio::awaitable<Result<BatchPage>> list(BatchQuery query);
    boost::asio::awaitable<Result<BatchRecord>> wish(BatchId id, detail::BatchEvent event);
    boost::asio::awaitable<Result<LogPage>> read_log(BatchLogRequest request);

    // subscriptions.cpp
    /// A commit is durable: tells whoever waits. `events` end with number `last`.
    void publish(std::int64_t batch, std::vector<Event> events, std::int64_t last);
    void wake_batch(std::int64_t batch);
    void wake_all(detail::WakeReason reason);
    enum class WaitFor { change, end, erasure };
    struct WaitRequest {
        ChangeRequest change{};
        WaitFor what{WaitFor::change};
        std::optional<SteadyTime> deadline{};
    };
    /// The record if what is waited for is there already; else registers the waiter.
    boost::asio::awaitable<Result<std::optional<BatchRecord>>> check_or_register(
        WaitRequest request, WaiterPtr waiter);
    boost::asio::awaitable<Result<std::vector<Event>>> events_or_register(std::int64_t after,
                                                                          WaiterPtr waiter);
    void unregister(std::int64_t batch, const WaiterPtr& waiter);
    boost::asio::awaitable<void> prune_events();

    // counters.cpp
    HostStatus status() const;
    template <class Change>
    void count(Change change) {
        const std::lock_guard lock(counters_mutex);
        change(counters);
    }
    void count_phase(std::optional<BatchPhase> before, std::optional<BatchPhase> after);
    void refresh_status();

    boost::asio::any_io_executor executor;
    detail::Strand strand;
    HostOptions options;
    std::unique_ptr<Storage> storage;
    std::vector<std::shared_ptr<Backend>> backends;
    std::vector<Backend::Traits> traits;
    std::shared_ptr<Clock> clock;
    boost::asio::any_io_executor blocking;
    std::unique_ptr<boost::asio::thread_pool> own_pool;

    std::string store_uuid;
    std::int64_t last_sequence{0};
    std::int64_t oldest_sequence{1};
    bool pruning{false};

    enum class Stage { created, opening, ready, stopping, stopped };
    Stage stage{Stage::created};
    bool stop_requested{false};
    std::optional<Error> failure{};  ///< why run() could not start
    bool storage_suspect{false};     ///< nothing is answered until it has been reopened
    bool storage_retrying{false};
    std::chrono::milliseconds storage_delay{0};

    std::unordered_map<std::int64_t, ActivePtr> active;
    std::unordered_map<std::string, std::int64_t> tickets;  ///< of active batches
    std::size_t slots_used{0};
    std::int64_t waiting{0};  ///< accepted in the store, without a slot
    std::size_t submits_in_flight{0};
    bool dispatching{false};
    bool dispatch_again{false};
    std::unordered_set<std::int64_t> departed;  ///< forgotten while the queue was being read

    detail::RecordCache cache;
    std::deque<Event> recent;  ///< newest events, so that live followers do not read the disk
    std::unordered_map<std::int64_t, std::vector<WaiterPtr>> batch_waiters;
    std::vector<WaiterPtr> event_waiters;
    std::uint64_t erasures{0};
    std::unordered_map<detail::Waiter*, Signal> deadlines;
    std::vector<WaiterPtr> ready_waiters;

    std::size_t tasks{0};
    WaiterPtr idle_waiter;
    Signal grace_signal;
    std::unordered_map<boost::asio::cancellation_signal*, Signal> cancellables;
    std::vector<std::uint64_t> epochs;  ///< per backend: snapshots begun so far

    mutable std::mutex counters_mutex;
    HostStatus counters;
};

}  // namespace sparkhost

#endif
