// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/guard_jar_file.hpp"
#include "backends/yarn/yarn_state.hpp"

#include "backends/common/posix_file.hpp"
#include "guard/guard_jar.hpp"
#include "hop.hpp"

#include <boost/asio/this_coro.hpp>

#include <array>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include <pwd.h>
#include <unistd.h>

namespace sparkhost::detail::yarn {

namespace {

constexpr std::size_t longest_conf_file = std::size_t{4} << 20;

/// What opening finds on this machine.
struct OwnFiles {
    std::string user{};
    std::map<std::string, std::string> hadoop_conf{};
};

Result<std::map<std::string, std::string>> read_hadoop_conf(const std::string& folder) {
    const std::string option = "YarnBackendOptions::hadoop_conf_dir: ";
    std::map<std::string, std::string> files;
    std::error_code failed;
    for (std::filesystem::directory_iterator each(folder, failed), end; !failed && each != end;
         each.increment(failed)) {
        if (each->path().extension() != ".xml") {
            continue;
        }
        auto text = read_whole_file(each->path().string(), longest_conf_file);
        if (!text) {
            return Error(Errc::backend_failed, option + text.error().detail);
        }
        files.emplace(each->path().filename().string(), std::move(*text));
    }
    if (failed) {
        return Error(Errc::backend_failed,
                     option + "cannot list " + folder + ": " + failed.message());
    }
    return files;
}

Result<std::string> name_of_process_user() {
    std::array<char, 4096> buffer{};
    struct passwd entry {};
    struct passwd* found = nullptr;
    ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
    if (found == nullptr) {
        return Error(Errc::backend_failed,
                     "YarnBackendOptions::user: must be given: the user this process runs as has "
                     "no name");
    }
    return std::string(found->pw_name);
}

Result<OwnFiles> look_at_machine(const YarnBackendOptions& options) {
    OwnFiles own;
    if (auto placed = guarded::place_guard_jar(options.work_dir, guard_jar()); !placed) {
        return placed.error();
    }
    auto user = options.user.empty() ? name_of_process_user() : options.user;
    if (!user) {
        return user.error();
    }
    own.user = std::move(*user);
    if (!options.hadoop_conf_dir.empty()) {
        auto conf = read_hadoop_conf(options.hadoop_conf_dir);
        if (!conf) {
            return conf.error();
        }
        own.hadoop_conf = std::move(*conf);
    }
    return own;
}

http::ClientOptions client_options(const YarnState& state) {
    http::ClientOptions http;
    http.max_connections = state.options.max_requests;
    http.blocking_executor = state.context.blocking_executor;
    http.log = state.context.log;
    return http;
}

Result<void> make_clients(YarnState& state, const asio::any_io_executor& strand) {
    const auto& given = state.options;
    ResourceManagers::Options managers;
    managers.urls = given.resource_managers;
    managers.user = state.user;
    managers.request_deadline = given.request_deadline;
    managers.http = client_options(state);
    Staging::Options staging;
    staging.webhdfs = given.webhdfs;
    staging.request_deadline = given.request_deadline;
    staging.http = client_options(state);
    staging.blocking_executor = state.context.blocking_executor;
    ContainerLogs::Options logs;
    logs.log_server = given.log_server;
    logs.request_deadline = given.request_deadline;
    logs.http = client_options(state);
    try {
        state.managers = std::make_shared<ResourceManagers>(strand, std::move(managers));
        state.staging = std::make_shared<Staging>(strand, std::move(staging));
        state.container_logs = std::make_shared<ContainerLogs>(strand, std::move(logs));
    } catch (const std::exception& failure) {
        return Error(Errc::backend_failed,
                     "YarnBackendOptions: an address is wrong: " + std::string(failure.what()));
    }
    return ok();
}

asio::awaitable<void> greet_managers(std::shared_ptr<YarnState> state) {
    Result<ManagerInfo> info = co_await ResourceManagers::active(state->managers);
    if (!info) {
        state->log(LogLevel::error,
                   info.error().detail + "; what is meant for this cluster waits until one is");
        co_return;
    }
    state->log(LogLevel::info, "the ResourceManager is one of Hadoop " + info->version);
}

}  // namespace

Awaitable<void> open_backend(std::shared_ptr<YarnState> state, BackendContext context) {
    state->context = std::move(context);
    Result<void> opened = co_await guarded::open_tickets(state);
    if (!opened) {
        co_return opened;
    }
    auto look = [state] { return look_at_machine(state->options); };
    Result<OwnFiles> own = co_await run_blocking(state->context.blocking_executor, std::move(look));
    if (!own) {
        co_return Error(Errc::backend_failed, own.error().text());
    }
    state->user = std::move(own->user);
    state->hadoop_conf = std::move(own->hadoop_conf);
    auto strand = co_await asio::this_coro::executor;
    auto made = make_clients(*state, strand);
    if (!made) {
        co_return made;
    }
    co_await greet_managers(state);
    co_return ok();
}

}  // namespace sparkhost::detail::yarn
