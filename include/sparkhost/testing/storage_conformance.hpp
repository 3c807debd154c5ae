// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTING_STORAGE_CONFORMANCE_HPP
#define SPARKHOST_TESTING_STORAGE_CONFORMANCE_HPP

#include <sparkhost/storage.hpp>
#include <sparkhost/testing/conformance_failure.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost::testing {

/// What a case works on. Each case needs a fixture of its own, with an empty store.
struct StorageFixture {
    /// Makes a handle, not opened yet. Called again it makes another handle on the *same* store;
    /// the kit has then destroyed the earlier one, except where it tries the exclusive lock.
    std::function<std::unique_ptr<Storage>()> make{};
    /// For disk work; run_storage_case() puts a small pool here.
    boost::asio::any_io_executor blocking_executor{};
};

/// Declared deviations: what the storage does not promise.
struct StorageConformanceOptions {
    bool durable{true};    ///< false: what was written is gone with the handle. Default: true
    bool exclusive{true};  ///< false: a second open() of the same store works. Default: true
};

/// One behaviour. `run` throws ConformanceFailure.
struct StorageCase {
    std::string name;
    std::function<boost::asio::awaitable<void>(StorageFixture&)> run;
};

/// All cases that apply. With any test framework:
///
///     for (auto& each : storage_conformance_cases())
///         run_storage_case(each, {.make = [&] { return make_my_storage(fresh_folder); }});
std::vector<StorageCase> storage_conformance_cases(StorageConformanceOptions options = {});

/// Runs one case to its end on an event loop and a pool of its own. Throws ConformanceFailure.
void run_storage_case(const StorageCase& storage_case, StorageFixture fixture);

}  // namespace sparkhost::testing

#endif
