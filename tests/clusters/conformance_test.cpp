// SPDX-License-Identifier: Apache-2.0
#include "conformance/backend_case.hpp"
#include "support/temp_dir.hpp"

#include <sparkhost/backends/kubernetes.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace sparkhost::test {

namespace {

/// The folder of the test cluster that this program runs beside (tools/clusters run).
std::string cluster_folder() {
    const char* const folder = std::getenv("SPARKHOST_TEST_KUBERNETES");
    if (folder == nullptr) {
        throw std::runtime_error(
            "SPARKHOST_TEST_KUBERNETES is not set; tools/clusters run sets it");
    }
    return folder;
}

/// The real API server; drivers are shell scripts, for this is about pods and not about Spark.
class ClusterFixture final : public testing::BackendFixture {
public:
    std::unique_ptr<Backend> make(boost::asio::any_io_executor executor) override {
        KubernetesBackendOptions options;
        options.kubeconfig = cluster_folder() + "/sparkhost.kubeconfig";
        options.image = "sparkhost-test/spark:stub";
        options.service_account = "spark";
        options.work_dir = (dir_ / "work").string();
        options.kill_grace = std::chrono::seconds{1};
        return make_kubernetes_backend(std::move(executor), std::move(options));
    }
    BatchSpec spec(Program program, std::string mark) override {
        static const char* const bodies[] = {"echo one; echo two; echo three\n", "exit 3\n",
                                             "exec sleep 1000\n"};
        const std::string script =
            "echo started >> " + marks(mark).string() + "\n" + bodies[static_cast<int>(program)];
        BatchSpec spec;
        spec.file = "local://" + dir_.write("apps/" + mark + ".sh", script).string();
        spec.class_name = "Program";  // which means nothing to a shell
        return spec;
    }
    std::size_t starts(std::string mark) override {
        const std::string lines = read_text(marks(mark));
        return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
    }

private:
    std::filesystem::path marks(const std::string& mark) const { return dir_ / ("mark-" + mark); }

    TempDir dir_;
};

testing::BackendConformanceOptions deviations() {
    testing::BackendConformanceOptions options;
    options.reports_context = false;  // scripts, not Spark
    options.race_rounds = 6;          // the fake API server has its many
    options.patience = std::chrono::minutes{3};
    return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_cluster_conformance)

BOOST_DATA_TEST_CASE(the_kubernetes_backend_conforms_on_a_real_api_server,
                     boost::unit_test::data::make(testing::backend_conformance_cases(deviations())),
                     each) {
    ClusterFixture fixture;
    try {
        testing::run_backend_case(each, fixture);
    } catch (const std::exception& failure) {
        BOOST_ERROR(failure.what());
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
