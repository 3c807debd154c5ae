// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_BACKEND_HPP
#define SPARKHOST_BACKEND_HPP

#include <sparkhost/batch.hpp>
#include <sparkhost/error.hpp>
#include <sparkhost/log.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost {

/// What the host gives a backend before any other call.
struct BackendContext {
    /// Part of every name given to a cluster: no store adopts a stranger's work.
    std::string store_uuid{};
    std::string backend_name{};  ///< the backend's own traits().name, for messages
    boost::asio::any_io_executor blocking_executor{};  ///< for work that blocks (files, processes)
    std::shared_ptr<Clock> clock{};
    LogSink log{};
};

/// One application to be started. Made from the stored record, so it is the same after a crash.
struct SubmitRequest {
    std::string store_uuid{};
    std::string subject{};  ///< "batch-7": what the application is run for
    int attempt{1};
    BatchSpec spec{};
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
