// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_STORE_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_STORE_HPP

// What etcd is to the real server: versioned objects and a bounded history of their changes.

#include "support/fake_kubernetes/object.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sparkhost::test::k8s {

enum class Change { added, modified, deleted };

struct StoreEvent {
    Change change{Change::added};
    ObjectPtr object{};  ///< with the version of this change
    ObjectPtr before{};  ///< null: it was not there
};

class Store {
public:
    using Listener = std::function<void(const StoreEvent&)>;

    std::uint64_t version() const { return version_; }
    /// Changes after this version are still known.
    std::uint64_t compacted() const { return compacted_; }
    /// Forgets the history.
    void compact();
    void keep_history(std::size_t changes) { history_limit_ = changes; }

    ObjectPtr find(const ResourceType& type, const std::string& ns, const std::string& name) const;
    /// In the order of namespace and name. Empty `ns`: of all namespaces.
    std::vector<ObjectPtr> all(const ResourceType& type, const std::string& ns = {}) const;
    std::size_t count(const ResourceType& type, const std::string& ns) const;

    /// Gives it uid, version and time of creation.
    ObjectPtr create(const ResourceType& type, const std::string& ns, const std::string& name,
                     json::object data);
    /// The next version; the same one if nothing changes.
    ObjectPtr replace(const ObjectPtr& old, json::object data);
    void remove(const ObjectPtr& old);
    /// replace(), or remove() if it was only waiting for its last finalizer.
    ObjectPtr replace_or_finish(const ObjectPtr& old, json::object data);

    /// Changes after `version`, oldest first.
    std::vector<StoreEvent> since(std::uint64_t version) const;
    std::size_t listen(Listener listener);
    void forget(std::size_t listener) { listeners_.erase(listener); }

private:
    using Objects = std::map<std::string, ObjectPtr>;
    Objects& objects(const ResourceType& type) { return objects_[&type]; }
    ObjectPtr stamped(Object object);
    void tell(StoreEvent event);

    std::map<const ResourceType*, Objects> objects_{};
    std::uint64_t version_{100};
    std::uint64_t compacted_{0};
    std::size_t history_limit_{5000};
    std::deque<StoreEvent> history_{};
    std::map<std::size_t, Listener> listeners_{};
    std::size_t next_listener_{0};
};

}  // namespace sparkhost::test::k8s

#endif
