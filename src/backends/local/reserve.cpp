// SPDX-License-Identifier: Apache-2.0
#include "backends/local/launch_recipe.hpp"
#include "backends/local/local_state.hpp"

#include "hop.hpp"

#include <cctype>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace sparkhost::detail::local {

namespace {

bool is_python_file(const std::string& file) {
    return file.ends_with(".py");
}

/// Looks at the application's file where this machine can see it. Blocking.
Result<void> check_application_file(const std::string& file) {
    const std::string path = local_path(file);
    if (path.empty()) {
        return ok();
    }
    if (is_folder(path)) {
        return Error(Errc::invalid_argument, path + " is a folder", "file");
    }
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0) {
        Error failure = errno_error("read", path, errno);
        return Error(Errc::invalid_argument, failure.detail, "file");
    }
    return ok();
}

TicketData ticket_data(const SparkInstallation& spark, Properties properties) {
    TicketData data;
    data.spark_home = spark.spark_home;
    data.spark_version = spark.version.text;
    data.logging_jars = spark.logging_jars;
    data.java = spark.java;
    data.conf_folder = spark.conf_folder;
    data.conf_options = spark.conf_options;
    data.properties = std::move(properties);
    return data;
}

/// A name that nothing has. Something has it when the store has been put back to a backup, which
/// gives numbers again: to take up what ran under the name then would be another batch's end.
Result<std::string> free_ticket_id(const WorkPaths& paths, const SubmitRequest& request) {
    for (int turn = 1; turn < 1000; ++turn) {
        std::string id = ticket_id(request, turn);
        if (!file_exists(paths.folder(id)) && !file_exists(paths.kept_log(id))) {
            return id;
        }
    }
    return Error(Errc::backend_failed, "there is no free name for a ticket in " + paths.root);
}

}  // namespace

Awaitable<Ticket> reserve_ticket(std::shared_ptr<LocalState> state, SubmitRequest request) {
    if (auto checked = check_command_fields(request.spec); !checked) {
        co_return checked.error();
    }
    ConfPolicy policy;
    policy.layers.defaults = state->spark.defaults;
    policy.layers.conf = state->options.conf;
    policy.layers.refused = state->options.refused_conf;
    policy.master = state->options.master;
    auto properties = final_properties(policy, request.spec);
    if (!properties) {
        co_return properties.error();
    }
    const bool names_python = properties->contains("spark.pyspark.python") ||
                              properties->contains("spark.pyspark.driver.python");
    if (is_python_file(request.spec.file) && state->spark.python.empty() && !names_python) {
        co_return Error(Errc::invalid_argument,
                        "there is no Python interpreter for it: set LocalBackendOptions::python",
                        "file");
    }
    TicketData data = ticket_data(state->spark, std::move(*properties));
    auto options = java_options(java_command_request(data, state->spark.environment));
    if (!options) {
        co_return options.error();
    }
    auto check = [request, paths = state->paths]() -> Result<std::string> {
        auto readable = check_application_file(request.spec.file);
        return readable ? free_ticket_id(paths, request) : readable.error();
    };
    Result<std::string> id =
        co_await run_blocking(state->context.blocking_executor, std::move(check));
    if (!id) {
        co_return id.error();
    }
    Ticket ticket;
    ticket.id = std::move(*id);
    ticket.data = encode_ticket_data(data);
    co_return ticket;
}

}  // namespace sparkhost::detail::local
