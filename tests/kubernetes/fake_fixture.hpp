// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_KUBERNETES_FAKE_FIXTURE_HPP
#define SPARKHOST_TESTS_KUBERNETES_FAKE_FIXTURE_HPP

#include "support/fake_kubernetes/fake_kubernetes.hpp"
#include "support/fake_kubernetes/plain_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

namespace sparkhost::test::k8s {

inline const std::string jobs = "/api/v1/namespaces/jobs/";

struct FakeFixture {
    FakeKubernetes fake;
    PlainClient client{port()};

    std::uint16_t port() {
        return fake.with([](Cluster& cluster) { return cluster.server.port(); });
    }
    static std::string config_map(const std::string& name, const std::string& data = "{}",
                                  const std::string& more = "") {
        return R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":")" + name +
               R"(","labels":{"app":"x"})" + more + R"(},"data":)" + data + "}";
    }
    /// A pod with one container; `volume`: name of a ConfigMap whose key "a" it mounts.
    static std::string pod(const std::string& name, const std::string& program = "succeeds",
                           const std::string& volume = "", const std::string& metadata = "") {
        const std::string volumes = volume.empty()
                                        ? ""
                                        : R"(,"volumes":[{"name":"v","configMap":{"name":")" +
                                              volume + R"(","items":[{"key":"a","path":"a"}]}}])";
        return R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":")" + name +
               R"(","labels":{"sparkhost.io/ticket":")" + name + R"("})" + metadata +
               R"(},"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"x:1",)" +
               R"("args":["program=)" + program + R"(","mark=)" + name + R"("]}])" + volumes + "}}";
    }
    json::value get(const std::string& target) { return client.get(target).json(); }
    std::string phase(const std::string& name) {
        const auto answer = client.get(jobs + "pods/" + name);
        return answer.status == 200 ? text_at(answer.json().as_object(), {"status", "phase"}) : "";
    }
    void until_phase(const std::string& name, const std::string& phase) {
        fake.wait(name + " to be " + phase, [=](Cluster& cluster) {
            const auto found = cluster.store.find(*find_resource("pods"), "jobs", name);
            return found && text_at(found->data, {"status", "phase"}) == phase;
        });
    }
    void until_gone(const std::string& name, const std::string& plural = "pods") {
        fake.wait(name + " to be gone", [=](Cluster& cluster) {
            return !cluster.store.find(*find_resource(plural), "jobs", name);
        });
    }
};

}  // namespace sparkhost::test::k8s

#endif
