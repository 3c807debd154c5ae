// SPDX-License-Identifier: Apache-2.0
#include "core/counters.hpp"

#include "core/host_impl.hpp"

#include <algorithm>

namespace sparkhost {

namespace detail {

void record_latency(LatencyHistogram& histogram, SteadyTime::duration took) {
    const double seconds = std::chrono::duration<double>(took).count();
    const auto bound = std::lower_bound(latency_bounds.begin(), latency_bounds.end(), seconds);
    ++histogram.counts[static_cast<std::size_t>(bound - latency_bounds.begin())];
    histogram.sum += seconds;
    ++histogram.count;
}

}  // namespace detail

void HostImpl::count_phase(std::optional<BatchPhase> before, std::optional<BatchPhase> after) {
    if (before == after) {
        return;
    }
    count([&](HostStatus& figures) {
        if (before) {
            --figures.by_phase[static_cast<std::size_t>(*before)];
        }
        if (after) {
            ++figures.by_phase[static_cast<std::size_t>(*after)];
        }
    });
}

void HostImpl::refresh_status() {
    std::int64_t open_sessions = 0;
    std::int64_t connected = 0;
    for (const auto& session : sessions) {
        open_sessions += session->record.has_ended() ? 0 : 1;
        connected += session->session->talk ? 1 : 0;
    }
    const StorageStats figures = storage ? storage->stats() : StorageStats{};
    count([&](HostStatus& status) {
        status.ready = stage == Stage::ready && !stop_requested && !storage_suspect;
        status.storage_healthy = stage >= Stage::ready && !trouble.since && !storage_suspect;
        trouble_counters = trouble;
        status.storage = figures;
        status.queued = waiting;
        status.active = static_cast<std::int64_t>(slots_used);
        status.sessions = open_sessions;
        status.connected_agents = connected;
        status.last_sequence = last_sequence;
        status.store_uuid = store_uuid;
    });
}

HostStatus HostImpl::status() const {
    const auto now = clock->steady_now();
    const auto seconds = [now](const std::optional<SteadyTime>& since) {
        return since ? std::chrono::duration<double>(now - *since).count() : 0;
    };
    const std::lock_guard lock(counters_mutex);
    HostStatus status = counters;
    status.storage_degraded_seconds = trouble_counters.total + seconds(trouble_counters.since);
    status.storage_oldest_unstored_seconds = seconds(trouble_counters.oldest_unstored);
    return status;
}

}  // namespace sparkhost
