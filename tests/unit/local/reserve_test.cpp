// SPDX-License-Identifier: Apache-2.0
#include "unit/local/local_harness.hpp"

#include "backends/local/ticket_data.hpp"
#include "backends/local/ticket_folder.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>

namespace sparkhost::test {

BOOST_AUTO_TEST_SUITE(local_reserve)

// As when the store has been put back to a backup: its numbers are given again.
BOOST_AUTO_TEST_CASE(a_ticket_never_has_the_name_of_what_is_there) {
    LocalHarness harness;
    auto script = [&]() -> asio::awaitable<void> {
        auto backend = co_await harness.open();
        auto request = harness.request("exit 0");
        detail::local::WorkPaths paths{harness.options.work_dir};
        std::filesystem::create_directories(paths.folder("0123abcd-batch-0-1"));
        auto second = co_await backend->reserve(request);
        require_ok(second);
        BOOST_TEST(second->id == "0123abcd-batch-0-1-2");
        const std::filesystem::path log = paths.kept_log(second->id);
        std::filesystem::create_directories(log.parent_path());
        std::ofstream(log) << "another batch's\n";
        auto third = co_await backend->reserve(request);
        require_ok(third);
        BOOST_TEST(third->id == "0123abcd-batch-0-1-3");
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(a_ticket_holds_all_decisions_and_touches_nothing) {
    LocalHarness harness;
    harness.options.conf = {{"spark.a", "backend"}};
    harness.dir.write("spark/conf/spark-defaults.conf", "spark.b default\n");
    auto script = [&]() -> asio::awaitable<void> {
        auto backend = co_await harness.open();
        auto request = harness.request("exit 0");
        request.attempt = 3;
        auto ticket = co_await backend->reserve(request);
        require_ok(ticket);
        BOOST_TEST(ticket->id == "0123abcd-batch-0-3");
        auto data = detail::local::decode_ticket_data(ticket->data);
        require_ok(data);
        BOOST_TEST(data->spark_home == harness.spark.spark_home);
        BOOST_TEST(data->java == harness.spark.java_home + "/bin/java");
        BOOST_TEST(data->spark_version == "4.3.0");
        BOOST_TEST(data->properties["spark.a"] == "backend");
        BOOST_TEST(data->properties["spark.b"] == "default");
        BOOST_TEST(data->properties["spark.master"] == "local[*]");
        BOOST_TEST(!std::filesystem::exists(harness.ticket_folder(*ticket)));
        auto again = co_await backend->reserve(request);
        BOOST_TEST(again->data == ticket->data);
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(requests_that_can_never_run_are_refused_with_their_field) {
    struct Row {
        std::function<void(BatchSpec&, const LocalHarness&)> change;
        std::string field;
    };
    const Row rows[] = {
        {[](BatchSpec& s, const LocalHarness&) { s.file = "/no/such/app.jar"; }, "file"},
        {[](BatchSpec& s, const LocalHarness&) { s.file = "file:///no/such/app.jar"; }, "file"},
        {[](BatchSpec& s, const LocalHarness&) { s.file = "local:/no/such/app.jar"; }, "file"},
        {[](BatchSpec& s, const LocalHarness&) { s.file = "/usr"; }, "file"},
        {[](BatchSpec& s, const LocalHarness&) { s.file = "--version"; }, "file"},
        {[](BatchSpec& s, const LocalHarness&) { s.conf["spark.launcher.port"] = "1"; },
         "conf.spark.launcher.port"},
        {[](BatchSpec& s, const LocalHarness&) {
             s.conf["spark.driver.extraJavaOptions"] = "-Xmx1g";
         },
         "conf.spark.driver.extraJavaOptions"},
        {[](BatchSpec& s, const LocalHarness&) { s.class_name = "-x"; }, "class_name"},
    };
    LocalHarness harness;
    auto script = [&]() -> asio::awaitable<void> {
        auto backend = co_await harness.open();
        for (const auto& row : rows) {
            auto request = harness.request("exit 0");
            row.change(request.spec, harness);
            auto ticket = co_await backend->reserve(request);
            BOOST_TEST_CONTEXT(row.field << " " << request.spec.file) {
                BOOST_TEST_REQUIRE(ticket.has_error());
                BOOST_TEST(ticket.error().is(Errc::invalid_argument));
                BOOST_TEST(ticket.error().field == row.field);
            }
        }
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(files_this_machine_cannot_look_at_are_left_to_spark) {
    LocalHarness harness;
    auto script = [&]() -> asio::awaitable<void> {
        auto backend = co_await harness.open();
        const std::string with_blank = harness.dir.write("a b.sh", "").string();
        for (const std::string& file :
             {std::string("hdfs://nn/app.jar"), std::string("s3a://b/app.py"), with_blank,
              "file://" + harness.dir.path().string() + "/a%20b.sh"}) {
            auto request = harness.request("exit 0");
            request.spec.file = file;
            auto ticket = co_await backend->reserve(request);
            BOOST_TEST(ticket.has_value(), file);
        }
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(a_python_application_needs_a_python) {
    LocalHarness harness;
    harness.options.environment["PATH"] = "/nowhere";
    auto script = [&]() -> asio::awaitable<void> {
        auto backend = co_await harness.open();
        auto request = harness.request("exit 0");
        request.spec.file = harness.dir.write("a.py", "").string();
        auto ticket = co_await backend->reserve(request);
        BOOST_TEST_REQUIRE(ticket.has_error());
        BOOST_TEST(ticket.error().field == "file");
        request.spec.conf["spark.pyspark.python"] = "/opt/python";
        ticket = co_await backend->reserve(request);
        BOOST_TEST(ticket.has_value());
    };
    run(script);
}

BOOST_AUTO_TEST_CASE(wrong_options_throw_and_name_the_option) {
    struct Row {
        std::function<void(LocalBackendOptions&)> change;
        const char* words;
    };
    const Row rows[] = {
        {[](LocalBackendOptions& o) { o.work_dir.clear(); }, "work_dir"},
        {[](LocalBackendOptions& o) { o.work_dir = "relative"; }, "work_dir"},
        {[](LocalBackendOptions& o) { o.name.clear(); }, "name"},
        {[](LocalBackendOptions& o) { o.spark_home = "relative"; }, "spark_home"},
        {[](LocalBackendOptions& o) { o.kill_grace = std::chrono::milliseconds(-1); },
         "kill_grace"},
        {[](LocalBackendOptions& o) { o.master.clear(); }, "master"},
        {[](LocalBackendOptions& o) { o.conf["x"] = "y"; }, "conf"},
        {[](LocalBackendOptions& o) { o.environment["A=B"] = "y"; }, "environment"},
    };
    asio::io_context io;
    for (const auto& row : rows) {
        LocalHarness harness;
        row.change(harness.options);
        auto names_it = [&](const std::invalid_argument& failure) {
            return std::string(failure.what())
                .starts_with("LocalBackendOptions::" + std::string(row.words));
        };
        BOOST_CHECK_EXCEPTION(make_local_backend(io.get_executor(), harness.options),
                              std::invalid_argument, names_it);
    }
}

BOOST_AUTO_TEST_CASE(open_fails_with_words_that_help) {
    LocalHarness harness;
    harness.options.spark_home = "/usr";
    auto script = [&]() -> asio::awaitable<void> {
        auto backend = make_local_backend(co_await asio::this_coro::executor, harness.options);
        auto opened = co_await backend->open(harness.context());
        BOOST_TEST_REQUIRE(opened.has_error());
        BOOST_TEST(opened.error().is(Errc::backend_failed));
        BOOST_TEST(opened.error().detail.find("LocalBackendOptions::spark_home") !=
                   std::string::npos);
        harness.options.work_dir = "/proc/nowhere";
        auto other = make_local_backend(co_await asio::this_coro::executor, harness.options);
        opened = co_await other->open(harness.context());
        BOOST_TEST(opened.has_error());
    };
    run(script);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
