// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/submission_machine.hpp"

#include <utility>

namespace sparkhost::detail::standalone {

SubmissionMove SubmissionMachine::begin(const TicketFacts& facts, const ClaimSight& claim) const {
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
    return SubmissionStep{SubmissionStep::Do::post, {}};
}

SubmissionMove SubmissionMachine::posted(const SubmissionAnswer& answer) {
    switch (answer.verdict) {
        case SubmissionAnswer::Verdict::done:
            return SubmissionStep{SubmissionStep::Do::remember, answer.driver};
        case SubmissionAnswer::Verdict::refused:
            // an earlier post, whose answer was lost, may have been taken all the same
            refusal_ = answer.words;
            return SubmissionStep{SubmissionStep::Do::seal, answer.words};
        default:
            return Result<void>(Error(Errc::indeterminate, answer.words));
    }
}

SubmissionMove SubmissionMachine::remembered(const Result<void>& done) const {
    if (done) {
        return ok();
    }
    return Result<void>(Error(Errc::indeterminate, done.error().detail));
}

SubmissionMove SubmissionMachine::sealed(const ClaimSight& before) const {
    if (before.held) {
        return ok();
    }
    return Result<void>(Error(Errc::backend_failed, refusal_));
}

}  // namespace sparkhost::detail::standalone
