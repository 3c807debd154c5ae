// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_BENCHMARKS_SUPPORT_KUBERNETES_HOST_HPP
#define SPARKHOST_BENCHMARKS_SUPPORT_KUBERNETES_HOST_HPP

#include "support/bench_host.hpp"

#include <sparkhost/backends/kubernetes.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>

namespace sparkhost::bench {

/// What a backend has done and told so far; from any thread.
class BackendCounts {
public:
    void add_submitted();
    void add_started();
    void add_reported();
    void snapshot_complete();
    // Each throws std::runtime_error when nothing happens for long.
    void wait_for_submitted(std::size_t count);
    void wait_for_started(std::size_t count);
    /// Until a first snapshot of at least so many reports is complete.
    void wait_for_snapshot(std::size_t count);

private:
    void wait(const std::size_t& value, std::size_t count);

    std::mutex mutex_{};
    std::condition_variable changed_{};
    std::size_t submitted_{0};
    std::size_t started_{0};
    std::size_t reported_{0};
    std::size_t in_snapshot_{0};
};

/// A host on SQLite with the Kubernetes backend, behind the REST router, with a thread of its own.
class KubernetesBenchHost {
public:
    KubernetesBenchHost(const std::string& folder, const KubernetesBackendOptions& options);
    ~KubernetesBenchHost();
    std::uint16_t port() const { return port_; }
    Host& host() { return *host_; }
    BackendCounts& counts() { return *counts_; }
    boost::asio::io_context& io() { return io_; }
    void wait_for_state(BatchId id, BatchState state);

private:
    boost::asio::io_context io_{1};
    std::shared_ptr<BackendCounts> counts_{std::make_shared<BackendCounts>()};
    std::unique_ptr<Host> host_;
    boost::asio::cancellation_signal stop_serving_{};
    std::uint16_t port_{0};
    std::thread thread_;
};

/// A blocking client that waits for a batch to leave a state.
class LongPoll {
public:
    LongPoll(std::uint16_t port, std::int64_t id, const std::string& state);
    /// Reads the answer, which must have this word in it.
    void finish(const std::string& word);

private:
    boost::asio::io_context io_{};
    boost::asio::ip::tcp::socket socket_{io_};
};

}  // namespace sparkhost::bench

#endif
