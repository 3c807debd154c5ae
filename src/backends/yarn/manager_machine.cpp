// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/manager_machine.hpp"

#include <utility>

namespace sparkhost::detail::yarn {

namespace {

using End = ManagerOutcome::End;

Result<ManagerInfo> info_of(const Result<http::Response>& response) {
    if (!response) {
        return response.error();
    }
    if (response->status != 200) {
        return Error(Errc::backend_failed, failure_of(response->status, response->body));
    }
    return read_info(response->body);
}

/// A ResourceManager in standby answers so before it looks at the request: with a redirection to
/// the active one, or with a page that says that there is none.
bool is_from_standby(const http::Response& response) {
    return response.status == 307 || response.status == 302 ||
           response.body.starts_with("This is standby RM") ||
           response.body.starts_with("Can not find any active RM");
}

std::string state_words_of(const ManagerInfo& info) {
    return info.ha_state.empty() ? "is not started" : "is " + info.ha_state;
}

}  // namespace

void ManagerMachine::begin() {
    if (urls_.empty()) {
        outcome_.words = "there is no ResourceManager to ask";
        finish(End::unheard);
    }
}

void ManagerMachine::heard(const Result<http::Response>& response) {
    if (step_ == Step::request) {
        heard_answer(response);
    } else if (step_ == Step::proof) {
        heard_proof(response);
    } else {
        heard_info(response);
    }
}

void ManagerMachine::heard_info(const Result<http::Response>& response) {
    auto info = info_of(response);
    if (!info || !info->active) {
        note(info ? state_words_of(*info) : info.error().text());
        go_on();
        return;
    }
    outcome_.info = std::move(*info);
    if (inquiry_ == Inquiry::none) {
        finish(End::answered);
        return;
    }
    step_ = Step::request;
}

void ManagerMachine::heard_answer(const Result<http::Response>& response) {
    const bool unheard =
        response ? is_from_standby(*response) : response.error().is(Errc::backend_failed);
    if (unheard || (!response && inquiry_ != Inquiry::changes)) {
        note(response ? "was ACTIVE and is in standby now" : response.error().text());
        go_on();
        return;
    }
    if (!response) {
        note(response.error().text());
        finish(End::unclear);
        return;
    }
    outcome_.status = response->status;
    outcome_.body = response->body;
    if (!wants_proof()) {
        finish(End::answered);
        return;
    }
    step_ = Step::proof;
}

/// While a ResourceManager recovers it denies what it has not read yet.
bool ManagerMachine::wants_proof() const {
    return inquiry_ == Inquiry::lists || outcome_.status == 404;
}

void ManagerMachine::heard_proof(const Result<http::Response>& response) {
    const auto info = info_of(response);
    if (info && info->active && info->started_on == outcome_.info.started_on) {
        finish(End::answered);
        return;
    }
    note(!info           ? "was ACTIVE; " + info.error().text()
         : !info->active ? "was ACTIVE and " + state_words_of(*info) + " now"
                         : "has been started again meanwhile");
    finish(End::changed);
}

void ManagerMachine::note(std::string_view why) {
    std::string& words = outcome_.words;
    words += (words.empty() ? "" : "; ") + urls_[which_] + ": ";
    words += why;
}

void ManagerMachine::go_on() {
    step_ = Step::info;
    ++which_;
    if (which_ == urls_.size()) {
        finish(End::unheard);
    }
}

void ManagerMachine::finish(End end) {
    step_ = Step::over;
    outcome_.end = end;
    outcome_.which = which_;
    if (end == End::answered) {
        outcome_.words = urls_[which_];
    }
}

}  // namespace sparkhost::detail::yarn
