// SPDX-License-Identifier: Apache-2.0
#include "campaign/plugin_crash_points.hpp"

#include "crash_point.hpp"

#include <sparkhost/testing/backend_wrapper.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sparkhost::campaign {

namespace {

// tools/crash-campaign reads this table: each kind stands for commit.KIND.before and .after
constexpr std::array commit_kinds{
    "batch.accepted",       "batch.reserved",
    "batch.submitted",      "batch.running",
    "batch.ended",          "batch.released",
    "batch.kill_requested", "batch.updated",
    "batch.erased",         "session.accepted",
    "session.reserved",     "session.submitted",
    "session.claimed",      "session.running",
    "session.ready",        "session.ended",
    "session.released",     "session.kill_requested",
    "session.updated",      "session.erased",
    "statement.accepted",   "statement.cancel_requested",
    "statement.ended",
};

std::vector<std::string> kinds_of(const Transaction& transaction) {
    std::vector<std::string> kinds;
    for (const auto& event : transaction.events) {
        const bool known = std::ranges::find(commit_kinds, event.type) != commit_kinds.end();
        kinds.push_back("commit." + (known ? event.type : "unknown"));
    }
    return kinds;
}

void pass_all(const std::vector<std::string>& names, std::string_view when) {
    for (const auto& name : names) {
        SPARKHOST_CRASH_POINT(name + std::string(when));
    }
}

class StorageCrashPoints final : public Storage {
public:
    explicit StorageCrashPoints(std::shared_ptr<Storage> inner) : inner_(std::move(inner)) {}

    Awaitable<StoreInfo> open(StorageContext context) override {
        return inner_->open(std::move(context));
    }
    Awaitable<CommitResult> commit(Transaction transaction) override {
        return commit_between(inner_, std::move(transaction));
    }
    Awaitable<Record> find(RecordKey key) override { return inner_->find(key); }
    Awaitable<RecordKey> find_unique(std::string scope, std::string value) override {
        return inner_->find_unique(std::move(scope), std::move(value));
    }
    Awaitable<Page> list(Query query) override { return inner_->list(std::move(query)); }
    Awaitable<std::vector<StoredEvent>> read_events(EventQuery query) override {
        return inner_->read_events(query);
    }
    Awaitable<std::int64_t> prune(PruneRequest request) override { return inner_->prune(request); }
    StorageStats stats() const override { return inner_->stats(); }

private:
    static Awaitable<CommitResult> commit_between(std::shared_ptr<Storage> inner,
                                                  Transaction transaction) {
        const auto kinds = kinds_of(transaction);
        pass_all(kinds, ".before");
        auto committed = co_await inner->commit(std::move(transaction));
        pass_all(kinds, ".after");
        co_return committed;
    }

    std::shared_ptr<Storage> inner_;
};

class BackendCrashPoints final : public testing::BackendWrapper {
public:
    using BackendWrapper::BackendWrapper;

    Awaitable<Ticket> reserve(SubmitRequest request) override {
        SPARKHOST_CRASH_POINT("backend.reserve.before");
        return reserved(inner_->reserve(std::move(request)));
    }
    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override {
        SPARKHOST_CRASH_POINT("backend.submit.before");
        return submitted(inner_->submit(std::move(request), std::move(ticket)));
    }
    Awaitable<void> kill(Ticket ticket) override {
        SPARKHOST_CRASH_POINT("backend.kill.before");
        return killed(inner_->kill(std::move(ticket)));
    }
    Awaitable<void> release(ReleaseRequest request) override {
        SPARKHOST_CRASH_POINT("backend.release.before");
        return released(inner_->release(std::move(request)));
    }

private:
    static Awaitable<Ticket> reserved(Awaitable<Ticket> call) {
        auto result = co_await std::move(call);
        SPARKHOST_CRASH_POINT("backend.reserve.after");
        co_return result;
    }
    static Awaitable<void> submitted(Awaitable<void> call) {
        auto result = co_await std::move(call);
        SPARKHOST_CRASH_POINT("backend.submit.after");
        co_return result;
    }
    static Awaitable<void> killed(Awaitable<void> call) {
        auto result = co_await std::move(call);
        SPARKHOST_CRASH_POINT("backend.kill.after");
        co_return result;
    }
    static Awaitable<void> released(Awaitable<void> call) {
        auto result = co_await std::move(call);
        SPARKHOST_CRASH_POINT("backend.release.after");
        co_return result;
    }
};

class RuntimeCrashPoints final : public SessionRuntime {
public:
    explicit RuntimeCrashPoints(std::shared_ptr<SessionRuntime> inner) : inner_(std::move(inner)) {}

    Traits traits() const override { return inner_->traits(); }
    Awaitable<SubmitRequest> prepare(SessionRequest request) override {
        SPARKHOST_CRASH_POINT("runtime.prepare.before");
        return prepared(inner_->prepare(std::move(request)));
    }
    std::unique_ptr<Conversation> attach(AttachRequest request) override {
        SPARKHOST_CRASH_POINT("runtime.attach.before");
        return inner_->attach(std::move(request));
    }
    Awaitable<void> release(ReleaseRequest request) override {
        SPARKHOST_CRASH_POINT("runtime.release.before");
        return released(inner_->release(std::move(request)));
    }

private:
    static Awaitable<SubmitRequest> prepared(Awaitable<SubmitRequest> call) {
        auto result = co_await std::move(call);
        SPARKHOST_CRASH_POINT("runtime.prepare.after");
        co_return result;
    }
    static Awaitable<void> released(Awaitable<void> call) {
        auto result = co_await std::move(call);
        SPARKHOST_CRASH_POINT("runtime.release.after");
        co_return result;
    }

    std::shared_ptr<SessionRuntime> inner_;
};

template <class Points, class Plugin>
void wrap(std::unique_ptr<Plugin>& plugin) {
    plugin = std::make_unique<Points>(std::shared_ptr<Plugin>(std::move(plugin)));
}

}  // namespace

void add_crash_points(HostPlugins& plugins) {
    wrap<StorageCrashPoints>(plugins.storage);
    for (auto& backend : plugins.backends) {
        wrap<BackendCrashPoints>(backend);
    }
    for (auto& runtime : plugins.runtimes) {
        wrap<RuntimeCrashPoints>(runtime);
    }
}

}  // namespace sparkhost::campaign
