// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_STORAGES_SQLITE_WRITER_HPP
#define SPARKHOST_SRC_STORAGES_SQLITE_WRITER_HPP

#include "storages/sqlite/failure.hpp"
#include "storages/sqlite/prepared.hpp"

#include <sparkhost/storage.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace sparkhost::detail::sqlite {

/// What became of a group of transactions.
struct GroupOutcome {
    std::vector<Result<CommitResult>> results;  ///< one for each, in order
    std::optional<Failure> failure;             ///< set: the disk failed all of them
    std::size_t written{0};                     ///< transactions that changed something
    double seconds{0};                          ///< spent in COMMIT
};

struct PruneStep {
    std::int64_t oldest_sequence{1};
    bool finished{false};
};

/// The connection that writes. One thread at a time.
class Writer {
public:
    explicit Writer(SQLite::Database database);
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// Writes all of them in one disk transaction; each one fails by itself when its
    /// expectations do not hold. Does not throw for what the disk does.
    GroupOutcome commit(std::span<const Transaction> group);

    /// Forgets at most some thousand events and keys, so that commits waiting behind it do not
    /// wait long.
    Result<PruneStep> prune(const PruneRequest& request);

    /// Copies what it can from the log into the database and syncs; does not wait for readers.
    /// Gives the number of log pages copied.
    Result<int> checkpoint();

    /// A write that changes nothing that anybody reads, made durable.
    Result<void> probe();

    /// What made the last prune, checkpoint or probe fail.
    const std::optional<Failure>& failure() const noexcept { return failure_; }

    /// Pages in the log after the last commit.
    int log_pages() const noexcept { return log_pages_; }

    StoreInfo info() const;
    SQLite::Database& database() noexcept { return database_; }

private:
    struct Counters {
        std::int64_t last_sequence{0};
        std::int64_t oldest_sequence{1};
        std::map<RecordKind, std::int64_t> next_ids;
        bool operator==(const Counters&) const = default;
    };
    /// A stored record as far as a change to it needs to know.
    struct Known {
        std::int64_t version{0};  ///< 0: it is not there
        std::string state;
        std::string owner;
    };
    using BucketKey = std::tuple<std::int64_t, std::int64_t, std::string>;  // kind, bucket, state
    using OwnerKey = std::tuple<std::int64_t, std::string, std::string>;    // kind, owner, state

    Error failed(Failure failure);
    void load_counters();
    void begin_group();
    void end_group();
    void roll_back() noexcept;

    Result<CommitResult> apply(const Transaction& transaction);
    Result<void> check(const Transaction& transaction);
    std::int64_t load(RecordKey key);
    std::optional<CommitResult::Duplicate> holder(const UniqueKey& key);
    std::int64_t insert(const Insert& insert);
    void update(const Update& update);
    void erase(const Erase& erase);
    void append(const NewEvent& event, CommitResult& result);
    void count(RecordKey key, const std::string& owner, const std::string& state, int change);
    void flush_counts();
    void flush_counters();

    SQLite::Database database_;
    std::optional<Failure> failure_;
    std::int64_t probes_{0};
    int log_pages_{0};
    Counters counters_;
    Counters stored_counters_;
    std::map<std::int64_t, Known> known_;
    std::map<BucketKey, std::int64_t> bucket_changes_;
    std::map<OwnerKey, std::int64_t> owner_changes_;

    Prepared begin_{database_, "BEGIN IMMEDIATE"};
    Prepared commit_{database_, "COMMIT"};
    Prepared roll_back_{database_, "ROLLBACK"};
    Prepared load_{database_, "SELECT version, state, owner FROM records WHERE row = ?"};
    Prepared holder_{database_,
                     "SELECT row, fingerprint FROM unique_keys WHERE scope = ? AND value = ?"};
    Prepared insert_{database_, "INSERT INTO records VALUES (?, 1, ?, ?, ?)"};
    Prepared insert_key_{database_, "INSERT INTO unique_keys VALUES (?, ?, ?, ?, ?)"};
    Prepared update_body_{database_, "UPDATE records SET version = ?, body = ? WHERE row = ?"};
    Prepared update_{database_,
                     "UPDATE records SET version = ?, body = ?, state = ? WHERE row = ?"};
    Prepared erase_{database_, "DELETE FROM records WHERE row = ?"};
    Prepared erase_keys_{database_, "DELETE FROM unique_keys WHERE row = ? AND keep_until = 0"};
    Prepared append_{database_, "INSERT INTO events VALUES (?, ?, ?, ?, ?)"};
    Prepared count_bucket_{database_,
                           "INSERT INTO buckets VALUES (?, ?, ?, ?)"
                           " ON CONFLICT DO UPDATE SET live = live + excluded.live"};
    Prepared drop_bucket_{database_,
                          "DELETE FROM buckets"
                          " WHERE kind = ? AND bucket = ? AND state = ? AND live = 0"};
    Prepared count_owner_{database_,
                          "INSERT INTO owners VALUES (?, ?, ?, ?)"
                          " ON CONFLICT DO UPDATE SET live = live + excluded.live"};
    Prepared drop_owner_{database_,
                         "DELETE FROM owners"
                         " WHERE kind = ? AND owner = ? AND state = ? AND live = 0"};
    Prepared set_counter_{database_,
                          "INSERT INTO counters VALUES (?, ?)"
                          " ON CONFLICT DO UPDATE SET value = excluded.value"};
    Prepared prune_events_{database_, "DELETE FROM events WHERE sequence <= ?"};
    Prepared prune_keys_{database_,
                         "DELETE FROM unique_keys WHERE (scope, value) IN (SELECT scope, value"
                         " FROM unique_keys WHERE keep_until <> 0 AND keep_until < ? LIMIT ?)"};
};

}  // namespace sparkhost::detail::sqlite

#endif
