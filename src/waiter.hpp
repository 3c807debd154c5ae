// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_WAITER_HPP
#define SPARKHOST_SRC_WAITER_HPP

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/execution/context_as.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sparkhost::detail {

namespace asio = boost::asio;

enum class WakeReason { changed, timed_out, stopped, cancelled };

class Waiter;

/// Knows who is suspended on a context. A context that is destroyed frees what it would have
/// resumed, as it does with Asio's own operations.
class WaiterService : public asio::execution_context::service {
public:
    using key_type = WaiterService;
    static inline asio::execution_context::id id;

    explicit WaiterService(asio::execution_context& context)
        : asio::execution_context::service(context) {}

    void add(const std::shared_ptr<Waiter>& waiter) {
        const std::lock_guard lock(mutex_);
        waiters_.emplace(waiter.get(), waiter);
    }
    void remove(Waiter* waiter) {
        const std::lock_guard lock(mutex_);
        waiters_.erase(waiter);
    }

private:
    void shutdown() override;

    std::mutex mutex_;
    std::unordered_map<Waiter*, std::weak_ptr<Waiter>> waiters_;
};

/// Suspends one coroutine on its own executor until somebody wakes it, from any thread. So a
/// cancellation never crosses an executor. One wait() per waiter; the first wake() counts.
class Waiter : public std::enable_shared_from_this<Waiter> {
public:
    /// Completes with the reason of the first wake, also an earlier one. Cancellation: completes
    /// with `cancelled`.
    static asio::awaitable<WakeReason> wait(std::shared_ptr<Waiter> self) {
        auto initiate = [](auto handler, std::shared_ptr<Waiter> waiter) {
            waiter->suspend(std::move(handler));
        };
        co_return co_await asio::async_initiate<decltype(asio::use_awaitable), void(WakeReason)>(
            std::move(initiate), asio::use_awaitable, std::move(self));
    }

    void wake(WakeReason reason) {
        std::function<void(WakeReason)> complete;
        {
            const std::lock_guard lock(mutex_);
            if (woken_) {
                return;
            }
            woken_ = true;
            reason_ = reason;
            complete = std::exchange(complete_, nullptr);
        }
        if (complete) {
            service_->remove(this);
            complete(reason);
        }
    }

    /// The context on which the coroutine would be resumed is going away: frees the coroutine.
    void drop() {
        std::function<void(WakeReason)> dropped;  // freed after the lock: it may free a lot
        const std::lock_guard lock(mutex_);
        woken_ = true;
        dropped.swap(complete_);
    }

private:
    template <class Handler>
    void suspend(Handler handler) {
        auto executor = asio::get_associated_executor(handler);
        auto slot = asio::get_associated_cancellation_slot(handler);
        struct Pending {
            Handler handler;
            asio::executor_work_guard<decltype(executor)> work;
        };
        auto pending =
            std::make_shared<Pending>(Pending{std::move(handler), asio::make_work_guard(executor)});
        auto complete = [pending](WakeReason reason) {
            auto target = pending->work.get_executor();
            asio::post(target, [pending, reason] {
                auto resume = std::move(pending->handler);
                pending->work.reset();
                std::move(resume)(reason);
            });
        };
        if (slot.is_connected()) {
            slot.assign([weak = weak_from_this()](asio::cancellation_type) {
                if (auto self = weak.lock()) {
                    self->wake(WakeReason::cancelled);
                }
            });
        }
        bool already = false;
        {
            const std::lock_guard lock(mutex_);
            already = woken_;
            if (!already) {
                const asio::execution_context& context =
                    asio::query(executor, asio::execution::context_as<asio::execution_context&>);
                service_ = &asio::use_service<WaiterService>(
                    const_cast<asio::execution_context&>(context));
                service_->add(shared_from_this());
                complete_ = complete;
            }
        }
        if (already) {
            complete(reason_);
        }
    }

    std::mutex mutex_;
    bool woken_{false};
    WakeReason reason_{WakeReason::changed};
    std::function<void(WakeReason)> complete_;
    WaiterService* service_{nullptr};
};

inline void WaiterService::shutdown() {
    std::unordered_map<Waiter*, std::weak_ptr<Waiter>> left;
    {
        const std::lock_guard lock(mutex_);
        left.swap(waiters_);
    }
    for (const auto& [address, weak] : left) {
        if (auto waiter = weak.lock()) {
            waiter->drop();
        }
    }
}

}  // namespace sparkhost::detail

#endif
