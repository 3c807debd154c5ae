// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SESSION_HPP
#define SPARKHOST_SESSION_HPP

#include <sparkhost/batch.hpp>

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
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

/// How a statement came to its end.
enum class StatementOutcome {
    ok,
    error,      ///< its code failed
    cancelled,  ///< it was interrupted, or ended before it ran
    forgotten   ///< it ran, but its result had been settled before and is no longer kept
};

/// What a statement came to.
struct StatementResult {
    StatementOutcome outcome{StatementOutcome::ok};
    /// An interrupt was under way. Code that caught it and ended well keeps its `ok`.
    bool interrupted{false};
    /// MIME type → content (text, or base64 for binary types). Bytes as the code gave them.
    std::map<std::string, std::string> data{};
    std::vector<std::string> notes{};  ///< what was left out, in words
    std::string error_name{};          ///< exception class; where it did not succeed
    std::string error_value{};
    std::vector<std::string> traceback{};
};

/// What is known of a session once its Spark is there.
struct SessionFacts {
    std::string application_id{};
    std::string ui_url{};           ///< empty: none
    std::string spark_version{};    ///< "4.3.0"
    std::string runtime_version{};  ///< of the language, "3.11.2"
    std::int64_t pid{0};            ///< of the agent, on its machine
};

/// Why a session ended, in the agent's words.
struct SessionEnd {
    std::string reason{};  ///< "closed", "spark_failed", …: docs/agent_protocol.md
    std::string detail{};
};

/// What could stand before a cursor.
struct Completion {
    std::vector<std::string> candidates{};  ///< whole words
    std::size_t replaces{0};                ///< so many characters before the cursor
};

/// Asks a statement to stop.
struct InterruptRequest {
    StatementId statement{};
    /// When it still runs after so long, the whole session is ended. Empty: never.
    std::optional<std::chrono::milliseconds> end_session_after{};
};

}  // namespace sparkhost

#endif
