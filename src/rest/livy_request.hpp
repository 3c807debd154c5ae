// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_LIVY_REQUEST_HPP
#define SPARKHOST_SRC_REST_LIVY_REQUEST_HPP

#include <sparkhost/batch.hpp>
#include <sparkhost/error.hpp>
#include <sparkhost/session.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sparkhost::detail::rest {

// The bodies are read as Livy's Jackson does: unknown fields are refused, null means absent,
// numbers and booleans are taken where a string is wanted. Rules about the values are the host's
// business. Errors: invalid_argument – not JSON, or a field of the wrong shape.

/// The body of Livy's POST /batches.
struct CreateBatch {
    BatchSpec spec{};
    bool has_empty_name{false};  ///< "name": "" – not the same as no name
};
Result<CreateBatch> read_create_batch(std::string_view body);

/// The body of Livy's POST /sessions.
struct CreateSession {
    std::string kind{};  ///< as SessionSpec has it
    BatchSpec spec{};
    bool has_empty_name{false};
    std::string ttl{};  ///< as they were written; empty: not given
    std::string idle_timeout{};
    std::optional<int> heartbeat_timeout{};
};
Result<CreateSession> read_create_session(std::string_view body);

/// The body of Livy's POST /sessions/{id}/statements.
struct CreateStatement {
    std::optional<std::string> code{};  ///< lines end with \n
    std::string kind{};                 ///< as it was written; empty: not given
};
Result<CreateStatement> read_create_statement(std::string_view body);

/// The body of Livy's POST /sessions/{id}/completion.
struct CompleteCode {
    std::string code{};
    std::string kind{};           ///< as it was written; empty: not given
    std::optional<int> cursor{};  ///< UTF-16 units, as Java counts
};
Result<CompleteCode> read_complete_code(std::string_view body);

/// The body of Livy's POST /sessions/{id}/submit-job and …/run-job.
struct SubmitJob {
    std::string job{};       ///< base64
    std::string job_type{};  ///< a kind, as it was written
};
Result<SubmitJob> read_submit_job(std::string_view body);

/// The body of Livy's POST /sessions/{id}/add-jar, …/add-pyfile and …/add-file: the URI.
Result<std::string> read_add_file(std::string_view body);

/// A kind by one of Livy's names for it; "shared" is the empty one. Errors: invalid_argument, with
/// Livy's words.
Result<std::string> parse_kind(std::string_view name);

/// A duration as Livy writes it: "90s", "2h"; without a unit it is milliseconds. Errors:
/// invalid_argument, with Livy's words.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace sparkhost::detail::rest

#endif
