// SPDX-License-Identifier: Apache-2.0
#include "rest/answer_room.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sparkhost::detail::rest {

namespace answer_rooms {

/// More would not be faster: they are made of what few threads read.
constexpr std::size_t most_at_a_time = 4;

}  // namespace answer_rooms

bool makes_large_answer(std::string_view target) {
    constexpr std::array<std::string_view, 4> names{"/log", "/batches", "/sessions", "/statements"};
    std::string_view path = target.substr(0, target.find_first_of("?;"));
    if (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    return std::ranges::any_of(names, [&](auto name) { return path.ends_with(name); });
}

bool AnswerRoom::has_room() const {
    return making_ < answer_rooms::most_at_a_time && kept_ < memory_;
}

bool AnswerRoom::is_full() const {
    const std::lock_guard lock(mutex_);
    return kept_ >= memory_;
}

AnswerRoom::Hold AnswerRoom::begin(const std::shared_ptr<AnswerRoom>& room,
                                   const std::shared_ptr<Wake>& wake, bool again) {
    const std::lock_guard lock(room->mutex_);
    if (!room->has_room() || (!again && !room->waiting_.empty())) {
        // Who was woken in vain keeps its place.
        again ? room->waiting_.push_front(wake) : room->waiting_.push_back(wake);
        return nullptr;
    }
    ++room->making_;
    return {room.get(), [room](void*) {
                {
                    const std::lock_guard giving_back(room->mutex_);
                    --room->making_;
                }
                room->wake_next();
            }};
}

void AnswerRoom::wake_next() {
    std::shared_ptr<Wake> next;
    {
        const std::lock_guard lock(mutex_);
        while (has_room() && !waiting_.empty() && !next) {
            next = waiting_.front().lock();
            waiting_.pop_front();
        }
    }
    if (next) {
        (*next)();
    }
}

AnswerRoom::Hold AnswerRoom::keep(const std::shared_ptr<AnswerRoom>& room, std::size_t size) {
    const std::lock_guard lock(room->mutex_);
    room->kept_ += size;
    return {room.get(), [room, size](void*) {
                {
                    const std::lock_guard giving_back(room->mutex_);
                    room->kept_ -= size;
                }
                room->wake_next();
            }};
}

}  // namespace sparkhost::detail::rest
