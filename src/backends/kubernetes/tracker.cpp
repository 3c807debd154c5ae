// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/tracker.hpp"

#include "backends/kubernetes/api_reader.hpp"
#include "backends/kubernetes/api_text.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

/// What an exception says.
std::string text_of(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception& failure) {
        return std::string("an exception escaped: ") + failure.what();
    } catch (...) {
        return "an unknown exception escaped";
    }
}

ApiStatus no_answer(const Error& error) {
    ApiStatus status;
    status.message = bounded_text(error.text());
    return status;
}

ApiStatus refusal(const http::Response& answer) {
    return read_status(answer.status, answer.body, answer.header("Retry-After"));
}

bool is_success(const http::Response& answer) {
    return answer.status >= 200 && answer.status < 300;
}

}  // namespace

/// One list-and-watch.
struct Tracker::Following {
    PodSelection pods{};
    std::size_t scope{0};
    WatchMachine machine{};
    std::string words() const {
        const auto place = pods.name_space.empty() ? std::string("all namespaces")
                                                   : "namespace '" + pods.name_space + "'";
        const bool drivers = pods.role == PodSelection::Role::driver;
        return std::string(drivers ? "watching the drivers" : "watching the executors") + " in " +
               place + ": ";
    }
    bool of_drivers() const { return pods.role == PodSelection::Role::driver; }
};

Tracker::Tracker(TrackerOptions options, std::shared_ptr<TrackerApi> api, BackendContext context,
                 std::shared_ptr<EventSink> sink)
    : options_(std::move(options)),
      api_(std::move(api)),
      context_(std::move(context)),
      sink_(std::move(sink)),
      table_(options_.namespaces),
      inquiries_(options_.inquiries),
      tombstones_(options_.namespaces.size()),
      listed_(options_.namespaces.size(), false),
      random_(std::random_device()()) {}

Moment Tracker::now() const {
    return {context_.clock->now(), context_.clock->steady_now()};
}

double Tracker::chance() {
    return std::uniform_real_distribution<double>(0.0, 1.0)(random_);
}

void Tracker::log(LogLevel level, std::string message) const {
    if (context_.log) {
        context_.log(LogEvent{level, "kubernetes", std::move(message)});
    }
}

void Tracker::flush() {
    for (auto& report : table_.take_reports()) {
        if (!stopped_) {
            sink_->status(std::move(report));
        }
    }
    bool more = false;
    for (auto& removal : table_.take_removals()) {
        const auto uid = removal.uid;
        more = removals_.try_emplace(uid, std::move(removal)).second || more;
    }
    if (more && removal_wait_) {
        removal_wait_->wake(WakeReason::changed);
    }
    if (table_.take_wish_for_checks() && care_wait_) {
        care_wait_->wake(WakeReason::changed);
    }
}

// --- snapshots ---

void Tracker::list_begins(std::size_t scope) {
    listed_[scope] = false;
    if (!in_snapshot_) {
        in_snapshot_ = true;
        table_.begin_snapshot();
        sink_->snapshot_begin();
    }
    table_.begin_list(scope);
}

void Tracker::list_ends(std::size_t scope) {
    table_.end_list(scope, now());
    for (const auto& ticket : std::exchange(tombstones_[scope], {})) {
        table_.see_tombstone(ticket, scope, now());
    }
    listed_[scope] = true;
    if (std::find(listed_.begin(), listed_.end(), false) != listed_.end()) {
        flush();
        return;
    }
    table_.complete_snapshot();
    flush();
    in_snapshot_ = false;
    sink_->snapshot_complete();
    if (!access_trouble_.empty()) {
        sink_->trouble(access_trouble_);  // to whom a snapshot means that all is well
    }
}

// --- one list-and-watch ---

void Tracker::absorb(Following& following, const WatchEvent& event) {
    following.machine.event_read(event.type, event.pod.resource_version);
    const bool deleted = event.type == WatchEvent::Type::deleted;
    if (event.type == WatchEvent::Type::bookmark) {
        return;
    }
    if (!following.of_drivers()) {
        table_.see_executor(event.pod);
    } else if (deleted) {
        table_.see_deleted(following.scope, event.pod, now());
    } else {
        table_.see(following.scope, event.pod, now());
    }
}

/// False: the watch is over, and the machine knows.
bool Tracker::take_lines(Following& following, EventLines& lines) {
    auto& machine = following.machine;
    for (;;) {
        const auto line = lines.next();
        if (line && !*line) {
            return true;
        }
        auto event = line ? read_watch_event(**line) : Result<WatchEvent>(line.error());
        if (!event) {
            machine.refused(no_answer(event.error()), chance());
            return false;
        }
        if (event->type == WatchEvent::Type::error) {
            machine.refused(event->status, chance());
            return false;
        }
        absorb(following, *event);
    }
}

asio::awaitable<void> Tracker::read_events(std::shared_ptr<Tracker> self,
                                           std::shared_ptr<Following> following,
                                           std::unique_ptr<http::Stream> stream) {
    EventLines lines;
    auto& machine = following->machine;
    const auto began = self->context_.clock->steady_now();
    machine.watch_began();
    for (;;) {
        const auto silence = machine.next().silence;
        auto bytes = co_await stream->read_some(silence);
        if (self->stopped_) {
            co_return;
        }
        if (!bytes || bytes->empty()) {
            const auto how = bytes                               ? WatchMachine::End::regular
                             : bytes.error().is(Errc::timed_out) ? WatchMachine::End::silent
                                                                 : WatchMachine::End::broken;
            const auto lived = std::chrono::duration_cast<std::chrono::milliseconds>(
                self->context_.clock->steady_now() - began);
            machine.watch_ended(how, lived, self->chance());
            co_return;
        }
        lines.feed(*bytes);
        const bool goes_on = self->take_lines(*following, lines);
        self->flush();
        if (!goes_on) {
            co_return;
        }
        self->tell_notice(*following);
    }
}

asio::awaitable<void> Tracker::read_watch(std::shared_ptr<Tracker> self,
                                          std::shared_ptr<Following> following,
                                          WatchAction action) {
    auto& machine = following->machine;
    http::Request request = watch_request(following->pods, action, self->options_.request_deadline);
    auto opened = co_await self->api_->stream(std::move(request));
    if (self->stopped_) {
        co_return;
    }
    if (!opened) {
        machine.refused(no_answer(opened.error()), self->chance());
    } else if (!is_success((*opened)->head())) {
        machine.refused(refusal((*opened)->head()), self->chance());
    } else {
        std::unique_ptr<http::Stream> stream = std::move(*opened);
        co_await read_events(self, following, std::move(stream));
    }
}

asio::awaitable<void> Tracker::read_page(std::shared_ptr<Tracker> self,
                                         std::shared_ptr<Following> following, WatchAction action) {
    auto& machine = following->machine;
    if (action.begins && following->of_drivers()) {
        self->list_begins(following->scope);
        auto trouble = co_await read_tombstones(self, following->pods, following->scope);
        if (trouble) {
            machine.refused(*trouble, self->chance());
        }
        if (trouble || self->stopped_) {
            co_return;
        }
    }
    http::Request request = list_request(following->pods, action, self->options_.request_deadline);
    auto answer = co_await self->api_->send(std::move(request));
    if (self->stopped_) {
        co_return;
    }
    if (!answer || !is_success(*answer)) {
        machine.refused(answer ? refusal(*answer) : no_answer(answer.error()), self->chance());
        co_return;
    }
    auto page = read_pod_page(answer->body);
    if (!page) {
        machine.refused(no_answer(page.error()), self->chance());
        co_return;
    }
    for (const auto& pod : page->pods) {
        if (following->of_drivers()) {
            self->table_.see_listed(following->scope, pod, self->now());
        } else {
            self->table_.see_executor(pod);
        }
    }
    const bool complete = machine.page_read(page->resource_version, page->continue_token);
    if (complete && following->of_drivers()) {
        self->list_ends(following->scope);
    } else {
        self->flush();
    }
}

void Tracker::tell_notice(Following& following) {
    using Kind = WatchMachine::Notice::Kind;
    const auto notice = following.machine.take_notice();
    if (!notice) {
        return;
    }
    const auto level = notice->kind == Kind::recovered   ? LogLevel::info
                       : notice->kind == Kind::expired   ? LogLevel::debug
                       : notice->kind == Kind::forbidden ? LogLevel::error
                                                         : LogLevel::warning;
    log(level, following.words() + notice->text);
    if (notice->kind != Kind::expired) {
        const bool recovered = notice->kind == Kind::recovered;
        tell_trouble(following, recovered ? std::string() : following.words() + notice->text);
    }
}

/// One watch that is cut is enough for what is reported to be out of date.
void Tracker::tell_trouble(const Following& following, std::string reason) {
    if (!following.of_drivers()) {
        return;
    }
    if (reason.empty()) {
        troubles_.erase(following.scope);
    } else {
        troubles_[following.scope] = std::move(reason);
    }
    sink_->trouble(present_trouble());
}

asio::awaitable<void> Tracker::follow(std::shared_ptr<Tracker> self,
                                      std::shared_ptr<Following> following) {
    co_await asio::this_coro::throw_if_cancelled(false);
    if (following->of_drivers() && self->options_.follow_executors) {
        co_await list_executors(self, following->scope);
    }
    while (!self->stopped_) {
        WatchAction action = following->machine.next();
        switch (action.kind) {
            case WatchAction::Kind::pause: {
                const auto until = self->context_.clock->steady_now() + action.pause;
                co_await self->context_.clock->sleep_until(until);
                following->machine.paused();
                break;
            }
            case WatchAction::Kind::list:
                co_await read_page(self, following, std::move(action));
                break;
            case WatchAction::Kind::watch:
                co_await read_watch(self, following, std::move(action));
                break;
        }
        self->tell_notice(*following);
    }
}

// --- the whole ---

void Tracker::start(asio::awaitable<void> task) {
    ++running_;
    auto signal = std::make_shared<asio::cancellation_signal>();
    signals_.push_back(signal);
    auto ended = [self = shared_from_this(), signal](const std::exception_ptr& escaped) {
        if (escaped) {
            self->failure_ = text_of(escaped);
        }
        --self->running_;
        if (self->main_wait_) {
            self->main_wait_->wake(WakeReason::changed);
        }
    };
    asio::co_spawn(executor_, std::move(task),
                   asio::bind_cancellation_slot(signal->slot(), std::move(ended)));
}

void Tracker::stop() {
    stopped_ = true;
    for (const auto& signal : std::exchange(signals_, {})) {
        signal->emit(asio::cancellation_type::all);
    }
    for (const auto& waiter : {removal_wait_, care_wait_}) {
        if (waiter) {
            waiter->wake(WakeReason::stopped);
        }
    }
}

Awaitable<void> Tracker::run(std::shared_ptr<Tracker> self) {
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    self->executor_ = co_await asio::this_coro::executor;
    for (std::size_t scope = 0; scope < self->options_.namespaces.size(); ++scope) {
        for (const auto role : {PodSelection::Role::driver, PodSelection::Role::first_executor}) {
            if (role == PodSelection::Role::first_executor && !self->options_.follow_executors) {
                continue;
            }
            auto following = std::make_shared<Following>();
            following->pods = {role, self->options_.store_uuid, self->options_.namespaces[scope]};
            following->scope = scope;
            following->machine = WatchMachine(self->options_.watch);
            self->start(follow(self, std::move(following)));
        }
    }
    self->start(remove_pods(self));
    self->start(take_care(self));
    if (self->options_.check_access) {
        self->start(settle_access(self));
    }
    while (self->running_ > 0) {
        const auto cancellation = co_await asio::this_coro::cancellation_state;
        if (cancellation.cancelled() != asio::cancellation_type::none || !self->failure_.empty()) {
            self->stop();
        }
        if (self->running_ == 0) {
            break;
        }
        self->main_wait_ = std::make_shared<Waiter>();
        co_await Waiter::wait(self->main_wait_);
    }
    self->stop();
    co_await asio::this_coro::throw_if_cancelled(throwing);
    if (!self->failure_.empty()) {
        co_return Error(Errc::backend_failed, "watching the cluster: " + self->failure_);
    }
    co_return ok();
}

}  // namespace sparkhost::detail::kubernetes
