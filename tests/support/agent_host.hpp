// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_AGENT_HOST_HPP
#define SPARKHOST_TESTS_SUPPORT_AGENT_HOST_HPP

#include <sparkhost/agent_endpoint.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::test {

/// Answers agents as it is told, and keeps who has come.
class ToldGate final : public AgentGate {
public:
    Awaitable<AgentVerdict> judge(AgentGreeting greeting) override {
        greetings.push_back(std::move(greeting));
        return give(verdict);
    }
    void admit(AgentGreeting greeting, std::unique_ptr<AgentConnection> connection) override {
        admitted.hello = greeting.hello;
        admitted.connection = std::move(connection);
    }

    AgentVerdict verdict{AgentVerdict::Code::granted, "", "a key"};
    std::vector<AgentGreeting> greetings{};
    SessionRuntime::AttachRequest admitted{};  ///< the last one

private:
    static Awaitable<AgentVerdict> give(AgentVerdict answer) { co_return answer; }
};

/// Where agents dial, for as long as the object lives.
class AgentHost {
public:
    AgentHost(boost::asio::io_context& io, std::string address)
        : endpoint_(io.get_executor(), options(std::move(address)), gate) {
        boost::asio::co_spawn(io, endpoint_.run(), [](std::exception_ptr, Result<void>) {});
    }
    const std::string& address() const { return endpoint_.address(); }

    const std::shared_ptr<ToldGate> gate{std::make_shared<ToldGate>()};

private:
    static AgentEndpointOptions options(std::string address) {
        AgentEndpointOptions made;
        made.address = std::move(address);
        return made;
    }

    AgentEndpoint endpoint_;
};

}  // namespace sparkhost::test

#endif
