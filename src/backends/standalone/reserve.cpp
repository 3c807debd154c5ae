// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/driver_request.hpp"
#include "backends/standalone/standalone_state.hpp"

#include "backends/common/ticket_names.hpp"
#include "hop.hpp"

#include <memory>
#include <utility>

namespace sparkhost::detail::standalone {

Awaitable<Ticket> reserve_ticket(std::shared_ptr<StandaloneState> state, SubmitRequest request) {
    if (!state->context.agent_address.starts_with("tcp:")) {
        co_return Error(Errc::backend_failed,
                        "drivers of a standalone cluster must be able to reach this server: set "
                        "HostOptions::agent_address to tcp:ADDRESS:PORT (and agent_advertised, "
                        "where they know it by another name)");
    }
    auto find_name = [state, request] { return guarded::free_ticket_id(*state, request); };
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
    data.request = encode_driver_request(*made);
    data.files = std::move(request.driver_files);
    Ticket ticket;
    ticket.id = std::move(*id);
    ticket.data = encode_ticket_data(data);
    co_return ticket;
}

}  // namespace sparkhost::detail::standalone
