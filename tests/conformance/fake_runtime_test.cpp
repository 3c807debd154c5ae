// SPDX-License-Identifier: Apache-2.0
#include "conformance/runtime_case.hpp"
#include "support/fake_runtime_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>

namespace sparkhost::testing {

BOOST_AUTO_TEST_SUITE(fake_runtime_conformance)

BOOST_DATA_TEST_CASE(the_fake_runtime_conforms,
                     boost::unit_test::data::make(runtime_conformance_cases()), each) {
    test::FakeRuntimeFixture fixture;
    try {
        run_runtime_case(each, fixture);
    } catch (const std::exception& failure) {
        BOOST_ERROR(failure.what());
    }
}

BOOST_AUTO_TEST_CASE(all_cases_can_share_a_session) {
    test::FakeRuntimeFixture fixture;
    BOOST_CHECK_NO_THROW(run_runtime_cases(runtime_conformance_cases(), fixture));
    BOOST_TEST(fixture.launched() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::testing
