// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_YARN_YARN_FIXTURE_HPP
#define SPARKHOST_TESTS_YARN_YARN_FIXTURE_HPP

#include <sparkhost/backends/yarn.hpp>
#include <sparkhost/testing/backend_conformance.hpp>

#include "support/fake_yarn/fake_yarn.hpp"
#include "support/temp_dir.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace sparkhost::test::yarn {

inline const std::string test_user = "ann";

/// The options of a backend on this cluster, which hands over files by HDFS.
inline YarnBackendOptions options_on(const FakeYarn& cluster, const TempDir& dir) {
    YarnBackendOptions options;
    options.resource_managers = {cluster.urls().resource_manager};
    options.log_server = cluster.urls().log_server;
    options.user = test_user;
    options.staging = "hdfs://namenode:8020/user/{user}/.sparkStaging";
    options.webhdfs = {cluster.urls().name_node};
    options.spark_home = "/opt/spark";
    options.work_dir = (dir / "yarn").string();
    options.shortest_interval = std::chrono::milliseconds(20);
    options.longest_interval = std::chrono::milliseconds(100);
    return options;
}

/// What the fake node runs as `program`, and counts under `mark`.
inline BatchSpec scripted_spec(const std::string& program, const std::string& mark) {
    BatchSpec spec;
    spec.file = "local:///jobs/job.py";
    spec.args = {"program=" + program, "mark=" + mark};
    return spec;
}

inline std::unique_ptr<Backend> backend_on(FakeYarn& cluster, boost::asio::any_io_executor executor,
                                           YarnBackendOptions options) {
    auto backend = make_yarn_backend(std::move(executor), std::move(options));
    return std::make_unique<DeskBackend>(std::move(backend), cluster.desk());
}

/// The place of a conformance case: a fake cluster.
class YarnFixture : public testing::BackendFixture {
public:
    std::unique_ptr<Backend> make(boost::asio::any_io_executor executor) override {
        auto options = options_on(cluster, dir_);
        if (stages_in_files) {
            options.staging = "file://" + (dir_ / "staging").string();
            options.webhdfs.clear();
        }
        return backend_on(cluster, std::move(executor), std::move(options));
    }
    BatchSpec spec(Program program, std::string mark) override {
        static const char* const programs[] = {"succeeds", "fails", "endless"};
        return scripted_spec(programs[static_cast<int>(program)], mark);
    }
    std::size_t starts(std::string mark) override { return cluster.starts(mark); }

    FakeYarn cluster{};
    bool stages_in_files{false};  ///< in a folder that host and nodes share

private:
    TempDir dir_{};
};

}  // namespace sparkhost::test::yarn

#endif
