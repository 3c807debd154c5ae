// SPDX-License-Identifier: Apache-2.0
#include <sparkhost/testing/storage_conformance.hpp>

#include "testing/storage_cases.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

namespace sparkhost::testing {

namespace storage_cases {

void fail(const std::string& text, const Here& here) {
    std::string file = here.file_name();
    file.erase(0, file.rfind('/') + 1);
    throw ConformanceFailure(file + ":" + std::to_string(here.line()) + ": " + text);
}

asio::awaitable<StoragePtr> open_storage(StorageFixture& fixture) {
    auto storage = fixture.make();
    StorageContext context{fixture.blocking_executor, {}};
    value_of(co_await storage->open(std::move(context)));
    co_return storage;
}

asio::awaitable<CommitResult> commit(Storage& storage, Transaction transaction, Here here) {
    auto result = value_of(co_await storage.commit(std::move(transaction)), here);
    if (result.duplicate)
        fail("a duplicate of scope " + result.duplicate->scope, here);
    co_return result;
}

asio::awaitable<std::int64_t> put(Storage& storage, std::string state, std::string owner,
                                  std::string body, Here here) {
    Transaction transaction;
    transaction.inserts.push_back(new_record(std::move(state), std::move(owner), std::move(body)));
    auto result = co_await commit(storage, std::move(transaction), here);
    expect_equal(result.ids.size(), 1u, "the number of ids", here);
    co_return result.ids.front();
}

asio::awaitable<Record> get(Storage& storage, std::int64_t id, Here here) {
    co_return value_of(co_await storage.find(batch(id)), here);
}

}  // namespace storage_cases

std::vector<StorageCase> storage_conformance_cases(StorageConformanceOptions options) {
    std::vector<StorageCase> cases;
    storage_cases::add_commit_cases(cases);
    storage_cases::add_unique_cases(cases);
    storage_cases::add_read_cases(cases);
    storage_cases::add_event_cases(cases);
    storage_cases::add_race_cases(cases);
    storage_cases::add_reopen_cases(cases, options);
    return cases;
}

void run_storage_case(const StorageCase& storage_case, StorageFixture fixture) {
    boost::asio::thread_pool pool(2);
    boost::asio::io_context loop;
    fixture.blocking_executor = pool.get_executor();
    std::exception_ptr failure;
    bool finished = false;
    boost::asio::co_spawn(loop, storage_case.run(fixture), [&](std::exception_ptr exception) {
        failure = exception;
        finished = true;
    });
    loop.run();
    pool.join();
    if (failure)
        std::rethrow_exception(failure);
    if (!finished)
        throw ConformanceFailure("an operation never completed");
}

}  // namespace sparkhost::testing
