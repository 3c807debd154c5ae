// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_CLUSTER_HTTP_MESSAGE_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_CLUSTER_HTTP_MESSAGE_HPP

// What fake clusters are asked, and answer.

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::test {

struct HttpRequest {
    std::string method{};
    std::string target{};
    std::string authorization{};
    std::string body{};

    /// The target without its query.
    std::string path() const { return target.substr(0, target.find('?')); }
    /// Decoded; empty: it is not there.
    std::string parameter(const std::string& name) const;
};

struct HttpAnswer {
    int status{200};
    std::string type{"application/json;charset=UTF-8"};
    std::string body{};
    std::vector<std::pair<std::string, std::string>> headers{};
    std::function<void()> after{};  ///< called when it has been sent, or lost
};

/// Undoes %20 and the like.
std::string percent_decoded(const std::string& text);

}  // namespace sparkhost::test

#endif
