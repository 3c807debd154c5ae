// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_KUBERNETES_POD_JSON_HPP
#define SPARKHOST_TESTS_KUBERNETES_POD_JSON_HPP

#include "backends/kubernetes/api_reader.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace sparkhost::test {

/// A file of tests/kubernetes/recordings.
inline std::string recording(const std::string& name) {
    std::ifstream file(std::string(SPARKHOST_KUBERNETES_RECORDINGS) + "/" + name);
    BOOST_TEST_REQUIRE(file.good(), "no recording " + name);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// A driver pod as the API server writes it.
struct PodJson {
    std::string ticket{"spark-1a2b3c4d-batch-7-1"};
    std::string uid{"uid-1"};
    std::string version{"100"};
    std::string phase{"Pending"};
    std::string created{"2026-01-01T00:00:00Z"};
    std::string metadata{};    ///< further members, with a comma before
    std::string node{"n1"};    ///< empty: not placed
    std::string status{};      ///< further members, with a comma before
    std::string conditions{};  ///< elements
    std::string driver{};      ///< its state
    std::string others{};      ///< further elements of containerStatuses, with a comma before

    std::string text() const {
        std::string json = R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":")" + ticket +
                           R"(-driver","namespace":"jobs","uid":")" + uid +
                           R"(","resourceVersion":")" + version + R"(","creationTimestamp":")" +
                           created +
                           R"(","labels":{"spark-role":"driver","sparkhost.io/ticket":")" + ticket +
                           R"(","spark-app-selector":"spark-0123"},)" +
                           R"("finalizers":["sparkhost.io/end-recorded"])" + metadata + "}";
        json += R"(,"spec":{)" + (node.empty() ? "" : R"("nodeName":")" + node + "\"") + "}";
        json +=
            R"(,"status":{"phase":")" + phase + R"(","conditions":[)" + conditions + "]" + status;
        if (!driver.empty()) {
            json += R"(,"containerStatuses":[{"name":"spark-kubernetes-driver","image":"spark:x",)"
                    R"("state":)" +
                    driver + "}" + others + "]";
        }
        return json + "}}";
    }
    std::string event(std::string_view type) const {
        return R"({"type":")" + std::string(type) + R"(","object":)" + text() + "}";
    }
    detail::kubernetes::PodView view() const {
        const auto read = detail::kubernetes::read_watch_event(event("MODIFIED"));
        BOOST_TEST_REQUIRE(read.has_value());
        return read->pod;
    }
};

inline PodJson running_pod() {
    PodJson pod;
    pod.phase = "Running";
    pod.driver = R"({"running":{"startedAt":"2026-01-01T00:00:10Z"}})";
    return pod;
}

inline PodJson ended_pod(int exit_code, const std::string& reason = "Error") {
    PodJson pod;
    pod.phase = exit_code == 0 ? "Succeeded" : "Failed";
    pod.driver = R"({"terminated":{"exitCode":)" + std::to_string(exit_code) + R"(,"reason":")" +
                 reason +
                 R"(","startedAt":"2026-01-01T00:00:10Z","finishedAt":"2026-01-01T00:01:00Z"}})";
    return pod;
}

inline PodJson waiting_pod(const std::string& reason, const std::string& message = {}) {
    PodJson pod;
    pod.conditions = R"({"type":"PodScheduled","status":"True",)"
                     R"("lastTransitionTime":"2026-01-01T00:00:01Z"})";
    pod.driver = R"({"waiting":{"reason":")" + reason + R"(","message":")" + message + R"("}})";
    return pod;
}

inline PodJson unschedulable_pod(const std::string& message) {
    PodJson pod;
    pod.node.clear();
    pod.conditions = R"({"type":"PodScheduled","status":"False","reason":"Unschedulable",)"
                     R"("lastTransitionTime":"2026-01-01T00:00:01Z","message":")" +
                     message + "\"}";
    return pod;
}

/// Being deleted, with the end of its grace period.
inline PodJson deleted(PodJson pod, int grace = 30) {
    pod.metadata += R"(,"deletionTimestamp":"2026-01-01T00:02:00Z","deletionGracePeriodSeconds":)" +
                    std::to_string(grace);
    return pod;
}

inline PodJson disrupted(PodJson pod, const std::string& reason, const std::string& message) {
    pod.conditions = R"({"type":"DisruptionTarget","status":"True","reason":")" + reason +
                     R"(","message":")" + message + "\"}";
    return pod;
}

}  // namespace sparkhost::test

#endif
