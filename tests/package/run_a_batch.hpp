// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_PACKAGE_RUN_A_BATCH_HPP
#define SPARKHOST_TESTS_PACKAGE_RUN_A_BATCH_HPP

#include "finished_at_once.hpp"

#include <sparkhost/host.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

inline boost::asio::awaitable<void> submit_and_wait(sparkhost::Host& host, std::string& state) {
    sparkhost::BatchSpec spec{.file = "/jobs/report.py", .args = {"2026-11-20"}};
    auto accepted = co_await host.submit(std::move(spec));
    auto ended = co_await host.wait(accepted.value().id);
    state = to_string(ended.value().state());
    host.stop();
}

/// Runs one batch to its end on a host with this storage; gives a program's exit status.
/// `inspect` is called with the host before it runs.
inline int run_a_batch(std::unique_ptr<sparkhost::Storage> storage,
                       const std::function<void(sparkhost::Host&)>& inspect = {}) {
    boost::asio::io_context io;
    sparkhost::HostPlugins plugins;
    plugins.storage = std::move(storage);
    plugins.backends.push_back(std::make_unique<FinishedAtOnce>());
    sparkhost::Host host(io.get_executor(), sparkhost::HostOptions(), std::move(plugins));
    if (inspect) {
        inspect(host);
    }
    std::string state;
    std::string problem;
    auto keep_problem = [&problem](std::exception_ptr failure) {
        try {
            if (failure) {
                std::rethrow_exception(failure);
            }
        } catch (const std::exception& error) {
            problem = error.what();
        }
    };
    auto keep_result = [&](std::exception_ptr failure, sparkhost::Result<void> result) {
        keep_problem(failure);
        if (!failure && !result) {
            problem = result.error().text();
        }
    };
    boost::asio::co_spawn(io, host.run(), keep_result);
    boost::asio::co_spawn(io, submit_and_wait(host, state), keep_problem);
    io.run();
    std::printf("batch: %s %s\n", state.c_str(), problem.c_str());
    return state == "success" && problem.empty() ? 0 : 1;
}

#endif
