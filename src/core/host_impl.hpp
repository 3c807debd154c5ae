// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_HOST_IMPL_HPP
#define SPARKHOST_SRC_CORE_HOST_IMPL_HPP

#include "core/active_application.hpp"
#include "core/agent_doors.hpp"
#include "core/batch_machine.hpp"
#include "core/guard_desk.hpp"
#include "core/record_cache.hpp"
#include "core/session_life.hpp"
#include "core/storage_trouble.hpp"
#include "core/task_guard.hpp"
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
#include <random>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace sparkhost {

Error unknown_session(SessionId id);

/// Ends a task of the host, if it still runs.
void cancel_task(std::shared_ptr<boost::asio::cancellation_signal>& signal);

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
    void open_doors();
    boost::asio::awaitable<void> close_doors();
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
            storage_lost(answer.error());
        }
        if constexpr (std::is_same_v<T, CommitResult>) {
            if (!answer && answer.error().is(Errc::storage_failed)) {
                storage_retry_later(answer.error());
            } else if (answer && !answer->duplicate) {
                storage_works();
            }
        }
        co_return answer;
    }

    // recovery.cpp
    boost::asio::awaitable<Result<void>> open_plugins();
    boost::asio::awaitable<Result<void>> load_counts();
    boost::asio::awaitable<Result<void>> load_active(RecordKind kind);
    boost::asio::awaitable<Result<void>> take_up(const Record& stored);
    boost::asio::awaitable<void> watch_backend(std::size_t index);
    void store_new_steps(const ActivePtr& batch);
    void snapshot_complete(std::size_t backend);
    void report(std::size_t backend, ApplicationStatus status);
    void backend_watched(std::size_t backend, bool up_to_date, std::string problem);
    boost::asio::awaitable<Result<void>> resync();

    // storage_health.cpp
    void storage_trouble(const Error& error);
    void storage_works();
    void storage_lost(const Error& error);         ///< in doubt: reopen, then read what is true
    void storage_retry_later(const Error& error);  ///< it failed: try again after a while
    boost::asio::awaitable<void> reopen_storage();
    boost::asio::awaitable<void> retry_storage();
    bool has_unstored() const;

    // batch_driver.cpp: from observations to commits to effects
    void pump(ActivePtr active);
    void observe(ActivePtr active, detail::BatchObservation observation,
                 std::function<void(Result<BatchRecord>)> done = {});
    void observe(ActivePtr active, ActiveApplication::Item item);
    boost::asio::awaitable<void> commit_inbox(ActivePtr active);
    struct Applied;
    void settle_success(const ActivePtr& active, Applied applied, std::int64_t last);
    boost::asio::awaitable<void> settle_failure(ActivePtr active, Error error,
                                                std::vector<ActiveApplication::Item> items);
    void pump_all();
    void refuse_wishes(const ActivePtr& active, const Error& error);
    boost::asio::awaitable<Result<void>> reload(ActivePtr active);
    boost::asio::awaitable<void> erase_record(ActivePtr active);
    boost::asio::awaitable<void> remove_logs(ActivePtr active);
    void free_slot(const ActivePtr& active);
    void forget(const ActivePtr& active);
    ActivePtr activate(RecordKey key, BatchRecord record);
    std::optional<std::size_t> backend_index(const BatchSpec& spec) const;
    Error no_backend(const std::string& name) const;
    const Backend::Traits& backend_of(const ActiveApplication& application) const;
    void drop_if_idle(const ActivePtr& active);
    void retry_later(ActivePtr active, detail::BatchEffect effect);

    // effects.cpp: calls of the backends
    void start_effect(ActivePtr active, detail::BatchEffect effect);
    boost::asio::awaitable<void> do_reserve(ActivePtr active);
    boost::asio::awaitable<void> do_submit(ActivePtr active);
    boost::asio::awaitable<void> do_kill(ActivePtr active);
    boost::asio::awaitable<void> do_release(ActivePtr active);
    void answer_kills(const ActivePtr& active, std::optional<Error> problem = std::nullopt);
    boost::asio::awaitable<std::vector<std::string>> read_tail(ActivePtr active);
    SubmitRequest request_for(const ActiveApplication& active) const;

    // admission.cpp: who may have a slot
    void dispatch();
    boost::asio::awaitable<void> dispatch_from_store();
    void admit(ActivePtr active);
    void slot_freed();

    // operations.cpp: what the public members do for batches, on the strand
    boost::asio::awaitable<Result<BatchRecord>> submit(BatchSpec spec);
    void accepted(const BatchRecord& record, std::optional<std::size_t> backend, SteadyTime called,
                  std::int64_t sequence);
    bool was_met_early(const Result<CommitResult>& accepted, RecordKind kind);
    boost::asio::awaitable<Result<BatchRecord>> read_record(BatchId id);
    boost::asio::awaitable<Result<BatchRecord>> find(BatchId id);
    boost::asio::awaitable<Result<BatchRecord>> find_named(std::string name);
    boost::asio::awaitable<Result<BatchPage>> list(BatchQuery query);
    boost::asio::awaitable<Result<BatchRecord>> wish(RecordKey key, detail::BatchEvent event);
    boost::asio::awaitable<Result<LogPage>> read_log(RecordKey key, BatchLogRequest request);
    static Result<Ticket> log_ticket(const BatchRecord& record, int attempt);

    // acceptance.cpp: what batches and sessions have in common when they are asked for
    Transaction acceptance(RecordKind kind, const BatchRecord& record, std::string body,
                           const BatchSpec& asked, const std::string& request_fingerprint) const;
    boost::asio::awaitable<Result<CommitResult>> accept(RecordKind kind, Transaction transaction,
                                                        Timestamp now);
    /// The record that a repeated request had made, or why the request is refused.
    static Result<RecordKey> judge_duplicate(const CommitResult::Duplicate& duplicate,
                                             const std::string& name,
                                             const std::string& request_fingerprint);
    boost::asio::awaitable<bool> is_repeated(RecordKind kind, const BatchSpec& spec);
    boost::asio::awaitable<bool> forget_expired_key(RecordKey first, Timestamp now);
    boost::asio::awaitable<Result<Timestamp>> accepted_at(RecordKey key);
    boost::asio::awaitable<Result<RecordKey>> find_name(RecordKind kind, std::string name);
    boost::asio::awaitable<Result<BatchRecord>> application_of(RecordKey key);
    static Error made_but_deleted(RecordKey first);
    boost::asio::awaitable<Result<ActivePtr>> acquire(RecordKey key);
    Result<ActivePtr> revive(const Record& stored);

    // session_operations.cpp: what Sessions' members do, on the strand
    boost::asio::awaitable<Result<SessionRecord>> open_session(SessionSpec spec);
    boost::asio::awaitable<Result<SessionRecord>> read_session(SessionId id);
    boost::asio::awaitable<Result<SessionRecord>> find_session(SessionId id);
    boost::asio::awaitable<Result<SessionRecord>> find_session_named(std::string name);
    boost::asio::awaitable<Result<SessionPage>> list_sessions(SessionQuery query);
    boost::asio::awaitable<Result<SessionRecord>> close_session(SessionId id);
    boost::asio::awaitable<Result<StatementRecord>> execute(SessionId id, StatementSpec spec);
    boost::asio::awaitable<Result<StatementRecord>> find_statement(SessionId session,
                                                                   StatementId id);
    boost::asio::awaitable<Result<StatementPage>> list_statements(StatementQuery query);
    boost::asio::awaitable<Result<StatementRecord>> interrupt(SessionId session,
                                                              InterruptRequest request);
    StatementPtr find_open(SessionId session, StatementId id) const;
    Result<std::size_t> runtime_for(const std::string& kind) const;
    static std::string number_of(SessionId session, StatementId id);
    /// What has been written after `position`, empty at the end; or nothing yet, and the waiter is
    /// woken when there is more.
    boost::asio::awaitable<Result<std::optional<std::vector<OutputChunk>>>> output_or_register(
        Subject statement, std::size_t position, WaiterPtr waiter);
    boost::asio::awaitable<Result<void>> interrupt_current(SessionId session);

    // session_files.cpp: what its agent is asked beside statements
    boost::asio::awaitable<Result<std::shared_ptr<Conversation>>> agent_of(SessionId id);
    boost::asio::awaitable<Result<Completion>> complete(SessionId session,
                                                        Conversation::CompletionRequest request);
    boost::asio::awaitable<Result<void>> add_file(SessionId session, SessionFile file);
    boost::asio::awaitable<Result<std::string>> keep_file(SessionId session, std::string name,
                                                          std::string_view content);
    boost::asio::awaitable<Result<void>> remove_files(ActivePtr session);
    std::string files_folder(const ActiveApplication& session) const;

    // session_time.cpp: which sessions have lived long enough
    void watch_idleness(const ActivePtr& session);
    boost::asio::awaitable<void> end_when_idle(ActivePtr session, std::uint64_t activity);
    boost::asio::awaitable<Result<SessionRecord>> touch(SessionId id);
    void heard_of(SessionId id);
    void watch_lifetime(const ActivePtr& session);
    boost::asio::awaitable<void> end_of_lifetime(ActivePtr session);
    void end_in_time(const ActivePtr& session, detail::BatchEvent event, std::string reason);

    // retries.cpp
    boost::asio::awaitable<void> await_retry(ActivePtr batch);
    void follow_retry(const ActivePtr& batch);
    double any_chance();  ///< from 0 to 1

    // retention.cpp
    Timestamp kept_until() const;
    boost::asio::awaitable<void> erase_old(RecordKind kind, std::chrono::seconds kept);
    boost::asio::awaitable<void> erase_older_than(RecordKind kind, Timestamp limit);

    // session_driver.cpp: a session's agent, idleness and end
    ActivePtr find_active(SessionId id) const;
    ActivePtr activate_session(RecordKey key, BatchRecord application, detail::SessionPart part);
    struct StoredStatements {
        std::vector<Record> open{};
        std::int64_t next{0};
    };
    boost::asio::awaitable<Result<StoredStatements>> read_statements(SessionId session);
    boost::asio::awaitable<Result<void>> load_statements(ActivePtr session);
    void leave_to_store(const ActivePtr& session, const StatementPtr& statement);
    void session_changed(const ActivePtr& session, const BatchRecord& before);
    void agent_connected(const AgentGreeting& greeting,
                         std::unique_ptr<AgentConnection> connection);
    boost::asio::awaitable<void> converse(ActivePtr session, std::shared_ptr<Conversation> talk,
                                          std::uint64_t connection);
    void tell_session(const ActivePtr& session, detail::SessionObservation observation);
    void agent_said(const ActivePtr& session);
    void ask_to_end(const ActivePtr& session);
    boost::asio::awaitable<void> end_of_close_grace(ActivePtr session);
    boost::asio::awaitable<void> end_of_farewell(ActivePtr session, std::uint64_t connection);
    void wrap_up(const ActivePtr& session);
    std::size_t count_sessions() const;
    boost::asio::awaitable<Result<void>> erase_statements(ActivePtr session,
                                                          Transaction& transaction);

    // statement_driver.cpp: to a durable result
    void give_statements(const ActivePtr& session);
    boost::asio::awaitable<void> run_statement(ActivePtr session, StatementPtr statement,
                                               std::shared_ptr<Conversation> talk,
                                               std::uint64_t connection);
    Timestamp end_of(const SessionLife& life, const StatementLife& statement) const;
    void pump_statement(ActivePtr session, StatementPtr statement);
    boost::asio::awaitable<void> commit_statement(ActivePtr session, StatementPtr statement);
    void interrupt_agent(const ActivePtr& session, const StatementPtr& statement);
    void statement_stored(const ActivePtr& session, const StatementPtr& statement,
                          std::vector<detail::StatementObservation> observations,
                          std::vector<Event> events, std::int64_t last);
    void statement_ended(const ActivePtr& session, const StatementPtr& statement);
    void statement_moved(const ActivePtr& session, const StatementPtr& statement);
    void statement_begun(const ActivePtr& session, const StatementPtr& statement);

    // statement_acceptance.cpp
    boost::asio::awaitable<void> accept_statements(ActivePtr session);
    boost::asio::awaitable<Result<StatementRecord>> accept_statement(ActivePtr session,
                                                                     StatementSpec spec);
    boost::asio::awaitable<Result<CommitResult>> commit_acceptance(const StatementRecord& record);
    UniqueKey key_of_statement(const StatementRecord& record) const;
    boost::asio::awaitable<Result<std::optional<StatementRecord>>> repeated_statement(
        SessionId session, StatementSpec spec);
    boost::asio::awaitable<Result<StatementRecord>> first_statement(SessionId session,
                                                                    StatementSpec spec);

    // agent_gate.cpp: who may come in as an agent
    Result<void> listen_for_agents();
    boost::asio::awaitable<Result<AgentVerdict>> judge(AgentGreeting greeting);
    boost::asio::awaitable<Result<SubmitRequest>> prepare_session(
        ActivePtr session, detail::SessionObservation& prepared);
    boost::asio::awaitable<Result<void>> release_session(ActivePtr session);
    void remove_claim_file(const ActivePtr& session);
    std::string claim_file(const ActiveApplication& session) const;

    // subscriptions.cpp
    /// A commit is durable: tells whoever waits. `events` end with number `last`.
    void publish(const Subject& subject, std::vector<Event> events, std::int64_t last);
    void wake(const Subject& subject);
    void wake_statements(SessionId session);
    void wake_all(detail::WakeReason reason);
    /// Registers first and looks then, so that no change can come between.
    void register_waiter(const Subject& subject, const WaiterPtr& waiter,
                         std::optional<SteadyTime> deadline);
    void unregister(const Subject& subject, const WaiterPtr& waiter);
    boost::asio::awaitable<Result<std::vector<Event>>> events_or_register(std::int64_t after,
                                                                          WaiterPtr waiter);
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
    std::vector<std::shared_ptr<SessionRuntime>> runtimes;
    std::vector<SessionRuntime::Traits> runtime_traits;
    std::unique_ptr<detail::AgentDoors> doors;
    std::size_t doors_open{0};  ///< those that still let in
    WaiterPtr doors_waiter;     ///< for the last of them
    std::shared_ptr<Clock> clock;
    boost::asio::any_io_executor blocking;
    std::unique_ptr<boost::asio::thread_pool> own_pool;

    Timestamp made_at{};  ///< both clocks, when the host was made
    SteadyTime made_steady{};
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
    StorageTrouble trouble{};
    std::string trouble_text{};
    std::chrono::milliseconds storage_delay{0};

    std::unordered_map<RecordKey, ActivePtr, KeyHash> active;
    std::unordered_map<std::string, RecordKey> tickets;  ///< of active applications
    std::unordered_set<ActivePtr> sessions;              ///< of `active`, those of sessions
    std::unordered_map<std::string, RecordKey> claims;   ///< of active sessions
    GuardDesk desk;                                      ///< of the drivers' guards
    std::uint64_t connections{0};                     ///< agents and guards that have come so far
    std::int64_t live_version{0};                     ///< of open statements
    std::minstd_rand random{std::random_device()()};  ///< so that not all retry at once
    std::size_t slots_used{0};
    std::int64_t waiting{0};  ///< accepted in the store, without a slot
    std::size_t submits_in_flight{0};
    std::size_t opening_sessions{0};  ///< being committed
    /// Taken up by others while acceptances were under way: one may have been stored already, and
    /// be seen in a list and asked for, before its own acceptance is known here.
    std::unordered_set<RecordKey, KeyHash> met_early;
    bool dispatching{false};
    bool dispatch_again{false};
    std::unordered_set<std::int64_t> departed;  ///< batches forgotten while the queue was read

    detail::RecordCache cache;
    std::deque<Event> recent;  ///< newest events, so that live followers do not read the disk
    std::map<Subject, std::vector<WaiterPtr>> waiters;
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
    StorageTrouble trouble_counters;  ///< for `counters`: they grow without anybody's doing
};

}  // namespace sparkhost

#endif
