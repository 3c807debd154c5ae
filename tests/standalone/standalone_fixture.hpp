// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_STANDALONE_STANDALONE_FIXTURE_HPP
#define SPARKHOST_TESTS_STANDALONE_STANDALONE_FIXTURE_HPP

#include <sparkhost/backends/standalone.hpp>
#include <sparkhost/testing/backend_conformance.hpp>

#include "support/fake_standalone/fake_standalone.hpp"
#include "support/temp_dir.hpp"

#include <memory>
#include <string>
#include <utility>

namespace sparkhost::test::alone {

/// The options of a backend on this cluster.
inline StandaloneBackendOptions options_on(const FakeStandalone& cluster, const TempDir& dir) {
    StandaloneBackendOptions options;
    options.master = "spark://127.0.0.1:7077";
    options.rest_urls = {cluster.url()};
    options.web_urls = {cluster.url()};
    options.work_dir = (dir / "standalone").string();
    options.shortest_interval = std::chrono::milliseconds(20);
    options.longest_interval = std::chrono::milliseconds(100);
    return options;
}

/// What the fake worker runs as `program`, and counts under `mark`.
inline BatchSpec scripted_spec(const std::string& program, const std::string& mark) {
    BatchSpec spec;
    spec.file = "/jobs/job.py";
    spec.args = {"program=" + program, "mark=" + mark};
    return spec;
}

inline std::unique_ptr<Backend> backend_on(FakeStandalone& cluster,
                                           boost::asio::any_io_executor executor,
                                           StandaloneBackendOptions options) {
    auto backend = make_standalone_backend(std::move(executor), std::move(options));
    return std::make_unique<DeskBackend>(std::move(backend), cluster.desk());
}

/// The place of a conformance case: a fake cluster.
class StandaloneFixture : public testing::BackendFixture {
public:
    std::unique_ptr<Backend> make(boost::asio::any_io_executor executor) override {
        return backend_on(cluster, std::move(executor), options_on(cluster, dir_));
    }
    BatchSpec spec(Program program, std::string mark) override {
        static const char* const programs[] = {"succeeds", "fails", "endless"};
        return scripted_spec(programs[static_cast<int>(program)], mark);
    }
    std::size_t starts(std::string mark) override { return cluster.starts(mark); }

    FakeStandalone cluster{};

private:
    TempDir dir_{};
};

}  // namespace sparkhost::test::alone

#endif
