// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/api_reader.hpp"
#include "backends/kubernetes/api_text.hpp"
#include "backends/kubernetes/tracker.hpp"

#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

ApiStatus told_by(const Error& error) {
    ApiStatus status;
    status.message = bounded_text(error.text());
    return status;
}

}  // namespace

/// A kill that found no pod has left nothing else to tell of it. Read before the pods are listed,
/// so that what is killed meanwhile is told by the kill itself, and not missed. The result is why
/// they could not be read, if so.
asio::awaitable<std::optional<ApiStatus>> Tracker::read_tombstones(std::shared_ptr<Tracker> self,
                                                                   PodSelection pods,
                                                                   std::size_t scope) {
    self->tombstones_[scope].clear();
    std::string next;
    do {
        http::Request request = tombstones_request(pods, next, self->options_.request_deadline);
        auto answer = co_await self->api_->send(std::move(request));
        if (self->stopped_) {
            co_return std::nullopt;
        }
        if (!answer) {
            co_return told_by(answer.error());
        }
        if (answer->status != 200) {
            co_return read_status(answer->status, answer->body, answer->header("Retry-After"));
        }
        auto page = read_pod_page(answer->body);  // names and labels, as a pod's
        if (!page) {
            co_return told_by(page.error());
        }
        for (const auto& each : page->pods) {
            self->tombstones_[scope].insert(each.ticket);
        }
        next = page->continue_token;
    } while (!next.empty());
    co_return std::nullopt;
}

}  // namespace sparkhost::detail::kubernetes
