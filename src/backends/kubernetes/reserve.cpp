// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/api_requests.hpp"
#include "backends/kubernetes/kubernetes_state.hpp"
#include "backends/kubernetes/ticket_data.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

/// How long a look whether a name is free may take: without an answer it is taken as it is.
constexpr std::chrono::seconds name_look_limit{5};
constexpr int max_name_turns = 100;

DriverInput driver_input(const KubernetesState& state, SubmitRequest request) {
    DriverInput input;
    input.options = state.options;
    input.pod_template = state.pod_template;
    input.api_url = state.api_url;
    input.default_namespace = state.default_namespace;
    input.namespaces = state.namespaces;
    input.identity.store = request.store_uuid;
    input.identity.nonce = random_hex(8);
    input.application_id = "spark-" + random_hex(16);
    input.submit_time = std::chrono::duration_cast<std::chrono::milliseconds>(
                            state.context.clock->now().time_since_epoch())
                            .count();
    input.spec = std::move(request.spec);
    for (auto& each : request.driver_files) {
        input.files.push_back({std::move(each.path), each.secret});
    }
    return input;
}

/// A name that nothing has. Something has it when the store has been put back to a backup, which
/// gives numbers again: to adopt what runs under the name then would be another batch's end. The
/// ConfigMap is an application's first object and its last.
asio::awaitable<std::string> free_ticket_id(std::shared_ptr<KubernetesState> state,
                                            std::string in_namespace, SubmitRequest request) {
    std::string id;
    for (int turn = 1; turn <= max_name_turns; ++turn) {
        id = ticket_id(request, turn);
        http::Request look;
        look.target = object_target(ObjectKind::config_map, in_namespace, config_map_name(id));
        look.deadline =
            std::min<std::chrono::milliseconds>(name_look_limit, state->options.request_deadline);
        look.repeatable = true;
        ApiAnswer answer = co_await ask_api(state->client, std::move(look));
        if (answer.verdict != ApiVerdict::done) {
            break;
        }
    }
    co_return id;
}

}  // namespace

Awaitable<Ticket> reserve_ticket(std::shared_ptr<KubernetesState> state, SubmitRequest request) {
    DriverInput input = driver_input(*state, request);
    auto in_namespace = driver_namespace(input);
    if (!in_namespace) {
        co_return in_namespace.error();
    }
    input.identity.ticket = ticket_id(request);
    auto objects = make_driver_objects(input);
    if (!objects) {
        co_return objects.error();
    }
    std::string id = co_await free_ticket_id(state, *in_namespace, std::move(request));
    if (id != input.identity.ticket) {
        input.identity.ticket = std::move(id);
        objects = make_driver_objects(input);
        if (!objects) {
            co_return objects.error();
        }
    }
    TicketData data;
    data.identity = input.identity;
    data.objects = std::move(*objects);
    data.files = input.files;
    Ticket ticket;
    ticket.id = input.identity.ticket;
    ticket.data = encode_ticket_data(data);
    co_return ticket;
}

}  // namespace sparkhost::detail::kubernetes
