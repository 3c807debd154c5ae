// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_TESTING_STORAGE_CASES_HPP
#define SPARKHOST_SRC_TESTING_STORAGE_CASES_HPP

// What the cases of the storage conformance kit are written with.

#include <sparkhost/testing/storage_conformance.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::testing::storage_cases {

namespace asio = boost::asio;
using Case = asio::awaitable<void>;
using Here = std::source_location;
using StoragePtr = std::unique_ptr<Storage>;

void add_commit_cases(std::vector<StorageCase>& cases);
void add_unique_cases(std::vector<StorageCase>& cases);
void add_read_cases(std::vector<StorageCase>& cases);
void add_event_cases(std::vector<StorageCase>& cases);
void add_race_cases(std::vector<StorageCase>& cases);
void add_reopen_cases(std::vector<StorageCase>& cases, const StorageConformanceOptions& options);

[[noreturn]] void fail(const std::string& text, const Here& here);

inline void expect(bool holds, const std::string& text, const Here& here = Here::current()) {
    if (!holds)
        fail(text, here);
}

template <class A, class B>
void expect_equal(const A& got, const B& wanted, const std::string& what,
                  const Here& here = Here::current()) {
    if (got == wanted)
        return;
    std::ostringstream text;
    text << what << " is " << got << ", not " << wanted;
    fail(text.str(), here);
}

/// The value of a result that must have one.
template <class T>
T value_of(Result<T> result, const Here& here = Here::current()) {
    if (!result)
        fail("unexpected error: " + result.error().code.message() + ": " + result.error().text(),
             here);
    return std::move(*result);
}

template <class T>
void expect_error(const Result<T>& result, Errc wanted, const Here& here = Here::current()) {
    if (result)
        fail("success, where '" + make_error_code(wanted).message() + "' is due", here);
    if (!result.error().is(wanted))
        fail("error '" + result.error().code.message() + "' (" + result.error().text() +
                 "), not '" + make_error_code(wanted).message() + "'",
             here);
}

/// A handle on the fixture's store, opened.
asio::awaitable<StoragePtr> open_storage(StorageFixture& fixture);

/// Commits what must succeed.
asio::awaitable<CommitResult> commit(Storage& storage, Transaction transaction,
                                     Here here = Here::current());

/// Makes a record in this state; gives its id.
asio::awaitable<std::int64_t> put(Storage& storage, std::string state, std::string owner = "",
                                  std::string body = "body", Here here = Here::current());

/// Reads a record that must be there.
asio::awaitable<Record> get(Storage& storage, std::int64_t id, Here here = Here::current());

inline RecordKey batch(std::int64_t id) {
    return {RecordKind::batch, id};
}

inline Insert new_record(std::string state, std::string owner = "", std::string body = "body") {
    return {RecordKind::batch, std::move(state), std::move(owner), std::move(body), {}};
}
inline Update change(std::int64_t id, std::int64_t version, std::string state,
                     std::string body = "changed") {
    return {batch(id), version, std::move(state), std::move(body)};
}
inline Erase removal(std::int64_t id, std::int64_t version) {
    return {batch(id), version};
}
inline NewEvent event_about(std::int64_t subject, std::string type = "type",
                            std::string body = "event") {
    return {batch(subject), Timestamp(std::chrono::milliseconds(1'700'000'000'123)),
            std::move(type), std::move(body)};
}
inline Timestamp at_second(int second) {
    return Timestamp(std::chrono::seconds(second));
}

/// Starts all of them at once; gives their results in order.
template <class T>
asio::awaitable<std::vector<Result<T>>> gather(std::vector<Awaitable<T>> operations) {
    struct Shared {
        std::vector<std::optional<Result<T>>> results;
        std::size_t missing;
        asio::steady_timer all_done;
        std::exception_ptr exception;
    };
    auto executor = co_await asio::this_coro::executor;
    auto shared = std::make_shared<Shared>(
        Shared{{},
               operations.size(),
               asio::steady_timer(executor, asio::steady_timer::time_point::max()),
               nullptr});
    shared->results.resize(operations.size());
    for (std::size_t i = 0; i < operations.size(); ++i)
        asio::co_spawn(executor, std::move(operations[i]),
                       [shared, i](std::exception_ptr exception, Result<T> result) {
                           if (exception)
                               shared->exception = exception;
                           shared->results[i].emplace(std::move(result));
                           if (--shared->missing == 0)
                               shared->all_done.cancel();
                       });
    boost::system::error_code ignored;
    while (shared->missing > 0)
        co_await shared->all_done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (shared->exception)
        std::rethrow_exception(shared->exception);
    std::vector<Result<T>> results;
    for (auto& each : shared->results)
        results.push_back(std::move(*each));
    co_return results;
}

}  // namespace sparkhost::testing::storage_cases

#endif
