// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_API_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_API_HPP

// From a request to its answer; no sockets here.

#include "support/fake_kubernetes/lifecycle.hpp"
#include "support/fake_kubernetes/selector.hpp"
#include "support/fake_kubernetes/status.hpp"
#include "support/fake_kubernetes/store.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost::test::k8s {

struct ApiRequest {
    std::string method{};
    std::string target{};
    std::string accept{};
    std::string content_type{};
    std::string authorization{};
    std::string user_agent{};
    std::string body{};
};

/// A watch that has been granted.
struct WatchPlan {
    const ResourceType* type{nullptr};
    std::string ns{};
    Selector selector{};
    bool bookmarks{false};
    bool metadata_only{false};
    std::chrono::seconds timeout{1800};
    std::vector<std::string> first{};  ///< lines to begin with
    std::vector<StoreEvent> missed{};  ///< changes since the version asked for
    bool over{false};                  ///< nothing follows: `first` is an ERROR
    /// The line of this change for this watch; empty: none.
    std::string line(const StoreEvent& event) const;
    std::string bookmark(std::uint64_t version, bool ends_initial_events = false) const;
};

/// A log that may be read.
struct LogPlan {
    ObjectPtr pod{};
    bool follow{false};
    bool timestamps{false};
    std::optional<WallTime> since{};
    std::optional<std::size_t> tail{};
    std::optional<std::size_t> limit_bytes{};
};

struct ApiAnswer {
    int status{200};
    std::string content_type{"application/json"};
    std::string body{};
    std::vector<std::pair<std::string, std::string>> headers{};
    std::optional<WatchPlan> watch{};
    std::optional<LogPlan> log{};
};

/// Who may do what.
struct Access {
    std::map<std::string, std::string> tokens{};  ///< token -> user; empty: anybody is "admin"
    /// False: 403. `what` is "pods" or "pods/log". Default: everything is allowed.
    std::function<bool(const std::string& user, const std::string& verb, const std::string& what,
                       const std::string& ns)>
        allows{};
};

class Api {
public:
    explicit Api(Store& store) : store_(store) {}

    Access access{};
    std::map<std::string, std::size_t> pod_quota{};  ///< by namespace
    std::size_t continues_kept{64};
    std::string git_version{"v1.36.3"};

    ApiAnswer handle(const ApiRequest& request);
    /// Reads that accept any version (resourceVersion=0) are answered from what there is now,
    /// until thaw(): a server whose watch cache lags behind.
    void freeze_cache();
    void thaw_cache() { frozen_.reset(); }

private:
    struct Path {
        const ResourceType* type{nullptr};
        std::string ns{};
        std::string name{};
        std::string sub{};
        std::map<std::string, std::string> query{};
        std::string get(const std::string& key) const;
        bool is_set(const std::string& key) const;
    };
    struct Frozen {
        std::uint64_t version;
        std::map<const ResourceType*, std::vector<ObjectPtr>> objects;
    };
    struct Snapshot {
        std::vector<ObjectPtr> rest;
        std::uint64_t version;
    };

    static std::optional<Path> parse(const std::string& target);
    std::string user_of(const ApiRequest& request) const;
    void check_access(const std::string& user, const ApiRequest& request, const Path& path) const;
    ApiAnswer dispatch(const ApiRequest& request, const Path& path);
    ApiAnswer get(const ApiRequest& request, const Path& path);
    ApiAnswer list(const ApiRequest& request, const Path& path);
    ApiAnswer watch(const ApiRequest& request, const Path& path);
    ApiAnswer log(const Path& path);
    ApiAnswer create(const ApiRequest& request, const Path& path);
    ApiAnswer update(const ApiRequest& request, const Path& path);
    ApiAnswer patch(const ApiRequest& request, const Path& path);
    ApiAnswer remove(const ApiRequest& request, const Path& path);
    ApiAnswer remove_all(const ApiRequest& request, const Path& path);
    ApiAnswer review(const ApiRequest& request) const;
    ApiAnswer store_change(const ObjectPtr& there, json::object data);
    ObjectPtr find(const Path& path) const;
    void check_namespace(const std::string& ns) const;
    Snapshot begin_list(const Path& path) const;

    Store& store_;
    std::optional<Frozen> frozen_{};
    std::map<std::string, Snapshot> continues_{};
    std::deque<std::string> continue_order_{};
    std::uint64_t next_continue_{0};
};

}  // namespace sparkhost::test::k8s

#endif
