// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_ACCESS_MACHINE_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_ACCESS_MACHINE_HPP

#include <sparkhost/error.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace sparkhost::detail::kubernetes {

/// A host that starts while the API server is away does not know whether it may do there what it
/// needs. Says when to ask for that, and what to tell of the answers, until everything is allowed.
/// Pure.
class AccessMachine {
public:
    /// Before the next question.
    std::chrono::milliseconds pause() const { return pause_; }

    /// What the question gave. The result is what a person should know from now on; empty: nothing
    /// is wrong any more. Nothing: no news.
    std::optional<std::string> asked(const Result<void>& access);

    /// Everything is allowed.
    bool is_settled() const { return settled_; }

private:
    std::chrono::milliseconds pause_{std::chrono::seconds{1}};
    std::string told_{};
    bool settled_{false};
};

}  // namespace sparkhost::detail::kubernetes

#endif
