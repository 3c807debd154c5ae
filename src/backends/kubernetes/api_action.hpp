// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_API_ACTION_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_API_ACTION_HPP

#include <sparkhost/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sparkhost::detail::kubernetes {

enum class ObjectKind { config_map, secret, service, claim, pod };

/// "ConfigMap" …: for messages.
std::string_view to_string(ObjectKind kind);

/// One request about an object of a ticket; what the machines ask for.
struct ApiAction {
    enum class Verb {
        create,
        create_tombstone,  ///< an empty ConfigMap in place of the real one
        read,
        remove,      ///< the object with this `uid`, and no other of its name
        unfinalize,  ///< takes our finalizer off the pod of this `uid` and `resource_version`
    };
    Verb verb{Verb::read};
    ObjectKind kind{ObjectKind::pod};
    std::size_t index{0};  ///< which claim
    std::string uid{};
    std::string resource_version{};
    std::vector<std::string> finalizers{};  ///< unfinalize: those that stay
    std::string owner{};    ///< create: uid of the ConfigMap, with which the object goes
    std::string refusal{};  ///< create_tombstone: why it was refused; empty: it was killed
    bool operator==(const ApiAction&) const = default;
};

/// Which objects a ticket has, beside ConfigMap and driver pod.
struct ObjectList {
    bool has_secret{false};
    bool has_service{true};
    std::size_t claims{0};  ///< PersistentVolumeClaims
};

/// One object of a ticket.
struct ObjectPart {
    ObjectKind kind{ObjectKind::pod};
    std::size_t index{0};
};

/// In the order in which they are made: what makes it true is the pod, so it is last.
std::vector<ObjectPart> parts_of(const ObjectList& list);

/// A machine's answer to what it has observed: the next request, or the operation's result.
using Move = std::variant<ApiAction, Result<void>>;

inline ApiAction act(ApiAction::Verb verb, ObjectPart part, std::string uid = {}) {
    ApiAction action;
    action.verb = verb;
    action.kind = part.kind;
    action.index = part.index;
    action.uid = std::move(uid);
    return action;
}
inline ApiAction act(ApiAction::Verb verb, ObjectKind kind, std::string uid = {}) {
    return act(verb, ObjectPart{kind, 0}, std::move(uid));
}

}  // namespace sparkhost::detail::kubernetes

#endif
