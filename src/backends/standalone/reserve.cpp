// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/log_shelf.hpp"
#include "backends/standalone/standalone_state.hpp"
#include "backends/standalone/ticket_data.hpp"

#include "backends/common/ticket_names.hpp"
#include "hop.hpp"

#include <memory>
#include <utility>

namespace sparkhost::detail::standalone {

namespace {

/// A name that nothing has. Something has it when the store has been put back to a backup, which
/// gives numbers again: to take up what ran under the name then would be another batch's end.
Result<std::string> free_ticket_id(const StandaloneState& state, const SubmitRequest& request) {
    for (int turn = 1; turn < 1000; ++turn) {
        std::string id = ticket_id(request, turn);
        auto entry = state.claims.read(id);
        if (!entry) {
            return entry.error();
        }
        const bool claimed = entry->killed || entry->holder != ClaimEntry::Holder::nobody;
        if (!claimed && !state.tickets.exists(id) && !state.logs->exists(id)) {
            return id;
        }
    }
    return Error(Errc::backend_failed,
                 "there is no free name for a ticket in " + state.options.work_dir);
}

}  // namespace

Awaitable<Ticket> reserve_ticket(std::shared_ptr<StandaloneState> state, SubmitRequest request) {
    if (!state->context.agent_address.starts_with("tcp:")) {
        co_return Error(Errc::backend_failed,
                        "drivers of a standalone cluster must be able to reach this server: set "
                        "HostOptions::agent_address to tcp:ADDRESS:PORT (and agent_advertised, "
                        "where they know it by another name)");
    }
    auto find_name = [state, request] { return free_ticket_id(*state, request); };
    Result<std::string> id =
        co_await run_blocking(state->context.blocking_executor, std::move(find_name));
    if (!id) {
        co_return id.error();
    }
    DriverInput input;
    input.spec = std::move(request.spec);
    input.files = request.driver_files;
    input.ticket = *id;
    input.guard_jar = state->guard_jar;
    input.agent_address = state->context.agent_address;
    auto made = make_driver_request(state->options, input);
    if (!made) {
        co_return made.error();
    }
    TicketData data;
    data.store = request.store_uuid;
    data.nonce = random_hex(16);
    data.request = std::move(*made);
    data.files = std::move(request.driver_files);
    Ticket ticket;
    ticket.id = std::move(*id);
    ticket.data = encode_ticket_data(data);
    co_return ticket;
}

}  // namespace sparkhost::detail::standalone
