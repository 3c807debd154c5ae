// SPDX-License-Identifier: Apache-2.0
#include "conformance/backend_case.hpp"
#include "standalone/standalone_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>

namespace sparkhost::test::alone {

namespace {

testing::BackendConformanceOptions what_a_master_tells() {
    testing::BackendConformanceOptions options;
    options.reports_exit_code = false;
    return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(standalone_backend_conformance)

BOOST_DATA_TEST_CASE(
    the_standalone_backend_conforms,
    boost::unit_test::data::make(testing::backend_conformance_cases(what_a_master_tells())), each) {
    StandaloneFixture fixture;
    try {
        testing::run_backend_case(each, fixture);
    } catch (const std::exception& failure) {
        BOOST_ERROR(failure.what());
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::alone
