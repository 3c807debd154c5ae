// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_TESTING_RUNTIME_CONFORMANCE_GATE_HPP
#define SPARKHOST_SRC_TESTING_RUNTIME_CONFORMANCE_GATE_HPP

#include <sparkhost/agent_endpoint.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::testing::runtime_cases {

/// What is known of one ticket.
struct Greeted {
    std::string secret{};
    std::string key{};  ///< granted; empty: not yet
    std::string nonce{};
    std::vector<AgentGreeting> greetings{};
    std::unique_ptr<AgentConnection> waiting{};   ///< the newest connection, not attached yet
    std::shared_ptr<AgentConnection> attached{};  ///< to be cut
    AgentHello hello{};
};

/// Grants who has the right secret or key.
class Gate final : public AgentGate {
public:
    explicit Gate(std::function<void()> changed) : changed_(std::move(changed)) {}

    Awaitable<AgentVerdict> judge(AgentGreeting greeting) override;
    void admit(AgentGreeting greeting, std::unique_ptr<AgentConnection> connection) override;

    void expect_ticket(const std::string& ticket, std::string secret);
    void forget(const std::string& ticket) { tickets_.erase(ticket); }
    const Greeted& at(const std::string& ticket) const { return tickets_.at(ticket); }
    bool has_connection(const std::string& ticket) const { return at(ticket).waiting != nullptr; }
    SessionRuntime::AttachRequest take(const std::string& ticket);
    void cut(const std::string& ticket);
    std::vector<std::string> refused{};  ///< why

private:
    static Awaitable<AgentVerdict> say(AgentVerdict verdict) { co_return verdict; }
    AgentVerdict decide(const AgentGreeting& greeting);

    std::map<std::string, Greeted> tickets_{};
    std::function<void()> changed_;
};

}  // namespace sparkhost::testing::runtime_cases

#endif
