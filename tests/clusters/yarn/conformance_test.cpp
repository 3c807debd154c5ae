// SPDX-License-Identifier: Apache-2.0
#include "clusters/driver_jobs.hpp"
#include "clusters/guarded_backend.hpp"
#include "clusters/side_by_side.hpp"
#include "conformance/backend_case.hpp"

#include <sparkhost/backends/yarn.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::test::yarn {

namespace {

/// Real Hadoop daemons, and real guards.
class ClusterFixture final : public testing::BackendFixture {
public:
    std::unique_ptr<Backend> make(boost::asio::any_io_executor executor) override {
        YarnBackendOptions options;
        options.resource_managers = {told_by_cluster("SPARKHOST_TEST_YARN_RM")};
        options.log_server = told_by_cluster("SPARKHOST_TEST_YARN_LOG_SERVER");
        options.hadoop_conf_dir = told_by_cluster("SPARKHOST_TEST_YARN_CONF_DIR");
        options.staging = told_by_cluster("SPARKHOST_TEST_YARN_HDFS") + "/sparkhost";
        options.webhdfs = {told_by_cluster("SPARKHOST_TEST_YARN_WEBHDFS")};
        options.spark_home = told_by_cluster("SPARKHOST_TEST_SPARK35");
        options.python = told_by_cluster("SPARKHOST_TEST_PYTHON35");
        options.work_dir = (jobs_.dir() / "work").string();
        options.shortest_interval = std::chrono::milliseconds{100};
        options.longest_interval = std::chrono::seconds{1};
        auto backend = make_yarn_backend(std::move(executor), std::move(options));
        return std::make_unique<GuardedBackend>(std::move(backend), port_.address());
    }
    BatchSpec spec(Program program, std::string mark) override {
        // what has never had a SparkContext has failed, whatever it does
        BatchSpec spec = jobs_.spec(program, mark, DriverJobs::Context::made);
        if (program == Program::fails) {
            spec.file = python_that_fails(mark);
            spec.class_name.clear();
            spec.args.clear();
        }
        spec.driver_memory = "512m";  // the least that takes a SparkContext
        spec.conf["spark.executor.instances"] = "0";
        return spec;
    }
    std::size_t starts(std::string mark) override { return jobs_.starts(mark); }

private:
    /// YARN is told the exit code of no other program than one in Python; and of none that has
    /// never had a SparkContext.
    std::string python_that_fails(const std::string& mark) const {
        const std::string text = "import sys\nopen(" + quoted(jobs_.marks(mark)) +
                                 ", 'a').write('started\\n')\n"
                                 "from pyspark import SparkContext\n"
                                 "SparkContext()\n"
                                 "sys.exit(3)\n";
        return jobs_.dir().write("apps/" + mark + ".py", text).string();
    }
    static std::string quoted(const std::filesystem::path& path) {
        return "'" + path.string() + "'";
    }

    DriverJobs jobs_{};
    KeptPort port_{};
};

std::vector<testing::BackendCase> cases() {
    testing::BackendConformanceOptions options;
    options.race_rounds = 6;  // the fake cluster has its many
    options.patience = std::chrono::minutes{3};
    return testing::backend_conformance_cases(options);
}

SideBySide::Fixture a_place(const testing::BackendCase&) {
    return std::make_unique<ClusterFixture>();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(yarn_cluster_conformance)

BOOST_DATA_TEST_CASE(the_yarn_backend_conforms_on_real_daemons,
                     boost::unit_test::data::make(cases()), each) {
    static SideBySide all(cases(), a_place);
    const auto problem = all.verdict(each);
    BOOST_TEST(problem.empty(), problem);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::yarn
