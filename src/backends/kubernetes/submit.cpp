// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/kubernetes_state.hpp"
#include "backends/kubernetes/operation.hpp"
#include "backends/kubernetes/submission_machine.hpp"

#include "backends/common/posix_file.hpp"
#include "crash_point.hpp"
#include "hop.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace sparkhost::detail::kubernetes {

namespace {

/// More than a ConfigMap and a Secret hold together.
constexpr std::size_t max_driver_file = std::size_t{4} << 20;

Result<std::vector<DriverFileContent>> read_driver_files(const std::vector<DriverFileName>& files) {
    std::vector<DriverFileContent> contents;
    for (const auto& each : files) {
        auto text = read_whole_file(each.path, max_driver_file);
        if (!text) {
            return text.error();
        }
        contents.push_back({each, std::move(*text)});
    }
    return contents;
}

/// Puts the contents of the driver files where they belong; what is missing is said in the answer:
/// once the application has been taken, the files may be gone, and are needed no more.
asio::awaitable<std::string> fill_in_files(std::shared_ptr<KubernetesState> state,
                                           std::shared_ptr<TicketData> data) {
    if (data->files.empty()) {
        co_return std::string();
    }
    auto read = [files = data->files] { return read_driver_files(files); };
    Result<std::vector<DriverFileContent>> contents =
        co_await run_blocking(state->context.blocking_executor, std::move(read));
    if (!contents) {
        co_return contents.error().text();
    }
    auto added = add_driver_files(data->objects, *contents);
    co_return added ? std::string() : added.error().text();
}

Error killed_meanwhile() {
    return Error(Errc::invalid_state, "it was killed before it was started");
}

}  // namespace

Awaitable<void> submit_application(std::shared_ptr<KubernetesState> state, SubmitRequest request,
                                   Ticket ticket) {
    (void)request;  // everything was decided when the ticket was reserved
    // before the ticket's turn: a kill does not wait for a place
    const Places::Hold place = co_await Places::take(state->submits);
    auto decoded = decode_ticket_data(ticket);
    if (!decoded) {
        co_return decoded.error();
    }
    auto data = std::make_shared<TicketData>(std::move(*decoded));
    const TicketTurns::Turn turn =
        co_await TicketTurns::take(state->turns, ticket.id, TicketTurns::Purpose::other);
    SubmissionPlan plan;
    plan.identity = data->identity;
    plan.objects = data->list();
    plan.wait_for_quota = state->options.wait_for_quota;
    plan.unreadable = co_await fill_in_files(state, data);
    SubmissionMachine machine(std::move(plan));
    Move move = machine.begin();
    while (const auto* action = std::get_if<ApiAction>(&move)) {
        if (turn.kill_waits()) {
            co_return killed_meanwhile();  // what has been made the kill makes harmless
        }
        SPARKHOST_CRASH_POINT("kubernetes.submit.asks");
        ApiAction next = *action;
        ApiAnswer answer = co_await perform_action(state, data, std::move(next));
        SPARKHOST_CRASH_POINT("kubernetes.submit.answered");
        move = machine.resume(answer);
    }
    Result<void> result = std::get<Result<void>>(std::move(move));
    if (result && state->watch.repeat) {
        state->watch.repeat(ticket.id, data->objects.in_namespace);
    }
    co_return result;
}

}  // namespace sparkhost::detail::kubernetes
