// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/watch_machine.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

using std::chrono::milliseconds;

constexpr int no_connection = -1;
/// After so many failures in a row nobody knows whether the version is worth anything.
constexpr std::size_t patience = 5;
/// What ends sooner and without a word is not asked again at once.
constexpr milliseconds shortest_life{std::chrono::seconds{1}};

bool has_expired(const ApiStatus& status) {
    return status.code == 410 || status.reason == "Expired" || status.reason == "Gone";
}

/// The server was set back (its etcd restored), and our version is of its future.
bool is_ahead(const ApiStatus& status) {
    return status.message.find("Too large resource version") != std::string::npos;
}

std::string advice(const ApiStatus& status) {
    switch (status.code) {
        case 401:
            return "the API server does not accept the credentials (401); check the token or "
                   "certificate";
        case 403:
            return "the API server does not allow this (403); grant `list` and `watch` of pods";
        case 404:
            return "the API server does not know this (404); check the URL and the namespace";
        case 429:
            return "the API server has too much to do (429)";
        default:
            return status.code > 0 ? "the API server answers " + std::to_string(status.code)
                                   : std::string("the API server cannot be reached");
    }
}

}  // namespace

WatchAction WatchMachine::next() const {
    WatchAction action;
    if (pause_ > milliseconds::zero()) {
        action.kind = WatchAction::Kind::pause;
        action.pause = pause_;
    } else if (place_ == Place::listing) {
        action.kind = WatchAction::Kind::list;
        action.begins = begins_;
        action.limit = whole_ ? 0 : rules_.page;
        action.continue_token = continue_token_;
    } else {
        action.kind = WatchAction::Kind::watch;
        action.resource_version = resource_version_;
        action.watch_time = rules_.watch_time;
        const milliseconds longest = rules_.watch_time + std::chrono::seconds(15);
        action.silence = bookmarks_ ? std::min(rules_.bookmark_silence, longest) : longest;
    }
    return action;
}

bool WatchMachine::page_read(const std::string& resource_version,
                             const std::string& continue_token) {
    begins_ = false;
    continue_token_ = continue_token;
    if (!continue_token.empty()) {
        return false;
    }
    resource_version_ = resource_version;
    place_ = Place::watching;
    whole_ = false;
    lost_lists_ = 0;
    worked();
    return true;
}

void WatchMachine::watch_began() {
    lively_ = false;
}

void WatchMachine::event_read(WatchEvent::Type type, const std::string& resource_version) {
    lively_ = true;
    bookmarks_ = bookmarks_ || type == WatchEvent::Type::bookmark;
    if (!resource_version.empty()) {
        resource_version_ = resource_version;
    }
    if (failures_ > 0 || troubled_by_ != 0) {
        failures_ = 0;
        worked();
    }
}

void WatchMachine::paused() {
    pause_ = milliseconds::zero();
}

void WatchMachine::watch_ended(End how, milliseconds lived, double chance) {
    const bool fine = how == End::regular && (lively_ || lived >= shortest_life);
    if (fine || how == End::silent) {
        failures_ = 0;
        return;  // the same again, at once: nothing is lost, as the version says where we were
    }
    ApiStatus status;
    status.message = how == End::broken ? "the connection broke" : "";
    if (how == End::broken && failures_ > 0) {
        notice(status);
    }
    pause(chance, milliseconds::zero());
}

void WatchMachine::refused(const ApiStatus& status, double chance) {
    const bool expired = has_expired(status);
    if (expired) {
        notice_expiry();
    }
    if (place_ == Place::listing && expired) {
        // More was changed meanwhile than the server remembers. The second time: all at once.
        whole_ = ++lost_lists_ >= 2;
        start_over();
        pause(chance, milliseconds::zero());
        return;
    }
    if (!expired) {
        notice(status);
    }
    const bool unusable = status.code == 400 || is_ahead(status) || failures_ >= patience;
    if (place_ == Place::watching && (expired || unusable)) {
        start_over();
    }
    pause(chance, std::chrono::duration_cast<milliseconds>(status.retry_after));
}

void WatchMachine::start_over() {
    place_ = Place::listing;
    begins_ = true;
    lively_ = false;
    continue_token_.clear();
}

/// Between half and the whole of what doubles each time.
void WatchMachine::pause(double chance, milliseconds at_least) {
    auto longest = rules_.first_pause;
    for (std::size_t i = 0; i < failures_ && longest < rules_.longest_pause; ++i) {
        longest *= 2;
    }
    longest = std::min(longest, rules_.longest_pause);
    ++failures_;
    const auto part = std::clamp(chance, 0.0, 1.0) / 2 + 0.5;
    const milliseconds chosen(static_cast<milliseconds::rep>(longest.count() * part));
    pause_ = std::max({chosen, at_least, milliseconds(1)});
}

void WatchMachine::notice(const ApiStatus& status) {
    const int cause = status.code > 0 ? status.code : no_connection;
    if (cause == troubled_by_) {
        return;
    }
    troubled_by_ = cause;
    Notice made;
    made.kind = cause == 401 || cause == 403 ? Notice::Kind::forbidden : Notice::Kind::trouble;
    made.text = advice(status);
    if (!status.message.empty()) {
        made.text += ": " + status.message;
    }
    notice_ = std::move(made);
}

/// What else there is to tell counts for more.
void WatchMachine::notice_expiry() {
    if (notice_) {
        return;
    }
    const bool listing = place_ == Place::listing;
    notice_ = Notice{Notice::Kind::expired,
                     std::string(listing ? "the list has expired between its pages"
                                         : "version " + resource_version_ + " has expired") +
                         " (410): listing again"};
}

void WatchMachine::worked() {
    if (troubled_by_ != 0) {
        troubled_by_ = 0;
        notice_ = Notice{Notice::Kind::recovered, "the API server answers again"};
    }
}

std::optional<WatchMachine::Notice> WatchMachine::take_notice() {
    return std::exchange(notice_, std::nullopt);
}

}  // namespace sparkhost::detail::kubernetes
