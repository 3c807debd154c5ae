// SPDX-License-Identifier: Apache-2.0

// An API server that has just started forbids what it is going to allow.

#include "backends/kubernetes/readiness.hpp"
#include "kubernetes_rig.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

namespace sparkhost::test {

BOOST_AUTO_TEST_SUITE(readiness)

namespace {

using detail::kubernetes::ForbiddenMachine;
using k8s::Fault;

Fault answering(int status, std::string method, std::string path) {
    Fault made;
    made.kind = Fault::Kind::answer;
    made.method = std::move(method);
    made.path = std::move(path);
    made.status = status;
    made.times = Fault::always;
    return made;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_refusal_counts_when_the_server_was_ready_before_it_was_asked) {
    struct Case {
        std::vector<int> looks;  ///< what /readyz says after each refusal
        bool not_now;            ///< at the last of them
        bool believed;           ///< the refusal after the last of them
    };
    const std::vector<Case> cases{
        {{}, false, false},         {{200}, false, true},
        {{500}, true, false},       {{503}, true, false},
        {{0}, true, false},         {{403}, false, false},
        {{403, 403}, false, false}, {{403, 404, 401}, false, true},
        {{403, 500}, true, false},  {{403, 200}, false, true},
    };
    for (const auto& each : cases) {
        ForbiddenMachine machine;
        auto what = ForbiddenMachine::What::again;
        std::string told;
        for (int status : each.looks) {
            BOOST_TEST(!machine.is_believed());
            what = machine.looked(status);
            told += std::to_string(status) + ' ';
        }
        BOOST_TEST_CONTEXT(told) {
            BOOST_TEST((what == ForbiddenMachine::What::not_now) == each.not_now);
            BOOST_TEST(machine.is_believed() == each.believed);
            const bool unclear = !each.looks.empty() && each.looks.back() / 100 == 4;
            BOOST_TEST((machine.pause().count() > 0) == (unclear || !machine.is_believed()));
        }
    }
}

BOOST_AUTO_TEST_CASE(what_a_starting_api_server_forbids_is_asked_again_later) {
    for (const std::string path : {"/configmaps", "/services", "/pods"}) {
        BOOST_TEST_CONTEXT(path) {
            KubernetesRig rig;
            BOOST_TEST_REQUIRE(rig.open().has_value());
            const auto request = rig.request();
            const auto ticket = rig.reserve(request);
            rig.plan(answering(403, "POST", path));
            rig.plan(answering(500, "GET", "/readyz"));
            const auto submitted = rig.submit(request, ticket);
            BOOST_TEST_REQUIRE(submitted.has_error());
            BOOST_TEST(submitted.error().is(Errc::indeterminate));
            rig.heal();
            BOOST_TEST(rig.submit(request, ticket).has_value());
            BOOST_TEST(rig.settled_starts(ticket) == 1U);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_of_a_server_that_becomes_ready_meanwhile_does_not_count) {
    KubernetesRig rig;
    BOOST_TEST_REQUIRE(rig.open().has_value());
    const auto request = rig.request();
    const auto ticket = rig.reserve(request);
    auto once = answering(403, "POST", "/pods");
    once.times = 1;
    rig.plan(once);
    BOOST_TEST(rig.submit(request, ticket).has_value());
    BOOST_TEST(rig.settled_starts(ticket) == 1U);
}

BOOST_AUTO_TEST_CASE(a_kill_is_not_given_up_for_a_starting_api_server) {
    KubernetesRig rig;
    BOOST_TEST_REQUIRE(rig.open().has_value());
    const auto request = rig.request();
    const auto ticket = rig.reserve(request);
    BOOST_TEST_REQUIRE(rig.submit(request, ticket).has_value());
    rig.plan(answering(403, "", "/namespaces/"));
    rig.plan(answering(500, "GET", "/readyz"));
    BOOST_TEST(rig.kill(ticket).has_error());
    rig.heal();
    BOOST_TEST(rig.kill(ticket).has_value());
    BOOST_TEST(rig.release(ticket).has_value());
    BOOST_TEST(rig.left(ticket).empty());
}

/// Its answers to reviews mean nothing either: the host would be told that it may do nothing.
BOOST_AUTO_TEST_CASE(a_host_starts_beside_a_starting_api_server) {
    KubernetesRig rig;
    rig.plan(answering(500, "GET", "/readyz"));
    rig.cluster.with(
        [](k8s::Cluster& c) { c.api.access.allows = [](const auto&...) { return false; }; });
    const auto opened = rig.open();
    BOOST_TEST(opened.has_value(), (opened ? "" : opened.error().text()));
    rig.heal();
    const auto refused = rig.open();
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().is(Errc::backend_failed));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
