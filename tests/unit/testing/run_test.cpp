// SPDX-License-Identifier: Apache-2.0
#include "support/run.hpp"

#include "support/executor_probe.hpp"
#include "support/temp_dir.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <memory>
#include <stdexcept>

BOOST_AUTO_TEST_SUITE(test_support)

namespace asio = boost::asio;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_CASE(run_gives_the_result_of_the_coroutine) {
    const auto text =
        sparkhost::test::run([]() -> asio::awaitable<std::string> { co_return "hi"; });
    BOOST_TEST(text == "hi");
}

BOOST_AUTO_TEST_CASE(run_hands_over_the_executor_the_coroutine_runs_on) {
    const bool same =
        sparkhost::test::run([](asio::any_io_executor given) -> asio::awaitable<bool> {
            const auto own = co_await asio::this_coro::executor;
            co_return given == own;
        });
    BOOST_TEST(same);
}

BOOST_AUTO_TEST_CASE(run_rethrows_what_escapes) {
    auto fails = []() -> asio::awaitable<void> {
        throw std::runtime_error("no");
        co_return;
    };
    BOOST_CHECK_THROW(sparkhost::test::run(fails), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(run_on_leaves_other_work_alone) {
    asio::io_context io(1);
    asio::steady_timer timer(io, 1h);
    timer.async_wait([](auto) {});
    const int answer = sparkhost::test::run_on(io, []() -> asio::awaitable<int> { co_return 42; });
    BOOST_TEST(answer == 42);
    timer.cancel();
    sparkhost::test::drain(io);
}

BOOST_AUTO_TEST_CASE(a_temporary_folder_goes_away_with_what_is_in_it) {
    std::filesystem::path path;
    {
        const sparkhost::test::TempDir dir;
        path = dir.path();
        const auto file = dir.write("deep/er/file.txt", "text\n");
        BOOST_TEST(sparkhost::test::read_text(file) == "text\n");
    }
    BOOST_TEST(!std::filesystem::exists(path));
}

BOOST_AUTO_TEST_CASE(a_probe_knows_whether_code_runs_on_its_executor) {
    asio::io_context io(1);
    const sparkhost::test::ExecutorProbe probe(io.get_executor());
    bool on_it = false;
    bool beside_it = true;
    asio::post(probe.executor(), [&] { on_it = probe.is_here(); });
    asio::post(io, [&] { beside_it = probe.is_here(); });
    io.run();
    BOOST_TEST(on_it);
    BOOST_TEST(!beside_it);
}

BOOST_AUTO_TEST_SUITE_END()
