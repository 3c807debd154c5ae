// SPDX-License-Identifier: Apache-2.0
#include "conformance/backend_case.hpp"
#include "support/fake_backend_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace sparkhost::testing {

BOOST_AUTO_TEST_SUITE(fake_backend_conformance)

BOOST_DATA_TEST_CASE(the_fake_backend_conforms,
                     boost::unit_test::data::make(backend_conformance_cases()), each) {
    test::FakeBackendFixture fixture;
    BOOST_CHECK_NO_THROW(run_backend_case(each, fixture));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::testing
