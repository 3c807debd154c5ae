// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_KUBERNETES_KUBERNETES_FIXTURE_HPP
#define SPARKHOST_TESTS_KUBERNETES_KUBERNETES_FIXTURE_HPP

#include <sparkhost/backends/kubernetes.hpp>
#include <sparkhost/testing/backend_conformance.hpp>

#include "support/fake_kubernetes/fake_kubernetes.hpp"
#include "support/temp_dir.hpp"

#include <memory>
#include <string>
#include <utility>

namespace sparkhost::test::k8s {

/// The options of a backend on this cluster.
inline KubernetesBackendOptions options_on(const FakeKubernetes& cluster, const TempDir& dir) {
    KubernetesBackendOptions options;
    options.api_server.url = cluster.url();
    options.default_namespace = "jobs";
    options.image = "spark:3.5.9";
    options.work_dir = (dir / "kubernetes").string();
    options.kill_grace = std::chrono::seconds(1);
    return options;
}

/// What the fake kubelet runs as `program`, and counts under `mark`.
inline BatchSpec scripted_spec(const std::string& program, const std::string& mark) {
    BatchSpec spec;
    spec.file = "local:///opt/spark/jobs/job.py";
    spec.args = {"program=" + program, "mark=" + mark};
    return spec;
}

/// The place of a conformance case: a fake cluster.
class KubernetesFixture : public testing::BackendFixture {
public:
    std::unique_ptr<Backend> make(boost::asio::any_io_executor executor) override {
        return make_kubernetes_backend(std::move(executor), options_on(cluster, dir_));
    }
    BatchSpec spec(Program program, std::string mark) override {
        static const char* const programs[] = {"succeeds", "fails", "endless"};
        return scripted_spec(programs[static_cast<int>(program)], mark);
    }
    std::size_t starts(std::string mark) override { return cluster.starts_of_mark(mark); }

    FakeKubernetes cluster{};

private:
    TempDir dir_{};
};

}  // namespace sparkhost::test::k8s

#endif
