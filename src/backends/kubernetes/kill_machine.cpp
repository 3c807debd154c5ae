// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/kill_machine.hpp"

#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

using Verb = ApiAction::Verb;

constexpr int max_kill_turns = 24;

Move cannot_kill(std::string why) {
    return Result<void>(Error(Errc::backend_failed, std::move(why)));
}

}  // namespace

Move KillMachine::begin() {
    return look_for_pod();
}

Move KillMachine::resume(const ApiAnswer& answer) {
    if (++turns_ > max_kill_turns) {
        return cannot_kill("its objects are made and removed by somebody else meanwhile");
    }
    switch (at_) {
        case At::read_pod:
            return pod_read(answer);
        case At::remove_pod:
            return pod_removed(answer);
        case At::place_tombstone:
            return tombstone_placed(answer);
        case At::read_config_map:
            return config_map_read(answer);
        case At::remove_config_map:
            return config_map_removed(answer);
    }
    return cannot_kill("no such step");
}

Move KillMachine::go(At at, ApiAction action) {
    at_ = at;
    return action;
}

Move KillMachine::look_for_pod() {
    return go(At::read_pod, act(Verb::read, ObjectKind::pod));
}

Move KillMachine::place_tombstone() {
    return go(At::place_tombstone, act(Verb::create_tombstone, ObjectKind::config_map));
}

Move KillMachine::pod_read(const ApiAnswer& answer) {
    if (answer.verdict == ApiVerdict::missing) {
        return no_driver();
    }
    if (answer.verdict != ApiVerdict::done) {
        return cannot_kill(answer.words);
    }
    const auto& pod = answer.object;
    if (pod.identity != identity_) {
        return no_driver();
    }
    if (!pod.is_guarded() && !fenced_) {
        return place_tombstone();  // somebody has taken the finalizer away: the name may get free
    }
    if (pod.has_ended() || pod.deleting) {
        return ok();
    }
    return go(At::remove_pod, act(Verb::remove, ObjectKind::pod, pod.uid));
}

Move KillMachine::no_driver() {
    if (!fenced_) {
        return place_tombstone();
    }
    found_no_driver_ = true;
    return ok();
}

Move KillMachine::pod_removed(const ApiAnswer& answer) {
    switch (answer.verdict) {
        case ApiVerdict::done:
            return ok();
        case ApiVerdict::missing:
        case ApiVerdict::conflict:
            return look_for_pod();
        default:
            return cannot_kill(answer.words);
    }
}

Move KillMachine::tombstone_placed(const ApiAnswer& answer) {
    switch (answer.verdict) {
        case ApiVerdict::done:
        case ApiVerdict::missing:           // no namespace
        case ApiVerdict::namespace_ending:  // which takes nothing new
            fenced_ = true;
            return look_for_pod();
        case ApiVerdict::exists:
        case ApiVerdict::conflict:
            return go(At::read_config_map, act(Verb::read, ObjectKind::config_map));
        default:
            return cannot_kill(answer.words);
    }
}

Move KillMachine::config_map_read(const ApiAnswer& answer) {
    if (answer.verdict == ApiVerdict::missing) {
        return place_tombstone();
    }
    if (answer.verdict != ApiVerdict::done) {
        return cannot_kill(answer.words);
    }
    const auto& found = answer.object;
    if (found.identity == identity_ && !found.killed) {
        return go(At::remove_config_map, act(Verb::remove, ObjectKind::config_map, found.uid));
    }
    fenced_ = true;  // a tombstone, or a stranger's: no submit gets past either
    return look_for_pod();
}

Move KillMachine::config_map_removed(const ApiAnswer& answer) {
    switch (answer.verdict) {
        case ApiVerdict::done:
        case ApiVerdict::missing:
            return place_tombstone();
        case ApiVerdict::conflict:
            return go(At::read_config_map, act(Verb::read, ObjectKind::config_map));
        default:
            return cannot_kill(answer.words);
    }
}

}  // namespace sparkhost::detail::kubernetes
