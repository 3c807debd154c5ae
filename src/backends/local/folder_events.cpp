// SPDX-License-Identifier: Apache-2.0
#include "backends/local/folder_events.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstring>
#include <utility>

#include <sys/inotify.h>

namespace sparkhost::detail::local {

namespace {

constexpr std::uint32_t watched_changes =
    IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR;

}  // namespace

FolderEvents::Subscription::Subscription(std::shared_ptr<FolderEvents> events,
                                         const asio::any_io_executor& strand,
                                         const std::string& folder)
    : events_(std::move(events)), wake_(strand, asio::steady_timer::time_point::max()) {
    watch_ = events_->add(this, strand, folder);
}

FolderEvents::Subscription::~Subscription() {
    events_->remove(this);
}

asio::awaitable<bool> FolderEvents::Subscription::wait() {
    if (!changed_ && watch_ >= 0) {
        boost::system::error_code ignored;
        co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_return std::exchange(changed_, false);
}

int FolderEvents::add(Subscription* subscription, const asio::any_io_executor& strand,
                      const std::string& folder) {
    if (!stream_) {
        int fd = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (fd < 0) {
            return -1;
        }
        stream_ = std::make_shared<asio::posix::stream_descriptor>(strand, fd);
        asio::co_spawn(strand, read(shared_from_this(), stream_), asio::detached);
    }
    int watch = ::inotify_add_watch(stream_->native_handle(), folder.c_str(), watched_changes);
    // kept also without a watch, so that the last one to go closes the stream
    subscriptions_.emplace(watch, subscription);
    return watch;
}

void FolderEvents::remove(Subscription* subscription) {
    std::erase_if(subscriptions_,
                  [subscription](const auto& entry) { return entry.second == subscription; });
    if (!stream_) {
        return;
    }
    boost::system::error_code ignored;
    if (subscriptions_.empty()) {
        stream_->close(ignored);
        stream_.reset();
    } else if (subscription->watch_ >= 0 && !subscriptions_.contains(subscription->watch_)) {
        ::inotify_rm_watch(stream_->native_handle(), subscription->watch_);
    }
}

void FolderEvents::notify(int watch, bool vanished) {
    auto [begin, end] = subscriptions_.equal_range(watch);
    for (auto entry = begin; entry != end; ++entry) {
        entry->second->changed_ = true;
        entry->second->wake_.cancel();
        if (vanished) {
            entry->second->watch_ = -1;
        }
    }
}

void FolderEvents::dispatch(const char* events, std::size_t size) {
    while (size >= sizeof(inotify_event)) {
        inotify_event event;
        std::memcpy(&event, events, sizeof event);
        const std::size_t length = sizeof event + event.len;
        if (length > size) {
            break;
        }
        if (event.mask & IN_Q_OVERFLOW) {
            for (auto& [watch, subscription] : subscriptions_) {
                subscription->changed_ = true;
                subscription->wake_.cancel();
            }
        } else {
            notify(event.wd, (event.mask & IN_IGNORED) != 0);
        }
        events += length;
        size -= length;
    }
}

asio::awaitable<void> FolderEvents::read(std::shared_ptr<FolderEvents> self,
                                         std::shared_ptr<asio::posix::stream_descriptor> stream) {
    char buffer[4096];
    for (;;) {
        boost::system::error_code failed;
        std::size_t got = co_await stream->async_read_some(
            asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, failed));
        if (failed) {
            co_return;
        }
        self->dispatch(buffer, got);
    }
}

}  // namespace sparkhost::detail::local
