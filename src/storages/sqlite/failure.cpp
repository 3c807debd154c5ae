// SPDX-License-Identifier: Apache-2.0
#include "storages/sqlite/failure.hpp"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

namespace sparkhost::detail::sqlite {

namespace {

const char* remedy(int primary_code) {
    switch (primary_code) {
        case SQLITE_FULL:
            return "the disk is full: make room";
        case SQLITE_READONLY:
            return "the database is read-only: check its permissions and mount";
        case SQLITE_CANTOPEN:
            return "cannot open it: check folder, permissions and file limits";
        case SQLITE_NOTADB:
            return "this is not an SQLite database: choose another file";
        case SQLITE_CORRUPT:
            return "the database is damaged: restore it from a backup";
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return "another program holds the database: end it";
        case SQLITE_IOERR:
            return "the disk does not work properly: see the system's log";
        case SQLITE_NOMEM:
            return "out of memory";
        default:
            return "";
    }
}

bool is_failed_sync(int extended_code) {
    return extended_code == SQLITE_IOERR_FSYNC || extended_code == SQLITE_IOERR_DIR_FSYNC;
}

StorageFailure kind_of(int extended_code) {
    if (is_failed_sync(extended_code))
        return StorageFailure::sync;
    switch (extended_code & 0xff) {
        case SQLITE_FULL:
            return StorageFailure::full;
        case SQLITE_READONLY:
            return StorageFailure::read_only;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return StorageFailure::damaged;
        case SQLITE_IOERR:
            return StorageFailure::io;
        default:
            return StorageFailure::other;
    }
}

}  // namespace

Failure classify(int extended_code, Stage stage, const std::string& words) {
    int primary = extended_code & 0xff;
    auto kind = kind_of(extended_code);
    bool unknown = kind == StorageFailure::sync || kind == StorageFailure::damaged ||
                   (stage == Stage::committing && primary == SQLITE_IOERR);
    std::string text = remedy(primary);
    text += (text.empty() ? "" : " (") + words + ", code " + std::to_string(extended_code) +
            (text.empty() ? "" : ")");
    return {Error(unknown ? Errc::indeterminate : Errc::storage_failed, std::move(text)), kind};
}

Failure classify(const std::exception& failure, Stage stage) {
    if (auto* known = dynamic_cast<const SQLite::Exception*>(&failure))
        return classify(known->getExtendedErrorCode(), stage, known->what());
    if (auto* known = dynamic_cast<const Exception*>(&failure))
        return {known->error(), StorageFailure::other};
    return {Error(Errc::storage_failed, failure.what()), StorageFailure::other};
}

}  // namespace sparkhost::detail::sqlite
