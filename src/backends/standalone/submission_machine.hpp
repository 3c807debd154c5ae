// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_STANDALONE_SUBMISSION_MACHINE_HPP
#define SPARKHOST_SRC_BACKENDS_STANDALONE_SUBMISSION_MACHINE_HPP

#include "backends/guarded/ticket_facts.hpp"
#include "backends/standalone/master_answer.hpp"

#include <sparkhost/error.hpp>

#include <string>
#include <variant>

namespace sparkhost::detail::standalone {

using guarded::ClaimSight;
using guarded::TicketFacts;

/// One effect of a submission.
struct SubmissionStep {
    enum class Do {
        post,      ///< CreateSubmissionRequest, once the ticket's folder is complete
        remember,  ///< that `text` is a driver of this ticket
        seal       ///< take the claim: no driver that still comes may run user code
    };
    Do what{Do::post};
    std::string text{};
};

using SubmissionMove = std::variant<SubmissionStep, Result<void>>;

/// What to do for a submit. A master makes a driver for each post, and knows no ticket: so nothing
/// is posted where there is a driver already, and an answer that is lost leaves a driver that
/// nobody knows, and that the claim keeps in check. Pure.
class SubmissionMachine {
public:
    SubmissionMove begin(const TicketFacts& facts, const ClaimSight& claim) const;
    SubmissionMove posted(const SubmissionAnswer& answer);
    SubmissionMove remembered(const Result<void>& done) const;
    SubmissionMove sealed(const ClaimSight& before) const;

private:
    std::string refusal_{};
};

}  // namespace sparkhost::detail::standalone

#endif
