// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_STORAGES_SQLITE_BENCH_HPP
#define SPARKHOST_TESTS_UNIT_STORAGES_SQLITE_BENCH_HPP

#include "support/fault_vfs.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"

#include <sparkhost/storages/sqlite.hpp>

#include <boost/asio/thread_pool.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::test {

/// A store on a disk that can be made to fail, used step by step.
class SqliteBench {
public:
    SqliteBench() {
        vfs.sync_really(false);
        options.path = (folder / "jobs.db").string();
        options.vfs = vfs.name();
    }
    ~SqliteBench() {
        storage.reset();
        pool.join();
    }

    /// A fresh handle, opened.
    Result<StoreInfo> open() {
        storage.reset();
        storage = make_sqlite_storage(options);
        return reopen();
    }
    /// The same handle, opened again.
    Result<StoreInfo> reopen() {
        return run_on(io, [this] {
            return storage->open(StorageContext{pool.get_executor(), {}});
        });
    }
    Result<CommitResult> commit(Transaction transaction) {
        return run_on(io, [&] { return storage->commit(std::move(transaction)); });
    }
    /// All at once, so that they share disk transactions.
    std::vector<Result<CommitResult>> commit_all(std::vector<Transaction> transactions) {
        std::vector<Result<CommitResult>> results(transactions.size());
        for (std::size_t i = 0; i < transactions.size(); ++i)
            boost::asio::co_spawn(io, storage->commit(std::move(transactions[i])),
                                  [&results, i](std::exception_ptr, Result<CommitResult> result) {
                                      results[i] = std::move(result);
                                  });
        drain(io);
        return results;
    }
    Result<Record> find(std::int64_t id) {
        return run_on(io, [&] { return storage->find({RecordKind::batch, id}); });
    }
    Result<Page> list(Query query = {}) {
        return run_on(io, [&] { return storage->list(std::move(query)); });
    }
    Result<std::vector<StoredEvent>> events(std::int64_t after = 0) {
        return run_on(io, [&] { return storage->read_events(EventQuery{after, 100'000}); });
    }
    Result<std::int64_t> prune(PruneRequest request) {
        return run_on(io, [&] { return storage->prune(request); });
    }

    FaultVfs vfs;
    TempDir folder;
    SqliteStorageOptions options;
    boost::asio::io_context io{1};  ///< outlives the pool, whose threads post to it
    boost::asio::thread_pool pool{2};
    std::unique_ptr<Storage> storage;
};

inline Transaction insert_of(std::string body, std::string state = "a") {
    Transaction transaction;
    transaction.inserts.push_back(
        {RecordKind::batch, std::move(state), "ann", std::move(body), {}});
    transaction.events.push_back({{RecordKind::batch, -1}, {}, "made", {}});
    return transaction;
}

inline Transaction update_of(std::int64_t id, std::int64_t version, std::string state) {
    Transaction transaction;
    transaction.updates.push_back({{RecordKind::batch, id}, version, std::move(state), "changed"});
    transaction.events.push_back({{RecordKind::batch, id}, {}, "changed", {}});
    return transaction;
}

}  // namespace sparkhost::test

#endif
