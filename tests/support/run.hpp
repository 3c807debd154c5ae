// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_RUN_HPP
#define SPARKHOST_TESTS_SUPPORT_RUN_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace sparkhost::test {

/// Real time a test may take before it counts as hung. Never part of what a test asserts.
inline constexpr std::chrono::seconds patience{60};

namespace run_detail {

template <class Function>
auto start(Function& function, boost::asio::any_io_executor executor) {
    if constexpr (std::is_invocable_v<Function&, boost::asio::any_io_executor>) {
        return function(executor);
    } else {
        return function();
    }
}

template <class T>
struct Answer {
    bool done{false};
    std::exception_ptr escaped{};
    std::optional<T> value{};
    void operator()(std::exception_ptr exception, T result) {
        done = true;
        escaped = std::move(exception);
        value.emplace(std::move(result));
    }
    T get() { return std::move(*value); }
};

template <>
struct Answer<void> {
    bool done{false};
    std::exception_ptr escaped{};
    void operator()(std::exception_ptr exception) {
        done = true;
        escaped = std::move(exception);
    }
    void get() {}
};

/// A hung test's context stays: what still hangs in it would touch freed memory elsewhere.
inline void bury(std::shared_ptr<boost::asio::io_context> io) {
    static std::vector<std::shared_ptr<boost::asio::io_context>> graveyard;
    graveyard.push_back(std::move(io));
}

}  // namespace run_detail

/// Runs `function` (a coroutine function taking nothing, or the executor) on a fresh io_context
/// in this thread, and gives its result or rethrows. Fails the test if it does not complete in
/// time, or leaves work behind on the context.
template <class Function>
auto run(Function function, std::chrono::seconds deadline = patience) {
    using Started =
        decltype(run_detail::start(function, std::declval<boost::asio::any_io_executor>()));
    using T = typename Started::value_type;
    auto io = std::make_shared<boost::asio::io_context>(1);
    auto answer = std::make_shared<run_detail::Answer<T>>();
    auto record = [answer](auto... result) { (*answer)(std::move(result)...); };
    boost::asio::co_spawn(*io, run_detail::start(function, io->get_executor()), std::move(record));
    io->run_for(deadline);
    const bool drained = io->stopped();
    if (!drained) {
        run_detail::bury(io);
    }
    if (answer->escaped) {
        std::rethrow_exception(answer->escaped);
    }
    if (!answer->done) {
        BOOST_FAIL((drained ? "the coroutine was abandoned: nothing is left that could resume it"
                            : "the coroutine did not complete in time"));
    }
    if (!drained) {
        BOOST_FAIL("the coroutine completed but left work behind on its context");
    }
    return answer->get();
}

/// Runs `function` on the given context until it completes; other work on the context goes on
/// meanwhile and may stay. Fails the test if that takes too long.
template <class Function>
auto run_on(boost::asio::io_context& io, Function function,
            std::chrono::seconds deadline = patience) {
    using Started =
        decltype(run_detail::start(function, std::declval<boost::asio::any_io_executor>()));
    using T = typename Started::value_type;
    auto answer = std::make_shared<run_detail::Answer<T>>();
    auto record = [answer](auto... result) { (*answer)(std::move(result)...); };
    io.restart();
    boost::asio::co_spawn(io, run_detail::start(function, io.get_executor()), std::move(record));
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!answer->done && io.run_one_until(end) != 0) {
    }
    if (answer->escaped) {
        std::rethrow_exception(answer->escaped);
    }
    if (!answer->done) {
        BOOST_FAIL("the coroutine did not complete in time, or nothing could resume it");
    }
    return answer->get();
}

/// Runs what is left on the context, which must come to an end.
inline void drain(boost::asio::io_context& io, std::chrono::seconds deadline = patience) {
    io.restart();
    io.run_for(deadline);
    BOOST_TEST_REQUIRE(io.stopped(), "work is left behind on the context");
}

}  // namespace sparkhost::test

#endif
