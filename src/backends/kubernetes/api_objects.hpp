// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_API_OBJECTS_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_API_OBJECTS_HPP

// What the tracker needs of the API server's objects, and nothing else. Everything in here comes
// from outside: texts are bounded, and a field of another type than it should have is not there.

#include <sparkhost/clock.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::kubernetes {

inline constexpr std::string_view driver_container = "spark-kubernetes-driver";
/// Why we gave up a pod that could not start; on the pod before it is deleted, so that a host that
/// dies in between still knows whose wish the deletion was.
inline constexpr std::string_view given_up_annotation = "sparkhost.io/given-up";

struct ContainerView {
    enum class State { none, waiting, running, terminated };
    std::string name{};
    State state{State::none};
    std::string reason{};   ///< of `waiting` and `terminated`
    std::string message{};  ///< the same
    int exit_code{0};       ///< of `terminated`
    int signal{0};          ///< the same
    std::string image{};
    std::optional<Timestamp> started{};
    std::optional<Timestamp> finished{};
};

struct ConditionView {
    enum class Value { unknown, yes, no };
    Value value{Value::unknown};
    std::string reason{};
    std::string message{};
    std::optional<Timestamp> since{};
};

enum class PodPhase { unknown, pending, running, succeeded, failed };

/// A driver pod, or the metadata of any pod.
struct PodView {
    std::string name{};
    std::string name_space{};
    std::string uid{};
    std::string resource_version{};
    std::string ticket{};          ///< label
    std::string nonce{};           ///< label
    std::string application_id{};  ///< label spark-app-selector
    std::string given_up{};        ///< annotation
    bool protected_by_us{false};   ///< it has our finalizer
    std::optional<Timestamp> created{};
    std::optional<Timestamp> deletion{};  ///< it is being deleted; the end of its grace period
    std::optional<std::int64_t> deletion_grace{};
    std::string node{};
    PodPhase phase{PodPhase::unknown};
    std::string reason{};
    std::string message{};
    ConditionView scheduled{};
    ConditionView disrupted{};  ///< DisruptionTarget
    ContainerView driver{};
    /// Another container that keeps the driver from starting: an init container or a sidecar.
    ContainerView obstacle{};
};

/// A metav1.Status, or what can be said of an answer that is none.
struct ApiStatus {
    int code{0};
    std::string reason{};   ///< "Expired", "Forbidden" …
    std::string message{};  ///< for people
    std::chrono::seconds retry_after{0};
};

struct WatchEvent {
    enum class Type { added, modified, deleted, bookmark, error };
    Type type{Type::added};
    PodView pod{};       ///< of a bookmark: only resource_version
    ApiStatus status{};  ///< of an error
};

struct PodPage {
    std::vector<PodView> pods{};
    std::string resource_version{};
    std::string continue_token{};  ///< empty: this was the last page
};

/// A core/v1 Event about a pod.
struct PodEvent {
    std::string reason{};  ///< "FailedMount", "Pulled" …
    std::string message{};
    Timestamp first{};
    Timestamp last{};
};

}  // namespace sparkhost::detail::kubernetes

#endif
