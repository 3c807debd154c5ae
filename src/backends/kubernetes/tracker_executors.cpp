// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/api_reader.hpp"
#include "backends/kubernetes/tracker.hpp"
#include "backends/kubernetes/tracker_requests.hpp"
#include "backends/kubernetes/watch_machine.hpp"

#include <utility>

namespace sparkhost::detail::kubernetes {

/// What had a context before this watch has it in the first report too: a report never goes back.
/// Best effort; the executors' own watch says what is wrong.
asio::awaitable<void> Tracker::list_executors(std::shared_ptr<Tracker> self, std::size_t scope) {
    const PodSelection pods{PodSelection::Role::first_executor, self->options_.store_uuid,
                            self->options_.namespaces[scope]};
    WatchMachine pages(self->options_.watch);
    WatchAction action = pages.next();
    while (action.kind == WatchAction::Kind::list && !self->stopped_) {
        http::Request request = list_request(pods, action, self->options_.request_deadline);
        auto answer = co_await self->api_->send(std::move(request));
        if (!answer || answer->status != 200) {
            co_return;
        }
        auto page = read_pod_page(answer->body);
        if (!page) {
            co_return;
        }
        for (const auto& pod : page->pods) {
            self->table_.see_executor(pod);
        }
        pages.page_read(page->resource_version, page->continue_token);
        action = pages.next();
    }
}

}  // namespace sparkhost::detail::kubernetes
