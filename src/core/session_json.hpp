// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_SESSION_JSON_HPP
#define SPARKHOST_SRC_CORE_SESSION_JSON_HPP

// Sessions and statements as they are stored. The one place that knows the stored form.

#include "core/session_machine.hpp"

#include <sparkhost/error.hpp>
#include <sparkhost/storage.hpp>

#include <string>

namespace sparkhost::detail {

struct StoredSession {
    BatchRecord application{};
    SessionPart part{};
};

/// The body of a session's record: everything but id and version.
std::string encode_session(const BatchRecord& application, const SessionPart& part);
/// Errors: storage_failed – the body is not one of ours.
Result<StoredSession> decode_session(const Record& stored);

/// The body of a statement's record: everything but the version.
std::string encode_statement(const StatementRecord& statement);
/// Errors: storage_failed – the body is not one of ours.
Result<StatementRecord> decode_statement(const Record& stored);

/// The words statements are filed under.
inline constexpr const char* open_statement = "open";
inline constexpr const char* ended_statement = "ended";

/// Whose a session's statements are: Record::owner of theirs.
std::string owner_of_statements(SessionId session);
/// Of its jobs, which are listed for themselves.
std::string owner_of_jobs(SessionId session);

/// The same for equal requests, else different.
std::string fingerprint(const SessionSpec& spec);
/// `kind` is to be settled.
std::string fingerprint(const StatementSpec& spec);

}  // namespace sparkhost::detail

#endif
