// SPDX-License-Identifier: Apache-2.0
#include "storages/sqlite/paging.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>

namespace {

using namespace sparkhost::detail::sqlite;

constexpr auto last_id = std::numeric_limits<std::int64_t>::max();

struct StartCase {
    std::int64_t offset;
    bool newest_first;
    std::int64_t above;
    std::int64_t below;
    std::int64_t skip;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(paging)

BOOST_AUTO_TEST_CASE(whole_buckets_are_leapt_over) {
    const std::vector<BucketCount> buckets{{0, 10}, {2, 5}, {7, 20}};
    const std::vector<StartCase> cases{
        {0, false, -1, last_id, 0},    {9, false, -1, last_id, 9},
        {10, false, 2047, last_id, 0}, {14, false, 2047, last_id, 4},
        {15, false, 7167, last_id, 0}, {34, false, 7167, last_id, 19},
        {0, true, -1, 8 * 1024, 0},    {19, true, -1, 8 * 1024, 19},
        {20, true, -1, 3 * 1024, 0},   {24, true, -1, 3 * 1024, 4},
        {25, true, -1, 1024, 0},       {34, true, -1, 1024, 9},
    };
    for (auto& each : cases)
        BOOST_TEST_CONTEXT("offset " << each.offset << (each.newest_first ? " down" : " up")) {
            auto start = find_start(buckets, each.offset, each.newest_first);
            BOOST_REQUIRE(start.has_value());
            BOOST_TEST(start->above == each.above);
            BOOST_TEST(start->below == each.below);
            BOOST_TEST(start->skip == each.skip);
        }
}

BOOST_AUTO_TEST_CASE(an_offset_beyond_the_last_match_has_no_start) {
    const std::vector<BucketCount> buckets{{0, 10}, {2, 5}};
    BOOST_TEST(!find_start(buckets, 15, false).has_value());
    BOOST_TEST(!find_start(buckets, 15, true).has_value());
    BOOST_TEST(!find_start(buckets, last_id, true).has_value());
    BOOST_TEST(!find_start({}, 0, false).has_value());
}

BOOST_AUTO_TEST_CASE(ids_of_several_walks_are_merged) {
    const std::vector<std::int64_t> walks{1, 4, 9, 2, 3, 10};
    const std::vector<std::int64_t> up{2, 3, 4};
    const std::vector<std::int64_t> down{9, 4, 3};
    const std::vector<std::int64_t> end{10};
    BOOST_TEST(merge_ids(walks, 1, 3, false) == up, boost::test_tools::per_element());
    BOOST_TEST(merge_ids(walks, 1, 3, true) == down, boost::test_tools::per_element());
    BOOST_TEST(merge_ids(walks, 5, 3, false) == end, boost::test_tools::per_element());
    BOOST_TEST(merge_ids(walks, 6, 3, false).empty());
    BOOST_TEST(merge_ids({}, 0, 3, false).empty());
}

BOOST_AUTO_TEST_SUITE_END()
