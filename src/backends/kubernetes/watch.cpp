// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/kubernetes_state.hpp"
#include "backends/kubernetes/read_log.hpp"
#include "backends/kubernetes/tracker.hpp"

#include <boost/asio/this_coro.hpp>

#include <memory>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

class ClientApi final : public TrackerApi {
public:
    explicit ClientApi(std::shared_ptr<http::Client> client) : client_(std::move(client)) {}
    Awaitable<http::Response> send(http::Request request) override {
        return client_->send(std::move(request));
    }
    Awaitable<std::unique_ptr<http::Stream>> stream(http::Request request) override {
        return client_->stream(std::move(request));
    }

private:
    std::shared_ptr<http::Client> client_;
};

TrackerOptions tracker_options(const std::shared_ptr<KubernetesState>& state) {
    const auto& given = state->options;
    TrackerOptions options;
    options.store_uuid = state->context.store_uuid;
    options.namespaces = state->namespaces;
    if (given.watch_all_namespaces || options.namespaces.empty()) {
        options.namespaces = {std::string()};
    }
    options.give_up.image = given.stuck_limit;
    options.give_up.configuration = given.stuck_limit;
    options.give_up.creation = given.stuck_limit;
    options.give_up.scheduling = given.unschedulable_limit;
    options.kill_grace = given.kill_grace;
    options.request_deadline = given.request_deadline;
    if (state->owes_access_check) {
        options.check_access = [state] { return check_access(state); };
    }
    return options;
}

/// Lets the other operations reach the watch while it runs.
class HookedIn {
public:
    HookedIn(std::shared_ptr<KubernetesState> state, const std::shared_ptr<Tracker>& tracker)
        : state_(std::move(state)) {
        state_->watch.repeat = [tracker](const auto& ticket, const auto& name_space) {
            tracker->repeat(ticket, name_space);
        };
        state_->watch.kill_requested = [tracker](const auto& ticket, const auto& name_space) {
            tracker->kill_requested(ticket, name_space);
        };
        state_->watch.killed = [tracker](const auto& ticket, const auto& name_space) {
            tracker->killed(ticket, name_space);
        };
        state_->watch.released = [tracker](const auto& ticket) { tracker->released(ticket); };
    }
    ~HookedIn() { state_->watch = {}; }
    HookedIn(const HookedIn&) = delete;
    HookedIn& operator=(const HookedIn&) = delete;

private:
    std::shared_ptr<KubernetesState> state_;
};

}  // namespace

Awaitable<void> watch_applications(std::shared_ptr<KubernetesState> state,
                                   std::shared_ptr<EventSink> sink) {
    auto api = std::make_shared<ClientApi>(state->client);
    auto found = std::make_shared<std::weak_ptr<Tracker>>();
    const auto strand = co_await asio::this_coro::executor;
    auto noticing = notice_logs(state, strand, std::move(sink), [found](const auto& ticket) {
        const auto there = found->lock();
        const auto* application = there ? there->table().find(ticket) : nullptr;
        return application ? application->name_space() : std::string();
    });
    auto tracker = std::make_shared<Tracker>(tracker_options(state), std::move(api), state->context,
                                             std::move(noticing));
    *found = tracker;
    const HookedIn hooked(state, tracker);
    co_return co_await Tracker::run(tracker);
}

}  // namespace sparkhost::detail::kubernetes
