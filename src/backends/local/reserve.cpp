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

}  // namespace

Awaitable<Ticket> reserve_ticket(std::shared_ptr<LocalState> state, SubmitRequest request) {
    if (auto checked = check_command_fields(request.spec); !checked) {
        co_return checked.error();
    }
    ConfPolicy policy;
    policy.defaults = state->spark.defaults;
    policy.conf = state->options.conf;
    policy.refused = state->options.refused_conf;
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
    auto check = [file = request.spec.file] { return check_application_file(file); };
    Result<void> checked =
        co_await run_blocking(state->context.blocking_executor, std::move(check));
    if (!checked) {
        co_return checked.error();
    }
    Ticket ticket;
    ticket.id = ticket_id(request);
    ticket.data = encode_ticket_data(data);
    co_return ticket;
}

}  // namespace sparkhost::detail::local
