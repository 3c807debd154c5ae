// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SESSIONS_HPP
#define SPARKHOST_SESSIONS_HPP

#include <sparkhost/error.hpp>
#include <sparkhost/log.hpp>
#include <sparkhost/session.hpp>
#include <sparkhost/session_runtime.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost {

/// Which change of a session to wait for.
struct SessionChangeRequest {
    SessionId id{};
    std::int64_t seen_version{0};  ///< return when the version differs …
    std::optional<SessionState>
        not_state{};  ///< … or, if set, when the state is not this one instead
    std::chrono::milliseconds timeout{std::chrono::milliseconds::max()};
};

/// Which change of a statement to wait for.
struct StatementChangeRequest {
    SessionId session{};
    StatementId id{};
    std::int64_t seen_version{0};  ///< return when the version differs …
    std::optional<StatementState>
        not_state{};  ///< … or, if set, when the state is not this one instead
    std::chrono::milliseconds timeout{std::chrono::milliseconds::max()};
};

struct SessionLogRequest {
    SessionId id{};
    std::int64_t offset{0};  ///< negative: the last so many lines
    std::size_t limit{100};
    bool follow{false};  ///< wait for a line at `offset`, or for the end
};

/// A position in what a statement's code writes. Not shareable between coroutines.
class OutputFollower {
public:
    /// Gives what comes next, some MiB at most, waiting where there is nothing yet. Empty: the
    /// statement is over and everything has been given. Errors: not_found – there is no such
    /// statement, or no more; stopped – the host has stopped. Cancellation: abandons the wait;
    /// nothing is lost.
    Awaitable<std::vector<OutputChunk>> next();

    /// Bytes given so far, of both streams together; a later follower goes on from there.
    std::size_t position() const noexcept { return *position_; }

private:
    friend class Sessions;
    OutputFollower(std::shared_ptr<class HostImpl> host, SessionId session, StatementId statement,
                   std::size_t position)
        : host_(std::move(host)),
          session_(session),
          statement_(statement),
          position_(std::make_shared<std::size_t>(position)) {}
    std::shared_ptr<class HostImpl> host_;
    SessionId session_;
    StatementId statement_;
    std::shared_ptr<std::size_t> position_;
};

/// The interactive side of a Host: Host::sessions(). A handle; copies are the same.
///
/// Thread safety, lifetimes, errors common to all operations: as Host. Cancelling a wait abandons
/// the wait, never the session nor its code; nothing else here is cancellable.
class Sessions {
public:
    /// Accepts a session: it is durable when this completes, and its driver will be started once.
    /// Errors: invalid_argument – a rule is broken, or no runtime speaks the kind, `field` says
    /// where; already_exists – the name is taken (`field` is "name"), or the idempotency key was
    /// used for another request (`field` is "idempotency_key"); rejected – max_sessions is reached;
    /// not_supported – the host has no runtime.
    Awaitable<SessionRecord> open(SessionSpec spec);

    /// Errors: not_found.
    Awaitable<SessionRecord> find(SessionId id);
    Awaitable<SessionRecord> find(std::string name);

    Awaitable<SessionPage> list(SessionQuery query);

    /// Completes when the session is no longer starting: it is idle, busy, or over.
    /// Errors: not_found, also when it is erased meanwhile.
    Awaitable<SessionRecord> wait_until_started(SessionId id);

    /// Completes when the session has ended. Errors: as wait_until_started().
    Awaitable<SessionRecord> wait(SessionId id);

    /// Completes at the change asked for. Errors: not_found; timed_out.
    Awaitable<SessionRecord> wait_for_change(SessionChangeRequest request);

    /// Makes the wish to end the session durable and returns the record. From then on no driver
    /// of it starts; one that runs is asked to end, and ended after
    /// HostOptions::session_close_grace. Closing what has ended is a success. Errors: not_found.
    Awaitable<SessionRecord> close(SessionId id);

    /// Closes the session if need be, waits for its end, and removes it with statements and log.
    /// Errors: not_found; indeterminate – it will be erased, but whether it has been is not known.
    Awaitable<void> erase(SessionId id);

    /// The driver's log. Errors: not_found – no such session.
    Awaitable<LogPage> read_log(SessionLogRequest request);

    /// Accepts code to be run after what was accepted before: it is durable when this completes,
    /// and is run at most once. The session may still be starting. `statement.id` is not looked at.
    /// Errors: not_found; invalid_argument – a kind that the session does not speak, or none is
    /// known; invalid_state – the session has ended or is ending; rejected – as many statements
    /// wait as HostOptions::max_statements allows; already_exists – the idempotency key was used
    /// for another request (`field` is "idempotency_key").
    Awaitable<StatementRecord> execute(SessionId id, StatementSpec statement);

    /// Errors: not_found – `field` is "session" or "statement".
    Awaitable<StatementRecord> find_statement(SessionId session, StatementId id);

    /// Errors: not_found – no such session.
    Awaitable<StatementPage> list_statements(StatementQuery query);

    /// Completes when the statement is over. Errors: not_found.
    Awaitable<StatementRecord> wait(SessionId session, StatementId id);

    /// Completes at the change asked for. Errors: not_found; timed_out.
    Awaitable<StatementRecord> wait_for_change(StatementChangeRequest request);

    /// Follows what the statement's code writes, from the first byte or after `position` bytes.
    OutputFollower follow_output(SessionId session, StatementId id, std::size_t position = 0);

    /// Makes the wish to stop this statement, and no other, durable and returns the record. One
    /// that is over stays as it is. The session stays usable unless the request says otherwise.
    /// Errors: not_found.
    Awaitable<StatementRecord> interrupt(SessionId session, InterruptRequest request);

    /// The same for the statement that runs now, or is the next to run. Without one nothing
    /// happens. Errors: not_found – no such session.
    Awaitable<void> interrupt_current(SessionId session);

    /// Gives a running session a file. Errors: not_found; invalid_argument – it breaks a rule of
    /// HostOptions::local_file_roots or is not absolute, or Spark refuses it; invalid_state – the
    /// session is starting or has ended; not_supported – by this runtime; backend_failed, timed_out
    /// – whether it has the file is not known; giving it again is harmless.
    Awaitable<void> add_file(SessionId session, SessionFile file);

    /// Keeps a file for a running session, below HostOptions::agent_folder, and gives its path; it
    /// is removed when the session's driver has ended. `content` must live until this completes.
    /// Errors: not_found; invalid_argument – not the name of a file; invalid_state – the session is
    /// starting or has ended; backend_failed – it cannot be written.
    Awaitable<std::string> keep_file(SessionId session, std::string name, std::string_view content);

    /// Somebody still wants this session: it is as if a statement had just ended in it.
    /// Errors: not_found.
    Awaitable<SessionRecord> touch(SessionId id);

    /// What could stand before a cursor. Errors: not_found; invalid_state – no agent is there;
    /// not_supported – by this runtime; timed_out – no answer within a few seconds.
    Awaitable<Completion> complete(SessionId session, Conversation::CompletionRequest request);

private:
    friend class Host;
    explicit Sessions(std::shared_ptr<class HostImpl> host) : host_(std::move(host)) {}
    std::shared_ptr<class HostImpl> host_;
};

}  // namespace sparkhost

#endif
