// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_STORAGES_SQLITE_READER_HPP
#define SPARKHOST_SRC_STORAGES_SQLITE_READER_HPP

#include "storages/sqlite/paging.hpp"
#include "storages/sqlite/prepared.hpp"

#include <sparkhost/storage.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace sparkhost::detail::sqlite {

/// The connection that reads. One thread at a time. Throws SQLite::Exception.
class Reader {
public:
    explicit Reader(SQLite::Database database);
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// While it lives all reads see the same state: what was committed when the first began.
    class Snapshot {
    public:
        explicit Snapshot(Reader& reader) : reader_(reader) { reader_.begin_.run(); }
        ~Snapshot();
        Snapshot(const Snapshot&) = delete;
        Snapshot& operator=(const Snapshot&) = delete;

    private:
        Reader& reader_;
    };

    Result<Record> find(RecordKey key);
    Result<RecordKey> find_unique(const std::string& scope, const std::string& value);
    Result<Page> list(const Query& query);
    Result<std::vector<StoredEvent>> read_events(const EventQuery& query);
    std::string uuid();

    SQLite::Database& database() noexcept { return database_; }

private:
    using Ids = std::vector<std::int64_t>;

    std::vector<BucketCount> count_buckets(const Query& query);
    std::vector<std::string> owned_states(const Query& query, std::int64_t& total);
    void walk_all(const Query& query, const Start& start, Page& page);
    void walk_states(const Query& query, const std::vector<std::string>& states, const Start& start,
                     Page& page);

    SQLite::Database database_;
    Prepared begin_{database_, "BEGIN"};
    Prepared end_{database_, "COMMIT"};
    Prepared find_{database_, "SELECT version, state, owner, body FROM records WHERE row = ?"};
    Prepared find_unique_{database_, "SELECT row FROM unique_keys WHERE scope = ? AND value = ?"};
    Prepared oldest_{database_, "SELECT value FROM counters WHERE name = 'oldest_sequence'"};
    Prepared events_{database_,
                     "SELECT sequence, row, at, type, body FROM events WHERE sequence > ?"
                     " ORDER BY sequence LIMIT ?"};
    Prepared buckets_{database_,
                      "SELECT bucket, state, live FROM buckets WHERE kind = ? ORDER BY bucket"};
    Prepared owners_{database_, "SELECT state, live FROM owners WHERE kind = ? AND owner = ?"};
    Prepared all_up_{database_,
                     "SELECT row, version, state, owner, body FROM records"
                     " WHERE row > ? AND row < ? ORDER BY row LIMIT ? OFFSET ?"};
    Prepared all_down_{database_,
                       "SELECT row, version, state, owner, body FROM records"
                       " WHERE row > ? AND row < ? ORDER BY row DESC LIMIT ? OFFSET ?"};
    Prepared state_up_{database_,
                       "SELECT row FROM records INDEXED BY records_by_state"
                       " WHERE state = ? AND row > ? AND row < ? ORDER BY row LIMIT ? OFFSET ?"};
    Prepared state_down_{
        database_,
        "SELECT row FROM records INDEXED BY records_by_state"
        " WHERE state = ? AND row > ? AND row < ? ORDER BY row DESC LIMIT ? OFFSET ?"};
    Prepared owner_up_{database_,
                       "SELECT row FROM records INDEXED BY records_by_owner"
                       " WHERE owner = ? AND owner <> '' AND state = ? AND row > ? AND row < ?"
                       " ORDER BY row LIMIT ? OFFSET ?"};
    Prepared owner_down_{database_,
                         "SELECT row FROM records INDEXED BY records_by_owner"
                         " WHERE owner = ? AND owner <> '' AND state = ? AND row > ? AND row < ?"
                         " ORDER BY row DESC LIMIT ? OFFSET ?"};
};

}  // namespace sparkhost::detail::sqlite

#endif
