// SPDX-License-Identifier: Apache-2.0
#include "rest/metrics.hpp"

#include <sparkhost/version.hpp>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <utility>
#include <vector>

namespace sparkhost::detail::rest {

namespace metrics {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class Families {
public:
    void gauge(const char* name, const char* help, double value) {
        add(name, help, MetricType::Gauge).gauge.value = value;
    }

    void counter(const char* name, const char* help, double value) {
        add(name, help, MetricType::Counter).counter.value = value;
    }

    void histogram(const char* name, const char* help, const LatencyHistogram& from) {
        auto& to = add(name, help, MetricType::Histogram).histogram;
        to.sample_count = from.count;
        to.sample_sum = from.sum;
        std::uint64_t cumulated = 0;
        for (std::size_t i = 0; i < from.counts.size(); ++i) {
            cumulated += from.counts[i];
            const bool open = i == latency_bounds.size();
            to.bucket.push_back(
                {cumulated, open ? std::numeric_limits<double>::infinity() : latency_bounds[i]});
        }
    }

    /// One more metric of the family that was added last.
    ClientMetric& labelled(const char* label, std::string value) {
        ClientMetric& metric = families_.back().metric.emplace_back();
        metric.label.push_back({label, std::move(value)});
        return metric;
    }

    void family(const char* name, const char* help, MetricType type) {
        families_.push_back({name, help, type, {}});
    }

    std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

private:
    ClientMetric& add(const char* name, const char* help, MetricType type) {
        family(name, help, type);
        return families_.back().metric.emplace_back();
    }

    std::vector<MetricFamily> families_{};
};

void add_batches(Families& families, const HostStatus& status) {
    families.family("sparkhost_batches", "Batches in the store, by phase.", MetricType::Gauge);
    for (std::size_t i = 0; i < status.by_phase.size(); ++i) {
        const auto phase = to_string(static_cast<BatchPhase>(i));
        families.labelled("phase", std::string(phase)).gauge.value =
            static_cast<double>(status.by_phase[i]);
    }
    families.family("sparkhost_batches_ended_total", "Batches ended since the start, by state.",
                    MetricType::Counter);
    for (const BatchState state : {BatchState::success, BatchState::dead, BatchState::killed}) {
        families.labelled("state", std::string(to_string(state))).counter.value =
            static_cast<double>(status.ended_by_state[static_cast<std::size_t>(state)]);
    }
    families.gauge("sparkhost_batches_queued", "Batches that wait for a slot.",
                   static_cast<double>(status.queued));
    families.gauge("sparkhost_batches_active", "Batches that hold a slot.",
                   static_cast<double>(status.active));
    families.counter("sparkhost_events_total", "Number of the newest event in the store.",
                     static_cast<double>(status.last_sequence));
}

void add_sessions(Families& families, const HostStatus& status) {
    families.gauge("sparkhost_sessions", "Sessions that have not ended.",
                   static_cast<double>(status.sessions));
    families.gauge("sparkhost_agents_connected", "Of these, those whose agent is connected.",
                   static_cast<double>(status.connected_agents));
    families.counter("sparkhost_statements_ended_total", "Statements ended since the start.",
                     static_cast<double>(status.statements));
}

void add_backends(Families& families, const HostStatus& status) {
    families.family("sparkhost_backend_watching",
                    "1 while what a backend reports is up to date, by backend.", MetricType::Gauge);
    for (const auto& backend : status.backends) {
        families.labelled("backend", backend.name).gauge.value = backend.watching ? 1 : 0;
    }
}

void add_latencies(Families& families, const HostStatus& status) {
    families.histogram("sparkhost_accept_seconds", "From the call of submit to a durable batch.",
                       status.accept);
    families.histogram("sparkhost_dispatch_seconds",
                       "From a durable batch to the backend, where a slot was free.",
                       status.dispatch);
    families.histogram("sparkhost_push_seconds", "From a backend's report to a visible change.",
                       status.push);
}

void add_storage(Families& families, const StorageStats& stats) {
    families.counter("sparkhost_storage_commits_total", "Transactions committed.",
                     static_cast<double>(stats.commits));
    families.counter("sparkhost_storage_disk_commits_total",
                     "Durable writes that the transactions were grouped into.",
                     static_cast<double>(stats.disk_commits));
    families.counter("sparkhost_storage_disk_seconds_total", "Time spent in durable writes.",
                     stats.disk_seconds);
    families.counter("sparkhost_storage_failures_total", "Storage operations that failed.",
                     static_cast<double>(stats.failures));
    families.family("sparkhost_storage_failures_by_kind_total", "The same, by what was wrong.",
                    MetricType::Counter);
    for (const StorageFailure failure : storage_failures) {
        families.labelled("kind", std::string(to_string(failure))).counter.value =
            static_cast<double>(stats.failures_by_kind[static_cast<std::size_t>(failure)]);
    }
}

void add_process(Families& families, const ProcessStats& stats) {
    families.gauge("sparkhost_process_resident_memory_bytes", "Resident memory.",
                   static_cast<double>(stats.resident_bytes));
    families.counter("sparkhost_process_cpu_seconds_total", "User and system CPU time.",
                     stats.cpu_seconds);
    families.gauge("sparkhost_process_open_fds", "Open file descriptors.",
                   static_cast<double>(stats.open_files));
    families.gauge("sparkhost_process_threads", "Threads.", static_cast<double>(stats.threads));
    families.gauge("sparkhost_process_start_time_seconds", "Start of the process, Unix time.",
                   stats.start_time);
}

}  // namespace metrics

std::string metrics_text(const HostStatus& status, const std::optional<ProcessStats>& process) {
    metrics::Families families;
    families.family("sparkhost_build_info", "Always 1; the labels say what runs.",
                    prometheus::MetricType::Gauge);
    families.labelled("version", SPARKHOST_VERSION).gauge.value = 1;
    families.gauge("sparkhost_ready", "1 while the host accepts work.", status.ready ? 1 : 0);
    families.gauge("sparkhost_draining", "1 once the host has been told to stop.",
                   status.draining ? 1 : 0);
    families.gauge("sparkhost_storage_healthy", "1 while the storage works.",
                   status.storage_healthy ? 1 : 0);
    families.counter("sparkhost_storage_degraded_seconds_total",
                     "Time in which the storage did not work.", status.storage_degraded_seconds);
    families.gauge("sparkhost_storage_oldest_unstored_seconds",
                   "Age of the oldest report that the storage has not taken; 0: there is none.",
                   status.storage_oldest_unstored_seconds);
    metrics::add_batches(families, status);
    metrics::add_sessions(families, status);
    metrics::add_backends(families, status);
    metrics::add_latencies(families, status);
    metrics::add_storage(families, status.storage);
    if (process) {
        metrics::add_process(families, *process);
    }
    return families.text();
}

}  // namespace sparkhost::detail::rest
