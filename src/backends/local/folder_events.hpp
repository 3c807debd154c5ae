// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_FOLDER_EVENTS_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_FOLDER_EVENTS_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>
#include <string>

namespace sparkhost::detail::local {

namespace asio = boost::asio;

/// Tells when something in a folder changes (inotify(7)); one kernel object for all folders. For
/// one strand.
class FolderEvents : public std::enable_shared_from_this<FolderEvents> {
public:
    /// Interest in one folder, from its construction on.
    class Subscription {
    public:
        Subscription(std::shared_ptr<FolderEvents> events, const asio::any_io_executor& strand,
                     const std::string& folder);
        Subscription(const Subscription&) = delete;
        Subscription& operator=(const Subscription&) = delete;
        ~Subscription();

        /// False when the kernel does not watch: there is no such folder, or no watch left.
        bool is_watching() const noexcept { return watch_ >= 0; }

        /// Completes after a change since the construction or the last completed wait; returns
        /// false when it was cancelled instead.
        asio::awaitable<bool> wait();

    private:
        friend class FolderEvents;
        std::shared_ptr<FolderEvents> events_;
        asio::steady_timer wake_;
        int watch_{-1};
        bool changed_{false};
    };

private:
    int add(Subscription* subscription, const asio::any_io_executor& strand,
            const std::string& folder);
    void remove(Subscription* subscription);
    void dispatch(const char* events, std::size_t size);
    void notify(int watch, bool vanished);
    static asio::awaitable<void> read(std::shared_ptr<FolderEvents> self,
                                      std::shared_ptr<asio::posix::stream_descriptor> stream);

    std::shared_ptr<asio::posix::stream_descriptor> stream_{};  ///< while anybody is interested
    std::multimap<int, Subscription*> subscriptions_{};
};

}  // namespace sparkhost::detail::local

#endif
