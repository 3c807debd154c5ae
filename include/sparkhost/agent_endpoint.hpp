// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_AGENT_ENDPOINT_HPP
#define SPARKHOST_AGENT_ENDPOINT_HPP

#include <sparkhost/backend.hpp>
#include <sparkhost/error.hpp>
#include <sparkhost/log.hpp>
#include <sparkhost/session_runtime.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost {

/// What an agent says first (docs/agent_protocol.md, "Greeting").
struct AgentGreeting {
    bool resumes{false};  ///< it has been granted before
    std::string ticket{};
    std::string secret{};  ///< the one-time secret of a claim, the resume key of a resume
    std::string nonce{};   ///< made by its process, for its whole life
    std::vector<std::string> kinds{};
    std::int64_t pid{0};
    AgentHello hello{};
};

/// What it is answered.
struct AgentVerdict {
    enum class Code {
        granted,
        claimed,  ///< another process has claimed this ticket
        unknown,  ///< no such ticket, or a wrong secret or key
        ended,    ///< the ticket was killed or has ended
        later     ///< not now: starting, draining, storage down; the agent comes back
    };
    Code code{Code::unknown};
    std::string detail{};      ///< for the agent's log
    std::string resume_key{};  ///< of a grant: a fresh secret, bound to the nonce
};

/// What the guard of a driver is answered (docs/agent_protocol.md, "Guards").
struct GuardVerdict {
    ClaimAnswer answer{};
    /// Of a grant: takes the connection, after the answer. Empty: it is closed.
    std::function<void(std::unique_ptr<AgentConnection> connection)> admit{};
};

/// Decides who may come in. Called where AgentEndpoint::run() runs.
class AgentGate {
public:
    virtual ~AgentGate() = default;
    /// A claim may be granted only when (ticket, nonce) is durable; the same nonce is granted
    /// again. Compare secrets in constant time, and store no more of them than a hash.
    virtual Awaitable<AgentVerdict> judge(AgentGreeting greeting) = 0;
    /// An agent that has been granted; takes the place of an earlier connection of its ticket.
    virtual void admit(AgentGreeting greeting, std::unique_ptr<AgentConnection> connection) = 0;
    /// A claim may be granted only when (ticket, nonce) is durable; the same nonce is granted
    /// again. Unless overridden nobody is.
    virtual Awaitable<GuardVerdict> judge_guard(DriverClaim claim) {
        (void)claim;
        co_return GuardVerdict{};
    }
};

struct AgentEndpointOptions {
    /// "unix:/absolute/path" or "tcp:ADDRESS:PORT" with a numeric address ("tcp:[::1]:0"). Must be
    /// the same after a restart of the host. A Unix socket that is there is replaced. Required.
    std::string address{};
    /// How long an agent may take for its greeting. Must be greater than zero. Default: 10 s.
    std::chrono::milliseconds greeting_limit{std::chrono::seconds{10}};
    /// Connections that may be at their greeting at a time; more are closed. At least 1.
    std::size_t max_greeting{64};
    LogSink log{};
};

/// Where agents and the guards of drivers dial: listens, reads greetings, asks the gate, answers,
/// hands connections over.
///
/// Thread safety: for one strand. Lifetimes: what it started keeps what it needs.
class AgentEndpoint {
public:
    /// Listens from now on. Throws std::invalid_argument naming the option that breaks its rule;
    /// boost::system::system_error when the address cannot be listened on.
    AgentEndpoint(boost::asio::any_io_executor executor, AgentEndpointOptions options,
                  std::shared_ptr<AgentGate> gate);
    ~AgentEndpoint();  ///< ends run(); connections that were handed over stay
    AgentEndpoint(AgentEndpoint&&) noexcept;
    AgentEndpoint& operator=(AgentEndpoint&&) noexcept;

    /// What agents are told to dial: the address, with the port the system has picked for port 0.
    const std::string& address() const;

    /// Accepts agents until cancelled. Preconditions: called once.
    /// Errors: backend_failed – it cannot listen any more.
    Awaitable<void> run();

private:
    std::shared_ptr<class AgentListener> listener_;
};

}  // namespace sparkhost

#endif
