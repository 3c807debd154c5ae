// SPDX-License-Identifier: Apache-2.0
#include <sparkhost/testing/fake_backend.hpp>

#include "testing/fake_world.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

namespace sparkhost::detail::fake {

/// One backend object. Shared with its operations, which may outlive it.
struct Session {
    WorldPtr world;
    testing::FakeBackendOptions options;
    std::string realm;
    std::string store;
};
using SessionPtr = std::shared_ptr<Session>;

/// Counts the call, waits at the gate if it is held, and says whether it is to fail.
asio::awaitable<Result<void>> pass(WorldPtr world, std::string operation) {
    auto gate = world->enter(operation);
    if (gate) {
        co_await Waiter::wait(gate);
    }
    co_return world->verdict(operation);
}

asio::awaitable<Result<void>> open(SessionPtr session, BackendContext context) {
    auto allowed = co_await pass(session->world, "open");
    if (!allowed) {
        co_return allowed;
    }
    {
        const std::lock_guard lock(session->world->mutex);
        session->store = context.store_uuid;
        session->realm = context.store_uuid + '/' + session->options.name;
        if (context.clock) {
            session->world->clock = context.clock;
        }
    }
    co_return co_await pass(session->world, "open_reply");
}

asio::awaitable<Result<Ticket>> reserve(SessionPtr session, SubmitRequest request) {
    auto allowed = co_await pass(session->world, "reserve");
    if (!allowed) {
        co_return allowed.error();
    }
    Ticket ticket;
    ticket.id =
        session->store.substr(0, 8) + '-' + request.subject + '-' + std::to_string(request.attempt);
    ticket.data = session->realm;
    auto answer = co_await pass(session->world, "reserve_reply");
    if (!answer) {
        co_return answer.error();
    }
    co_return ticket;
}

Result<std::map<std::string, std::string>> copies_of(const std::vector<DriverFile>& files) {
    std::map<std::string, std::string> copies;
    for (const auto& each : files) {
        std::ifstream file(each.path, std::ios::binary);
        if (!file) {
            return Error(Errc::backend_failed, "cannot read " + each.path);
        }
        const std::string content{std::istreambuf_iterator<char>(file), {}};
        if (!copies.emplace(std::filesystem::path(each.path).filename().string(), content).second) {
            return Error(Errc::backend_failed, "two driver files have the name of " + each.path);
        }
    }
    return copies;
}

asio::awaitable<Result<void>> submit(SessionPtr session, SubmitRequest request, Ticket ticket) {
    auto allowed = co_await pass(session->world, "submit");
    if (!allowed) {
        co_return allowed;
    }
    auto copies =
        copies_of(session->options.shares_files ? std::vector<DriverFile>() : request.driver_files);
    if (!copies) {
        co_return copies.error();
    }
    auto done = session->world->submit(session->realm, ticket.id, std::move(*copies));
    auto answer = co_await pass(session->world, "submit_reply");
    co_return answer ? done : answer;
}

asio::awaitable<Result<void>> kill(SessionPtr session, Ticket ticket) {
    auto allowed = co_await pass(session->world, "kill");
    if (!allowed) {
        co_return allowed;
    }
    session->world->kill(session->realm, ticket.id);
    co_return co_await pass(session->world, "kill_reply");
}

asio::awaitable<Result<void>> release(SessionPtr session, Backend::ReleaseRequest request) {
    auto allowed = co_await pass(session->world, "release");
    if (!allowed) {
        co_return allowed;
    }
    session->world->release(request.ticket.id, request.keep_log);
    co_return co_await pass(session->world, "release_reply");
}

asio::awaitable<Result<LogPage>> read_log(SessionPtr session, LogRequest request) {
    auto allowed = co_await pass(session->world, "read_log");
    if (!allowed) {
        co_return allowed.error();
    }
    while (true) {
        auto [page, waiter] = session->world->read_log(request);
        if (!waiter) {
            co_return std::move(page);
        }
        const auto why = co_await Waiter::wait(waiter);
        if (why == WakeReason::cancelled) {
            co_return Error(Errc::stopped, "nobody waits for the log any more");
        }
    }
}

void deliver(EventSink& sink, Message& message) {
    switch (message.kind) {
        case Message::Kind::snapshot_begin:
            sink.snapshot_begin();
            break;
        case Message::Kind::status:
            sink.status(std::move(message.status));
            break;
        case Message::Kind::snapshot_complete:
            sink.snapshot_complete();
            break;
        case Message::Kind::trouble:
            sink.trouble(std::move(message.text));
            break;
    }
}

/// Ends the watch also when its frame is destroyed without being resumed.
struct WatchGuard {
    WatchGuard(World& on, const std::string& realm) : world(on), watch(on.begin_watch(realm)) {}
    ~WatchGuard() { world.end_watch(watch); }
    WatchGuard(const WatchGuard&) = delete;
    WatchGuard& operator=(const WatchGuard&) = delete;

    World& world;
    const std::shared_ptr<Watch> watch;
};

/// Delivers on the executor it is awaited on, so nothing can reach the sink after its end.
asio::awaitable<Result<void>> watch(SessionPtr session, std::shared_ptr<EventSink> sink) {
    auto allowed = co_await pass(session->world, "watch");
    if (!allowed) {
        co_return allowed;
    }
    const WatchGuard guard(*session->world, session->realm);
    // As over a network, the snapshot comes after the call has been suspended once. (A coroutine
    // that is cancelled before it has ever been suspended ends with an exception in Boost 1.81.)
    co_await asio::post(asio::use_awaitable);
    while (true) {
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) {
            co_return ok();
        }
        std::vector<Message> mail;
        WaiterPtr waiter;
        {
            const std::lock_guard lock(session->world->mutex);
            mail.swap(guard.watch->mailbox);
            if (mail.empty()) {
                waiter = guard.watch->waiter = std::make_shared<Waiter>();
            }
        }
        for (auto& message : mail) {
            deliver(*sink, message);
        }
        if (waiter) {
            co_await Waiter::wait(waiter);
        }
    }
}

class FakeBackend final : public Backend {
public:
    explicit FakeBackend(SessionPtr session) : session_(std::move(session)) {}

    Traits traits() const override {
        return {.name = session_->options.name,
                .serves_logs = true,
                .shares_files = session_->options.shares_files};
    }
    Awaitable<void> open(BackendContext context) override {
        return fake::open(session_, std::move(context));
    }
    Awaitable<Ticket> reserve(SubmitRequest request) override {
        return fake::reserve(session_, std::move(request));
    }
    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override {
        return fake::submit(session_, std::move(request), std::move(ticket));
    }
    Awaitable<void> watch(std::shared_ptr<EventSink> sink) override {
        return fake::watch(session_, std::move(sink));
    }
    Awaitable<void> kill(Ticket ticket) override { return fake::kill(session_, std::move(ticket)); }
    Awaitable<void> release(ReleaseRequest request) override {
        return fake::release(session_, std::move(request));
    }
    Awaitable<LogPage> read_log(LogRequest request) override {
        return fake::read_log(session_, std::move(request));
    }

private:
    SessionPtr session_;
};

}  // namespace sparkhost::detail::fake

namespace sparkhost::testing {

std::unique_ptr<Backend> make_fake_backend(std::shared_ptr<FakeCluster> cluster,
                                           FakeBackendOptions options) {
    if (!cluster) {
        throw std::invalid_argument("cluster: must not be null");
    }
    auto session = std::make_shared<detail::fake::Session>();
    session->world = cluster->world_;
    session->options = std::move(options);
    return std::make_unique<detail::fake::FakeBackend>(std::move(session));
}

}  // namespace sparkhost::testing
