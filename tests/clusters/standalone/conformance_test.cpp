// SPDX-License-Identifier: Apache-2.0
#include "clusters/driver_jobs.hpp"
#include "clusters/guarded_backend.hpp"
#include "clusters/side_by_side.hpp"
#include "conformance/backend_case.hpp"

#include <sparkhost/backends/standalone.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::test::alone {

namespace {

/// A real master and worker, and real guards; a program makes a SparkContext only where a case is
/// about it, for that takes seconds.
class ClusterFixture final : public testing::BackendFixture {
public:
    explicit ClusterFixture(DriverJobs::Context context) : context_(context) {}

    std::unique_ptr<Backend> make(boost::asio::any_io_executor executor) override {
        StandaloneBackendOptions options;
        options.master = told_by_cluster("SPARKHOST_TEST_STANDALONE_MASTER");
        options.rest_urls = {told_by_cluster("SPARKHOST_TEST_STANDALONE_REST")};
        options.web_urls = {told_by_cluster("SPARKHOST_TEST_STANDALONE_WEB")};
        options.work_dir = (jobs_.dir() / "work").string();
        options.shortest_interval = std::chrono::milliseconds{100};
        options.longest_interval = std::chrono::seconds{1};
        auto backend = make_standalone_backend(std::move(executor), std::move(options));
        return std::make_unique<GuardedBackend>(std::move(backend), port_.address());
    }
    BatchSpec spec(Program program, std::string mark) override {
        BatchSpec spec = jobs_.spec(program, mark, context_);
        spec.driver_memory = "256m";
        if (context_ == DriverJobs::Context::made) {
            spec.driver_memory = "512m";
            spec.executor_memory = "90g";  // no worker starts one
        }
        return spec;
    }
    std::size_t starts(std::string mark) override { return jobs_.starts(mark); }

private:
    DriverJobs jobs_{};
    KeptPort port_{};
    DriverJobs::Context context_;
};

testing::BackendConformanceOptions what_a_master_tells() {
    testing::BackendConformanceOptions options;
    options.reports_exit_code = false;
    options.race_rounds = 6;  // the fake master has its many
    options.patience = std::chrono::minutes{3};
    return options;
}

std::vector<testing::BackendCase> cases() {
    return testing::backend_conformance_cases(what_a_master_tells());
}

SideBySide::Fixture place_of(const testing::BackendCase& each) {
    const bool about_contexts = each.name == "the_context_is_reported";
    return std::make_unique<ClusterFixture>(about_contexts ? DriverJobs::Context::made
                                                           : DriverJobs::Context::none);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(standalone_cluster_conformance)

BOOST_DATA_TEST_CASE(the_standalone_backend_conforms_on_a_real_master,
                     boost::unit_test::data::make(cases()), each) {
    static SideBySide all(cases(), place_of);
    const auto problem = all.verdict(each);
    BOOST_TEST(problem.empty(), problem);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::alone
