// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_BENCHMARKS_SUPPORT_BENCH_HOST_HPP
#define SPARKHOST_BENCHMARKS_SUPPORT_BENCH_HOST_HPP

#include <sparkhost/backend.hpp>
#include <sparkhost/host.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

namespace sparkhost::bench {

/// A folder for one run, removed at its end. Under $TMPDIR, else the current folder's disk:
/// /tmp may be memory, and then an fsync costs nothing.
class WorkFolder {
public:
    WorkFolder();
    ~WorkFolder();
    WorkFolder(const WorkFolder&) = delete;
    WorkFolder& operator=(const WorkFolder&) = delete;
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// A backend that does nothing but remember: what is left is the host's own cost.
class IdleBackend final : public Backend {
public:
    struct Hooks {
        std::function<void(const std::string& subject)> submitted{};
    };
    explicit IdleBackend(Hooks hooks) : hooks_(std::move(hooks)) {}

    Traits traits() const override { return {"idle", false}; }
    Awaitable<void> open(BackendContext context) override;
    Awaitable<Ticket> reserve(SubmitRequest request) override;
    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override;
    Awaitable<void> watch(std::shared_ptr<EventSink> sink) override;
    Awaitable<void> kill(Ticket ticket) override;
    Awaitable<void> release(ReleaseRequest request) override;

    /// Reports on the executor on which watch() runs; from any thread.
    void report(ApplicationStatus status);

private:
    Hooks hooks_;
    std::mutex mutex_;
    std::shared_ptr<EventSink> sink_;
    boost::asio::any_io_executor executor_;
};

struct BenchHostOptions {
    std::size_t max_running{4};
    std::size_t max_queued{10'000'000};
    std::string vfs{};
    IdleBackend::Hooks hooks{};
};

/// A host on SQLite behind the REST router, with a thread of its own, on a port of 127.0.0.1.
class BenchHost {
public:
    BenchHost(const std::string& folder, BenchHostOptions options);
    ~BenchHost();
    std::uint16_t port() const { return port_; }
    Host& host() { return *host_; }
    IdleBackend& backend() { return *backend_; }
    boost::asio::io_context& io() { return io_; }

private:
    boost::asio::io_context io_{1};
    IdleBackend* backend_{nullptr};
    std::unique_ptr<Host> host_;
    boost::asio::cancellation_signal stop_serving_{};
    std::uint16_t port_{0};
    std::thread thread_;
};

/// Fills a store with so many batches that have ended; fast, without a host.
void fill_store(const std::string& path, std::int64_t count,
                const std::function<void(std::int64_t)>& progress);

/// The body of an ordinary request.
std::string batch_body(std::size_t n);

}  // namespace sparkhost::bench

#endif
