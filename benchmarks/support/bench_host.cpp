// SPDX-License-Identifier: Apache-2.0
#include "support/bench_host.hpp"

#include "src/core/batch_json.hpp"

#include <sparkhost/rest/router.hpp>
#include <sparkhost/rest/serve.hpp>
#include <sparkhost/storages/sqlite.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <utility>
#include <vector>

namespace sparkhost::bench {

namespace asio = boost::asio;

WorkFolder::WorkFolder() {
    const char* chosen = std::getenv("TMPDIR");
    std::string pattern =
        (chosen ? std::filesystem::path(chosen) : std::filesystem::current_path()) /
        "sparkhost-bench-XXXXXX";
    if (!::mkdtemp(pattern.data())) {
        throw std::runtime_error("cannot make a folder like " + pattern);
    }
    path_ = pattern;
}

WorkFolder::~WorkFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Awaitable<void> IdleBackend::open(BackendContext) {
    co_return ok();
}

Awaitable<Ticket> IdleBackend::reserve(SubmitRequest request) {
    Ticket ticket;
    ticket.id = request.store_uuid.substr(0, 8) + "-" + request.subject + "-1";
    co_return ticket;
}

Awaitable<void> IdleBackend::submit(SubmitRequest request, Ticket) {
    if (hooks_.submitted) {
        hooks_.submitted(request.subject);
    }
    co_return ok();
}

Awaitable<void> IdleBackend::watch(std::shared_ptr<EventSink> sink) {
    auto executor = co_await asio::this_coro::executor;
    {
        const std::lock_guard lock(mutex_);
        sink_ = sink;
        executor_ = executor;
    }
    asio::steady_timer for_ever(executor, asio::steady_timer::time_point::max());
    boost::system::error_code ignored;
    co_await for_ever.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    const std::lock_guard lock(mutex_);
    sink_.reset();
    co_return ok();
}

Awaitable<void> IdleBackend::kill(Ticket) {
    co_return ok();
}
Awaitable<void> IdleBackend::release(ReleaseRequest) {
    co_return ok();
}

void IdleBackend::report(ApplicationStatus status) {
    const std::lock_guard lock(mutex_);
    if (sink_) {
        asio::post(executor_, [sink = sink_, status = std::move(status)]() mutable {
            sink->status(std::move(status));
        });
    }
}

BenchHost::BenchHost(const std::string& folder, BenchHostOptions options) {
    SqliteStorageOptions storage;
    storage.path = folder + "/bench.db";
    storage.vfs = options.vfs;
    auto backend = std::make_unique<IdleBackend>(std::move(options.hooks));
    backend_ = backend.get();
    HostPlugins plugins;
    plugins.storage = make_sqlite_storage(std::move(storage));
    plugins.backends.push_back(std::move(backend));
    HostOptions host;
    host.max_running = options.max_running;
    host.max_queued = options.max_queued;
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

BenchHost::~BenchHost() {
    asio::post(io_, [this] {
        stop_serving_.emit(asio::cancellation_type::terminal);
        host_->stop();
    });
    thread_.join();
}

namespace {

asio::awaitable<void> fill(Storage& storage, asio::any_io_executor pool, std::int64_t count,
                           const std::function<void(std::int64_t)>& progress) {
    StorageContext context;
    context.blocking_executor = pool;
    (co_await storage.open(std::move(context))).value();
    BatchRecord record;
    record.spec.file = "/jobs/report.py";
    record.spec.args = {"2026-11-20", "--full"};
    record.spec.conf = {{"spark.executor.memory", "2g"}, {"spark.sql.shuffle.partitions", "64"}};
    record.spec.backend = "idle";
    record.phase = BatchPhase::released;
    record.outcome = Outcome::success;
    record.exit_code = 0;
    record.attempt = 1;
    record.application_id = "local-1732176000000";
    record.timeline = {
        {"accepted", {}, {}}, {"admitted", {}, {}}, {"submitted", {}, {}}, {"ended", {}, {}}};
    record.log_tail =
        std::vector<std::string>(10, "26/11/20 20:24:40 INFO MemoryStore: MemoryStore cleared");
    const auto state = detail::stored_state(record);
    const auto body = detail::encode_batch(record);
    constexpr std::int64_t per_commit = 10'000;
    for (std::int64_t done = 0; done < count; done += per_commit) {
        Transaction transaction;
        Insert insert;
        insert.state = state;
        insert.body = body;
        transaction.inserts.assign(static_cast<std::size_t>(std::min(per_commit, count - done)),
                                   insert);
        (co_await storage.commit(std::move(transaction))).value();
        progress(done);
    }
}

}  // namespace

void fill_store(const std::string& path, std::int64_t count,
                const std::function<void(std::int64_t)>& progress) {
    asio::io_context io(1);
    asio::thread_pool pool(2);
    SqliteStorageOptions options;
    options.path = path;
    auto storage = make_sqlite_storage(std::move(options));
    auto done =
        asio::co_spawn(io, fill(*storage, pool.get_executor(), count, progress), asio::use_future);
    io.run();
    done.get();
    storage.reset();
    pool.join();
}

std::string batch_body(std::size_t n) {
    return R"({"file":"/jobs/report.py","args":["2026-11-20",")" + std::to_string(n) +
           R"("],"conf":{"spark.executor.memory":"2g","spark.sql.shuffle.partitions":"64"}})";
}

}  // namespace sparkhost::bench
