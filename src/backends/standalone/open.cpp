// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/guard_jar_file.hpp"
#include "backends/standalone/jws.hpp"
#include "backends/standalone/standalone_state.hpp"

#include "guard/guard_jar.hpp"
#include "hop.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cctype>
#include <exception>
#include <memory>
#include <utility>

namespace sparkhost::detail::standalone {

namespace {

/// What the backend itself has in `work_dir`, and what the masters are told.
struct OwnFiles {
    std::string guard_jar{};
    std::string token{};
};

/// As java.net.URI takes it.
std::string uri_path(const std::string& path) {
    std::string encoded;
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 ||
            std::string_view("/-_.~").find(c) != std::string_view::npos) {
            encoded += c;
        } else {
            encoded += '%';
            encoded += "0123456789ABCDEF"[byte >> 4U];
            encoded += "0123456789ABCDEF"[byte & 0xfU];
        }
    }
    return encoded;
}

Result<std::string> guard_jar_url(const StandaloneBackendOptions& options) {
    if (!options.guard_jar.empty()) {
        return options.guard_jar.starts_with('/') ? "file:" + options.guard_jar : options.guard_jar;
    }
    const std::string_view jar = detail::guard_jar();
    if (auto placed = guarded::place_guard_jar(options.work_dir, jar); !placed) {
        return placed.error();
    }
    return "file:" + uri_path(guarded::guard_jar_path(options.work_dir, jar));
}

Result<OwnFiles> look_at_files(const StandaloneBackendOptions& options) {
    OwnFiles files;
    auto jar = guard_jar_url(options);
    if (!jar) {
        return jar.error();
    }
    files.guard_jar = std::move(*jar);
    if (!options.jws_key_file.empty()) {
        auto key = load_jws_key(options.jws_key_file);
        if (!key) {
            return key.error();
        }
        files.token = make_jws(*key, R"({"sub":"sparkhost"})");
    }
    return files;
}

Result<void> make_masters(StandaloneState& state, asio::any_io_executor strand, std::string token) {
    const auto& given = state.options;
    Masters::Options options;
    options.rest_urls = given.rest_urls;
    options.web_urls = given.web_urls;
    if (options.rest_urls.empty()) {
        options.rest_urls = master_urls(given.master, 6066).value();
    }
    if (options.web_urls.empty()) {
        options.web_urls = master_urls(given.master, 8080).value();
    }
    options.request_deadline = given.request_deadline;
    options.http.max_connections = given.max_requests;
    options.http.bearer_token = std::move(token);
    options.http.blocking_executor = state.context.blocking_executor;
    options.http.log = state.context.log;
    try {
        state.masters = std::make_shared<Masters>(std::move(strand), std::move(options));
    } catch (const std::exception& failure) {
        return Error(Errc::backend_failed, "StandaloneBackendOptions: a master's URL is wrong: " +
                                               std::string(failure.what()));
    }
    return ok();
}

asio::awaitable<void> greet_masters(std::shared_ptr<StandaloneState> state) {
    const std::string cluster = state->options.master;
    Result<ClusterView> view = co_await Masters::look(state->masters);
    if (!view) {
        state->log(LogLevel::error,
                   view.error().detail + "; what is meant for " + cluster + " waits until one is");
        co_return;
    }
    state->log(LogLevel::info, "the standalone cluster " + cluster + " has " +
                                   std::to_string(view->workers.size()) + " workers");
}

}  // namespace

Awaitable<void> open_backend(std::shared_ptr<StandaloneState> state, BackendContext context) {
    state->context = std::move(context);
    Result<void> opened = co_await guarded::open_tickets(state);
    if (!opened) {
        co_return opened;
    }
    auto look = [state] { return look_at_files(state->options); };
    Result<OwnFiles> files =
        co_await run_blocking(state->context.blocking_executor, std::move(look));
    if (!files) {
        co_return Error(Errc::backend_failed, files.error().text());
    }
    state->guard_jar = std::move(files->guard_jar);
    auto strand = co_await asio::this_coro::executor;
    auto made = make_masters(*state, strand, std::move(files->token));
    if (!made) {
        co_return made;
    }
    co_await greet_masters(state);
    co_return ok();
}

}  // namespace sparkhost::detail::standalone
