// SPDX-License-Identifier: Apache-2.0
#include "storages/sqlite/schema.hpp"

#include "storages/uuid.hpp"

#include <SQLiteCpp/Statement.h>

#include <array>
#include <cstdlib>
#include <string>

namespace sparkhost::detail::sqlite {

namespace {

// `buckets` counts live records by kind, id / 1024 and state; `owners` by kind, owner and state.
// Rows that reach zero are removed, so old buckets have one or two rows.
const std::array schema_steps{
    R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE records (
    row INTEGER PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL,
    owner TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX records_by_state ON records (state);
CREATE INDEX records_by_owner ON records (owner, state) WHERE owner <> '';
CREATE TABLE unique_keys (
    scope TEXT NOT NULL, value TEXT NOT NULL, row INTEGER NOT NULL, fingerprint TEXT NOT NULL,
    keep_until INTEGER NOT NULL, PRIMARY KEY (scope, value)) WITHOUT ROWID;
CREATE INDEX unique_keys_freed ON unique_keys (row) WHERE keep_until = 0;
CREATE INDEX unique_keys_kept ON unique_keys (keep_until) WHERE keep_until <> 0;
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY, row INTEGER NOT NULL, at INTEGER NOT NULL,
    type TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE buckets (
    kind INTEGER NOT NULL, bucket INTEGER NOT NULL, state TEXT NOT NULL, live INTEGER NOT NULL,
    PRIMARY KEY (kind, bucket, state)) WITHOUT ROWID;
CREATE TABLE owners (
    kind INTEGER NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL, live INTEGER NOT NULL,
    PRIMARY KEY (kind, owner, state)) WITHOUT ROWID;
INSERT INTO counters VALUES ('last_sequence', 0), ('oldest_sequence', 1);
)sql"
#ifdef SPARKHOST_CRASH_POINTS
    // The campaign's build stands in for the next version, too.
    ,
    R"sql(
CREATE TABLE versions_at_upgrade AS SELECT row, version FROM records;
CREATE INDEX events_by_row ON events (row);
)sql"
#endif
};

bool is_empty(SQLite::Database& database) {
    return database.execAndGet("SELECT count(*) FROM sqlite_schema").getInt64() == 0;
}

Error foreign_database() {
    return Error(Errc::storage_failed,
                 "this database was made by another program: choose another file");
}

Error newer_schema(std::size_t found, std::size_t known) {
    return Error(Errc::storage_failed, "made by a newer sparkhost (schema " +
                                           std::to_string(found) + ", this one knows " +
                                           std::to_string(known) +
                                           "): use that version or another file");
}

void name_store(SQLite::Database& database) {
    SQLite::Statement insert(database, "INSERT INTO meta VALUES ('uuid', ?)");
    insert.bind(1, make_uuid());
    insert.exec();
    database.exec("PRAGMA application_id = " + std::to_string(application_id));
}

}  // namespace

std::span<const char* const> migrations() {
#ifdef SPARKHOST_CRASH_POINTS
    if (std::getenv("SPARKHOST_NEXT_SCHEMA") == nullptr) {
        return std::span(schema_steps).first(schema_steps.size() - 1);
    }
#endif
    return schema_steps;
}

Result<Identity> identify(SQLite::Database& database, std::size_t known_steps) {
    auto id = database.execAndGet("PRAGMA application_id").getInt64();
    auto version = database.execAndGet("PRAGMA user_version").getInt64();
    Identity identity{id == 0 && version == 0 && is_empty(database),
                      static_cast<std::size_t>(version)};
    if (!identity.fresh && id != application_id)
        return foreign_database();
    if (identity.version > known_steps)
        return newer_schema(identity.version, known_steps);
    return identity;
}

void migrate(SQLite::Database& database, Identity identity, std::span<const char* const> steps) {
    if (identity.version == steps.size())
        return;
    database.exec("BEGIN IMMEDIATE");
    for (auto* step : steps.subspan(identity.version))
        database.exec(step);
    if (identity.fresh)
        name_store(database);
    database.exec("PRAGMA user_version = " + std::to_string(steps.size()));
    database.exec("COMMIT");
}

}  // namespace sparkhost::detail::sqlite
