// SPDX-License-Identifier: Apache-2.0
#include "support/kubernetes_host.hpp"

#include <sparkhost/rest/router.hpp>
#include <sparkhost/rest/serve.hpp>
#include <sparkhost/storages/sqlite.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>

#include <set>
#include <stdexcept>
#include <utility>

namespace sparkhost::bench {

namespace asio = boost::asio;

void BackendCounts::add_submitted() {
    const std::lock_guard lock(mutex_);
    ++submitted_;
    changed_.notify_all();
}

void BackendCounts::add_started() {
    const std::lock_guard lock(mutex_);
    ++started_;
    changed_.notify_all();
}

void BackendCounts::add_reported() {
    const std::lock_guard lock(mutex_);
    ++reported_;
}

void BackendCounts::snapshot_complete() {
    const std::lock_guard lock(mutex_);
    in_snapshot_ = reported_;
    changed_.notify_all();
}

void BackendCounts::wait(const std::size_t& value, std::size_t count) {
    std::unique_lock lock(mutex_);
    while (value < count) {
        const auto before = value;
        if (changed_.wait_for(lock, std::chrono::seconds(60)) == std::cv_status::timeout &&
            value == before) {
            throw std::runtime_error("nothing has happened for a minute");
        }
    }
}

void BackendCounts::wait_for_submitted(std::size_t count) {
    wait(submitted_, count);
}
void BackendCounts::wait_for_started(std::size_t count) {
    wait(started_, count);
}
void BackendCounts::wait_for_snapshot(std::size_t count) {
    wait(in_snapshot_, count);
}

namespace {

class CountingSink final : public EventSink {
public:
    CountingSink(std::shared_ptr<EventSink> inner, std::shared_ptr<BackendCounts> counts)
        : inner_(std::move(inner)), counts_(std::move(counts)) {}
    void snapshot_begin() override { inner_->snapshot_begin(); }
    void status(ApplicationStatus report) override {
        counts_->add_reported();
        const bool runs = report.state == ApplicationState::started ||
                          report.state == ApplicationState::context_up;
        if (runs && started_.insert(report.ticket).second) {
            counts_->add_started();
        }
        inner_->status(std::move(report));
    }
    void snapshot_complete() override {
        inner_->snapshot_complete();
        started_ = {};
        counts_->snapshot_complete();
    }

private:
    std::shared_ptr<EventSink> inner_;
    std::shared_ptr<BackendCounts> counts_;
    std::set<std::string> started_{};
};

/// The backend, counted.
class CountingBackend final : public Backend {
public:
    CountingBackend(std::unique_ptr<Backend> inner, std::shared_ptr<BackendCounts> counts)
        : inner_(std::move(inner)), counts_(std::move(counts)) {}
    Traits traits() const override { return inner_->traits(); }
    Awaitable<void> open(BackendContext context) override {
        return inner_->open(std::move(context));
    }
    Awaitable<Ticket> reserve(SubmitRequest request) override {
        return inner_->reserve(std::move(request));
    }
    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override {
        return counted(inner_->submit(std::move(request), std::move(ticket)), counts_);
    }
    Awaitable<void> watch(std::shared_ptr<EventSink> sink) override {
        return inner_->watch(std::make_shared<CountingSink>(std::move(sink), counts_));
    }
    Awaitable<void> kill(Ticket ticket) override { return inner_->kill(std::move(ticket)); }
    Awaitable<void> release(ReleaseRequest request) override {
        return inner_->release(std::move(request));
    }
    Awaitable<LogPage> read_log(LogRequest request) override {
        return inner_->read_log(std::move(request));
    }

private:
    static Awaitable<void> counted(Awaitable<void> submit, std::shared_ptr<BackendCounts> counts) {
        auto result = co_await std::move(submit);
        if (result) {
            counts->add_submitted();
        }
        co_return result;
    }
    std::unique_ptr<Backend> inner_;
    std::shared_ptr<BackendCounts> counts_;
};

}  // namespace

KubernetesBenchHost::KubernetesBenchHost(const std::string& folder,
                                         const KubernetesBackendOptions& options) {
    SqliteStorageOptions storage;
    storage.path = folder + "/bench.db";
    HostPlugins plugins;
    plugins.storage = make_sqlite_storage(std::move(storage));
    plugins.backends.push_back(std::make_unique<CountingBackend>(
        make_kubernetes_backend(io_.get_executor(), options), counts_));
    HostOptions host;
    host.max_running = 1'000'000;
    host_ = std::make_unique<Host>(io_.get_executor(), std::move(host), std::move(plugins));
    asio::co_spawn(io_, host_->run(), [](std::exception_ptr, Result<void> ended) {
        if (!ended) {
            throw Exception(ended.error());
        }
    });
    asio::ip::tcp::acceptor acceptor(io_, {asio::ip::address_v4::loopback(), 0});
    port_ = acceptor.local_endpoint().port();
    asio::co_spawn(io_, rest::serve(std::move(acceptor), rest::Router(*host_)),
                   asio::bind_cancellation_slot(stop_serving_.slot(), [](std::exception_ptr) {}));
    auto ready = asio::co_spawn(io_, host_->ready(), asio::use_future);
    thread_ = std::thread([this] { io_.run(); });
    ready.get().value();
}

KubernetesBenchHost::~KubernetesBenchHost() {
    asio::post(io_, [this] {
        stop_serving_.emit(asio::cancellation_type::terminal);
        host_->stop();
    });
    thread_.join();
}

void KubernetesBenchHost::wait_for_state(BatchId id, BatchState state) {
    ChangeRequest until;
    until.id = id;
    auto record = asio::co_spawn(io_, host_->find(id), asio::use_future).get().value();
    while (record.state() != state) {
        until.seen_version = record.version;
        record = asio::co_spawn(io_, host_->wait_for_change(until), asio::use_future).get().value();
    }
}

LongPoll::LongPoll(std::uint16_t port, std::int64_t id, const std::string& state) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
    const std::string request = "GET /batches/" + std::to_string(id) +
                                "/state?wait=120&state=" + state +
                                " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    asio::write(socket_, asio::buffer(request));
}

void LongPoll::finish(const std::string& word) {
    asio::streambuf answer;
    asio::read_until(socket_, answer, "}");
    const std::string text(asio::buffers_begin(answer.data()), asio::buffers_end(answer.data()));
    if (text.find(word) == std::string::npos) {
        throw std::runtime_error("unexpected answer: " + text);
    }
}

}  // namespace sparkhost::bench
