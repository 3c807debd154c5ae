// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/submission_machine.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost::detail::yarn {

namespace {

using namespace std::chrono_literals;
using SubmitDo = SubmissionStep::Do;

constexpr int most_posts = 3;
constexpr std::chrono::milliseconds first_pause{20ms};
constexpr std::chrono::milliseconds longest_pause{1s};
/// Storing takes some tenths of a second, and some seconds when the cluster is busy.
constexpr std::chrono::milliseconds longest_wait{30s};

SubmissionMove not_known(std::string words) {
    return Result<void>(Error(Errc::indeterminate, std::move(words)));
}

bool is_stored(const AppSight& sight) {
    return sight.state != AppState::new_ && sight.state != AppState::new_saving;
}

}  // namespace

SubmissionMove SubmissionMachine::begin(const guarded::TicketFacts& facts,
                                        const guarded::ClaimSight& claim) {
    if (claim.held || (facts.end && facts.end->outcome == Outcome::success)) {
        return ok();
    }
    if (facts.kill_requested || (claim.killed && !facts.end)) {
        return Result<void>(Error(Errc::invalid_state, "it was killed before it was started"));
    }
    if (facts.end && facts.drivers.empty()) {
        return Result<void>(Error(Errc::backend_failed, facts.end->reason));
    }
    if (facts.end || !facts.drivers.empty()) {
        return ok();
    }
    id_ = facts.intended;
    return SubmissionStep{id_.empty() ? SubmitDo::take_id : SubmitDo::look, {}, {}};
}

SubmissionMove SubmissionMachine::got_id(const Result<std::string>& id) {
    if (!id) {
        return not_known(id.error().detail);
    }
    id_ = *id;
    return SubmissionStep{SubmitDo::note_id, id_, {}};
}

SubmissionMove SubmissionMachine::noted(const Result<void>& done) const {
    if (!done) {
        return not_known(done.error().detail);
    }
    return SubmissionStep{SubmitDo::stage, {}, {}};
}

SubmissionMove SubmissionMachine::looked(const AppLook& look) {
    switch (look.verdict) {
        case AppLook::Verdict::found:
            return is_stored(look.sight) ? SubmissionStep{SubmitDo::remember, id_, {}} : wait();
        case AppLook::Verdict::absent:
            if (!staged_) {
                return SubmissionStep{SubmitDo::stage, {}, {}};
            }
            if (posts_ < most_posts) {
                return SubmissionStep{SubmitDo::post, {}, {}};
            }
            return not_known("the ResourceManager takes " + id_ + ", and forgets it again");
        case AppLook::Verdict::unknown:
            break;
    }
    return not_known(look.words);
}

SubmissionMove SubmissionMachine::staged(const Result<void>& done) {
    if (done) {
        staged_ = true;
        return SubmissionStep{SubmitDo::post, {}, {}};
    }
    const Error& error = done.error();
    const bool never = error.is(Errc::not_found) || error.is(Errc::invalid_argument) ||
                       error.is(Errc::backend_failed);
    return never ? seal(error.detail) : not_known(error.detail);
}

SubmissionMove SubmissionMachine::posted(const RmReply& reply) {
    ++posts_;
    switch (reply.verdict) {
        case RmReply::Verdict::done:
            return wait();
        case RmReply::Verdict::refused:
            return seal(reply.words);
        default:
            return not_known(reply.words);
    }
}

SubmissionMove SubmissionMachine::remembered(const Result<void>& done) const {
    if (!done) {
        return not_known(done.error().detail);
    }
    return ok();
}

SubmissionMove SubmissionMachine::sealed(const guarded::ClaimSight& before) const {
    if (before.held) {
        return ok();
    }
    return Result<void>(Error(Errc::backend_failed, refusal_));
}

/// An earlier post, whose answer was lost, may still arrive.
SubmissionMove SubmissionMachine::seal(std::string why) {
    refusal_ = std::move(why);
    return SubmissionStep{SubmitDo::seal, refusal_, {}};
}

SubmissionMove SubmissionMachine::wait() {
    if (waited_ >= longest_wait) {
        return not_known("the ResourceManager has not stored " + id_ + " yet");
    }
    pause_ = pause_ == 0ms ? first_pause : std::min(pause_ * 2, longest_pause);
    waited_ += pause_;
    return SubmissionStep{SubmitDo::look, {}, pause_};
}

}  // namespace sparkhost::detail::yarn
