// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_LOG_PASS_MACHINE_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_LOG_PASS_MACHINE_HPP

#include <chrono>
#include <string>

namespace sparkhost::detail::kubernetes {

/// What a GET of the driver pod has told.
struct PodLook {
    int status{0};  ///< 0: no answer
    bool ours{false};
    std::string phase{};
    std::string words{};
};

/// How a stream of its log came to its end.
struct StreamEnd {
    int status{0};  ///< 0: no answer
    bool regular{false};
    bool quiet{false};  ///< nothing came for long, or it was taken away: no failure
    std::string words{};
};

enum class PassResult {
    well,     ///< there may be more at once
    waiting,  ///< there is nothing to be had yet
    failed
};

/// What to do with a log after what has been seen.
struct LogPass {
    enum class Action {
        stream,   ///< read it; `final`: nothing will be written any more
        finish,   ///< what there is now is the whole log
        nothing,  ///< there is no pod (of ours); what is kept already is the whole log
        rest      ///< nothing now
    };
    Action action{Action::rest};
    bool final{false};
    PassResult result{PassResult::well};
    std::string failure{};
};

/// Pure. `ended`: the driver had ended before it was looked at.
LogPass begin_pass(const PodLook& look, bool ended);
LogPass end_pass(const StreamEnd& end, bool final);

/// How long to wait before the next pass, after so many failures in a row.
std::chrono::milliseconds log_pause(PassResult result, int failures);

}  // namespace sparkhost::detail::kubernetes

#endif
