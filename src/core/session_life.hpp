// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_SESSION_LIFE_HPP
#define SPARKHOST_SRC_CORE_SESSION_LIFE_HPP

#include "core/session_machine.hpp"
#include "waiter.hpp"

#include <sparkhost/session_runtime.hpp>
#include <sparkhost/storage.hpp>

#include <boost/asio/cancellation_signal.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost {

using WaiterPtr = std::shared_ptr<detail::Waiter>;

/// A statement that is not over. What is durable of it changes only by a commit; that it runs, its
/// progress and its output are known from the agent, which says them again to the next host.
struct StatementLife {
    StatementRecord record{};
    RecordKey key{};
    std::int64_t stored_version{1};

    struct Wish {
        detail::StatementObservation observation{};
        std::function<void(Result<StatementRecord>)> done{};
    };
    std::deque<Wish> wishes{};
    std::optional<detail::StatementObservation> end{};  ///< not durable yet
    bool committing{false};
    bool ended{false};  ///< durably

    std::optional<Timestamp> begun{};  ///< as its agent has said
    bool ever_given{true};             ///< an agent may know it
    std::uint64_t given_to{0};         ///< number of the connection that executes it; 0: none
    std::size_t output_size{0};
    std::vector<WaiterPtr> followers{};
};
using StatementPtr = std::shared_ptr<StatementLife>;

/// What the host knows of a session beside its application.
struct SessionLife {
    detail::SessionPart part{};  ///< always what the storage has, `statements` aside
    std::size_t runtime{0};
    std::map<StatementId, StatementPtr> open{};  ///< accepted, not over
    std::int64_t next_statement{0};

    struct Accept {
        StatementSpec spec{};
        std::function<void(Result<StatementRecord>)> done{};
        std::string key{};  ///< idempotency key; empty: none
    };
    /// Accepted one after the other, in the order of the calls; the first is being accepted.
    std::deque<Accept> arrivals{};
    bool accepting{false};

    std::shared_ptr<Conversation> talk{};  ///< with the agent that is connected
    std::uint64_t connection{0};           ///< its number
    std::shared_ptr<boost::asio::cancellation_signal> leave{};  ///< ends the talk
    std::size_t unsaved{0};    ///< commits under way of what the agent has said of the session
    std::size_t executing{0};  ///< calls of Conversation::execute() under way

    std::uint64_t activity{0};  ///< grows with everything that keeps the session from being idle
    std::shared_ptr<boost::asio::cancellation_signal> idle{};  ///< ends the wait for idleness
    bool end_asked{false};
    std::shared_ptr<boost::asio::cancellation_signal> lifetime{};  ///< ends the wait for its end
    SteadyTime heard{};        ///< when somebody last asked for it
    std::size_t preparing{0};  ///< files are being written that its release is to remove

    std::size_t given_size() const;

    /// Nothing is to be settled any more: what protected the session may go.
    bool wrapped_up() const {
        return open.empty() && arrivals.empty() && !accepting && preparing == 0 && !talk &&
               executing == 0;
    }
};

}  // namespace sparkhost

#endif
