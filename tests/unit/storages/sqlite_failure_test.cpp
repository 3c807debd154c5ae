// SPDX-License-Identifier: Apache-2.0
#include "storages/sqlite/failure.hpp"

#include <sqlite3.h>

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::detail::sqlite;

BOOST_AUTO_TEST_SUITE(sqlite_failure)

BOOST_AUTO_TEST_CASE(code_and_stage_say_whether_anything_can_have_been_written) {
    struct Row {
        int code;
        Stage stage;
        Errc wanted;
    };
    const std::vector<Row> rows{
        {SQLITE_FULL, Stage::writing, Errc::storage_failed},
        {SQLITE_FULL, Stage::committing, Errc::storage_failed},
        {SQLITE_READONLY, Stage::writing, Errc::storage_failed},
        {SQLITE_BUSY, Stage::writing, Errc::storage_failed},
        {SQLITE_CORRUPT, Stage::reading, Errc::indeterminate},
        {SQLITE_NOTADB, Stage::writing, Errc::indeterminate},
        {SQLITE_IOERR_READ, Stage::reading, Errc::storage_failed},
        {SQLITE_IOERR_WRITE, Stage::writing, Errc::storage_failed},
        {SQLITE_IOERR_WRITE, Stage::committing, Errc::indeterminate},
        {SQLITE_IOERR_SHMMAP, Stage::committing, Errc::indeterminate},
        {SQLITE_IOERR_WRITE, Stage::syncing, Errc::storage_failed},
        {SQLITE_IOERR_FSYNC, Stage::writing, Errc::indeterminate},
        {SQLITE_IOERR_FSYNC, Stage::committing, Errc::indeterminate},
        {SQLITE_IOERR_FSYNC, Stage::syncing, Errc::indeterminate},
        {SQLITE_IOERR_DIR_FSYNC, Stage::committing, Errc::indeterminate},
    };
    for (auto& row : rows)
        BOOST_TEST_CONTEXT("code " << row.code << " stage " << static_cast<int>(row.stage))
    BOOST_TEST(classify(row.code, row.stage, "words").is(row.wanted));
}

BOOST_AUTO_TEST_CASE(the_text_says_what_to_do) {
    auto error = classify(SQLITE_FULL, Stage::writing, "database or disk is full");
    BOOST_TEST(error.detail.find("make room") != std::string::npos);
    BOOST_TEST(error.detail.find("database or disk is full") != std::string::npos);
    BOOST_TEST(error.detail.find("13") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(other_exceptions_are_storage_failures) {
    auto error = classify(std::runtime_error("boom"), Stage::committing);
    BOOST_TEST(error.is(Errc::storage_failed));
    BOOST_TEST(error.detail == "boom");
}

BOOST_AUTO_TEST_SUITE_END()
