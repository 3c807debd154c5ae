// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_KUBERNETES_MODEL_CLUSTER_HPP
#define SPARKHOST_TESTS_KUBERNETES_MODEL_CLUSTER_HPP

#include "backends/kubernetes/api_action.hpp"
#include "backends/kubernetes/api_answer.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace sparkhost::detail::kubernetes::test {

inline Identity our_identity() {
    return {"5f6e7d8c-0000", "spark-5f6e7d8c-batch-7-1", "0123456789abcdef"};
}
inline Identity foreign_identity() {
    return {"5f6e7d8c-0000", "spark-5f6e7d8c-batch-7-1", "fedcba9876543210"};
}

inline ApiAnswer answer_of(ApiVerdict verdict) {
    ApiAnswer answer;
    answer.verdict = verdict;
    answer.words = "says " + std::string(to_string(verdict));
    return answer;
}

/// The API server and a kubelet that starts a driver at the first moment it can, as far as the
/// machines' requests go: one ticket's objects by name.
class ModelCluster {
public:
    struct Object {
        ApiObject view{};
        bool started{false};  ///< a pod: user code has begun
    };
    using Key = std::pair<ObjectKind, std::size_t>;

    std::map<Key, Object> objects{};
    int starts{0};  ///< of user code, by any pod

    Object* find(ObjectKind kind, std::size_t index = 0) {
        const auto found = objects.find({kind, index});
        return found == objects.end() ? nullptr : &found->second;
    }

    void put(ObjectKind kind, Identity identity, bool guarded = true) {
        Object object;
        object.view.uid = "uid-" + std::to_string(++made_);
        object.view.resource_version = std::to_string(made_);
        object.view.identity = std::move(identity);
        if (kind == ObjectKind::pod) {
            object.view.phase = "Pending";
            if (guarded) {
                object.view.finalizers = {std::string(end_recorded_finalizer)};
            }
        }
        objects[{kind, 0}] = std::move(object);
        run_kubelet();
    }

    ApiAnswer perform(const ApiAction& action) {
        const Key key{action.kind, action.index};
        ApiAnswer answer = apply(action, key);
        run_kubelet();
        return answer;
    }

    /// The driver ends by itself, or because it was told to.
    void end_driver() {
        if (auto* pod = find(ObjectKind::pod)) {
            pod->view.phase = "Succeeded";
            pod->view.resource_version = std::to_string(++made_);
        }
    }

private:
    ApiAnswer apply(const ApiAction& action, const Key& key) {
        const auto found = objects.find(key);
        using Verb = ApiAction::Verb;
        if (action.verb == Verb::create || action.verb == Verb::create_tombstone) {
            if (found != objects.end()) {
                return answer_of(ApiVerdict::exists);
            }
            return make(action, key);
        }
        if (found == objects.end()) {
            return answer_of(ApiVerdict::missing);
        }
        auto& view = found->second.view;
        ApiAnswer answer = answer_of(ApiVerdict::done);
        if (action.verb == Verb::read) {
            answer.object = view;
            return answer;
        }
        const bool other_version =
            action.verb == Verb::unfinalize && action.resource_version != view.resource_version;
        if (action.uid != view.uid || other_version) {
            return answer_of(ApiVerdict::conflict);
        }
        if (action.verb == Verb::unfinalize) {
            view.finalizers = action.finalizers;
        } else {
            view.deleting = true;
        }
        view.resource_version = std::to_string(++made_);
        answer.object = view;
        if (view.deleting && view.finalizers.empty()) {
            objects.erase(found);
        }
        return answer;
    }

    ApiAnswer make(const ApiAction& action, const Key& key) {
        Object object;
        object.view.uid = "uid-" + std::to_string(++made_);
        object.view.resource_version = std::to_string(made_);
        object.view.identity = our_identity();
        if (action.verb == ApiAction::Verb::create_tombstone) {
            object.view.killed = action.refusal.empty();
            object.view.refused = !action.refusal.empty();
            object.view.reason = action.refusal;
        }
        if (action.kind == ObjectKind::pod) {
            object.view.phase = "Pending";
            object.view.finalizers = {std::string(end_recorded_finalizer)};
        }
        ApiAnswer answer = answer_of(ApiVerdict::done);
        answer.object = object.view;
        objects[key] = std::move(object);
        return answer;
    }

    /// A driver starts as soon as its properties can be mounted.
    void run_kubelet() {
        auto* pod = find(ObjectKind::pod);
        const auto* config_map = find(ObjectKind::config_map);
        if (pod == nullptr || config_map == nullptr || pod->started || pod->view.deleting) {
            return;
        }
        const bool is_real = config_map->view.identity == our_identity() &&
                             !config_map->view.killed && !config_map->view.refused;
        if (is_real && pod->view.identity == our_identity()) {
            pod->started = true;
            pod->view.phase = "Running";
            ++starts;
        }
    }

    int made_{0};
};

}  // namespace sparkhost::detail::kubernetes::test

#endif
