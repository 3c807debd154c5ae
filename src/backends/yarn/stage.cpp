// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/guard_jar_file.hpp"
#include "backends/guarded/secrets.hpp"
#include "backends/yarn/conf_archive.hpp"
#include "backends/yarn/yarn_state.hpp"

#include "guard/guard_jar.hpp"
#include "hop.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace sparkhost::detail::yarn {

namespace {

using Request = std::shared_ptr<const StagingRequest>;

/// A name of its own that no URI writes otherwise; with the ending by which a NodeManager sees how
/// to unpack it.
std::string copy_name(std::size_t number, const std::string& source) {
    std::string name = source.substr(source.rfind('/') + 1);
    std::ranges::replace_if(
        name,
        [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '-' && c != '_'; },
        '_');
    return std::to_string(number) + "-" + name;
}

/// Those of the plan, in its order.
Awaitable<std::vector<PlacedResource>> place_resources(std::shared_ptr<YarnState> state,
                                                       Request request, std::string folder) {
    const AmPlan& plan = request->own.plan;
    std::vector<PlacedResource> all;
    for (std::size_t i = 0; i < plan.resources.size(); ++i) {
        const PlannedResource& each = plan.resources[i];
        PlacedResource placed;
        placed.link = each.link;
        placed.archive = each.archive;
        placed.for_executors = each.for_executors;
        placed.uri = each.copied ? folder + "/" + copy_name(i, each.source) : each.source;
        auto placing = each.copied
                           ? Staging::copy(state->staging, plan.user, placed.uri, each.source)
                           : Staging::status(state->staging, plan.user, placed.uri);
        Result<FileStatus> status = co_await std::move(placing);
        if (!status) {
            co_return status.error();
        }
        placed.size = status->size;
        placed.modified_ms = status->modified_ms;
        all.push_back(std::move(placed));
    }
    co_return all;
}

Awaitable<PlacedResource> place_own(std::shared_ptr<YarnState> state, std::string user,
                                    std::string uri, std::string bytes) {
    PlacedResource placed;
    placed.link = uri.substr(uri.rfind('/') + 1);
    placed.uri = uri;
    Result<FileStatus> status =
        co_await Staging::put(state->staging, std::move(user), std::move(uri), std::move(bytes));
    if (!status) {
        co_return status.error();
    }
    placed.size = status->size;
    placed.modified_ms = status->modified_ms;
    co_return placed;
}

/// Its own copy, or the one that is there for all.
Awaitable<PlacedResource> place_guard(std::shared_ptr<YarnState> state, Request request,
                                      std::string folder) {
    const std::string& user = request->own.plan.user;
    const std::string_view jar = detail::guard_jar();
    if (state->options.guard_jar.empty()) {
        std::string uri = folder + "/" + std::string(guard_jar_name);
        std::string bytes(jar);
        co_return co_await place_own(state, user, std::move(uri), std::move(bytes));
    }
    PlacedResource placed;
    placed.link = guard_jar_name;
    placed.uri = state->options.guard_jar;
    Result<FileStatus> status = co_await Staging::status(state->staging, user, placed.uri);
    if (!status) {
        co_return Error(status.error().code, "guard_jar: " + status.error().detail);
    }
    if (status->size != static_cast<std::int64_t>(jar.size())) {
        co_return Error(Errc::backend_failed,
                        "guard_jar: " + placed.uri + " is of another version of sparkhost; put " +
                            guarded::guard_jar_path(state->options.work_dir, jar) +
                            " there under a new name");
    }
    placed.size = status->size;
    placed.modified_ms = status->modified_ms;
    co_return placed;
}

/// The configuration, and the guard.
Awaitable<std::vector<PlacedResource>> place_all_own(std::shared_ptr<YarnState> state,
                                                     Request request,
                                                     std::shared_ptr<const Placement> placement) {
    auto make = [state, request, placement] {
        return make_zip(conf_archive_files(request->own.plan, *placement, state->hadoop_conf));
    };
    Result<std::string> zip =
        co_await run_blocking(state->context.blocking_executor, std::move(make));
    if (!zip) {
        co_return zip.error();
    }
    std::vector<PlacedResource> own;
    std::string uri = placement->staging_uri + "/" + std::string(conf_archive_name);
    Result<PlacedResource> conf =
        co_await place_own(state, request->own.plan.user, std::move(uri), std::move(*zip));
    if (!conf) {
        co_return conf.error();
    }
    conf->link = "__spark_conf__";
    conf->archive = true;
    own.push_back(std::move(*conf));
    Result<PlacedResource> guard = co_await place_guard(state, request, placement->staging_uri);
    if (!guard) {
        co_return guard.error();
    }
    own.push_back(std::move(*guard));
    co_return own;
}

GuardSettings guard_settings(const YarnState& state, const StagingRequest& request) {
    GuardSettings guard;
    guard.address = state.context.agent_address;
    guard.ticket = request.ticket;
    guard.secret = guarded::guard_secret_of(state.key, request.ticket, request.own.data.nonce);
    guard.patience = state.options.guard_patience;
    return guard;
}

}  // namespace

Awaitable<std::string> stage_application(std::shared_ptr<YarnState> state, Request request) {
    const AmPlan& plan = request->own.plan;
    auto placement = std::make_shared<Placement>();
    placement->application_id = request->application;
    placement->staging_uri = staging_folder(plan, request->application);
    Result<void> made =
        co_await Staging::make_folder(state->staging, plan.user, placement->staging_uri);
    if (!made) {
        co_return made.error();
    }
    Result<std::vector<PlacedResource>> resources =
        co_await place_resources(state, request, placement->staging_uri);
    if (!resources) {
        co_return resources.error();
    }
    placement->resources = std::move(*resources);
    Result<std::vector<PlacedResource>> own = co_await place_all_own(state, request, placement);
    if (!own) {
        co_return own.error();
    }
    co_return boost::json::serialize(
        submission_context(plan, *placement, *own, guard_settings(*state, *request)));
}

}  // namespace sparkhost::detail::yarn
