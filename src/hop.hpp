// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_HOP_HPP
#define SPARKHOST_SRC_HOP_HPP

// The one place where code changes executor.

#include <sparkhost/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace sparkhost::detail {

namespace asio = boost::asio;

using Strand = asio::strand<asio::any_io_executor>;

/// Runs `op` on the strand and resumes on the caller's executor. Not cancellable on purpose:
/// Boost 1.81's co_spawn hands a cancellation to the other executor as a raw pointer.
template <class T>
asio::awaitable<T> on_strand(Strand strand, asio::awaitable<T> op) {
    co_return co_await asio::co_spawn(
        strand, std::move(op),
        asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable));
}

/// How many items of a long list are worked at before others have their turn.
inline constexpr std::size_t items_at_a_time = 64;

/// Lets what waits on this executor go first.
inline asio::awaitable<void> let_others_run() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

/// Suspends until the function given to `start` is called with the result, from any thread and
/// exactly once; resumes on the caller's executor. Not cancellable.
template <class T, class Start>
asio::awaitable<T> await_callback(Start start) {
    auto initiate = [](auto handler, Start begin) {
        auto executor = asio::get_associated_executor(handler);
        struct Pending {
            decltype(handler) complete;
            asio::executor_work_guard<decltype(executor)> work;
        };
        auto pending =
            std::make_shared<Pending>(Pending{std::move(handler), asio::make_work_guard(executor)});
        begin(std::function<void(T)>([pending](T value) {
            auto target = pending->work.get_executor();
            asio::post(target, [pending, held = std::move(value)]() mutable {
                auto complete = std::move(pending->complete);
                pending->work.reset();
                std::move(complete)(std::move(held));
            });
        }));
    };
    auto token = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
    co_return co_await asio::async_initiate<decltype(token), void(T)>(std::move(initiate), token,
                                                                      std::move(start));
}

/// Runs `work` (returning Result<T>) on `pool` and resumes on the caller's executor. An escaping
/// exception becomes `on_exception` with its text.
template <class Work>
auto run_blocking(asio::any_io_executor pool, Work work, Errc on_exception = Errc::backend_failed)
    -> asio::awaitable<std::invoke_result_t<Work&>> {
    using R = std::invoke_result_t<Work&>;
    auto shared = std::make_shared<Work>(std::move(work));
    auto start = [pool, shared, on_exception](std::function<void(R)> done) {
        asio::post(pool, [shared, on_exception, done = std::move(done)] {
            auto attempt = [&]() -> R {
                try {
                    return (*shared)();
                } catch (const Exception& failure) {
                    return failure.error();
                } catch (const std::exception& failure) {
                    return Error(on_exception, failure.what());
                }
            };
            done(attempt());
        });
    };
    co_return co_await await_callback<R>(std::move(start));
}

}  // namespace sparkhost::detail

#endif
