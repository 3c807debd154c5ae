// SPDX-License-Identifier: Apache-2.0
#include "conformance/backend_case.hpp"
#include "yarn/yarn_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>

namespace sparkhost::test::yarn {

namespace {

void conforms(const testing::BackendCase& backend_case, YarnFixture& fixture) {
    try {
        testing::run_backend_case(backend_case, fixture);
    } catch (const std::exception& failure) {
        BOOST_ERROR(failure.what());
    }
    for (const auto& sin : fixture.cluster.sins()) {
        BOOST_ERROR(sin);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(yarn_backend_conformance)

BOOST_DATA_TEST_CASE(the_yarn_backend_conforms,
                     boost::unit_test::data::make(testing::backend_conformance_cases()), each) {
    YarnFixture fixture;
    conforms(each, fixture);
}

BOOST_AUTO_TEST_SUITE_END()

// Nodes hand over their logs at once, and a shared folder has the files.
BOOST_AUTO_TEST_SUITE(yarn_backend_conformance_with_a_shared_folder)

BOOST_DATA_TEST_CASE(the_yarn_backend_conforms,
                     boost::unit_test::data::make(testing::backend_conformance_cases()), each) {
    YarnFixture fixture;
    fixture.stages_in_files = true;
    fixture.cluster.with([](Cluster& c) { c.masters.aggregates_logs = true; });
    conforms(each, fixture);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::yarn
