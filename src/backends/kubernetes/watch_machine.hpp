// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_WATCH_MACHINE_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_WATCH_MACHINE_HPP

#include "backends/kubernetes/api_objects.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace sparkhost::detail::kubernetes {

struct WatchRules {
    std::size_t page{500};  ///< objects per page of a list
    /// The server ends a watch after this time, which is one request.
    std::chrono::seconds watch_time{240};
    /// A server that sends bookmarks does so every minute.
    std::chrono::milliseconds bookmark_silence{std::chrono::seconds{100}};
    std::chrono::milliseconds first_pause{200};
    std::chrono::milliseconds longest_pause{std::chrono::seconds{30}};
};

/// What to do next.
struct WatchAction {
    enum class Kind { list, watch, pause };
    Kind kind{Kind::list};
    bool begins{false};                    ///< of `list`: it is the first page of a new list
    std::size_t limit{0};                  ///< of `list`; zero: everything at once
    std::string continue_token{};          ///< of `list`; empty: from the beginning
    std::string resource_version{};        ///< of `watch`
    std::chrono::seconds watch_time{0};    ///< of `watch`
    std::chrono::milliseconds silence{0};  ///< of `watch`: without a byte for longer it is dead
    std::chrono::milliseconds pause{0};    ///< of `pause`
};

/// Lists and watches one kind of object: list → watch → the same watch again when it ends → a new
/// list when the server no longer knows where we were. Told what happens, it says what to do.
///
/// `chance` is random, from [0, 1): pauses differ, so that not everybody comes back at once.
class WatchMachine {
public:
    explicit WatchMachine(WatchRules rules = {}) : rules_(rules) {}

    WatchAction next() const;

    // What came of the action.
    /// True: it was the last page, so everything has been listed.
    bool page_read(const std::string& resource_version, const std::string& continue_token);
    void watch_began();
    /// An object or a bookmark; of an object that is older than what was seen before, too.
    void event_read(WatchEvent::Type type, const std::string& resource_version);
    void paused();
    enum class End {
        regular,  ///< the server ended it
        broken,   ///< the connection broke, or what came was not understood
        silent    ///< nothing came for too long
    };
    /// `lived`: since the server took it.
    void watch_ended(End how, std::chrono::milliseconds lived, double chance);
    /// An answer that is no success, of either request, or an ERROR event. No connection: code 0.
    void refused(const ApiStatus& status, double chance);

    /// Something a person should know: trouble, once for each cause until it works again, and then
    /// that; each time that the place in the server's history is lost.
    struct Notice {
        enum class Kind { trouble, forbidden, recovered, expired };
        Kind kind{Kind::trouble};
        std::string text{};
    };
    std::optional<Notice> take_notice();

    const std::string& resource_version() const { return resource_version_; }

private:
    void start_over();
    void pause(double chance, std::chrono::milliseconds at_least);
    void worked();
    void notice(const ApiStatus& status);
    void notice_expiry();

    WatchRules rules_;
    enum class Place { listing, watching };
    Place place_{Place::listing};
    bool begins_{true};
    bool whole_{false};  ///< a list in pages expired on the way: everything at once
    std::string resource_version_{};
    std::string continue_token_{};
    bool bookmarks_{false};  ///< this server sends them
    bool lively_{false};     ///< the present watch has said something
    std::size_t failures_{0};
    std::size_t lost_lists_{0};  ///< lists in pages that expired, in a row
    std::chrono::milliseconds pause_{0};
    int troubled_by_{0};  ///< code of the trouble that was told; 0: none
    std::optional<Notice> notice_{};
};

}  // namespace sparkhost::detail::kubernetes

#endif
