// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/yarn_state.hpp"

#include "backends/common/posix_file.hpp"
#include "backends/common/ticket_names.hpp"
#include "hop.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace sparkhost::detail::yarn {

namespace {

/// The field of a request that names this file.
std::string field_of(const BatchSpec& spec, const std::string& path) {
    const auto names_it = [&path](const std::string& each) {
        return each.find(path) != std::string::npos;
    };
    if (names_it(spec.file)) {
        return "file";
    }
    const std::pair<const char*, const std::vector<std::string>&> lists[] = {
        {"jars", spec.jars},
        {"py_files", spec.py_files},
        {"files", spec.files},
        {"archives", spec.archives}};
    for (const auto& [name, list] : lists) {
        const auto found = std::ranges::find_if(list, names_it);
        if (found != list.end()) {
            return name + ("[" + std::to_string(found - list.begin()) + "]");
        }
    }
    return {};
}

/// What is to be copied must be there.
Result<void> check_files(const AmPlan& plan, const BatchSpec& spec) {
    for (const auto& each : plan.resources) {
        if (each.copied && (!file_exists(each.source) || is_folder(each.source))) {
            return Error(Errc::invalid_argument,
                         "there is no file " + each.source +
                             " on this server's machine; what is "
                             "in HDFS is named by hdfs://…",
                         field_of(spec, each.source));
        }
    }
    return ok();
}

}  // namespace

Awaitable<Ticket> reserve_ticket(std::shared_ptr<YarnState> state, SubmitRequest request) {
    if (!state->context.agent_address.starts_with("tcp:")) {
        co_return Error(Errc::backend_failed,
                        "drivers of a YARN cluster must be able to reach this server: set "
                        "HostOptions::agent_address to tcp:ADDRESS:PORT (and agent_advertised, "
                        "where they know it by another name)");
    }
    auto find_name = [state, request] { return guarded::free_ticket_id(*state, request); };
    Result<std::string> id =
        co_await run_blocking(state->context.blocking_executor, std::move(find_name));
    if (!id) {
        co_return id.error();
    }
    AmInput input;
    input.spec = std::move(request.spec);
    input.files = request.driver_files;
    input.ticket = *id;
    input.store_uuid = request.store_uuid;
    input.default_user = state->user;
    auto plan = make_am_plan(state->options, input);
    if (!plan) {
        co_return plan.error();
    }
    auto check = [&plan, &input] { return check_files(*plan, input.spec); };
    Result<void> checked =
        co_await run_blocking(state->context.blocking_executor, std::move(check));
    if (!checked) {
        co_return checked.error();
    }
    TicketData data;
    data.store = request.store_uuid;
    data.nonce = random_hex(16);
    data.files = std::move(request.driver_files);
    data.request = encode_am_plan(*plan);
    Ticket ticket;
    ticket.id = std::move(*id);
    ticket.data = encode_ticket_data(data);
    co_return ticket;
}

}  // namespace sparkhost::detail::yarn
