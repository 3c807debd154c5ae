// SPDX-License-Identifier: Apache-2.0
//
// 06: unit-test an application that uses sparkhost, without Spark and without waiting.
//
// You learn: how to put memory storage and a fake cluster in the place of the real ones, and to
//   steer what "Spark" does: run, fail, be slow. Works with any test framework; here Boost.Test.
// How to run: 06_unit_testing
// Expected output:
//   Running 3 test cases...
//   …
//   *** No errors detected
#include <sparkhost/host.hpp>
#include <sparkhost/storages/memory.hpp>
#include <sparkhost/testing/fake_backend.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#define BOOST_TEST_MODULE nightly_report
#include <boost/test/unit_test.hpp>

namespace asio = boost::asio;
using sparkhost::testing::FakeCluster;

// ---- the application ---------------------------------------------------------------------------

/// Makes the report of a day; tries a second time if the first attempt dies. The idempotency key
/// keeps it from being made twice when the application itself is restarted in between.
asio::awaitable<std::string> nightly_report(sparkhost::Host& host, std::string day) {
    std::string problem;
    for (int attempt = 1; attempt <= 2; ++attempt) {
        sparkhost::BatchSpec spec{.file = "/jobs/report.py"};
        spec.args.push_back(day);
        spec.idempotency_key = "report-" + day + "-" + std::to_string(attempt);
        const auto batch = (co_await host.submit(std::move(spec))).value();
        const auto end = (co_await host.wait(batch.id)).value();
        if (end.state() == sparkhost::BatchState::success) {
            co_return "report of " + day + " is there after attempt " + std::to_string(attempt);
        }
        problem = end.reason;
    }
    co_return "no report of " + day + ": " + problem;
}

// ---- its tests ---------------------------------------------------------------------------------

/// A host on a fake cluster, and the event loop they live on.
struct Fixture {
    asio::io_context io;
    std::shared_ptr<FakeCluster> cluster = std::make_shared<FakeCluster>();
    sparkhost::Host host{io.get_executor(), {}, plugins()};

    sparkhost::HostPlugins plugins() {
        sparkhost::HostPlugins parts;
        parts.storage = sparkhost::make_memory_storage();
        parts.backends.push_back(sparkhost::testing::make_fake_backend(cluster));
        return parts;
    }

    /// Runs the application beside `cluster_does` and gives the application's answer.
    std::string report(std::string day, asio::awaitable<void> cluster_does) {
        std::string answer;
        const auto rethrow = [](std::exception_ptr failure, auto&&...) {
            if (failure) {
                std::rethrow_exception(failure);
            }
        };
        asio::co_spawn(io, host.run(), rethrow);
        asio::co_spawn(io, std::move(cluster_does), rethrow);
        asio::co_spawn(io, nightly_report(host, std::move(day)),
                       [&](std::exception_ptr failure, std::string text) {
                           answer = std::move(text);
                           host.stop();
                           rethrow(failure);
                       });
        io.run();
        return answer;
    }

    /// What the cluster does with the applications it is given, one after the other.
    asio::awaitable<void> end_with(std::vector<sparkhost::Outcome> outcomes) {
        for (std::size_t n = 0; n < outcomes.size(); ++n) {
            co_await cluster->until_called("submit", n + 1);
            const auto ticket = cluster->submitted().at(n);
            const bool good = outcomes[n] == sparkhost::Outcome::success;
            cluster->end(ticket, outcomes[n], good ? 0 : 1, good ? "" : "out of memory");
        }
    }
};

BOOST_FIXTURE_TEST_CASE(a_report_that_works_is_made_once, Fixture) {
    const auto answer = report("2026-11-20", end_with({sparkhost::Outcome::success}));

    BOOST_TEST(answer == "report of 2026-11-20 is there after attempt 1");
    BOOST_TEST(cluster->submitted().size() == 1);
}

BOOST_FIXTURE_TEST_CASE(a_report_that_dies_is_tried_again, Fixture) {
    const auto answer =
        report("2026-11-20", end_with({sparkhost::Outcome::failed, sparkhost::Outcome::success}));

    BOOST_TEST(answer == "report of 2026-11-20 is there after attempt 2");
}

BOOST_FIXTURE_TEST_CASE(a_report_that_dies_twice_says_why, Fixture) {
    const auto answer =
        report("2026-11-20", end_with({sparkhost::Outcome::failed, sparkhost::Outcome::failed}));

    BOOST_TEST(answer == "no report of 2026-11-20: out of memory");
}
