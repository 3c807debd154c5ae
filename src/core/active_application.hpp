// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_ACTIVE_APPLICATION_HPP
#define SPARKHOST_SRC_CORE_ACTIVE_APPLICATION_HPP

#include "core/batch_machine.hpp"
#include "core/session_life.hpp"

#include <sparkhost/clock.hpp>
#include <sparkhost/storage.hpp>

#include <boost/asio/cancellation_signal.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost {

/// An application that something has to be done for: a batch's, or a session's. Lives on the
/// host's strand. `record` is always what the storage has; wishes for change wait in `inbox` until
/// they are committed. What clients are shown has the backend's `steps` in addition.
struct ActiveApplication {
    RecordKey key{};
    BatchRecord record{};
    std::shared_ptr<SessionLife> session{};  ///< what a session has beside; empty for a batch
    detail::BatchProgress progress{};
    std::size_t backend{0};
    /// As last reported for `record.ticket`. Those that are not stored yet are said again by the
    /// backend after a crash.
    std::vector<TimelineEntry> steps{};

    struct Item {
        std::optional<detail::BatchObservation> observation{};
        std::optional<detail::SessionObservation> of_session{};
        Timestamp at{};
        /// Called with the outcome of its commit; without it a failed commit is tried again.
        std::function<void(Result<BatchRecord>)> done{};
        std::function<void()> stored{};  ///< called when it is durable, or has changed nothing
        SteadyTime arrived{};
    };
    std::vector<Item> inbox{};
    bool committing{false};
    std::optional<detail::BatchEffect> retrying{};  ///< has failed and waits for its next try
    std::uint64_t taken_in{0};  ///< the watch epoch in which the backend took it; 0: before run()
    std::uint64_t reported_in{0};  ///< the watch epoch of its last report
    SteadyTime durable_at{};       ///< when it was accepted, for the dispatch histogram
    bool direct{false};            ///< admitted without waiting for a slot
    std::chrono::milliseconds retry_delay{0};
    std::shared_ptr<boost::asio::cancellation_signal> retry_timer{};  ///< ends the wait
    /// Callers of kill() whose wish is durable: answered when no user code can start any more.
    std::vector<std::function<void(Result<BatchRecord>)>> kill_callers{};
    bool gone{false};  ///< its record has been erased: nothing is to be done for it any more

    /// "batch 7" or "session 7": for people.
    std::string name() const;
    BatchRecord shown() const;
};
using ActivePtr = std::shared_ptr<ActiveApplication>;

inline RecordKey key_of(BatchId id) {
    return {RecordKind::batch, id.value};
}
inline RecordKey key_of(SessionId id) {
    return {RecordKind::session, id.value};
}
struct KeyHash {
    std::size_t operator()(const RecordKey& key) const noexcept {
        return std::hash<std::int64_t>()(key.id * 4 + static_cast<int>(key.kind));
    }
};

/// What callers wait for: a batch, a session, or a statement (`id` is its session's).
struct Subject {
    RecordKind kind{RecordKind::batch};
    std::int64_t id{-1};
    std::int64_t statement{-1};
    auto operator<=>(const Subject&) const = default;

    Subject() = default;
    Subject(BatchId batch) : id(batch.value) {}  // NOLINT: converting
    Subject(SessionId session) : kind(RecordKind::session), id(session.value) {}  // NOLINT
    Subject(SessionId session, StatementId number)
        : kind(RecordKind::statement), id(session.value), statement(number.value) {}
    explicit Subject(RecordKey key) : kind(key.kind), id(key.id) {}
};

}  // namespace sparkhost

#endif
