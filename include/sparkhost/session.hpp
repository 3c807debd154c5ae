// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SESSION_HPP
#define SPARKHOST_SESSION_HPP

#include <sparkhost/batch.hpp>

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sparkhost {

/// Number of a session in its store.
struct SessionId {
    std::int64_t value{-1};
    auto operator<=>(const SessionId&) const = default;
};

/// Number of a statement in its session: 0, 1, 2 …
struct StatementId {
    std::int64_t value{-1};
    auto operator<=>(const StatementId&) const = default;
};

/// An interactive application: `spec` without a file, and the languages it speaks.
struct SessionSpec {
    /// Default kind of its statements: "pyspark", "sql", "spark"; empty: shared.
    std::string kind{};
    BatchSpec spec{};  ///< resources, conf, names; `file` and `args` are the runtime's to fill
};

/// Code to run in a session.
struct StatementSpec {
    StatementId id{};
    std::string kind{};  ///< empty: the session's
    std::string code{};
};

/// How a statement ended. `data` maps MIME types to content (text, or base64 for binary types).
struct StatementResult {
    bool succeeded{false};
    std::map<std::string, std::string> data{};
    std::string error_name{};  ///< exception class; where it did not succeed
    std::string error_value{};
    std::vector<std::string> traceback{};
};

}  // namespace sparkhost

#endif
