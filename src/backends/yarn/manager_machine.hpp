// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_MANAGER_MACHINE_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_MANAGER_MACHINE_HPP

// Which ResourceManager is asked, and which of its answers is believed. Pure.
//
//     info ──ACTIVE──> request ──answer──> (proof) ──> over
//       │                 │
//       └──── else ───────┴── not heard ──> the next one's info …

#include "backends/yarn/rm_answer.hpp"
#include "http/client.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::yarn {

/// What is to be asked of the ResourceManager that is active.
enum class Inquiry {
    none,    ///< only which one it is
    facts,   ///< reads; "there is none" counts only from one that has been active all the time
    lists,   ///< reads; what is missing counts only likewise
    changes  ///< changes something: sent to one only, once; "there is none" as with facts
};

/// What has come of it.
struct ManagerOutcome {
    enum class End {
        answered,  ///< by one that was active; `status` and `body` (none: only `info`)
        changed,   ///< by one of which it is not sure that it was active all the time
        unheard,   ///< none is active, or none that can be reached
        unclear    ///< a change may have been heard
    };
    End end{End::unheard};
    std::size_t which{0};  ///< of the order given
    ManagerInfo info{};
    int status{0};
    std::string body{};
    std::string words{};  ///< what each one says; of an answer, the URL of who gave it
};

class ManagerMachine {
public:
    /// `urls`: in the order in which they are asked.
    ManagerMachine(std::vector<std::string> urls, Inquiry inquiry)
        : urls_(std::move(urls)), inquiry_(inquiry) {
        begin();
    }

    enum class Step {
        info,
        request,
        proof,  ///< info once more, to be sent from now on
        over
    };
    Step step() const { return step_; }
    /// Whom to ask.
    std::size_t which() const { return which_; }
    /// What it says to the step's request.
    void heard(const Result<http::Response>& response);

    /// Preconditions: the step is over.
    const ManagerOutcome& outcome() const { return outcome_; }

private:
    void begin();
    void heard_info(const Result<http::Response>& response);
    void heard_proof(const Result<http::Response>& response);
    void heard_answer(const Result<http::Response>& response);
    bool wants_proof() const;
    void note(std::string_view why);
    void go_on();
    void finish(ManagerOutcome::End end);

    std::vector<std::string> urls_;
    Inquiry inquiry_;
    std::size_t which_{0};
    Step step_{Step::info};
    ManagerOutcome outcome_{};
};

}  // namespace sparkhost::detail::yarn

#endif
