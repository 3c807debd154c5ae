// SPDX-License-Identifier: Apache-2.0
#include <sparkhost/testing/faulty_storage.hpp>

#include "hop.hpp"

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace sparkhost::testing {

struct StorageFaults::State {
    using Wake = std::function<void(bool)>;
    struct Watcher {
        std::size_t count;
        Wake wake;
    };

    std::mutex mutex;
    std::optional<FaultPlan> plan;
    std::size_t counted{0};
    bool happened{false};
    bool poisoned{false};
    std::optional<Hold> hold;
    std::deque<Wake> held;
    std::vector<Watcher> watchers;

    /// Counts an operation; says whether and how it has to fail.
    std::optional<StorageFault> next(bool is_commit) {
        std::lock_guard lock(mutex);
        if (poisoned)
            return StorageFault::indeterminate_lost;
        auto fault = count(is_commit);
        poisoned = fault && *fault != StorageFault::failed;
        return fault;
    }

    /// The same for open(), which is allowed, and the cure, when poisoned.
    bool open_fails() {
        std::lock_guard lock(mutex);
        return count(false).has_value();
    }

    std::optional<StorageFault> count(bool is_commit) {
        if (!plan || (plan->commits_only && !is_commit))
            return std::nullopt;
        ++counted;
        if (counted <= plan->after || (happened && !plan->repeat))
            return std::nullopt;
        happened = true;
        return plan->fault;
    }

    std::optional<StorageFault> standing_fault() {
        std::lock_guard lock(mutex);
        if (poisoned)
            return StorageFault::indeterminate_lost;
        if (!plan || !plan->repeat || counted <= plan->after)
            return std::nullopt;
        return plan->fault;
    }

    void cure() {
        std::lock_guard lock(mutex);
        poisoned = false;
    }

    bool holds(Hold point) {
        std::lock_guard lock(mutex);
        return hold == point;
    }

    void add_held(Wake wake) {
        std::vector<Wake> ready;
        {
            std::lock_guard lock(mutex);
            if (!hold)
                ready.push_back(std::move(wake));
            else
                held.push_back(std::move(wake));
            std::erase_if(watchers, [&](Watcher& watcher) {
                if (watcher.count > held.size())
                    return false;
                ready.push_back(std::move(watcher.wake));
                return true;
            });
        }
        for (auto& each : ready)
            each(true);
    }

    void add_watcher(std::size_t count, Wake wake) {
        {
            std::lock_guard lock(mutex);
            if (held.size() < count) {
                watchers.push_back({count, std::move(wake)});
                return;
            }
        }
        wake(true);
    }
};

StorageFaults::StorageFaults() : state_(std::make_shared<State>()) {}
StorageFaults::~StorageFaults() = default;

void StorageFaults::plan(FaultPlan plan) {
    std::lock_guard lock(state_->mutex);
    state_->plan = plan;
    state_->counted = 0;
    state_->happened = false;
}

void StorageFaults::heal() {
    std::lock_guard lock(state_->mutex);
    state_->plan.reset();
}

bool StorageFaults::happened() const {
    std::lock_guard lock(state_->mutex);
    return state_->happened;
}

std::size_t StorageFaults::operations() const {
    std::lock_guard lock(state_->mutex);
    return state_->counted;
}

void StorageFaults::hold_commits(Hold point) {
    std::lock_guard lock(state_->mutex);
    state_->hold = point;
}

void StorageFaults::let_go() {
    std::deque<State::Wake> ready;
    {
        std::lock_guard lock(state_->mutex);
        state_->hold.reset();
        ready.swap(state_->held);
    }
    for (auto& wake : ready)
        wake(true);
}

bool StorageFaults::let_one_go() {
    State::Wake ready;
    {
        std::lock_guard lock(state_->mutex);
        if (state_->held.empty())
            return false;
        ready = std::move(state_->held.front());
        state_->held.pop_front();
    }
    ready(true);
    return true;
}

std::size_t StorageFaults::held() const {
    std::lock_guard lock(state_->mutex);
    return state_->held.size();
}

namespace {

boost::asio::awaitable<void> wait_until_held(std::shared_ptr<StorageFaults::State> state,
                                             std::size_t count) {
    auto start = [state, count](std::function<void(bool)> done) {
        state->add_watcher(count, std::move(done));
    };
    co_await detail::await_callback<bool>(std::move(start));
}

boost::asio::awaitable<void> wait_at_gate(std::shared_ptr<StorageFaults::State> state,
                                          StorageFaults::Hold point) {
    if (!state->holds(point))
        co_return;
    auto start = [state](std::function<void(bool)> done) { state->add_held(std::move(done)); };
    co_await detail::await_callback<bool>(std::move(start));
}

Error fault_error(StorageFault fault) {
    if (fault == StorageFault::failed)
        return Error(Errc::storage_failed, "a planned fault: nothing was written");
    return Error(Errc::indeterminate, "a planned fault: it may or may not have been written");
}

/// Any operation but commit and open.
template <class T>
Awaitable<T> guarded(std::shared_ptr<StorageFaults::State> state, Awaitable<T> operation) {
    if (auto fault = state->next(false))
        co_return fault_error(*fault);
    co_return co_await std::move(operation);
}

Awaitable<StoreInfo> guarded_open(std::shared_ptr<StorageFaults::State> state,
                                  Awaitable<StoreInfo> operation) {
    if (state->open_fails())
        co_return fault_error(StorageFault::failed);
    auto info = co_await std::move(operation);
    if (info)
        state->cure();
    co_return info;
}

Awaitable<CommitResult> guarded_commit(std::shared_ptr<StorageFaults::State> state,
                                       std::shared_ptr<Storage> inner, Transaction transaction) {
    co_await wait_at_gate(state, StorageFaults::Hold::before_writing);
    auto fault = state->next(true);
    if (fault && *fault != StorageFault::indeterminate_written)
        co_return fault_error(*fault);
    auto result = co_await inner->commit(std::move(transaction));
    co_await wait_at_gate(state, StorageFaults::Hold::after_writing);
    if (fault)
        co_return fault_error(*fault);
    co_return result;
}

Awaitable<void> guarded_probe(std::shared_ptr<StorageFaults::State> state,
                              std::shared_ptr<Storage> inner) {
    if (auto fault = state->standing_fault())
        co_return fault_error(*fault);
    co_return co_await inner->probe();
}

class FaultyStorage final : public StorageWrapper {
public:
    FaultyStorage(std::shared_ptr<Storage> inner, std::shared_ptr<StorageFaults> faults)
        : StorageWrapper(std::move(inner)), state_(faults->state()) {}

    Awaitable<StoreInfo> open(StorageContext context) override {
        return guarded_open(state_, inner_->open(std::move(context)));
    }
    Awaitable<CommitResult> commit(Transaction transaction) override {
        return guarded_commit(state_, inner_, std::move(transaction));
    }
    Awaitable<Record> find(RecordKey key) override { return guarded(state_, inner_->find(key)); }
    Awaitable<RecordKey> find_unique(std::string scope, std::string value) override {
        return guarded(state_, inner_->find_unique(std::move(scope), std::move(value)));
    }
    Awaitable<Page> list(Query query) override {
        return guarded(state_, inner_->list(std::move(query)));
    }
    Awaitable<std::vector<StoredEvent>> read_events(EventQuery query) override {
        return guarded(state_, inner_->read_events(query));
    }
    Awaitable<std::int64_t> prune(PruneRequest request) override {
        return guarded(state_, inner_->prune(request));
    }
    Awaitable<void> probe() override { return guarded_probe(state_, inner_); }

private:
    std::shared_ptr<StorageFaults::State> state_;
};

}  // namespace

boost::asio::awaitable<void> StorageFaults::until_held(std::size_t count) {
    return wait_until_held(state_, count);
}

StorageWrapper::StorageWrapper(std::shared_ptr<Storage> inner) : inner_(std::move(inner)) {}

Awaitable<StoreInfo> StorageWrapper::open(StorageContext context) {
    return inner_->open(std::move(context));
}
Awaitable<CommitResult> StorageWrapper::commit(Transaction transaction) {
    return inner_->commit(std::move(transaction));
}
Awaitable<Record> StorageWrapper::find(RecordKey key) {
    return inner_->find(key);
}
Awaitable<RecordKey> StorageWrapper::find_unique(std::string scope, std::string value) {
    return inner_->find_unique(std::move(scope), std::move(value));
}
Awaitable<Page> StorageWrapper::list(Query query) {
    return inner_->list(std::move(query));
}
Awaitable<std::vector<StoredEvent>> StorageWrapper::read_events(EventQuery query) {
    return inner_->read_events(query);
}
Awaitable<std::int64_t> StorageWrapper::prune(PruneRequest request) {
    return inner_->prune(request);
}
Awaitable<void> StorageWrapper::probe() {
    return inner_->probe();
}
StorageStats StorageWrapper::stats() const {
    return inner_->stats();
}

std::unique_ptr<Storage> make_faulty_storage(std::shared_ptr<Storage> inner,
                                             std::shared_ptr<StorageFaults> faults) {
    return std::make_unique<FaultyStorage>(std::move(inner), std::move(faults));
}

}  // namespace sparkhost::testing
