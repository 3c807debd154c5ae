// SPDX-License-Identifier: Apache-2.0
#include "unit/local/local_harness.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <filesystem>

#include <sys/resource.h>

namespace sparkhost::test {

namespace full_disk {

/// No file may grow beyond so many bytes, in this process and in what it starts: as good as a
/// full disk.
class FileLimit {
public:
    explicit FileLimit(rlim_t size) {
        std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit little{.rlim_cur = size, .rlim_max = before_.rlim_max};
        BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &little) == 0);
    }
    ~FileLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    FileLimit(const FileLimit&) = delete;
    FileLimit& operator=(const FileLimit&) = delete;

private:
    rlimit before_{};
};

}  // namespace full_disk

BOOST_AUTO_TEST_SUITE(local_full_disk)

BOOST_AUTO_TEST_CASE(without_room_nothing_is_started_and_the_same_ticket_starts_later) {
    LocalHarness harness;
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        co_await watch.ready();
        auto request = harness.request("echo ran >> \"$DIR/runs\"");
        auto ticket = co_await backend->reserve(request);
        require_ok(ticket);
        for (const rlim_t size : {rlim_t{0}, rlim_t{100}}) {
            std::optional<full_disk::FileLimit> limit(size);
            auto refused = co_await backend->submit(request, *ticket);
            limit.reset();
            BOOST_TEST_REQUIRE(refused.has_error());
            BOOST_TEST(refused.error().is(Errc::indeterminate), refused.error().text());
            BOOST_TEST(refused.error().detail.find("File too large") != std::string::npos);
            BOOST_TEST(!std::filesystem::exists(harness.dir / "runs"));
        }
        auto submitted = co_await backend->submit(request, *ticket);
        require_ok(submitted);
        ApplicationStatus end = co_await watch.sink->end(ticket->id);
        BOOST_TEST((end.outcome == Outcome::success));
        BOOST_TEST(read_text(harness.dir / "runs") == "ran\n");
        co_await watch.stop();
    };
    run(script);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
