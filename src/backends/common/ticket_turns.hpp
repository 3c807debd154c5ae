// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_COMMON_TICKET_TURNS_HPP
#define SPARKHOST_SRC_BACKENDS_COMMON_TICKET_TURNS_HPP

#include "waiter.hpp"

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace sparkhost::detail {

/// Operations on the same ticket take turns, first come, first served; those on different tickets
/// do not wait for each other. For one strand.
class TicketTurns {
    struct Line {
        std::deque<std::shared_ptr<Waiter>> waiting{};
        int kills{0};  ///< that wait or run
    };
    using Lines = std::unordered_map<std::string, Line>;

public:
    enum class Purpose { other, kill };

    /// One operation's turn; the next one's begins when it is destroyed.
    class Turn {
    public:
        Turn() = default;
        Turn(Turn&& other) noexcept { *this = std::move(other); }
        Turn& operator=(Turn&& other) noexcept {
            std::swap(lines_, other.lines_);
            std::swap(ticket_, other.ticket_);
            std::swap(purpose_, other.purpose_);
            return *this;
        }
        ~Turn() {
            const auto lines = lines_.lock();
            if (!lines) {
                return;
            }
            const auto line = lines->find(ticket_);
            if (line == lines->end()) {
                return;
            }
            line->second.kills -= purpose_ == Purpose::kill ? 1 : 0;
            if (line->second.waiting.empty()) {
                lines->erase(line);
                return;
            }
            const auto next = line->second.waiting.front();
            line->second.waiting.pop_front();
            next->wake(WakeReason::changed);
        }

        /// Whether a kill waits for this turn to end.
        bool kill_waits() const {
            const auto lines = lines_.lock();
            const auto line = lines ? lines->find(ticket_) : Lines::iterator();
            return lines && line != lines->end() && line->second.kills > 0;
        }

    private:
        friend class TicketTurns;
        std::weak_ptr<Lines> lines_{};
        std::string ticket_{};
        Purpose purpose_{Purpose::other};
    };

    /// Waits for the ticket's turn. Not for coroutines that are cancelled: a turn given to one that
    /// has gone away would be nobody's.
    static asio::awaitable<Turn> take(TicketTurns& turns, std::string ticket, Purpose purpose) {
        const auto lines = turns.lines_;
        const auto [line, first] = lines->try_emplace(ticket);
        line->second.kills += purpose == Purpose::kill ? 1 : 0;
        if (!first) {
            auto waiter = std::make_shared<Waiter>();
            line->second.waiting.push_back(waiter);
            co_await Waiter::wait(std::move(waiter));
        }
        Turn turn;
        turn.lines_ = lines;
        turn.ticket_ = std::move(ticket);
        turn.purpose_ = purpose;
        co_return turn;
    }

private:
    std::shared_ptr<Lines> lines_{std::make_shared<Lines>()};
};

}  // namespace sparkhost::detail

#endif
