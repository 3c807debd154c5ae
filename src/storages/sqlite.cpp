// SPDX-License-Identifier: Apache-2.0
#include <sparkhost/storages/sqlite.hpp>

#include "hop.hpp"
#include "storages/sqlite/engine.hpp"
#include "storages/sqlite/failure.hpp"

#include <functional>
#include <stdexcept>
#include <utility>

namespace sparkhost {
namespace detail::sqlite {

namespace {

using EnginePtr = std::shared_ptr<Engine>;

Awaitable<StoreInfo> open(EnginePtr engine, StorageContext context) {
    auto start = [engine, context = std::move(context)](Engine::Done<StoreInfo> done) mutable {
        engine->open(std::move(context), std::move(done));
    };
    co_return co_await await_callback<Result<StoreInfo>>(std::move(start));
}

Awaitable<CommitResult> commit(EnginePtr engine, Transaction transaction) {
    auto start = [engine,
                  transaction = std::move(transaction)](Engine::Done<CommitResult> done) mutable {
        engine->commit(std::move(transaction), std::move(done));
    };
    co_return co_await await_callback<Result<CommitResult>>(std::move(start));
}

Awaitable<void> probe(EnginePtr engine) {
    auto start = [engine](Engine::Done<void> done) { engine->probe(std::move(done)); };
    co_return co_await await_callback<Result<void>>(std::move(start));
}

/// In steps, so that commits get their turn between them.
Awaitable<std::int64_t> prune(EnginePtr engine, PruneRequest request) {
    for (;;) {
        auto start = [engine, request](Engine::Done<PruneStep> done) {
            engine->prune(request, std::move(done));
        };
        auto step = co_await await_callback<Result<PruneStep>>(std::move(start));
        if (!step)
            co_return step.error();
        if (step->finished)
            co_return step->oldest_sequence;
    }
}

/// Runs `read(Reader&)` on the pool.
template <class T, class Read>
Awaitable<T> read(EnginePtr engine, Read read) {
    auto start = [engine, read = std::move(read)](Engine::Done<T> done) {
        engine->read([engine, read, done = std::move(done)](Reader* reader, const Error* refused) {
            auto attempt = [&]() -> Result<T> {
                if (refused)
                    return *refused;
                try {
                    return read(*reader);
                } catch (const std::exception& failure) {
                    return engine->read_failed(failure);
                }
            };
            done(attempt());
        });
    };
    co_return co_await await_callback<Result<T>>(std::move(start));
}

class SqliteStorage final : public Storage {
public:
    explicit SqliteStorage(SqliteStorageOptions options)
        : engine_(std::make_shared<Engine>(std::move(options))) {}
    ~SqliteStorage() override { engine_->close(); }

    Awaitable<StoreInfo> open(StorageContext context) override {
        return sqlite::open(engine_, std::move(context));
    }
    Awaitable<CommitResult> commit(Transaction transaction) override {
        return sqlite::commit(engine_, std::move(transaction));
    }
    Awaitable<Record> find(RecordKey key) override {
        return read<Record>(engine_, [key](Reader& reader) { return reader.find(key); });
    }
    Awaitable<RecordKey> find_unique(std::string scope, std::string value) override {
        return read<RecordKey>(
            engine_, [scope = std::move(scope), value = std::move(value)](Reader& reader) {
                return reader.find_unique(scope, value);
            });
    }
    Awaitable<Page> list(Query query) override {
        return read<Page>(
            engine_, [query = std::move(query)](Reader& reader) { return reader.list(query); });
    }
    Awaitable<std::vector<StoredEvent>> read_events(EventQuery query) override {
        return read<std::vector<StoredEvent>>(
            engine_, [query](Reader& reader) { return reader.read_events(query); });
    }
    Awaitable<std::int64_t> prune(PruneRequest request) override {
        return sqlite::prune(engine_, request);
    }
    Awaitable<void> probe() override { return sqlite::probe(engine_); }
    StorageStats stats() const override { return engine_->stats(); }

private:
    EnginePtr engine_;
};

}  // namespace

}  // namespace detail::sqlite

std::unique_ptr<Storage> make_sqlite_storage(SqliteStorageOptions options) {
    if (options.path.empty())
        throw std::invalid_argument("SqliteStorageOptions.path: must not be empty");
    if (options.max_group == 0)
        throw std::invalid_argument("SqliteStorageOptions.max_group: must be greater than zero");
    return std::make_unique<detail::sqlite::SqliteStorage>(std::move(options));
}

}  // namespace sparkhost
