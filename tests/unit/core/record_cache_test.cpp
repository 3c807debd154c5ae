// SPDX-License-Identifier: Apache-2.0
#include "core/record_cache.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace sparkhost::detail {

namespace record_cache_test {

std::shared_ptr<const BatchRecord> record(std::int64_t id, std::int64_t version = 1) {
    auto made = std::make_shared<BatchRecord>();
    made->id = BatchId{id};
    made->version = version;
    return made;
}

}  // namespace record_cache_test

using record_cache_test::record;

BOOST_AUTO_TEST_SUITE(record_cache)

BOOST_AUTO_TEST_CASE(what_was_put_is_found_and_nothing_else) {
    RecordCache cache(3);
    cache.put(record(1));
    BOOST_TEST_REQUIRE(cache.find(BatchId{1}) != nullptr);
    BOOST_TEST(cache.find(BatchId{1})->id == BatchId{1});
    BOOST_TEST(cache.find(BatchId{2}) == nullptr);
}

BOOST_AUTO_TEST_CASE(the_one_used_longest_ago_makes_room) {
    RecordCache cache(2);
    cache.put(record(1));
    cache.put(record(2));
    BOOST_TEST(cache.find(BatchId{1}) != nullptr);
    cache.put(record(3));
    BOOST_TEST(cache.find(BatchId{1}) != nullptr);
    BOOST_TEST(cache.find(BatchId{2}) == nullptr);
    BOOST_TEST(cache.find(BatchId{3}) != nullptr);
}

BOOST_AUTO_TEST_CASE(a_newer_version_replaces_the_older_without_taking_more_room) {
    RecordCache cache(2);
    cache.put(record(1, 1));
    cache.put(record(2, 1));
    cache.put(record(1, 2));
    BOOST_TEST_REQUIRE(cache.find(BatchId{2}) != nullptr);
    BOOST_TEST_REQUIRE(cache.find(BatchId{1}) != nullptr);
    BOOST_TEST(cache.find(BatchId{1})->version == 2);
}

BOOST_AUTO_TEST_CASE(what_was_erased_or_cleared_is_gone) {
    RecordCache cache(3);
    cache.put(record(1));
    cache.put(record(2));
    cache.erase(BatchId{1});
    cache.erase(BatchId{9});
    BOOST_TEST(cache.find(BatchId{1}) == nullptr);
    BOOST_TEST(cache.find(BatchId{2}) != nullptr);
    cache.clear();
    BOOST_TEST(cache.find(BatchId{2}) == nullptr);
    cache.put(record(4));
    BOOST_TEST(cache.find(BatchId{4}) != nullptr);
}

BOOST_AUTO_TEST_CASE(a_cache_without_room_keeps_nothing) {
    RecordCache cache(0);
    cache.put(record(1));
    BOOST_TEST(cache.find(BatchId{1}) == nullptr);
    cache.erase(BatchId{1});
}

BOOST_AUTO_TEST_CASE(what_was_handed_out_stays_valid_when_it_leaves_the_cache) {
    RecordCache cache(1);
    cache.put(record(1));
    const auto held = cache.find(BatchId{1});
    cache.put(record(2));
    BOOST_TEST(held->id == BatchId{1});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
