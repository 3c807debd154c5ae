// SPDX-License-Identifier: Apache-2.0
#include "kubernetes/kubernetes_host.hpp"

#include "support/fake_kubernetes/lifecycle.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

// That there is a SparkContext is seen by its first executor. A host that starts when that has gone
// cannot see it, and is told less than the one before: that must take nothing back.

namespace sparkhost::test::k8s {

namespace lost_executor_test {

bool has_context(const BatchRecord& record) {
    return std::any_of(record.timeline.begin(), record.timeline.end(),
                       [](const auto& each) { return each.what == "context_up"; });
}

void lose_executor(FakeKubernetes& cluster, const std::string& driver) {
    const auto name = driver + "-exec-1";
    cluster.with([&](Cluster& c) {
        const auto executor = c.store.find(*find_resource("pods"), "jobs", name);
        BOOST_TEST_REQUIRE((executor != nullptr));
        delete_object(c.store, executor, {});
    });
    cluster.wait("the executor's end", [&](Cluster& c) {
        return c.store.find(*find_resource("pods"), "jobs", name) == nullptr;
    });
}

}  // namespace lost_executor_test

BOOST_AUTO_TEST_SUITE(kubernetes_lost_executor)

using namespace lost_executor_test;

BOOST_AUTO_TEST_CASE(a_context_that_was_seen_stays_when_its_first_executor_has_gone) {
    KubernetesHost host;
    host.start();
    const auto id = host.ask(host.host().submit(scripted_spec("endless", "mine"))).value().id;
    host.until("its context", [&] { return has_context(host.find(id)); });
    const auto before = host.find(id);
    host.crash();
    lose_executor(host.cluster, before.ticket + "-driver");
    host.start();
    // the next host has its snapshot when it sees another one run
    const auto other = host.ask(host.host().submit(scripted_spec("succeeds", "other"))).value().id;
    host.until("another batch", [&] { return host.find(other).phase == BatchPhase::released; });
    const auto after = host.find(id);
    BOOST_TEST((after == before));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::k8s
