// SPDX-License-Identifier: Apache-2.0

// Batches and sessions that have ended are erased when they have been kept for long enough.

#include "core/batch_json.hpp"
#include "core/host_impl.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost {

namespace retention {

/// How often to look: the time that one is kept too long is a small part of what it is kept.
std::chrono::milliseconds pause_for(std::chrono::seconds kept) {
    using std::chrono::milliseconds;
    using std::chrono::minutes;
    using std::chrono::seconds;
    return std::clamp<milliseconds>(milliseconds(kept) / 20, seconds(1), minutes(10));
}

}  // namespace retention

boost::asio::awaitable<void> HostImpl::erase_old(RecordKind kind, std::chrono::seconds kept) {
    auto self = shared_from_this();
    while (stage == Stage::ready) {
        co_await erase_older_than(kind, kept_until() - kept);
        co_await clock->sleep_until(clock->steady_now() + retention::pause_for(kept));
    }
}

/// The time by which something may be forgotten. A wall clock that jumps forward while the host
/// runs must not make everything old at once; one that jumps back only keeps it longer.
Timestamp HostImpl::kept_until() const {
    const auto run = clock->steady_now() - made_steady;
    return std::min(clock->now(),
                    made_at + std::chrono::duration_cast<std::chrono::milliseconds>(run));
}

/// One pass over what has ended. What cannot be read or written now is left to the next one.
boost::asio::awaitable<void> HostImpl::erase_older_than(RecordKind kind, Timestamp limit) {
    Query query;
    query.kind = kind;
    query.states = detail::stored_states(BatchPhase::released);
    query.limit = 500;
    query.want_total = false;
    for (bool more = true; more && stage == Stage::ready;) {
        auto call = [&] { return storage->list(query); };
        auto page = co_await from_storage<Page>(call);
        if (!page) {
            co_return;
        }
        more = page->records.size() == query.limit;
        if (more) {
            query.after = page->records.back().key.id;
        }
        for (const auto& stored : page->records) {
            auto record = detail::decode_batch(stored);
            if (stage == Stage::ready && record && record->updated < limit) {
                auto erased = co_await wish(stored.key, detail::BatchEvent::erase_requested);
                (void)erased;
            }
        }
    }
}

}  // namespace sparkhost
