// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_STORAGES_TRANSACTION_CHECKS_HPP
#define SPARKHOST_SRC_STORAGES_TRANSACTION_CHECKS_HPP

// What every storage checks before it changes anything, so that a transaction that fails has
// nothing to undo. Pure: what is stored is asked through functions.

#include <sparkhost/storage.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace sparkhost::detail {

/// Size of the largest value taken; SQLite's own limit is a little less than 1 GB.
inline constexpr std::size_t largest_value = 500'000'000;

/// Events must be about records that exist by id, or about inserts of the same transaction.
inline Result<void> check_shape(const Transaction& transaction) {
    auto inserts = static_cast<std::int64_t>(transaction.inserts.size());
    for (auto& event : transaction.events) {
        if (event.subject.id < -inserts)
            return Error(Errc::invalid_argument, "names an insert that is not in the transaction",
                         "events.subject.id");
        if (event.body.size() > largest_value)
            return Error(Errc::invalid_argument, "larger than 500 MB", "events.body");
    }
    for (auto& insert : transaction.inserts)
        if (insert.body.size() > largest_value)
            return Error(Errc::invalid_argument, "larger than 500 MB", "inserts.body");
    for (auto& update : transaction.updates)
        if (update.body.size() > largest_value)
            return Error(Errc::invalid_argument, "larger than 500 MB", "updates.body");
    return ok();
}

/// Updates come before erases, each in order; a record may be touched more than once, every
/// time with the version it then has. `version_of(RecordKey)` gives 0 for a record not there.
template <class VersionOf>
Result<void> check_versions(const Transaction& transaction, VersionOf version_of) {
    std::map<std::pair<RecordKind, std::int64_t>, std::int64_t> touched;
    auto step = [&](RecordKey key, std::int64_t expected, bool erased) {
        auto [at, fresh] = touched.try_emplace({key.kind, key.id}, 0);
        if (fresh)
            at->second = version_of(key);
        if (at->second == 0 || at->second != expected)
            return false;
        at->second = erased ? 0 : expected + 1;
        return true;
    };
    for (auto& update : transaction.updates)
        if (!step(update.key, update.expected_version, false))
            return Errc::conflict;
    for (auto& erase : transaction.erases)
        if (!step(erase.key, erase.expected_version, true))
            return Errc::conflict;
    return ok();
}

/// The first unique key that is taken, by a stored record or by an earlier insert of the same
/// transaction (whose holder then has the id -1 - n). `holder_of(const UniqueKey&)` gives an
/// optional Duplicate.
template <class HolderOf>
std::optional<CommitResult::Duplicate> find_duplicate(const Transaction& transaction,
                                                      HolderOf holder_of) {
    std::map<std::pair<std::string_view, std::string_view>, CommitResult::Duplicate> own;
    std::int64_t number = 0;
    for (auto& insert : transaction.inserts) {
        RecordKey self{insert.kind, -1 - number++};
        for (auto& key : insert.unique) {
            if (std::optional<CommitResult::Duplicate> taken = holder_of(key))
                return taken;
            CommitResult::Duplicate candidate{key.scope, self, key.fingerprint};
            auto [at, fresh] = own.try_emplace({key.scope, key.value}, std::move(candidate));
            if (!fresh)
                return at->second;
        }
    }
    return std::nullopt;
}

}  // namespace sparkhost::detail

#endif
