// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_ANSWER_ROOM_HPP
#define SPARKHOST_SRC_REST_ANSWER_ROOM_HPP

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>

namespace sparkhost::detail::rest {

/// Whether the answer to a GET of this target may be large and is made at once: logs and lists.
bool makes_large_answer(std::string_view target);

/// Answers are made whole before they are sent, and clients may take them slowly or not at all.
/// A server's connections share so much memory for them; and as nobody knows how large one gets
/// before it has been made, only a few large ones are made at a time. Thread-safe.
class AnswerRoom {
public:
    explicit AnswerRoom(std::size_t memory) : memory_(memory) {}

    /// Called once, from any thread, when it is worth trying again. Who waits no longer drops it.
    using Wake = std::function<void()>;
    using Hold = std::shared_ptr<void>;  ///< given back when it is destroyed

    /// The right to make a large answer; null where one has to wait. `again`: after a wake-up, so
    /// that others who wait do not come first.
    static Hold begin(const std::shared_ptr<AnswerRoom>& room, const std::shared_ptr<Wake>& wake,
                      bool again);

    /// Somebody was woken and does not want it any more.
    void wake_next();

    /// Counts an answer that has been made, until it has been sent.
    static Hold keep(const std::shared_ptr<AnswerRoom>& room, std::size_t size);

    bool is_full() const;

private:
    bool has_room() const;

    const std::size_t memory_;
    mutable std::mutex mutex_;
    std::size_t making_{0};
    std::size_t kept_{0};
    std::deque<std::weak_ptr<Wake>> waiting_{};
};

}  // namespace sparkhost::detail::rest

#endif
