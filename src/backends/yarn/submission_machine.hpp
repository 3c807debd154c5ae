// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_SUBMISSION_MACHINE_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_SUBMISSION_MACHINE_HPP

#include "backends/guarded/guarded_state.hpp"
#include "backends/yarn/resource_managers.hpp"

#include <sparkhost/error.hpp>

#include <chrono>
#include <string>
#include <variant>

namespace sparkhost::detail::yarn {

/// One effect of a submission.
struct SubmissionStep {
    enum class Do {
        take_id,   ///< ask for a new application's id
        note_id,   ///< in the journal, before anybody else hears of it: `text` is this ticket's
        look,      ///< at the application, after `pause`
        stage,     ///< write the application's files
        post,      ///< the application, once its files are there
        remember,  ///< that the application exists
        seal       ///< take the claim: no driver that still comes may run user code
    };
    Do what{Do::take_id};
    std::string text{};
    std::chrono::milliseconds pause{0};
};

using SubmissionMove = std::variant<SubmissionStep, Result<void>>;

/// What to do for a submit. A ticket has one application id for its whole life, and an id is one
/// application however often it is posted; but not to a ResourceManager that recovers, which ends
/// by that, and not after it has answered alone: it forgets what it had not stored yet. So it is
/// looked for before each post, and until it has been stored. Pure.
class SubmissionMachine {
public:
    SubmissionMove begin(const guarded::TicketFacts& facts, const guarded::ClaimSight& claim);
    SubmissionMove got_id(const Result<std::string>& id);
    SubmissionMove noted(const Result<void>& done) const;
    SubmissionMove looked(const AppLook& look);
    SubmissionMove staged(const Result<void>& done);
    SubmissionMove posted(const RmReply& reply);
    SubmissionMove remembered(const Result<void>& done) const;
    SubmissionMove sealed(const guarded::ClaimSight& before) const;

    /// The application's; empty: it has none yet.
    const std::string& id() const { return id_; }

private:
    SubmissionMove seal(std::string why);
    SubmissionMove wait();

    std::string id_{};
    std::string refusal_{};
    bool staged_{false};
    int posts_{0};
    std::chrono::milliseconds pause_{0};
    std::chrono::milliseconds waited_{0};  ///< for what has been posted to be stored
};

}  // namespace sparkhost::detail::yarn

#endif
