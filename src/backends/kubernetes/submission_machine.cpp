// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/submission_machine.hpp"

#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

using Verb = ApiAction::Verb;

/// Somebody makes and removes the same names; the host asks again later.
constexpr int max_submission_turns = 24;

bool is_refusal(ApiVerdict verdict) {
    switch (verdict) {
        case ApiVerdict::forbidden:
        case ApiVerdict::quota:
        case ApiVerdict::namespace_ending:
        case ApiVerdict::invalid:
        case ApiVerdict::missing:
            return true;
        default:
            return false;
    }
}

}  // namespace

SubmissionMachine::SubmissionMachine(SubmissionPlan plan)
    : plan_(std::move(plan)), parts_(parts_of(plan_.objects)) {}

Move SubmissionMachine::begin() {
    reading_ = false;
    refusal_ = ApiVerdict::done;
    const bool needs_contents = part() == ObjectKind::config_map || part() == ObjectKind::secret;
    if (needs_contents && !plan_.unreadable.empty()) {
        refusal_ = ApiVerdict::invalid;
        why_ = plan_.unreadable;
        return read();
    }
    auto action = act(Verb::create, parts_[at_]);
    action.owner = owner_;
    return action;
}

Move SubmissionMachine::read() {
    reading_ = true;
    return act(Verb::read, parts_[at_]);
}

Move SubmissionMachine::resume(const ApiAnswer& answer) {
    if (++turns_ > max_submission_turns) {
        return Result<void>(Error(Errc::indeterminate,
                                  "its objects are made and removed by somebody else meanwhile"));
    }
    if (settling_ != Settling::no) {
        return settle(answer);
    }
    return reading_ ? looked(answer) : created(answer);
}

Move SubmissionMachine::next_part() {
    if (++at_ == parts_.size()) {
        return ok();
    }
    return begin();
}

Move SubmissionMachine::created(const ApiAnswer& answer) {
    const auto verdict = answer.verdict;
    if (verdict == ApiVerdict::done) {
        return adopted(answer.object);
    }
    const bool taken = verdict == ApiVerdict::exists || verdict == ApiVerdict::conflict;
    if (!taken && !is_refusal(verdict)) {
        return not_now(answer);
    }
    if (!taken) {
        // Admission (a quota, a policy) comes before the look whether the name is taken: what was
        // made by a create whose answer was lost may be there all the same.
        refusal_ = verdict;
        why_ = answer.words;
    }
    return read();
}

Move SubmissionMachine::looked(const ApiAnswer& answer) {
    if (answer.verdict == ApiVerdict::missing) {
        return gone();
    }
    if (answer.verdict != ApiVerdict::done) {
        return not_now(answer);
    }
    if (answer.object.identity == plan_.identity) {
        return adopted(answer.object);
    }
    std::string why = "the name of its " + std::string(to_string(part())) +
                      " is taken by an object that is not this application's";
    if (part() == ObjectKind::config_map) {
        return Result<void>(Error(Errc::backend_failed, std::move(why)));
    }
    return give_up(std::move(why));
}

Move SubmissionMachine::adopted(const ApiObject& found) {
    if (part() == ObjectKind::config_map && found.killed) {
        return Result<void>(Error(Errc::invalid_state, "it was killed before it was started"));
    }
    if (part() == ObjectKind::config_map && found.refused) {
        return give_up(found.reason);
    }
    if (part() == ObjectKind::config_map) {
        owner_ = found.uid;
    }
    return next_part();
}

Move SubmissionMachine::gone() {
    if (refusal_ == ApiVerdict::done) {
        return begin();  // removed between the two looks
    }
    if (refusal_ == ApiVerdict::quota && plan_.wait_for_quota) {
        return Result<void>(Error(Errc::indeterminate, why_));
    }
    if (part() == ObjectKind::config_map) {
        return Result<void>(Error(Errc::backend_failed, why_));  // no driver without it
    }
    return give_up(why_);
}

Move SubmissionMachine::give_up(std::string why) {
    why_ = std::move(why);
    return settle_by(Settling::read_config_map, act(Verb::read, ObjectKind::config_map));
}

Move SubmissionMachine::settle_by(Settling step, ApiAction action) {
    settling_ = step;
    return action;
}

Move SubmissionMachine::settle(const ApiAnswer& answer) {
    const auto verdict = answer.verdict;
    const bool is_done = verdict == ApiVerdict::done;
    switch (settling_) {
        case Settling::no:
        case Settling::read_config_map:
            return settle_config_map(answer);
        case Settling::remove_config_map:
            if (is_done || verdict == ApiVerdict::missing) {
                auto place = act(Verb::create_tombstone, ObjectKind::config_map);
                place.refusal = why_;
                return settle_by(Settling::place_tombstone, std::move(place));
            }
            break;
        case Settling::place_tombstone:
            // where it cannot be placed there is no ConfigMap at all, and no driver without one
            if (is_done || is_refusal(verdict)) {
                return settle_by(Settling::read_pod, act(Verb::read, ObjectKind::pod));
            }
            break;
        case Settling::read_pod:
            if (verdict == ApiVerdict::missing ||
                (is_done && answer.object.identity != plan_.identity)) {
                return Result<void>(Error(Errc::backend_failed, why_));
            }
            if (is_done) {
                return ok();  // a create that came late: the watch says what becomes of it
            }
            break;
    }
    if (verdict == ApiVerdict::exists || verdict == ApiVerdict::conflict) {
        return settle_by(Settling::read_config_map, act(Verb::read, ObjectKind::config_map));
    }
    return not_now(answer);
}

Move SubmissionMachine::settle_config_map(const ApiAnswer& answer) {
    const bool is_done = answer.verdict == ApiVerdict::done;
    if (!is_done && answer.verdict != ApiVerdict::missing) {
        return not_now(answer);
    }
    const auto& found = answer.object;
    const bool is_ours = is_done && found.identity == plan_.identity;
    if (is_ours && !found.killed && !found.refused) {
        return settle_by(Settling::remove_config_map,
                         act(Verb::remove, ObjectKind::config_map, found.uid));
    }
    if (is_done) {
        return settle_by(Settling::read_pod, act(Verb::read, ObjectKind::pod));
    }
    auto place = act(Verb::create_tombstone, ObjectKind::config_map);
    place.refusal = why_;
    return settle_by(Settling::place_tombstone, std::move(place));
}

Move SubmissionMachine::not_now(const ApiAnswer& answer) const {
    std::string words = answer.words;
    if (settling_ != Settling::no || refusal_ != ApiVerdict::done) {
        words = why_ + "; whether it was started before is not known: " + words;
    }
    return Result<void>(Error(Errc::indeterminate, std::move(words)));
}

}  // namespace sparkhost::detail::kubernetes
