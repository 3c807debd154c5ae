// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/log_pass_machine.hpp"

#include <algorithm>

namespace sparkhost::detail::kubernetes {

namespace {

LogPass failed_pass(int status, const std::string& words) {
    LogPass pass;
    pass.result = PassResult::failed;
    pass.failure = status == 0 ? words : "HTTP " + std::to_string(status) + ": " + words;
    return pass;
}

/// The API server may answer otherwise later.
bool may_change(int status) {
    return status == 0 || status == 401 || status == 408 || status == 429 || status >= 500;
}

}  // namespace

LogPass begin_pass(const PodLook& look, bool ended) {
    LogPass pass;
    if (look.status == 404 || (look.status == 200 && !look.ours)) {
        pass.action = LogPass::Action::nothing;
        return pass;
    }
    if (look.status != 200) {
        return failed_pass(look.status, look.words);
    }
    pass.final = ended || look.phase == "Succeeded" || look.phase == "Failed";
    if (pass.final || look.phase != "Pending") {
        pass.action = LogPass::Action::stream;
    } else {
        pass.result = PassResult::waiting;
    }
    return pass;
}

LogPass end_pass(const StreamEnd& end, bool final) {
    LogPass pass;
    if (end.status == 200) {
        if (final && end.regular) {
            pass.action = LogPass::Action::finish;
        } else if (end.regular) {
            pass.result = PassResult::waiting;  // the container has ended, or its log was rotated
        } else if (!end.quiet) {
            pass = failed_pass(0, "the log broke off: " + end.words);
        }
        return pass;
    }
    if (may_change(end.status)) {
        return failed_pass(end.status, end.words);
    }
    if (final) {
        // a driver that never started has no log, and one that has gone does not get it back
        pass.action = LogPass::Action::finish;
        pass.failure = end.status == 400 || end.status == 404
                           ? ""
                           : "HTTP " + std::to_string(end.status) + ": " + end.words;
        return pass;
    }
    if (end.status == 400 || end.status == 404) {
        pass.result = PassResult::waiting;  // "is waiting to start: ContainerCreating"
        return pass;
    }
    return failed_pass(end.status, end.words);
}

std::chrono::milliseconds log_pause(PassResult result, int failures) {
    using std::chrono::milliseconds;
    if (result == PassResult::well) {
        return milliseconds(0);
    }
    if (result == PassResult::waiting) {
        return milliseconds(500);
    }
    return milliseconds(250) * (1 << std::clamp(failures - 1, 0, 6));
}

}  // namespace sparkhost::detail::kubernetes
