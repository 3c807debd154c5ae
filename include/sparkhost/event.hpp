// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EVENT_HPP
#define SPARKHOST_EVENT_HPP

#include <sparkhost/batch.hpp>
#include <sparkhost/session.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sparkhost {

/// A durable change of a batch, a session or a statement. Events are numbered without holes per
/// store (1, 2, 3 …), in the order of their commits; a follower resumes after any number it has
/// seen.
struct Event {
    std::int64_t sequence{0};
    Timestamp at{};
    /// batch.accepted, batch.reserved, batch.submitted, batch.running, batch.updated,
    /// batch.kill_requested, batch.ended, batch.released, batch.erased; the same for session.…,
    /// and batch.attempt_ended, batch.waiting, batch.requeued; session.claimed, session.ready;
    /// statement.accepted, statement.cancel_requested, statement.ended
    std::string type{};
    BatchId batch{};          ///< of a batch.… event; else -1
    SessionId session{};      ///< of the others; else -1
    StatementId statement{};  ///< of a statement.… event; else -1
    std::int64_t version{0};  ///< of the record after the change
    std::string state{};      ///< as to_string(…State) gives it: "running", "idle", "available"
    std::string reason{};
    bool operator==(const Event&) const = default;
};

}  // namespace sparkhost

#endif
