// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_BATCH_HPP
#define SPARKHOST_BATCH_HPP

#include <sparkhost/clock.hpp>
#include <sparkhost/retry.hpp>

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost {

/// Number of a batch in its store: 0, 1, 2 … in the order of acceptance; never used again.
struct BatchId {
    std::int64_t value{-1};
    auto operator<=>(const BatchId&) const = default;
};

/// What to run. The members are Livy's and spark-submit's; only `file` is needed.
struct BatchSpec {
    /// Application file: an absolute path or a URI Spark understands (.py, .jar, .R). Required.
    std::string file{};
    std::vector<std::string> args{};      ///< arguments of the application
    std::string class_name{};             ///< main class of a jar; empty: its manifest says
    std::vector<std::string> jars{};      ///< --jars
    std::vector<std::string> py_files{};  ///< --py-files
    std::vector<std::string> files{};     ///< --files
    std::vector<std::string> archives{};  ///< --archives
    std::string driver_memory{};          ///< "512m", "4g"; empty: Spark's default
    std::optional<int> driver_cores{};    ///< cluster modes only
    std::string executor_memory{};        ///< empty: Spark's default
    std::optional<int> executor_cores{};
    std::optional<int> num_executors{};
    std::string queue{};  ///< YARN queue
    /// Spark properties; each key begins with "spark.". Keys that begin with "livy.", which clients
    /// of Livy send along, are left out.
    std::map<std::string, std::string> conf{};

    std::string name{};   ///< unique among the batches that exist; not only digits; empty: none
    std::string owner{};  ///< who asks, as the host application authenticated it; empty: anonymous
    std::string proxy_user{};  ///< whom Spark is to impersonate; empty: nobody
    std::string backend{};     ///< name of the backend; empty: the host's first
    /// The same key from the same owner gives the first batch again (same request) or
    /// Errc::already_exists (another request). Empty: none.
    std::string idempotency_key{};
    RetryPolicy retry{};  ///< whether it is tried again when it fails; not for sessions

    bool operator==(const BatchSpec&) const = default;
};

/// How far the host has brought a batch. Each phase is durable before the next effect.
enum class BatchPhase {
    accepted,       ///< stored; waits for admission
    reserved,       ///< has its ticket: the durable right to start one attempt
    submitted,      ///< the backend has taken it
    running,        ///< its driver runs
    attempt_ended,  ///< this attempt is over, and is being released; there will be another one
    waiting,        ///< until it is time for the next attempt; then it is `accepted` once more
    ended,          ///< over; `outcome` says how
    released        ///< over, and the backend has cleaned up
};

/// What a client is shown; Livy's words.
enum class BatchState { starting, running, success, dead, killed };

/// How an application ended.
enum class Outcome {
    none,     ///< it has not
    success,  ///< exit status 0
    failed,   ///< any other exit, or it could not be started
    killed,   ///< because somebody asked for it
    unknown   ///< it is over, but nobody can tell how (its supervisor was killed)
};

/// One step of a batch's way, for people: "why does it wait, where did the time go".
struct TimelineEntry {
    /// accepted, admitted, submitted, process_started, context_up, attempt_ended, requeued,
    /// kill_requested, ended; of sessions also claimed, ready. Others are a backend's:
    /// ApplicationStatus::steps.
    std::string what{};
    Timestamp at{};
    std::string reason{};  ///< may be empty
    bool operator==(const TimelineEntry&) const = default;
};

/// An attempt that has failed and was followed by another one, or will be.
struct BatchAttempt {
    std::string ticket{};  ///< empty: it did not come so far
    std::string ticket_data{};
    Outcome outcome{Outcome::none};
    std::optional<int> exit_code{};
    std::string reason{};
    std::string application_id{};
    std::optional<Timestamp> started{};  ///< it has run
    Timestamp ended{};
    bool operator==(const BatchAttempt&) const = default;
};

/// When a batch is tried again. Decided once, and stored.
struct NextAttempt {
    Timestamp at{};
    std::chrono::milliseconds delay{};  ///< from the end of the attempt before to `at`
    bool operator==(const NextAttempt&) const = default;
};

/// A batch as it is stored. Of a batch that is tried again, what has no attempt named is about the
/// last attempt that had a ticket, also while the next one waits.
struct BatchRecord {
    BatchId id{};
    std::int64_t version{0};  ///< grows by one with each change; the ETag of the REST routes
    BatchSpec spec{};
    BatchPhase phase{BatchPhase::accepted};
    Outcome outcome{Outcome::none};
    std::optional<int> exit_code{};  ///< 128 + signal where a signal ended the driver
    std::string reason{};            ///< why it ended as it did; for people
    std::string application_id{};    ///< Spark's, once Spark has reported it
    std::string ui_url{};            ///< Spark UI, where known
    int attempt{0};                  ///< whose `ticket` is: 1, 2 …; 0 before the first ticket
    std::vector<BatchAttempt> attempts{};       ///< have failed, and another follows
    std::optional<NextAttempt> next_attempt{};  ///< while it waits for one
    std::string ticket{};         ///< id of the attempt's ticket; empty before `reserved`
    std::string ticket_data{};    ///< what the backend needs to start, adopt or kill the attempt
    bool kill_requested{false};   ///< durable: no submit begins after it
    bool erase_requested{false};  ///< remove the record once it has been released
    Timestamp created{};
    Timestamp updated{};
    std::vector<TimelineEntry> timeline{};
    std::vector<std::string> log_tail{};  ///< last lines of the log, kept when the batch ends

    bool has_ended() const noexcept { return phase >= BatchPhase::ended; }
    /// What clients see never goes back: once an attempt has run, it is `running` until the end.
    BatchState state() const noexcept {
        if (!has_ended()) {
            const bool has_run = std::any_of(attempts.begin(), attempts.end(),
                                             [](const auto& each) { return each.started; });
            return phase == BatchPhase::running || has_run ? BatchState::running
                                                           : BatchState::starting;
        }
        switch (outcome) {
            case Outcome::success:
                return BatchState::success;
            case Outcome::killed:
                return BatchState::killed;
            default:
                return BatchState::dead;
        }
    }
    bool operator==(const BatchRecord&) const = default;
};

/// Which batches, oldest first unless `newest_first`.
struct BatchQuery {
    std::optional<BatchState> state{};
    std::string owner{};     ///< empty: everybody's
    std::int64_t offset{0};  ///< skip so many (Livy's `from`)
    std::optional<BatchId>
        after{};  ///< keyset cursor: only those after this one in the order asked
    std::size_t limit{100};
    bool newest_first{false};
};

struct BatchPage {
    std::vector<BatchRecord> batches{};
    std::int64_t total{0};  ///< how many match, not only those on this page
};

inline constexpr std::string_view to_string(BatchState state) noexcept {
    switch (state) {
        case BatchState::starting:
            return "starting";
        case BatchState::running:
            return "running";
        case BatchState::success:
            return "success";
        case BatchState::dead:
            return "dead";
        case BatchState::killed:
            return "killed";
    }
    return "unknown";
}

inline constexpr std::string_view to_string(BatchPhase phase) noexcept {
    switch (phase) {
        case BatchPhase::accepted:
            return "accepted";
        case BatchPhase::reserved:
            return "reserved";
        case BatchPhase::submitted:
            return "submitted";
        case BatchPhase::running:
            return "running";
        case BatchPhase::attempt_ended:
            return "attempt_ended";
        case BatchPhase::waiting:
            return "waiting";
        case BatchPhase::ended:
            return "ended";
        case BatchPhase::released:
            return "released";
    }
    return "unknown";
}

inline constexpr std::string_view to_string(Outcome outcome) noexcept {
    switch (outcome) {
        case Outcome::none:
            return "none";
        case Outcome::success:
            return "success";
        case Outcome::failed:
            return "failed";
        case Outcome::killed:
            return "killed";
        case Outcome::unknown:
            return "unknown";
    }
    return "unknown";
}

}  // namespace sparkhost

#endif
