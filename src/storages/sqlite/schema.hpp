// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_STORAGES_SQLITE_SCHEMA_HPP
#define SPARKHOST_SRC_STORAGES_SQLITE_SCHEMA_HPP

#include <sparkhost/storage.hpp>

#include <SQLiteCpp/Database.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace sparkhost::detail::sqlite {

/// In the file's header, so that a stranger's database is never touched: "sprk".
inline constexpr std::int32_t application_id = 0x7370726b;

/// Steps of the schema: step n leads from user_version n to n + 1. Never change one that has
/// been released; add another.
std::span<const char* const> migrations();

/// What a database file turns out to be.
struct Identity {
    bool fresh{false};       ///< nothing in it yet
    std::size_t version{0};  ///< steps already taken
};

/// Looks without changing anything. Errors: storage_failed – made by a newer version or by
/// another program.
Result<Identity> identify(SQLite::Database& database, std::size_t known_steps);

/// Takes the steps that are missing in one transaction; a new database gets its UUID.
void migrate(SQLite::Database& database, Identity identity, std::span<const char* const> steps);

/// A record's row number: its kind in the upper 16 bits, its id below, so that one kind's
/// records lie side by side in id order and a new record goes to the end of the tree.
inline constexpr int kind_shift = 48;
inline constexpr std::int64_t row_of(RecordKey key) noexcept {
    return (static_cast<std::int64_t>(key.kind) << kind_shift) + key.id;
}
inline constexpr RecordKey key_of(std::int64_t row) noexcept {
    return {static_cast<RecordKind>(row >> kind_shift),
            row & ((std::int64_t{1} << kind_shift) - 1)};
}
/// Whether the id can be a record's at all.
inline constexpr bool is_possible(RecordKey key) noexcept {
    return key.id >= 0 && key.id < (std::int64_t{1} << kind_shift);
}

/// Live records are counted per so many ids, so that any offset is found without a walk.
inline constexpr std::int64_t bucket_width = 1024;

}  // namespace sparkhost::detail::sqlite

#endif
