// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/release_machine.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

using Verb = ApiAction::Verb;

/// A pod's status may change a few times between our look and our patch.
constexpr int max_release_turns = 40;

Move cannot_release(std::string why) {
    return Result<void>(Error(Errc::backend_failed, std::move(why)));
}

}  // namespace

ReleaseMachine::ReleaseMachine(Identity identity, const ObjectList& objects)
    : identity_(std::move(identity)), parts_(parts_of(objects)) {
    std::reverse(parts_.begin(), parts_.end());
}

Move ReleaseMachine::begin() {
    return read_part();
}

Move ReleaseMachine::read_part() {
    at_ = At::reading;
    return act(Verb::read, parts_[at_part_]);
}

Move ReleaseMachine::next_part() {
    if (++at_part_ == parts_.size()) {
        return ok();
    }
    return read_part();
}

Move ReleaseMachine::resume(const ApiAnswer& answer) {
    if (++turns_ > max_release_turns) {
        return cannot_release("its objects are changed by somebody else meanwhile");
    }
    switch (answer.verdict) {
        case ApiVerdict::done:
            break;
        case ApiVerdict::missing:
            return next_part();
        case ApiVerdict::conflict:
        case ApiVerdict::exists:
            return read_part();
        default:
            return cannot_release(answer.words);
    }
    if (at_ == At::reading) {
        return found(answer.object);
    }
    // The answer to the deletion of a pod with finalizers is the pod, which is still there.
    const bool is_left = at_ == At::removing && part() == ObjectKind::pod &&
                         answer.object.identity == identity_ && answer.object.is_guarded();
    return is_left ? unfinalize(answer.object) : next_part();
}

Move ReleaseMachine::found(const ApiObject& object) {
    if (object.identity != identity_) {
        return next_part();
    }
    if (!object.deleting) {
        at_ = At::removing;
        return act(Verb::remove, parts_[at_part_], object.uid);
    }
    return part() == ObjectKind::pod && object.is_guarded() ? unfinalize(object) : next_part();
}

Move ReleaseMachine::unfinalize(const ApiObject& pod) {
    at_ = At::unfinalizing;
    auto action = act(Verb::unfinalize, ObjectKind::pod, pod.uid);
    action.resource_version = pod.resource_version;
    for (const auto& each : pod.finalizers) {
        if (each != end_recorded_finalizer) {
            action.finalizers.push_back(each);
        }
    }
    return action;
}

}  // namespace sparkhost::detail::kubernetes
