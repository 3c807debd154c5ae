// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_STORAGE_HPP
#define SPARKHOST_STORAGE_HPP

#include <sparkhost/clock.hpp>
#include <sparkhost/error.hpp>
#include <sparkhost/log.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost {

/// Kinds of records. The numbers are stored: never renumber.
enum class RecordKind : int { batch = 1, session = 2, statement = 3 };

struct RecordKey {
    RecordKind kind{RecordKind::batch};
    std::int64_t id{-1};
    bool operator==(const RecordKey&) const = default;
};

/// A record: a document with the few columns that it can be found by. The store does not look
/// into `body`.
struct Record {
    RecordKey key{};
    std::int64_t version{1};  ///< 1 when inserted, +1 with each update
    std::string state{};      ///< exact-match filter; the host puts the phase here
    std::string owner{};      ///< exact-match filter: whose it is; a statement's is its session
    std::string body{};
    bool operator==(const Record&) const = default;
};

/// A value that at most one record may hold at a time: a name, an idempotency key.
struct UniqueKey {
    std::string scope{};  ///< "batch.name", "batch.idempotency"
    std::string value{};
    std::string fingerprint{};  ///< handed back on a collision; not compared by the store
    /// Zero: freed when its record is erased. Else kept until prune() is told a later time.
    Timestamp keep_until{};
};

/// Makes a record. The store gives it the next id of its kind (0, 1, 2 …; ids of erased
/// records are not given again) and version 1.
struct Insert {
    RecordKind kind{RecordKind::batch};
    std::string state{};
    std::string owner{};
    std::string body{};
    std::vector<UniqueKey> unique{};
};

/// Replaces state and body of a record if its version is `expected_version`.
struct Update {
    RecordKey key{};
    std::int64_t expected_version{0};
    std::string state{};
    std::string body{};
};

/// Removes a record, if its version is `expected_version`, and its unique keys (but see
/// keep_until).
struct Erase {
    RecordKey key{};
    std::int64_t expected_version{0};
};

/// An entry for the event log.
struct NewEvent {
    /// The record it is about; an id of -1 - n means the record made by inserts[n].
    RecordKey subject{};
    Timestamp at{};
    std::string type{};
    std::string body{};
};

/// All of it or nothing.
struct Transaction {
    std::vector<Insert> inserts{};
    std::vector<Update> updates{};
    std::vector<Erase> erases{};
    std::vector<NewEvent> events{};
};

struct CommitResult {
    std::vector<std::int64_t> ids{};  ///< of the inserted records, in order
    std::int64_t last_sequence{0};    ///< of the last event written; 0 if none was
    /// Set when a unique key was taken: nothing was written.
    struct Duplicate {
        std::string scope{};
        /// May have been erased since, for kept keys; an id of -1 - n is inserts[n] of the same
        /// transaction.
        RecordKey holder{};
        std::string fingerprint{};
    };
    std::optional<Duplicate> duplicate{};
};

struct StoredEvent {
    std::int64_t sequence{0};
    RecordKey subject{};
    Timestamp at{};
    std::string type{};
    std::string body{};
};

/// Which records, by ascending id unless `newest_first`.
struct Query {
    RecordKind kind{RecordKind::batch};
    std::vector<std::string> states{};    ///< any of these; empty: all
    std::string owner{};                  ///< empty: all
    std::optional<std::int64_t> after{};  ///< keyset cursor: only ids beyond it in the order asked
    std::int64_t offset{0};               ///< then skip so many
    std::size_t limit{100};               ///< 0: none, for the total alone
    bool newest_first{false};
    bool want_total{true};
};

struct Page {
    std::vector<Record> records{};
    std::int64_t total{0};  ///< matches regardless of after, offset and limit; 0 unless asked for
};

struct EventQuery {
    std::int64_t after{0};  ///< only events with greater numbers
    std::size_t limit{1000};
};

struct PruneRequest {
    std::int64_t events_through{0};  ///< forget events up to and including this number
    Timestamp unique_before{};       ///< forget kept unique keys whose keep_until is earlier
};

struct StorageContext {
    boost::asio::any_io_executor blocking_executor{};  ///< for disk work
    LogSink log{};
};

struct StoreInfo {
    std::string uuid{};               ///< made with the store, never changes
    std::int64_t last_sequence{0};    ///< of the newest event; 0: none yet
    std::int64_t oldest_sequence{1};  ///< of the oldest event kept
};

/// What was wrong with the disk, for figures and people; what to do is told by error codes.
enum class StorageFailure {
    full,       ///< no room, or a quota
    read_only,  ///< file, folder or file system
    io,         ///< reading or writing failed
    sync,       ///< making it durable failed
    damaged,    ///< what is there makes no sense
    moved,      ///< files were removed or replaced while they were in use
    other
};
inline constexpr std::array storage_failures{
    StorageFailure::full,    StorageFailure::read_only, StorageFailure::io,   StorageFailure::sync,
    StorageFailure::damaged, StorageFailure::moved,     StorageFailure::other};
constexpr std::string_view to_string(StorageFailure failure) noexcept {
    constexpr std::array<std::string_view, storage_failures.size()> words{
        "full", "read_only", "io", "sync", "damaged", "moved", "other"};
    return words[static_cast<std::size_t>(failure)];
}

/// Figures for /metrics. All since open().
struct StorageStats {
    std::uint64_t commits{0};       ///< transactions committed
    std::uint64_t disk_commits{0};  ///< durable writes they were grouped into
    double disk_seconds{0};         ///< time spent in durable writes
    std::uint64_t failures{0};      ///< operations that the disk failed
    /// Of these, indexed by StorageFailure.
    std::array<std::uint64_t, storage_failures.size()> failures_by_kind{};
    bool healthy{true};  ///< the last disk operation succeeded
};

/// Keeps records and an append-only event log, in one atomic durable commit.
///
/// Thread safety: the host calls a storage from one strand; several operations may be
/// outstanding at the same time. Blocking work goes to StorageContext::blocking_executor.
/// Exceptions: report failures through Result; an escaping one becomes Errc::storage_failed.
/// Cancellation: nothing here is cancellable.
/// Check an implementation with sparkhost/testing/storage_conformance.hpp.
class Storage {
public:
    virtual ~Storage() = default;

    /// Opens or makes the store and takes its exclusive lock. Called again after
    /// Errc::indeterminate it closes and opens anew, so that what is read afterwards is what is
    /// durable. Errors: storage_failed – locked by another host, not writable, corrupt, made by
    /// a newer version; `detail` says which and what to do.
    virtual Awaitable<StoreInfo> open(StorageContext context) = 0;

    /// Writes a transaction; completes when it is durable. Concurrent commits may share a disk
    /// transaction, yet each succeeds or fails by itself.
    /// Not an error: a taken unique key (`duplicate` is set, nothing was written).
    /// Errors: conflict – an expected version did not match, or the record is gone.
    /// invalid_argument – an event is about an insert that is not there, or a body is larger than
    /// 500 MB; nothing was written.
    /// storage_failed – nothing was written. indeterminate – it may be durable or not;
    /// every later call answers indeterminate until open() has succeeded.
    virtual Awaitable<CommitResult> commit(Transaction transaction) = 0;

    /// Reads one record; sees every commit that has completed. Never waits for a disk write.
    /// Errors: not_found, storage_failed, indeterminate.
    virtual Awaitable<Record> find(RecordKey key) = 0;

    /// Finds the record holding a unique key. Errors: not_found, storage_failed, indeterminate.
    virtual Awaitable<RecordKey> find_unique(std::string scope, std::string value) = 0;

    /// Reads a page. Errors: storage_failed, indeterminate.
    virtual Awaitable<Page> list(Query query) = 0;

    /// Reads events in order. Errors: expired – events after `after` have been pruned (`detail`
    /// has the oldest kept number); storage_failed; indeterminate.
    virtual Awaitable<std::vector<StoredEvent>> read_events(EventQuery query) = 0;

    /// Forgets old events and keys. Gives the oldest sequence number kept.
    /// Errors: storage_failed, indeterminate.
    virtual Awaitable<std::int64_t> prune(PruneRequest request) = 0;

    /// Writes something that changes nothing, and completes when it is durable: after a failure,
    /// whether the storage works again. A storage that cannot fail need not.
    /// Errors: as commit().
    virtual Awaitable<void> probe() { co_return ok(); }

    /// Figures; callable on the host's strand at any time.
    virtual StorageStats stats() const { return {}; }

protected:
    Storage() = default;
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;
};

}  // namespace sparkhost

#endif
