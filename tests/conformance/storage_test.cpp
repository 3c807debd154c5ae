// SPDX-License-Identifier: Apache-2.0
#include "support/temp_dir.hpp"

#include <sparkhost/storages/memory.hpp>
#include <sparkhost/storages/sqlite.hpp>
#include <sparkhost/testing/faulty_storage.hpp>
#include <sparkhost/testing/storage_conformance.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>

namespace sparkhost::testing {

inline std::ostream& operator<<(std::ostream& out, const StorageCase& storage_case) {
    return out << storage_case.name;
}

}  // namespace sparkhost::testing

BOOST_TEST_DONT_PRINT_LOG_VALUE(
    std::function<boost::asio::awaitable<void>(sparkhost::testing::StorageFixture&)>)

namespace {

using namespace sparkhost;
namespace data = boost::unit_test::data;

const auto durable_cases = testing::storage_conformance_cases();
const auto memory_cases =
    testing::storage_conformance_cases({.durable = false, .exclusive = false});

}  // namespace

BOOST_AUTO_TEST_SUITE(storage_conformance)

BOOST_DATA_TEST_CASE(memory_storage_conforms, data::make(memory_cases), each) {
    testing::run_storage_case(each, {.make = [] { return make_memory_storage(); }});
}

BOOST_DATA_TEST_CASE(sqlite_storage_conforms, data::make(durable_cases), each) {
    test::TempDir folder;
    SqliteStorageOptions options{.path = (folder / "jobs.db").string()};
    testing::run_storage_case(each, {.make = [&] { return make_sqlite_storage(options); }});
}

BOOST_DATA_TEST_CASE(sqlite_storage_conforms_in_groups_of_two, data::make(durable_cases), each) {
    test::TempDir folder;
    SqliteStorageOptions options{.path = (folder / "jobs.db").string(), .max_group = 2};
    testing::run_storage_case(each, {.make = [&] { return make_sqlite_storage(options); }});
}

BOOST_DATA_TEST_CASE(a_faulty_storage_without_a_plan_conforms, data::make(memory_cases), each) {
    auto make = []() -> std::unique_ptr<Storage> {
        auto faults = std::make_shared<testing::StorageFaults>();
        return testing::make_faulty_storage(make_memory_storage(), faults);
    };
    testing::run_storage_case(each, {.make = make});
}

BOOST_AUTO_TEST_SUITE_END()
