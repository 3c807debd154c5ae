// SPDX-License-Identifier: Apache-2.0

// Who may have a slot: first come, first served. The queue is the store; nothing waits in memory.
// Everything here is triggered by a commit or an end, never by a timer.

#include "core/batch_json.hpp"
#include "core/host_impl.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost {

void HostImpl::dispatch() {
    if (stage != Stage::ready || storage_suspect || waiting <= 0 ||
        slots_used >= options.max_running) {
        return;
    }
    if (dispatching) {
        dispatch_again = true;
        return;
    }
    dispatching = true;
    spawn(dispatch_from_store());
}

boost::asio::awaitable<void> HostImpl::dispatch_from_store() {
    do {
        dispatch_again = false;
        // Those that have a slot and are being given their ticket are still `accepted` in the
        // store.
        std::size_t in_hand = 0;
        for (const auto& [id, batch] : active) {
            in_hand += !batch->session && batch->record.phase == BatchPhase::accepted ? 1 : 0;
        }
        Query query;
        query.states = detail::stored_states(BatchPhase::accepted);
        query.limit = options.max_running - std::min(options.max_running, slots_used) + in_hand;
        query.want_total = false;
        departed.clear();
        auto read = [&] { return storage->list(std::move(query)); };
        auto page = co_await from_storage<Page>(read);
        if (!page) {
            log(LogLevel::debug, "the queue cannot be read: " + page.error().text());
            storage_retry_later(page.error());
            break;
        }
        for (const auto& stored : page->records) {
            if (stage != Stage::ready || slots_used >= options.max_running) {
                break;
            }
            if (departed.contains(stored.key.id)) {
                continue;  // the page is older than that
            }
            const auto known = active.find(stored.key);
            if (known != active.end()) {
                if (!known->second->progress.admitted &&
                    known->second->record.phase == BatchPhase::accepted) {
                    --waiting;
                    admit(known->second);
                }
                continue;
            }
            auto record = detail::decode_batch(stored);
            if (!record) {
                log(LogLevel::error, record.error().text());
                continue;
            }
            // The page may be older than a change since: the commit then meets a conflict and
            // the record is read again.
            --waiting;
            admit(activate(stored.key, std::move(*record)));
        }
    } while (dispatch_again && stage == Stage::ready && waiting > 0 &&
             slots_used < options.max_running);
    dispatching = false;
}

void HostImpl::admit(ActivePtr batch) {
    batch->progress.admitted = true;
    ++slots_used;
    refresh_status();
    pump(std::move(batch));
}

void HostImpl::slot_freed() {
    --slots_used;
    refresh_status();
    dispatch();
}

}  // namespace sparkhost
