// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_BACKEND_HPP
#define SPARKHOST_BACKEND_HPP

#include <sparkhost/batch.hpp>
#include <sparkhost/error.hpp>
#include <sparkhost/log.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost {

/// A driver asks, before user code runs, whether it is the one that may run it
/// (docs/agent_protocol.md, "Guards").
struct DriverClaim {
    std::string ticket{};  ///< of the form of Ticket::id
    std::string secret{};  ///< one-time, from the backend
    std::string nonce{};   ///< made by the driver's process, for its whole life: 32 hex digits
    /// What the cluster calls the driver, as far as its guard knows: visible ASCII, at most 255.
    std::string driver{};
};

struct ClaimAnswer {
    enum class Code {
        granted,
        claimed,  ///< another process has claimed this ticket
        unknown,  ///< no such ticket, or a wrong secret
        ended,    ///< the ticket was killed, or has been released
        later     ///< not now: the guard asks again
    };
    /// A file that the driver finds in a folder of its own, of mode 0700.
    struct File {
        std::string name{};
        std::string content{};  ///< any bytes
    };
    Code code{Code::unknown};
    std::string detail{};       ///< for the driver's output
    std::vector<File> files{};  ///< of a grant; together less than 5 MiB
};

/// What a driver that has been granted its claim tells later; each part once it is known. Told
/// again after a lost connection.
struct DriverReport {
    std::string ticket{};
    std::string driver{};
    std::string application_id{};
    std::string ui_url{};
    bool ended{false};    ///< the user's main has returned or thrown
    std::string error{};  ///< what it threw
};

/// Decides about the claims of a backend's drivers. Called on the host's strand.
class ClaimJudge {
public:
    virtual ~ClaimJudge() = default;
    /// A claim may be granted only when (ticket, nonce) is durable; the same nonce is granted
    /// again, any other never. Compare secrets in constant time.
    virtual Awaitable<ClaimAnswer> claim(DriverClaim claim) = 0;
    virtual void reported(DriverReport report) = 0;
    /// The connection of a guard that had been granted has ended. Most often its driver has, too:
    /// a good moment to ask the cluster.
    virtual void guard_gone(std::string ticket) { (void)ticket; }
};

/// What the host gives a backend before any other call.
struct BackendContext {
    /// Part of every name given to a cluster: no store adopts a stranger's work.
    std::string store_uuid{};
    std::string backend_name{};  ///< the backend's own traits().name, for messages
    boost::asio::any_io_executor blocking_executor{};  ///< for work that blocks (files, processes)
    std::shared_ptr<Clock> clock{};
    LogSink log{};
    /// What this backend's drivers dial ("tcp:HOST:PORT", "unix:/path"), the same after a restart.
    /// Empty: the host has no such address; `detail` of a refusal should name
    /// HostOptions::agent_address.
    std::string agent_address{};
    /// The claims of this backend's drivers go to this judge, for as long as it lives. To be called
    /// from open(); until that has completed guards are told to ask again. Empty where
    /// agent_address is.
    std::function<void(std::weak_ptr<ClaimJudge> judge)> take_claims{};
};

/// A file of the host's machine that a driver needs, too.
struct DriverFile {
    std::string path{};  ///< absolute
    bool secret{false};  ///< for nobody but the driver
    bool operator==(const DriverFile&) const = default;
};

/// One application to be started. Made from the stored record, so it is the same after a crash.
struct SubmitRequest {
    std::string store_uuid{};
    std::string subject{};  ///< "batch-7": what the application is run for
    int attempt{1};
    BatchSpec spec{};
    /// Only for backends that do not share files. The driver finds copies of them together in one
    /// folder, under their file names, which differ; a folder that it may only read will do.
    /// `spec.file` and `spec.args` that are the path of one of them mean its copy. They exist, and
    /// stay as they are, until the backend has taken the application.
    std::vector<DriverFile> driver_files{};
};

/// The durable right to start one application once.
struct Ticket {
    /// Unique in the store: lower-case letters, digits, '-'; at most 63 characters.
    std::string id{};
    std::string data{};  ///< the backend's own; opaque to the host, stored with the ticket
};

/// How far an application has come. A report never goes back.
enum class ApplicationState {
    submitted,   ///< taken, no process yet
    started,     ///< its driver process runs
    context_up,  ///< its SparkContext has reported an application id
    ended        ///< over
};

/// A report about one application: everything known now, not only what is new.
struct ApplicationStatus {
    std::string ticket{};
    ApplicationState state{ApplicationState::submitted};
    Outcome outcome{Outcome::none};  ///< other than none exactly when state is `ended`
    std::optional<int> exit_code{};
    std::string application_id{};
    std::string ui_url{};
    std::string reason{};  ///< for people
    std::optional<Timestamp> started{};
    std::optional<Timestamp> context_up{};
    std::optional<Timestamp> ended{};
    /// What has happened to it on its way, oldest first, all that is known: "pod_created",
    /// "scheduled", "image_pulled" …; "waiting" with the reason that a person can act on, once for
    /// each reason, whose time is when that began. The names that the host enters by itself
    /// (TimelineEntry::what) are left out. Of one attempt 64 are kept.
    std::vector<TimelineEntry> steps{};
    bool operator==(const ApplicationStatus&) const = default;
};

/// Receives what Backend::watch has to tell. Called on the host's strand, from within watch or
/// anything it started; must not be called after watch has completed.
class EventSink {
public:
    virtual ~EventSink() = default;
    /// A further snapshot begins, after a reconnection within one watch. (The first begins with
    /// the call of watch itself.)
    virtual void snapshot_begin() {}
    /// The state of one application. Saying the same again is harmless.
    virtual void status(ApplicationStatus report) = 0;
    /// Every application that exists has been reported once since the snapshot began: a ticket
    /// that had been taken before and has not been reported by now is lost.
    virtual void snapshot_complete() = 0;
    /// The cluster cannot be asked at the moment, for this reason: what has been reported may be
    /// out of date. Empty: it can be again. For people and figures; it changes no state.
    virtual void trouble(std::string reason) { (void)reason; }
};

/// Lines of a driver's output. Line numbers count from 0 and never change.
struct LogRequest {
    Ticket ticket{};
    std::int64_t offset{0};           ///< first line wanted; negative: the last `-offset` lines
    std::size_t limit{100};           ///< at most so many lines
    std::size_t max_bytes{4u << 20};  ///< stop after so many bytes (at least one line is given)
    bool follow{false};  ///< wait until there is a line at `offset`, or the application has ended
};

struct LogPage {
    std::int64_t offset{0};            ///< number of the first line given
    std::vector<std::string> lines{};  ///< without line ends; invalid UTF-8 replaced by U+FFFD
    std::int64_t total{0};             ///< lines there are now
    bool complete{false};              ///< the application has ended: `total` is final
};

/// Runs Spark applications somewhere: local processes, standalone, YARN, Kubernetes …
///
/// Thread safety: the host calls a backend from one strand, so calls never run in parallel;
/// several operations may be outstanding (suspended) at the same time.
/// Blocking: functions must not block; use BackendContext::blocking_executor.
/// Exceptions: report failures through Result. An escaping exception becomes Errc::backend_failed.
/// Cancellation: only `watch` and a following `read_log` are cancelled; the rest run to their end.
/// Check an implementation with sparkhost/testing/backend_conformance.hpp.
class Backend {
public:
    struct Traits {
        std::string name{};       ///< "local", "kubernetes"; stored with each batch
        bool serves_logs{false};  ///< read_log() is implemented
        /// Its drivers see the host's files, under the same paths, and reach the host's own
        /// addresses. Without it they get SubmitRequest::driver_files.
        bool shares_files{true};
    };

    virtual ~Backend() = default;

    virtual Traits traits() const = 0;

    /// Gets ready: looks for Spark, makes folders. Called once, before anything else.
    /// Errors: backend_failed – the host does not start; `detail` says what to do.
    virtual Awaitable<void> open(BackendContext context) = 0;

    /// Decides everything that must be known before the application can exist, and checks what
    /// can be checked (file there, Spark there, conf allowed). Starts nothing. The host stores
    /// the ticket before it goes on; an unused ticket costs nothing.
    /// Errors: invalid_argument – this request can never run (`field`, `detail`); the batch ends
    /// as failed. backend_failed – the same, with the backend's words.
    virtual Awaitable<Ticket> reserve(SubmitRequest request) = 0;

    /// Starts the application. Called again with the same ticket, at any time until `release`,
    /// before or after a crash of either side, it never lets user code run twice: it adopts the
    /// first. Success: the application exists, or has existed, and `watch` reports it.
    /// Errors: backend_failed – it was not started and never will be. invalid_state – `kill` has
    /// taken the ticket. indeterminate – whether it was started is not known, or there is no room
    /// to start it now (a full disk): the host asks again after a while, with the same ticket. In
    /// doubt about how it went an implementation succeeds and lets `watch` say how it ended.
    virtual Awaitable<void> submit(SubmitRequest request, Ticket ticket) = 0;

    /// Runs until cancelled. Reports the state of every application of this store:
    /// `snapshot_begin()` before it asks what there is, a snapshot, `snapshot_complete()`, then
    /// each change as it happens. Reconnects by itself and then gives a fresh snapshot. Errors:
    /// backend_failed – it cannot watch at all.
    virtual Awaitable<void> watch(std::shared_ptr<EventSink> sink) = 0;

    /// Ends the application. Idempotent. When it has completed, no submit of this ticket, not
    /// even one still in flight, will run user code; what runs is being ended. `watch` reports
    /// `ended` for the ticket in every case, also when nothing was ever started.
    /// Errors: backend_failed – could not be asked; the host tries again.
    virtual Awaitable<void> kill(Ticket ticket) = 0;

    /// The end is durable at the host: remove what protected or described the application.
    /// Idempotent; unknown tickets are a success. `keep_log`: read_log must go on working.
    struct ReleaseRequest {
        Ticket ticket{};
        bool keep_log{true};
    };
    virtual Awaitable<void> release(ReleaseRequest request) = 0;

    /// Reads the driver's output. Errors: not_found – there is none (any more).
    virtual Awaitable<LogPage> read_log(LogRequest request) {
        (void)request;
        co_return Errc::not_supported;
    }

protected:
    Backend() = default;
    Backend(const Backend&) = delete;
    Backend& operator=(const Backend&) = delete;
};

}  // namespace sparkhost

#endif
