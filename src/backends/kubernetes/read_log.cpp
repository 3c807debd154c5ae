// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/read_log.hpp"

#include "backends/kubernetes/log_keeper.hpp"
#include "backends/kubernetes/ticket_data.hpp"

#include <boost/asio/this_coro.hpp>

#include <memory>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

std::shared_ptr<LogKeeper> keeper_of(KubernetesState& state, const asio::any_io_executor& strand) {
    if (!state.logs) {
        LogKeeperOptions options;
        options.work_dir = state.options.work_dir;
        options.store_uuid = state.context.store_uuid;
        options.max_followed = state.options.max_followed_logs;
        options.request_deadline = state.options.request_deadline;
        options.blocking_executor = state.context.blocking_executor;
        options.log = state.context.log;
        state.logs = std::make_shared<LogKeeper>(strand, std::move(options), state.client);
    }
    return state.logs;
}

Result<LogPlace> place_of(const Ticket& ticket) {
    if (!is_ticket_id(ticket.id)) {
        return Error(Errc::not_found, "\"" + ticket.id + "\" is no ticket");
    }
    auto data = decode_ticket_data(ticket);
    if (!data) {
        return Error(Errc::not_found, data.error().detail);
    }
    LogPlace place;
    place.name_space = data->objects.in_namespace;
    place.identity = data->identity;
    return place;
}

/// Tells the logs what the watch reports.
class LogNoticingSink final : public EventSink {
public:
    LogNoticingSink(std::shared_ptr<LogKeeper> logs, std::string store,
                    std::shared_ptr<EventSink> sink, FindNamespace find)
        : logs_(std::move(logs)),
          store_(std::move(store)),
          sink_(std::move(sink)),
          find_(std::move(find)) {}
    ~LogNoticingSink() override { logs_->watch_ended(); }

    void snapshot_begin() override { sink_->snapshot_begin(); }
    void snapshot_complete() override { sink_->snapshot_complete(); }
    void trouble(std::string reason) override { sink_->trouble(std::move(reason)); }
    void status(ApplicationStatus report) override {
        LogPlace place;
        place.name_space = find_(report.ticket);
        place.identity.store = store_;
        place.identity.ticket = report.ticket;
        if (!place.name_space.empty()) {
            logs_->notice(place, report.state);
        }
        sink_->status(std::move(report));
    }

private:
    std::shared_ptr<LogKeeper> logs_;
    std::string store_;
    std::shared_ptr<EventSink> sink_;
    FindNamespace find_;
};

}  // namespace

std::shared_ptr<EventSink> notice_logs(const std::shared_ptr<KubernetesState>& state,
                                       const asio::any_io_executor& strand,
                                       std::shared_ptr<EventSink> sink, FindNamespace find) {
    return std::make_shared<LogNoticingSink>(keeper_of(*state, strand), state->context.store_uuid,
                                             std::move(sink), std::move(find));
}

Awaitable<LogPage> read_application_log(std::shared_ptr<KubernetesState> state,
                                        LogRequest request) {
    auto place = place_of(request.ticket);
    if (!place) {
        co_return place.error();
    }
    const auto strand = co_await asio::this_coro::executor;
    auto reading = keeper_of(*state, strand)->read(std::move(*place), std::move(request));
    auto page = co_await std::move(reading);
    co_return page;
}

Awaitable<void> keep_application_log(std::shared_ptr<KubernetesState> state, Ticket ticket) {
    auto place = place_of(ticket);
    if (!place) {
        co_return ok();  // none of ours has such a ticket
    }
    const auto strand = co_await asio::this_coro::executor;
    auto completing = keeper_of(*state, strand)->complete(std::move(*place));
    auto done = co_await std::move(completing);
    co_return done;
}

Awaitable<void> remove_application_log(std::shared_ptr<KubernetesState> state, Ticket ticket) {
    if (!is_ticket_id(ticket.id)) {
        co_return ok();
    }
    const auto strand = co_await asio::this_coro::executor;
    auto removing = keeper_of(*state, strand)->remove(std::move(ticket.id));
    auto done = co_await std::move(removing);
    co_return done;
}

}  // namespace sparkhost::detail::kubernetes
