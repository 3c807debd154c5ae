// SPDX-License-Identifier: Apache-2.0
#include "integration/real_spark.hpp"
#include "unit/local/local_harness.hpp"

#include "backends/common/posix_file.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

namespace sparkhost::test {

namespace {

bool mentions(const std::vector<std::string>& texts, const std::string& wanted) {
    for (const auto& text : texts) {
        if (text.find(wanted) != std::string::npos) {
            return true;
        }
    }
    return false;
}

std::string only_archive(const std::filesystem::path& folder) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".jsa") {
            return entry.path().string();
        }
    }
    return {};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(class_data_archive_with_spark)

BOOST_DATA_TEST_CASE(the_first_launch_makes_an_archive_and_the_next_one_uses_it,
                     boost::unit_test::data::make(all_sparks), spark) {
    LocalHarness harness;
    harness.options.spark_home = spark.home();
    harness.options.java_home.clear();
    harness.options.python = spark.python();
    harness.options.master = "local[1]";
    harness.options.class_data_archive = ClassDataArchive::automatic;
    harness.options.environment = {{"PATH", std::getenv("PATH")},
                                   {"HOME", harness.dir.path().string()}};
    harness.options.conf = {{"spark.driver.extraJavaOptions", "-Xlog:cds -Xlog:class+path=info"}};
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        auto request = harness.request("");
        request.spec.file = harness.dir.write("app.py", "print('hello')\n").string();
        Ticket first = co_await launch(*backend, request);
        co_await watch.sink->end(first.id);
        asio::steady_timer pause(strand);
        while (!mentions(harness.logged, "class-data archive")) {
            pause.expires_after(std::chrono::milliseconds(50));
            co_await pause.async_wait(asio::use_awaitable);
        }
        BOOST_TEST_REQUIRE(mentions(harness.logged, "class-data archive made: "));
        const auto archives = harness.dir / "work/archives";
        const std::string archive = only_archive(archives);
        BOOST_TEST(!archive.empty());
        BOOST_TEST(!std::filesystem::exists(archives / "training"));

        ++request.attempt;
        Ticket second = co_await launch(*backend, request);
        ApplicationStatus end = co_await watch.sink->end(second.id);
        BOOST_TEST((end.outcome == Outcome::success), end.reason);
        const std::string launch_file = read_text(harness.ticket_folder(second) / "launch");
        BOOST_TEST(launch_file.find("-XX:SharedArchiveFile=" + archive) != std::string::npos);
        const std::string log = read_text(harness.ticket_folder(second) / "driver.log");
        BOOST_TEST(log.find("hello\n") != std::string::npos);
        BOOST_TEST(log.find("Mapped dynamic region") != std::string::npos, log);

        // a broken archive must not break a launch
        std::filesystem::permissions(archive, std::filesystem::perms::owner_all);
        harness.dir.write("work/archives/" + std::filesystem::path(archive).filename().string(),
                          "broken");
        ++request.attempt;
        Ticket third = co_await launch(*backend, request);
        end = co_await watch.sink->end(third.id);
        BOOST_TEST((end.outcome == Outcome::success), end.reason);
        co_await watch.stop();
    };
    run(script, std::chrono::seconds(400));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
