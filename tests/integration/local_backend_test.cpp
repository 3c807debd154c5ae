// SPDX-License-Identifier: Apache-2.0

// The local backend with real Spark drivers.

#include "integration/real_harness.hpp"

#include "backends/common/properties_file.hpp"
#include "backends/local/process_start.hpp"
#include "backends/local/spark_installation.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <string>

namespace sparkhost::test {

namespace local = detail::local;

namespace {

constexpr std::string_view with_context =
    "import sys\n"
    "from pyspark.sql import SparkSession\n"
    "spark = SparkSession.builder.getOrCreate()\n"
    "conf = spark.sparkContext.getConf()\n"
    "print('count', spark.range(10).count())\n"
    "print('args', sys.argv[1:])\n"
    "print('conf', repr(conf.get('spark.test.text')))\n"
    "print('master', conf.get('spark.master'))\n";

bool has_line(const std::vector<std::string>& lines, const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(local_backend_with_spark)

BOOST_DATA_TEST_CASE(a_python_application_runs_and_is_reported_with_its_id,
                     boost::unit_test::data::make(all_sparks), spark) {
    RealHarness harness(spark);
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        auto request = harness.python(with_context, {"--master", "a b"});
        request.spec.conf = {{"spark.test.text", "a=b:c#\\n \xE2\x82\xAC"},
                             {"spark.master", "local[7]"}};
        Ticket ticket = co_await launch(*backend, request);
        ApplicationStatus up = co_await watch.sink->state(ticket.id, ApplicationState::context_up);
        BOOST_TEST(up.application_id.starts_with("local-"), up.application_id);
        ApplicationStatus end = co_await watch.sink->end(ticket.id);
        BOOST_TEST((end.outcome == Outcome::success), end.reason);
        BOOST_TEST_REQUIRE(end.context_up.has_value());
        BOOST_TEST((*end.started < *end.context_up));
        LogRequest log{.ticket = ticket, .limit = 10'000};
        auto page = co_await backend->read_log(log);
        BOOST_TEST_REQUIRE(page.has_value());
        BOOST_TEST(has_line(page->lines, "count 10"));
        BOOST_TEST(has_line(page->lines, "args ['--master', 'a b']"));
        BOOST_TEST(has_line(page->lines, "conf 'a=b:c#\\\\n \xE2\x82\xAC'"));
        BOOST_TEST(has_line(page->lines, "master local[1]"));
        co_await watch.stop();
    };
    run(script, spark_patience);
}

BOOST_DATA_TEST_CASE(a_python_traceback_becomes_the_reason,
                     boost::unit_test::data::make(all_sparks), spark) {
    RealHarness harness(spark);
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        auto request = harness.python("1 / 0\n");
        Ticket ticket = co_await launch(*backend, request);
        ApplicationStatus end = co_await watch.sink->end(ticket.id);
        BOOST_TEST((end.outcome == Outcome::failed));
        BOOST_TEST(end.exit_code.value_or(-1) == 1);
        BOOST_TEST(end.reason ==
                   "the driver exited with status 1: ZeroDivisionError: division by zero");
        BOOST_TEST(end.application_id == "");
        co_await watch.stop();
    };
    run(script, spark_patience);
}

BOOST_AUTO_TEST_CASE(an_application_with_a_context_can_be_killed_and_leaves_nothing) {
    RealHarness harness(all_sparks[0]);
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        auto request = harness.python(
            "from pyspark.sql import SparkSession\n"
            "import os, time\n"
            "spark = SparkSession.builder.getOrCreate()\n"
            "print(os.getpid(), flush=True)\n"
            "time.sleep(10000)\n");
        Ticket ticket = co_await launch(*backend, request);
        co_await watch.sink->state(ticket.id, ApplicationState::context_up);
        auto killed = co_await backend->kill(ticket);
        require_ok(killed);
        ApplicationStatus end = co_await watch.sink->end(ticket.id);
        BOOST_TEST((end.outcome == Outcome::killed));
        const Backend::ReleaseRequest release{ticket, false};
        auto released = co_await backend->release(release);
        require_ok(released);
        co_await watch.stop();
    };
    run(script, spark_patience);
}

BOOST_AUTO_TEST_CASE(java_reads_our_properties_as_they_were) {
    TempDir dir;
    const detail::Properties properties{
        {"spark.a", " leading and trailing "},
        {"spark.b", "tab\tnewline\nreturn\rfeed\f"},
        {"spark.c", "\\ : = # !"},
        {"spark.d", "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"},
        {"spark.e f=g:h", ""},
        {"#spark.i", "#j"},
    };
    auto file = dir.write("spark.properties", detail::write_properties(properties));
    auto program = dir.write("Show.java", R"(
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
class Show {
    public static void main(String[] args) throws Exception {
        Properties p = new Properties();
        p.load(new InputStreamReader(new FileInputStream(args[0]), StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        for (String k : new TreeSet<>(p.stringPropertyNames())) {
            out.print(k + "\0" + p.getProperty(k) + "\0");
        }
    }
}
)");
    local::ProcessStart java;
    java.environment = {{"PATH", std::getenv("PATH")}};
    java.program = local::find_program("java", java.environment);
    java.arguments = {program.string(), file.string()};
    auto output = local::run_program(java, std::chrono::seconds(120));
    BOOST_TEST_REQUIRE(output.has_value());
    BOOST_TEST(output->err == "");
    std::string expected;
    for (const auto& [key, value] : properties) {
        expected += key + '\0' + value + '\0';
    }
    BOOST_TEST((output->out == expected));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
