// SPDX-License-Identifier: Apache-2.0
#include "core/validate.hpp"

#include <sparkhost/storages/memory.hpp>
#include <sparkhost/testing/fake_backend.hpp>

#include "support/printing.hpp"

#include <boost/asio/system_executor.hpp>
#include <boost/test/unit_test.hpp>

#include <cmath>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace sparkhost::detail {

namespace validate_test {

using Change = std::function<void(BatchSpec&)>;

Result<void> check(const Change& change) {
    BatchSpec spec;
    spec.file = "/job.py";
    change(spec);
    return validate(spec);
}

struct Row {
    const char* field;  ///< that the error names
    Change change;
};

const std::string long_text(257, 'x');

const std::vector<Row>& broken_rows() {
    using S = BatchSpec;
    static const std::vector<Row> rows{
        {"file", [](S& s) { s.file = ""; }},
        {"file", [](S& s) { s.file = "job.py"; }},
        {"file", [](S& s) { s.file = "--conf"; }},
        {"file", [](S& s) { s.file = "-x:y"; }},
        {"file", [](S& s) { s.file = ":nothing"; }},
        {"file", [](S& s) { s.file = "/job\n.py"; }},
        {"file", [](S& s) { s.file = std::string("/job\0.py", 8); }},
        {"file", [](S& s) { s.file = "/job\x7f.py"; }},
        {"file", [](S& s) { s.file = "hdfs /x://y"; }},
        {"args[1]",
         [](S& s) {
             s.args = {"x", std::string("a\0b", 3)};
         }},
        {"jars[0]", [](S& s) { s.jars = {""}; }},
        {"jars[1]",
         [](S& s) {
             s.jars = {"/a.jar", "b.jar"};
         }},
        {"pyFiles[0]", [](S& s) { s.py_files = {"--master"}; }},
        {"files[0]", [](S& s) { s.files = {"/a\rb"}; }},
        {"archives[0]", [](S& s) { s.archives = {"relative.zip"}; }},
        {"className", [](S& s) { s.class_name = "--master"; }},
        {"className", [](S& s) { s.class_name = "a\nb"; }},
        {"queue", [](S& s) { s.queue = "-q"; }},
        {"queue", [](S& s) { s.queue = "a\tb"; }},
        {"proxyUser", [](S& s) { s.proxy_user = "--x"; }},
        {"proxyUser", [](S& s) { s.proxy_user = "a\nspark.master=x"; }},
        {"driverMemory", [](S& s) { s.driver_memory = "lots"; }},
        {"driverMemory", [](S& s) { s.driver_memory = "4 g"; }},
        {"driverMemory", [](S& s) { s.driver_memory = "-1g"; }},
        {"driverMemory", [](S& s) { s.driver_memory = "1.5g"; }},
        {"driverMemory", [](S& s) { s.driver_memory = "g"; }},
        {"driverMemory", [](S& s) { s.driver_memory = "4x"; }},
        {"executorMemory", [](S& s) { s.executor_memory = "1g --conf"; }},
        {"executorMemory", [](S& s) { s.executor_memory = "1gg"; }},
        {"driverCores", [](S& s) { s.driver_cores = 0; }},
        {"executorCores", [](S& s) { s.executor_cores = -1; }},
        {"numExecutors", [](S& s) { s.num_executors = 0; }},
        {"conf.my.key",
         [](S& s) {
             s.conf = {{"my.key", "1"}};
         }},
        {"conf.",
         [](S& s) {
             s.conf = {{"", "1"}};
         }},
        {"conf.Spark.x",
         [](S& s) {
             s.conf = {{"Spark.x", "1"}};
         }},
        {"conf",
         [](S& s) {
             s.conf = {{"spark.a b", "1"}};
         }},
        {"conf",
         [](S& s) {
             s.conf = {{"spark.a=b", "1"}};
         }},
        {"conf",
         [](S& s) {
             s.conf = {{"spark.a:b", "1"}};
         }},
        {"conf",
         [](S& s) {
             s.conf = {{"spark.a\nb", "1"}};
         }},
        {"conf",
         [](S& s) {
             s.conf = {{"#spark.a", "1"}};
         }},
        {"conf",
         [](S& s) {
             s.conf = {{"spark.a\\", "1"}};
         }},
        {"conf",
         [](S& s) {
             s.conf = {{"spark." + long_text, "1"}};
         }},
        {"conf.spark.a",
         [](S& s) {
             s.conf = {{"spark.a", std::string("\0", 1)}};
         }},
        {"conf.spark.a",
         [](S& s) {
             s.conf = {{"spark.a", "\x1b[31m"}};
         }},
        {"name", [](S& s) { s.name = "42"; }},
        {"name", [](S& s) { s.name = "0"; }},
        {"name", [](S& s) { s.name = long_text; }},
        {"name", [](S& s) { s.name = "a\nb"; }},
        {"idempotency_key", [](S& s) { s.idempotency_key = long_text; }},
        {"idempotency_key", [](S& s) { s.idempotency_key = "a\nb"; }},
        {"retry.max_attempts", [](S& s) { s.retry.max_attempts = 0; }},
        {"retry.max_attempts", [](S& s) { s.retry.max_attempts = 101; }},
        {"retry.delay", [](S& s) { s.retry.delay = std::chrono::milliseconds(-1); }},
        {"retry.delay", [](S& s) { s.retry.delay = std::chrono::hours(25); }},
        {"retry.max_delay", [](S& s) { s.retry.max_delay = std::chrono::hours(25); }},
        {"retry.factor", [](S& s) { s.retry.factor = 0.5; }},
        {"retry.factor", [](S& s) { s.retry.factor = 101; }},
        {"retry.factor", [](S& s) { s.retry.factor = std::nan(""); }},
        {"retry.jitter", [](S& s) { s.retry.jitter = -0.1; }},
        {"retry.jitter", [](S& s) { s.retry.jitter = 1.1; }},
    };
    return rows;
}

const std::vector<Change>& good_rows() {
    using S = BatchSpec;
    static const std::vector<Change> rows{
        [](S&) {},
        [](S& s) { s.file = "hdfs://nn/x/job.py"; },
        [](S& s) { s.file = "local:/opt/x.jar"; },
        [](S& s) { s.file = "s3a://bucket/x.py"; },
        [](S& s) {
            s.file =
                "/with blank/j\xc3\xb6"
                "b.py";
        },
        [](S& s) {
            s.args = {"", "--conf", "-x", "a\nb", "\xff"};
        },
        [](S& s) {
            s.jars = {"/a.jar", "file:///b.jar"};
        },
        [](S& s) { s.class_name = "org.apache.Main$"; },
        [](S& s) { s.driver_memory = "512m"; },
        [](S& s) { s.driver_memory = "4G"; },
        [](S& s) { s.driver_memory = "1024"; },
        [](S& s) { s.executor_memory = "2gb"; },
        [](S& s) { s.driver_cores = 1; },
        [](S& s) { s.num_executors = 1000; },
        [](S& s) {
            s.conf = {{"spark.a", "x\ny"}, {"spark.b", ""}};
        },
        [](S& s) { s.name = "42nd"; },
        [](S& s) { s.name = "nightly report"; },
        [](S& s) { s.name = std::string(256, 'x'); },
        [](S& s) { s.idempotency_key = std::string(256, 'k'); },
        [](S& s) { s.retry.max_attempts = 100; },
        [](S& s) { s.retry.delay = std::chrono::hours(24); },
        [](S& s) { s.retry.factor = 1; },
        [](S& s) { s.retry.jitter = 1; },
        [](S& s) { s.retry.causes.emplace(); },
    };
    return rows;
}

std::string message_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const std::invalid_argument& refused) {
        return refused.what();
    }
    return {};
}

}  // namespace validate_test

BOOST_AUTO_TEST_SUITE(validate_rules)

BOOST_AUTO_TEST_CASE(a_broken_rule_is_refused_and_the_field_named) {
    std::size_t number = 0;
    for (const auto& row : validate_test::broken_rows()) {
        BOOST_TEST_CONTEXT("row " << number++ << ": " << row.field) {
            const auto checked = validate_test::check(row.change);
            BOOST_TEST_REQUIRE(checked.has_error());
            BOOST_TEST(checked.error().is(Errc::invalid_argument));
            BOOST_TEST(checked.error().field == row.field);
            BOOST_TEST(!checked.error().detail.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(what_keeps_the_rules_is_accepted) {
    std::size_t number = 0;
    for (const auto& change : validate_test::good_rows()) {
        BOOST_TEST_CONTEXT("row " << number++) {
            const auto checked = validate_test::check(change);
            BOOST_TEST(checked.has_value(), (checked ? "" : checked.error().text()));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_broken_option_is_named) {
    using O = HostOptions;
    struct Option {
        const char* name;
        std::function<void(O&)> breaks;
    };
    const std::vector<Option> rows{
        {"max_running", [](O& o) { o.max_running = 0; }},
        {"stop_grace", [](O& o) { o.stop_grace = std::chrono::milliseconds(-1); }},
        {"retry.max_attempts", [](O& o) { o.retry.max_attempts = 0; }},
        {"idempotency_retention", [](O& o) { o.idempotency_retention = std::chrono::seconds(0); }},
        {"max_events", [](O& o) { o.max_events = 0; }},
        {"default_conf",
         [](O& o) {
             o.default_conf = {{"x.y", "1"}};
         }},
        {"default_conf",
         [](O& o) {
             o.default_conf = {{"livy.y", "1"}};
         }},
        {"default_conf",
         [](O& o) {
             o.default_conf = {{"spark.x y", "1"}};
         }},
        {"default_conf",
         [](O& o) {
             o.default_conf = {{"spark.x", "\x01"}};
         }},
        {"local_file_roots",
         [](O& o) {
             o.local_file_roots = {"/data", "jobs"};
         }},
        {"blocking_threads", [](O& o) { o.blocking_threads = 0; }},
        {"storage_retry", [](O& o) { o.storage_retry = std::chrono::milliseconds(0); }},
        {"storage_retry_max", [](O& o) { o.storage_retry_max = o.storage_retry / 2; }},
    };
    BOOST_TEST(validate_test::message_of([] { validate(O{}); }) == "");
    for (const auto& row : rows) {
        O options;
        row.breaks(options);
        const auto text = validate_test::message_of([&] { validate(options); });
        BOOST_TEST(text.starts_with("HostOptions::" + std::string(row.name)), text);
    }
}

BOOST_AUTO_TEST_CASE(threads_are_not_asked_for_where_an_executor_is_given) {
    HostOptions options;
    options.blocking_threads = 0;
    options.blocking_executor = boost::asio::system_executor();
    options.max_queued = 0;
    options.cached_records = 0;
    options.stop_grace = std::chrono::milliseconds(0);
    BOOST_TEST(validate_test::message_of([&] { validate(options); }) == "");
}

BOOST_AUTO_TEST_CASE(plugins_are_required_and_have_different_names) {
    auto cluster = std::make_shared<testing::FakeCluster>();
    const auto refusal = [](const HostPlugins& plugins) {
        return validate_test::message_of([&] { validate(plugins); });
    };
    HostPlugins plugins;
    BOOST_TEST(refusal(plugins).starts_with("HostPlugins::storage"));
    plugins.storage = make_memory_storage();
    BOOST_TEST(refusal(plugins).starts_with("HostPlugins::backends"));
    plugins.backends.push_back(nullptr);
    BOOST_TEST(refusal(plugins).starts_with("HostPlugins::backends"));
    plugins.backends.clear();
    plugins.backends.push_back(testing::make_fake_backend(cluster, {.name = "one"}));
    BOOST_TEST(refusal(plugins) == "");
    plugins.backends.push_back(testing::make_fake_backend(cluster, {.name = "one"}));
    BOOST_TEST(refusal(plugins) == "HostPlugins::backends must have different names");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
