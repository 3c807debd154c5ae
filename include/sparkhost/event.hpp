// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EVENT_HPP
#define SPARKHOST_EVENT_HPP

#include <sparkhost/batch.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sparkhost {

/// A durable change of a batch. Events are numbered without holes per store (1, 2, 3 …), in
/// the order of their commits; a follower resumes after any number it has seen.
struct Event {
    std::int64_t sequence{0};
    Timestamp at{};
    /// batch.accepted, batch.reserved, batch.submitted, batch.running, batch.updated,
    /// batch.kill_requested, batch.ended, batch.released, batch.erased
    std::string type{};
    BatchId batch{};
    std::int64_t version{0};  ///< of the record after the change
    BatchState state{BatchState::starting};
    std::string reason{};
    bool operator==(const Event&) const = default;
};

}  // namespace sparkhost

#endif
