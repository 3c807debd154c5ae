// SPDX-License-Identifier: Apache-2.0
#include "host_fixture.hpp"

#include <boost/test/unit_test.hpp>

namespace sparkhost::host_test {

BOOST_FIXTURE_TEST_SUITE(host_batches, HostFixture)

BOOST_AUTO_TEST_CASE(a_batch_goes_all_the_way_and_wait_gives_its_end) {
    cluster->set_pace(FakeCluster::Pace::runs_through);
    start();
    const auto accepted = submit();
    BOOST_TEST(accepted.id == BatchId{0});
    BOOST_TEST(accepted.version == 1);
    BOOST_TEST(accepted.phase == BatchPhase::accepted);

    const auto end = ask(host().wait(accepted.id)).value();

    BOOST_TEST(end.state() == BatchState::success);
    BOOST_TEST(cluster->starts(end.ticket) == 1u);
    const auto last = find(accepted.id);
    BOOST_TEST(last.phase == BatchPhase::released);
    BOOST_TEST(cluster->calls("reserve") == 1u);
    BOOST_TEST(cluster->calls("submit") == 1u);
    BOOST_TEST(cluster->calls("release") == 1u);
    BOOST_TEST(cluster->calls("kill") == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
