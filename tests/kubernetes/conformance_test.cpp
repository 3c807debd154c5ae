// SPDX-License-Identifier: Apache-2.0
#include "conformance/backend_case.hpp"
#include "kubernetes/kubernetes_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>

namespace sparkhost::test::k8s {

BOOST_AUTO_TEST_SUITE(kubernetes_backend_conformance)

BOOST_DATA_TEST_CASE(the_kubernetes_backend_conforms,
                     boost::unit_test::data::make(testing::backend_conformance_cases()), each) {
    KubernetesFixture fixture;
    try {
        testing::run_backend_case(each, fixture);
    } catch (const std::exception& failure) {
        BOOST_ERROR(failure.what());
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::k8s
