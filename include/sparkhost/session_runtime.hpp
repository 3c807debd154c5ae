// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SESSION_RUNTIME_HPP
#define SPARKHOST_SESSION_RUNTIME_HPP

#include <sparkhost/backend.hpp>
#include <sparkhost/error.hpp>
#include <sparkhost/session.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost {

/// Receives what a running statement says, in order. Called where Conversation::run() runs.
class OutputSink {
public:
    virtual ~OutputSink() = default;
    using Stream = OutputStream;
    /// Bytes as they were written; characters are not split between chunks.
    virtual void output(Stream stream, std::string chunk) = 0;
    virtual void progress(double fraction) { (void)fraction; }  ///< 0 … 1; may go back
    /// So many interrupts have reached the code, and it goes on.
    virtual void unheeded(std::int64_t interrupts) { (void)interrupts; }
};

/// Receives what a session says about itself. Called where Conversation::run() runs.
class SessionSink {
public:
    virtual ~SessionSink() = default;
    virtual void ready(SessionFacts facts) = 0;
    virtual void failed(StatementResult why) = 0;  ///< Spark did not start; ended() follows
    virtual void busy(StatementId statement) = 0;
    virtual void idle() = 0;
    virtual void ended(SessionEnd end) = 0;  ///< the last call
    /// What threads or child processes wrote while no statement ran.
    virtual void stray_output(OutputSink::Stream stream, std::string chunk) {
        (void)stream, (void)chunk;
    }
};

/// A byte stream to the agent in a driver that has claimed its ticket. Owned by the conversation.
class AgentConnection {
public:
    virtual ~AgentConnection() = default;
    /// Reads at least one byte. An empty string is the end of the stream.
    virtual Awaitable<std::string> read_some(std::size_t limit) = 0;
    /// Writes everything. Errors: backend_failed – the connection is gone.
    virtual Awaitable<void> write(std::string bytes) = 0;
    virtual void close() = 0;
};

/// What an agent said when it claimed or resumed. After a claim both numbers are as they are here.
/// A resume is to be granted with `oldest` - 1 as the number received: what the agent still has
/// has not been settled, and it says it again.
struct AgentHello {
    std::int64_t received{0};  ///< number of the last command the agent has acted on
    std::int64_t oldest{1};    ///< number of the first message it can still send
};

/// A live session, for as long as one connection lasts. Its agent lives on when the connection
/// goes: the next one gets a conversation of its own, which goes on where this one was.
///
/// Use: execute() every statement that is not settled, in rising order of ids, then run().
/// Thread safety: for one strand. The object must outlive the operations it started.
class Conversation {
public:
    virtual ~Conversation() = default;

    /// Reads and tells until the connection ends. Success: the agent has said that the session is
    /// over (SessionSink::ended). Errors: backend_failed – the connection is gone, or the agent
    /// broke the protocol; the session may live on. Cancellation: leaves the connection.
    virtual Awaitable<void> run() = 0;

    /// Runs a statement after those that were given before, or takes up one that the agent knows
    /// already: it is never run twice. What it said and has not been settled is told again.
    /// Errors: backend_failed – run() has ended: ask the next conversation; rejected – too much
    /// code waits, ask again when a statement has ended; invalid_argument – a kind the agent does
    /// not speak; stopped – the session is ending; invalid_state – it is being executed already.
    /// Cancellation: abandons the wait, never the statement.
    virtual Awaitable<StatementResult> execute(StatementSpec statement,
                                               std::shared_ptr<OutputSink> sink) = 0;

    /// Stops a statement that runs or waits, and no other. One that has not been executed yet does
    /// not begin when it is, next. One that is over is left alone. The session stays usable unless
    /// the request says otherwise.
    virtual void interrupt(InterruptRequest request) = 0;

    /// Everything about this statement is durable here: the agent may forget it.
    virtual void settle(StatementId statement) = 0;
    /// The same for what SessionSink has been told.
    virtual void settle_session() = 0;

    /// Completions of `code` at `cursor` (bytes). Errors: not_supported, backend_failed.
    struct CompletionRequest {
        std::string kind{};
        std::string code{};
        std::size_t cursor{0};
    };
    virtual Awaitable<Completion> complete(CompletionRequest request) {
        (void)request;
        co_return Errc::not_supported;
    }

    /// Gives the running session a file. Giving it again is harmless. Errors: invalid_argument –
    /// Spark refuses it; not_supported; invalid_state – Spark is not there; backend_failed – the
    /// connection is gone, and whether it was given is not known.
    virtual Awaitable<void> add(SessionFile file) {
        (void)file;
        co_return Errc::not_supported;
    }

    /// Asks the agent to end the session; run() then comes to its end. Idempotent.
    virtual void close() = 0;
};

/// Turns "a session of these kinds" into an application and a conversation with it.
///
/// Thread safety, blocking, exceptions: as Backend.
class SessionRuntime {
public:
    struct Traits {
        std::string name{};
        std::vector<std::string> kinds{};  ///< "pyspark", "sql", …
    };

    struct SessionRequest {
        std::string store_uuid{};
        SessionId id{};
        int attempt{1};
        SessionSpec session{};
        std::string ticket{};          ///< names the attempt when the agent claims it
        std::string agent_endpoint{};  ///< where the agent dials: "unix:/path" or "tcp:host:port"
        std::string claim_file{};      ///< 0600 file with the one-time secret, read by the driver
        /// The driver sees this host's files (Backend::Traits). If not, the answer names all that
        /// it needs as SubmitRequest::driver_files, the claim file among them, and what the driver
        /// reads must not name folders of this host.
        bool shares_files{true};
    };

    struct AttachRequest {
        std::unique_ptr<AgentConnection> connection{};  ///< the greeting is over
        AgentHello hello{};
        std::shared_ptr<SessionSink> sink{};
    };

    virtual ~SessionRuntime() = default;

    virtual Traits traits() const = 0;

    /// What to launch: the agent and its settings. Starts nothing; the same request gives the
    /// same answer, and files that were written for it before are there as they were. Errors:
    /// invalid_argument – a kind it does not speak, a setting it refuses; backend_failed – a file
    /// cannot be written.
    virtual Awaitable<SubmitRequest> prepare(SessionRequest request) = 0;

    /// Takes up the conversation on a connection whose agent has claimed its ticket, or has
    /// resumed with its key. Preconditions: all of the request is there.
    virtual std::unique_ptr<Conversation> attach(AttachRequest request) = 0;

    /// The session is over for good: remove what prepare() wrote for this ticket. Idempotent;
    /// unknown tickets are a success. Errors: backend_failed – the host tries again.
    struct ReleaseRequest {
        std::string ticket{};  ///< SessionRequest::ticket
    };
    virtual Awaitable<void> release(ReleaseRequest request) {
        (void)request;
        co_return ok();
    }
};

}  // namespace sparkhost

#endif
