// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/tracker.hpp"

#include "backends/kubernetes/api_reader.hpp"
#include "backends/kubernetes/api_requests.hpp"

#include <boost/asio/this_coro.hpp>

#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

/// Between two attempts at a removal that the API server did not perform.
constexpr std::chrono::seconds removal_pause{5};

}  // namespace

asio::awaitable<ApiAnswer> Tracker::ask(std::shared_ptr<Tracker> self, http::Request request) {
    auto response = co_await self->api_->send(std::move(request));
    if (response) {
        co_return read_answer(response->status, response->body);
    }
    ApiAnswer answer;
    answer.verdict = ApiVerdict::unknown;
    answer.words = response.error().text();
    co_return answer;
}

/// True: nothing is left to do.
asio::awaitable<bool> Tracker::unprotect(std::shared_ptr<Tracker> self, PodRemoval removal) {
    http::Request read = pod_request(removal, self->options_.request_deadline);
    const ApiAnswer pod = co_await ask(self, std::move(read));
    const bool gone = pod.verdict == ApiVerdict::missing ||
                      (pod.verdict == ApiVerdict::done && pod.object.uid != removal.uid);
    if (self->stopped_ || gone) {
        co_return gone;
    }
    if (pod.verdict != ApiVerdict::done) {
        co_return false;
    }
    if (!pod.object.is_guarded()) {
        co_return true;
    }
    http::Request patch = unprotect_request(removal, pod.object, self->options_.request_deadline);
    const ApiAnswer patched = co_await ask(self, std::move(patch));
    co_return patched.verdict == ApiVerdict::done || patched.verdict == ApiVerdict::missing;
}

/// True: nothing is left to do; else it is to be tried again.
asio::awaitable<bool> Tracker::remove_pod(std::shared_ptr<Tracker> self, PodRemoval removal) {
    if (!removal.given_up.empty()) {
        http::Request note = given_up_request(removal, self->options_.request_deadline);
        const ApiAnswer noted = co_await ask(self, std::move(note));
        const bool other =
            noted.verdict == ApiVerdict::missing || noted.verdict == ApiVerdict::conflict;
        if (self->stopped_ || other) {
            co_return other;
        }
        if (noted.verdict != ApiVerdict::done) {
            self->log(LogLevel::warning, removal.ticket + ": cannot note on pod '" + removal.pod +
                                             "' why it is given up: " + noted.words);
        }
    }
    http::Request deletion =
        pod_deletion(removal.name_space, removal.pod, removal.uid, self->options_.kill_grace,
                     self->options_.request_deadline);
    const ApiAnswer deleted = co_await ask(self, std::move(deletion));
    if (self->stopped_) {
        co_return false;
    }
    switch (deleted.verdict) {
        case ApiVerdict::done:
            break;
        case ApiVerdict::missing:
        case ApiVerdict::conflict:  // another pod has the name
            co_return true;
        default:
            self->log(LogLevel::warning, removal.ticket + ": cannot delete pod '" + removal.pod +
                                             "': " + deleted.words);
            co_return false;
    }
    if (!removal.given_up.empty()) {
        co_return true;  // its end will be seen, recorded, and released
    }
    co_return co_await unprotect(self, std::move(removal));
}

asio::awaitable<void> Tracker::remove_pods(std::shared_ptr<Tracker> self) {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!self->stopped_) {
        if (self->removals_.empty()) {
            self->removal_wait_ = std::make_shared<Waiter>();
            co_await Waiter::wait(self->removal_wait_);
            continue;
        }
        bool all = true;
        for (const auto& [uid, removal] : std::map(self->removals_)) {
            PodRemoval next = removal;
            const bool done = co_await remove_pod(self, std::move(next));
            if (self->stopped_) {
                co_return;
            }
            if (done) {
                self->removals_.erase(uid);
            }
            all = all && done;
        }
        if (!all) {
            const auto until = self->context_.clock->steady_now() + removal_pause;
            co_await self->context_.clock->sleep_until(until);
        }
    }
}

asio::awaitable<void> Tracker::inquire(std::shared_ptr<Tracker> self, Inquiry inquiry) {
    http::Request request = events_request(inquiry, self->options_.request_deadline);
    auto answer = co_await self->api_->send(std::move(request));
    if (self->stopped_) {
        co_return;
    }
    if (answer && answer->status == 200) {
        if (const auto events = read_event_page(answer->body)) {
            self->table_.see_events(inquiry.ticket, inquiry.uid, *events, self->now());
        }
    }  // else: without them the reasons say less
    if (inquiry.doubtful) {
        http::Request look = config_map_request(inquiry, self->options_.request_deadline);
        const ApiAnswer conf = co_await ask(self, std::move(look));
        if (self->stopped_) {
            co_return;
        }
        const bool taken =
            conf.verdict == ApiVerdict::done && (conf.object.killed || conf.object.refused);
        const bool missing = conf.verdict == ApiVerdict::missing;
        if (taken || missing) {
            self->table_.see_orphan(inquiry.ticket, inquiry.uid, taken, self->now());
        }
    }
    self->flush();
}

asio::awaitable<void> Tracker::take_care(std::shared_ptr<Tracker> self) {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!self->stopped_) {
        if (!self->table_.needs_checks() && self->inquiries_.size() == 0) {
            self->care_wait_ = std::make_shared<Waiter>();
            co_await Waiter::wait(self->care_wait_);
            continue;
        }
        const auto until = self->context_.clock->steady_now() + self->options_.check_interval;
        co_await self->context_.clock->sleep_until(until);
        if (self->stopped_) {
            co_return;
        }
        const auto moment = self->now();
        self->table_.check(self->options_.give_up, moment);
        self->flush();
        for (auto& inquiry : self->inquiries_.due(self->table_, moment.steady)) {
            Inquiry next = std::move(inquiry);
            co_await inquire(self, std::move(next));
            if (self->stopped_) {
                co_return;
            }
        }
    }
}

// --- what the operations say ---

void Tracker::repeat(const std::string& ticket, const std::string& name_space) {
    if (const auto scope = table_.scope_of(name_space)) {
        table_.expect(ticket, *scope);
        flush();
    }
}

void Tracker::kill_requested(const std::string& ticket, const std::string& name_space) {
    if (const auto scope = table_.scope_of(name_space)) {
        table_.kill(ticket, *scope);
    }
}

void Tracker::killed(const std::string& ticket, const std::string& name_space) {
    const auto scope = table_.scope_of(name_space);
    table_.kill_without_pod(ticket, scope.value_or(0), now());
    flush();
}

void Tracker::released(const std::string& ticket) {
    for (auto& each : tombstones_) {
        each.erase(ticket);  // of a list under way
    }
    table_.forget(ticket);
}

}  // namespace sparkhost::detail::kubernetes
