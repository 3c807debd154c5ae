// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_HOST_HPP
#define SPARKHOST_HOST_HPP

#include <sparkhost/backend.hpp>
#include <sparkhost/batch.hpp>
#include <sparkhost/event.hpp>
#include <sparkhost/log.hpp>
#include <sparkhost/sessions.hpp>
#include <sparkhost/storage.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost {

struct HostOptions {
    // --- behaviour ---
    /// Batches that may hold a ticket at the same time; more wait in the durable queue, first
    /// come first served. Must be greater than zero. Default: 4.
    std::size_t max_running{4};

    /// Batches that may wait. One more is refused with Errc::rejected. Default: 100 000.
    std::size_t max_queued{100'000};

    /// How long stop() lets operations under way finish before they are abandoned.
    /// Applications are never stopped by it. Must not be negative. Default: 10 s.
    std::chrono::milliseconds stop_grace{std::chrono::seconds{10}};

    /// An idempotency key is remembered for so long after its batch, session or statement was
    /// accepted, even when the batch or session has been erased; a statement's key goes with its
    /// session. Must be greater than zero. Default: 24 h.
    std::chrono::seconds idempotency_retention{std::chrono::hours{24}};

    /// Events kept for followers that resume; older ones are pruned. Must be greater than zero.
    /// Default: 1 000 000.
    std::size_t max_events{1'000'000};

    /// Lines of the driver's output kept in the record when a batch ends. Default: 10.
    std::size_t log_tail_lines{10};

    /// What BatchSpec::retry does not say. Default: nothing is tried again.
    RetryPolicy retry{};

    /// An ended batch is erased, with its log, after so long. Zero: it is kept. Default: kept.
    std::chrono::seconds batch_retention{0};

    // --- what batches and sessions may ask for ---
    /// Spark properties of every batch and session; those that a request sets itself win. Kept with
    /// the record, so that what was accepted runs with the values of that time. Each key must begin
    /// with "spark.". Default: none.
    std::map<std::string, std::string> default_conf{};

    /// Properties that a request must not set; a '*' at the end matches any rest. Keys that begin
    /// with "livy." may be among them. Default: none.
    std::vector<std::string> refused_conf{};

    /// Folders that local files of a request must lie in: its files, jars, archives, and those that
    /// its properties list; paths without a scheme count as local, as do "file:" and "local:". It
    /// is the name that is judged, links are not followed. Must be absolute. Empty: anywhere. That
    /// is no danger where whoever may ask may run code as this user anyway. Default: empty.
    std::vector<std::string> local_file_roots{};

    /// Properties that are lists of files, besides Spark's own (spark.jars, spark.files …): their
    /// paths obey the rules of a request's files. Default: none.
    std::vector<std::string> file_list_conf{};

    // --- sessions, and drivers that claim their tickets ---
    /// Folder for what drivers need from this host: where they dial, the claims of agents. Made if
    /// it is missing (0700); drivers read it. Required with HostPlugins::runtimes, and by backends
    /// whose drivers claim. With it the host listens. Default: nobody can dial.
    std::string agent_folder{};

    /// Where agents and guards dial, "unix:/absolute/path" or "tcp:ADDRESS:PORT"; must be the same
    /// after a restart. With TCP, drivers on this machine still dial the socket "agents.sock" in
    /// `agent_folder`. Port 0: the system picks one, once; it is kept in `agent_folder`. Default:
    /// that socket alone.
    std::string agent_address{};

    /// What drivers of backends that do not share files dial, "tcp:HOST:PORT"; HOST may be a name,
    /// port 0 is that of `agent_address`. Needs a TCP `agent_address`. Default: `agent_address`,
    /// unless that is all addresses ("0.0.0.0", "::"), which nobody can dial.
    std::string agent_advertised{};

    /// Sessions that have not ended. One more is refused with Errc::rejected. Default: 100.
    std::size_t max_sessions{100};

    /// Statements of one session that may wait. At least 1. Default: 10 000.
    std::size_t max_statements{10'000};

    /// A session without a statement for so long is ended. Zero: never. Default: 1 h.
    std::chrono::seconds session_idle_timeout{std::chrono::hours{1}};

    /// How long a session that is closed may take to end by itself (Spark is stopped, exit handlers
    /// run) before the backend kills it. Must not be negative. Default: 10 s.
    std::chrono::milliseconds session_close_grace{std::chrono::seconds{10}};

    /// An ended session is erased, with its statements and log, after so long. Zero: it is kept.
    std::chrono::seconds session_retention{0};

    // --- performance ---
    /// Where blocking work runs (SQLite, files). Empty: the host makes a pool of
    /// `blocking_threads` threads while run() is active and joins them before run() completes.
    /// A pool that is lent is to be joined before the host's executor's context is destroyed:
    /// its threads post to that.
    boost::asio::any_io_executor blocking_executor{};
    std::size_t blocking_threads{3};  ///< at least 1; used only without `blocking_executor`

    /// Ended records kept in memory for fast reads. Zero: none. Default: 4 096.
    std::size_t cached_records{4096};

    /// First wait before a failed storage is opened again; doubles up to `storage_retry_max`.
    std::chrono::milliseconds storage_retry{200};
    std::chrono::milliseconds storage_retry_max{std::chrono::seconds{10}};

    LogSink log{};
};

/// What the host is made of. Every plug-in serves one host only.
struct HostPlugins {
    std::unique_ptr<Storage> storage{};                ///< required
    std::vector<std::unique_ptr<Backend>> backends{};  ///< at least one; names must differ
    /// For sessions; each kind must be spoken by one of them only. Empty: no sessions.
    std::vector<std::unique_ptr<SessionRuntime>> runtimes{};
    std::shared_ptr<Clock> clock{};  ///< empty: the machine's
};

/// Which change of a batch to wait for.
struct ChangeRequest {
    BatchId id{};
    std::int64_t seen_version{0};  ///< return when the version differs …
    std::optional<BatchState>
        not_state{};  ///< … or, if set, when the state is not this one instead
    std::chrono::milliseconds timeout{std::chrono::milliseconds::max()};
};

struct BatchLogRequest {
    BatchId id{};
    std::int64_t offset{0};  ///< negative: the last so many lines
    std::size_t limit{100};
    bool follow{false};  ///< wait for a line at `offset`, or for the attempt's end
    int attempt{0};      ///< whose log; 0: that of the last attempt that has a ticket
};

/// Upper bounds of the latency histograms, seconds; the last bucket is open.
inline constexpr std::array<double, 12> latency_bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                       0.05,   0.1,   0.25,   0.5,   1.0,  2.5};
struct LatencyHistogram {
    std::array<std::uint64_t, latency_bounds.size() + 1> counts{};  ///< per bucket, not cumulated
    double sum{0};
    std::uint64_t count{0};
};

/// How a backend is followed.
struct BackendStatus {
    std::string name{};
    bool watching{false};                       ///< what it reports is up to date
    std::optional<Timestamp> watching_since{};  ///< or not watching since
    std::string problem{};                      ///< why it is not, in the backend's words
};

/// Figures for /metrics and health. A copy taken at one moment.
struct HostStatus {
    bool ready{false};            ///< open, recovered, accepting
    bool draining{false};         ///< stop() has been called
    bool storage_healthy{false};  ///< what was written last is durable
    /// While it is not healthy: since when, and what the storage said last.
    std::optional<Timestamp> storage_failing_since{};
    std::string storage_error{};
    double storage_degraded_seconds{0};  ///< not healthy, in all, since run() began
    /// How long the first report that could not be stored has been waiting. 0: none waits.
    double storage_oldest_unstored_seconds{0};
    std::string store_uuid{};
    std::string problem{};  ///< why it is not ready; for people
    std::int64_t queued{0};
    std::int64_t active{0};                  ///< hold a ticket, have not ended
    std::array<std::int64_t, 8> by_phase{};  ///< batches in the store, indexed by BatchPhase
    /// Ended since run() began, indexed by BatchState.
    std::array<std::int64_t, 5> ended_by_state{};
    std::int64_t sessions{0};          ///< have not ended
    std::int64_t connected_agents{0};  ///< of these, those whose agent is connected
    std::int64_t statements{0};        ///< ended since run() began
    std::int64_t last_sequence{0};
    LatencyHistogram accept{};  ///< submit() called → durable
    LatencyHistogram
        dispatch{};  ///< durable → Backend::submit called, for batches that never waited for a slot
    LatencyHistogram push{};  ///< backend report → durable and visible
    StorageStats storage{};
    std::vector<BackendStatus> backends{};  ///< in the order of HostPlugins::backends
};

/// A position in the event log that moves forward. Not shareable between coroutines.
class EventFollower {
public:
    /// Gives the next events (at least one, at most 1000), waiting where there are none yet.
    /// Errors: expired – the position has been pruned; stopped – the host has stopped.
    /// Cancellation: abandons the wait; nothing is lost.
    Awaitable<std::vector<Event>> next();

    /// The last number given; a later follower resumes after it.
    std::int64_t position() const noexcept { return *position_; }

private:
    friend class Host;
    EventFollower(std::shared_ptr<class HostImpl> host, std::int64_t after)
        : host_(std::move(host)), position_(std::make_shared<std::int64_t>(after)) {}
    std::shared_ptr<class HostImpl> host_;
    std::shared_ptr<std::int64_t> position_;
};

/// A job server inside your process: keeps batches durably, submits each exactly once, follows
/// them by push. It has no thread of its own (see HostOptions::blocking_executor), installs no
/// signal handler, prints nothing, and several can live in one process.
///
/// Thread safety: operations may be called from any thread, also at the same time; they resume
/// on the awaiting coroutine's executor. The handle itself (move, destroy) is not thread-safe.
/// Lifetimes: the host may be destroyed while operations are outstanding.
/// Calls made before run() has opened the store wait for it.
///
/// Errors common to all operations: storage_failed – the store cannot be reached, nothing has
/// changed; indeterminate – a write may have happened, ask again later (with the same
/// idempotency key); stopped – stop() was called or run() has ended.
class Host {
public:
    /// Throws std::invalid_argument naming the field when an option breaks its rule.
    Host(boost::asio::any_io_executor executor, HostOptions options, HostPlugins plugins);
    ~Host();  ///< abandons what is left of run(); prefer stop() and awaiting run()
    Host(Host&&) noexcept;
    Host& operator=(Host&&) noexcept;

    /// Opens the store, takes up everything that was under way when the last host ended, and
    /// works until stop(). Completes when everything the host started has completed.
    /// Preconditions: called once. Errors: storage_failed, backend_failed – could not start;
    /// stopped – stop() was called, and a plug-in was still opening after stop_grace.
    /// Cancellation: the same as stop().
    Awaitable<void> run();

    /// Stops admitting, lets operations under way finish (HostOptions::stop_grace), releases
    /// waiting callers with Errc::stopped. Applications go on running; the next host adopts
    /// them. Idempotent, may be called before run() and from any thread.
    void stop();

    /// Completes when the host accepts work. Errors: what made run() fail.
    Awaitable<void> ready();

    /// Accepts a batch: it is durable when this completes, and will be submitted exactly once.
    /// Errors: invalid_argument – a rule of BatchSpec is broken, `field` says where;
    /// already_exists – the name is taken (`field` is "name"), or the idempotency key was used
    /// for another request (`field` is "idempotency_key"); rejected – max_queued is reached.
    /// Not cancellable.
    Awaitable<BatchRecord> submit(BatchSpec spec);

    /// Errors: not_found.
    Awaitable<BatchRecord> find(BatchId id);
    Awaitable<BatchRecord> find(std::string name);

    Awaitable<BatchPage> list(BatchQuery query);

    /// Completes when the batch has ended, after its last attempt. Errors: not_found, also when it
    /// is erased meanwhile. Cancellation: abandons the wait, never the batch.
    Awaitable<BatchRecord> wait(BatchId id);

    /// Completes at the change asked for. Errors: not_found; timed_out. Cancellation: as wait().
    Awaitable<BatchRecord> wait_for_change(ChangeRequest request);

    /// Makes the wish to end the batch durable and completes when no user code of it can start any
    /// more: where a submit may be on its way, when the backend has taken the wish. Killing what
    /// has ended is a success. Errors: not_found; backend_failed – the wish is durable, but the
    /// backend could not be asked yet and is asked again; ask again to know.
    Awaitable<BatchRecord> kill(BatchId id);

    /// Kills the batch if need be, waits for its end, and removes it with its log.
    /// Errors: not_found; indeterminate – it will be erased, but whether it has been is not known.
    /// Cancellation: abandons the wait; the batch is erased all the same.
    Awaitable<void> erase(BatchId id);

    /// The log of one attempt: lines are numbered anew in each, and a page that is `complete` says
    /// that the attempt has ended. Errors: not_found – no such batch, or `field` is "attempt": no
    /// such attempt. A batch without output gives an empty page.
    /// Cancellation: with `follow`, abandons the wait; without, not cancellable.
    Awaitable<LogPage> read_log(BatchLogRequest request);

    /// Interactive sessions.
    Sessions sessions() const;

    /// Follows the event log after `sequence` (0: from the oldest kept).
    EventFollower follow_events(std::int64_t sequence);

    HostStatus status() const;  ///< thread-safe, does not wait

    boost::asio::any_io_executor get_executor() const;

private:
    std::shared_ptr<class HostImpl> impl_;
};

}  // namespace sparkhost

#endif
