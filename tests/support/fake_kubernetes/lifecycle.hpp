// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_LIFECYCLE_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_LIFECYCLE_HPP

// Graceful deletion, finalizers, and the garbage collector.

#include "support/fake_kubernetes/store.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>

namespace sparkhost::test::k8s {

struct DeleteOptions {
    std::optional<std::int64_t> grace_seconds{};
    std::string uid{};               ///< precondition; empty: none
    std::string resource_version{};  ///< precondition; empty: none
};

struct Deletion {
    ObjectPtr object{};  ///< as the answer shows it
    bool gone{false};
};

/// As the real server does it. Throws Refusal for a precondition that does not hold.
Deletion delete_object(Store& store, const ObjectPtr& object, const DeleteOptions& options);

/// Deletes what belonged to an object that is gone, a moment later.
class GarbageCollector {
public:
    GarbageCollector(Store& store, boost::asio::any_io_executor executor);

private:
    struct Dependent {
        const ResourceType* type;
        std::string ns;
        std::string name;
        std::string uid;
        auto operator<=>(const Dependent&) const = default;
    };
    void see(const StoreEvent& event);
    void collect(const Dependent& dependent);

    Store& store_;
    boost::asio::any_io_executor executor_;
    std::map<std::string, std::set<Dependent>> by_owner_{};
    std::set<std::string> alive_{};
};

}  // namespace sparkhost::test::k8s

#endif
