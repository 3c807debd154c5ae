// SPDX-License-Identifier: Apache-2.0
#include "support/run.hpp"
#include "support/temp_dir.hpp"

#include <sparkhost/agent_endpoint.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::test {

namespace {

namespace asio = boost::asio;
using AgentSocket = asio::generic::stream_protocol::socket;

/// Keeps who came, and answers as it is told.
struct RecordedGate final : AgentGate {
    Awaitable<AgentVerdict> judge(AgentGreeting greeting) override {
        judged.push_back(std::move(greeting));
        if (throws) {
            throw std::runtime_error("the gate is broken");
        }
        return give(answer);
    }
    void admit(AgentGreeting greeting, std::unique_ptr<AgentConnection> connection) override {
        admitted.emplace_back(std::move(greeting), std::move(connection));
    }
    static Awaitable<AgentVerdict> give(Result<AgentVerdict> verdict) { co_return verdict; }
    Awaitable<GuardVerdict> judge_guard(DriverClaim driver) override {
        drivers.push_back(std::move(driver));
        auto verdict = guard_answer;
        if (verdict && verdict->answer.code == ClaimAnswer::Code::granted && follows) {
            verdict->admit = [this](std::unique_ptr<AgentConnection> connection) {
                guards.push_back(std::move(connection));
            };
        }
        return give_guard(std::move(verdict));
    }
    static Awaitable<GuardVerdict> give_guard(Result<GuardVerdict> verdict) { co_return verdict; }

    Result<AgentVerdict> answer{AgentVerdict{AgentVerdict::Code::granted, "", "key"}};
    bool throws{false};
    std::vector<AgentGreeting> judged{};
    std::vector<std::pair<AgentGreeting, std::unique_ptr<AgentConnection>>> admitted{};
    Result<GuardVerdict> guard_answer{GuardVerdict{{ClaimAnswer::Code::granted, "", {}}, {}}};
    bool follows{true};
    std::vector<DriverClaim> drivers{};
    std::vector<std::unique_ptr<AgentConnection>> guards{};
};

const std::string claim =
    R"({"type":"claim","versions":[1],"ticket":"t","secret":"s","nonce":"n","kinds":[],"pid":1})"
    "\n";

const std::string guard_claim =
    R"({"type":"guard","versions":[1],"ticket":"t-1","secret":"s",)"
    R"("nonce":"0123456789abcdef0123456789abcdef","driver":"driver-1","pid":1})"
    "\n";

struct EndpointFixture {
    asio::io_context io{1};
    TempDir dir;
    std::shared_ptr<RecordedGate> gate{std::make_shared<RecordedGate>()};
    AgentEndpointOptions options{};
    std::optional<AgentEndpoint> endpoint;
    std::optional<Result<void>> over;
    asio::cancellation_signal leave;
    std::vector<std::string> logged;

    EndpointFixture() {
        options.address = "unix:" + (dir / "agents").string();
        options.log = [this](const LogEvent& event) { logged.push_back(event.message); };
    }
    void start() {
        endpoint.emplace(io.get_executor(), options, gate);
        asio::co_spawn(io, endpoint->run(),
                       asio::bind_cancellation_slot(
                           leave.slot(), [this](std::exception_ptr escaped, Result<void> result) {
                               BOOST_TEST(!escaped);
                               over = std::move(result);
                           }));
        settle();
    }
    void settle() {
        io.restart();
        io.poll();
    }
    AgentSocket dial() {
        AgentSocket socket(io);
        if (endpoint->address().starts_with("unix:")) {
            socket.connect(asio::local::stream_protocol::endpoint(endpoint->address().substr(5)));
        } else {
            const auto port = endpoint->address().substr(endpoint->address().rfind(':') + 1);
            socket.connect(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(),
                                                   static_cast<std::uint16_t>(std::stoi(port))));
        }
        return socket;
    }
    void say(AgentSocket& socket, const std::string& bytes) {
        run_on(io, [&]() -> asio::awaitable<void> {
            co_await asio::async_write(socket, asio::buffer(bytes), asio::use_awaitable);
        });
        settle();
    }
    /// The next line, or "" at the end.
    std::string hear(AgentSocket& socket) {
        return run_on(io, [&]() -> asio::awaitable<std::string> {
            std::string buffer;
            boost::system::error_code ended;
            co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer), '\n',
                                            asio::redirect_error(asio::use_awaitable, ended));
            co_return buffer;
        });
    }
    ~EndpointFixture() {
        endpoint.reset();
        gate->admitted.clear();
        gate->guards.clear();
        drain(io);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(agent_endpoint, EndpointFixture)

BOOST_AUTO_TEST_CASE(an_agent_is_judged_granted_and_handed_over) {
    for (const std::string address : {"unix", "tcp:127.0.0.1:0"}) {
        EndpointFixture fixture;
        if (address != "unix") {
            fixture.options.address = address;
        }
        fixture.start();
        auto agent = fixture.dial();
        fixture.say(agent, claim.substr(0, 20));
        BOOST_TEST(fixture.gate->judged.empty());
        fixture.say(agent, claim.substr(20));
        BOOST_TEST(fixture.hear(agent) ==
                   "{\"type\":\"grant\",\"version\":1,\"resume_key\":\"key\",\"received\":0}\n");
        fixture.settle();
        BOOST_TEST(fixture.gate->judged.at(0).ticket == "t");
        BOOST_TEST_REQUIRE(fixture.gate->admitted.size() == 1u);
        auto& connection = *fixture.gate->admitted[0].second;
        fixture.say(agent, "hello");
        BOOST_TEST(run_on(fixture.io, [&] { return connection.read_some(3); }).value() == "hel");
        BOOST_TEST(run_on(fixture.io, [&] { return connection.write("you\n"); }).has_value());
        BOOST_TEST(fixture.hear(agent) == "you\n");
        agent.close();
        BOOST_TEST(run_on(fixture.io, [&] { return connection.read_some(9); }).value() == "lo");
        BOOST_TEST(run_on(fixture.io, [&] { return connection.read_some(9); }).value() == "");
    }
}

BOOST_AUTO_TEST_CASE(a_guard_is_judged_granted_and_handed_over) {
    for (const std::string address : {"unix", "tcp:127.0.0.1:0"}) {
        EndpointFixture fixture;
        if (address != "unix") {
            fixture.options.address = address;
        }
        fixture.gate->guard_answer->answer.files = {{"x.py", "foo"}};
        fixture.start();
        auto guard = fixture.dial();
        fixture.say(guard, guard_claim);
        BOOST_TEST(fixture.hear(guard) ==
                   "{\"type\":\"grant\",\"version\":1,\"files\":["
                   "{\"name\":\"x.py\",\"base64\":\"Zm9v\"}]}\n");
        fixture.settle();
        BOOST_TEST(fixture.gate->judged.empty());
        BOOST_TEST(fixture.gate->drivers.at(0).ticket == "t-1");
        BOOST_TEST(fixture.gate->drivers.at(0).driver == "driver-1");
        BOOST_TEST_REQUIRE(fixture.gate->guards.size() == 1u);
        fixture.say(guard, "hello");
        auto& connection = *fixture.gate->guards[0];
        BOOST_TEST(run_on(fixture.io, [&] { return connection.read_some(9); }).value() == "hello");
    }
}

BOOST_AUTO_TEST_CASE(a_guard_that_is_not_granted_is_told_why_and_left) {
    start();
    gate->guard_answer->answer = {ClaimAnswer::Code::claimed, "another one", {}};
    auto refused = dial();
    say(refused, guard_claim);
    BOOST_TEST(hear(refused) ==
               "{\"type\":\"refuse\",\"code\":\"claimed\",\"detail\":\"another one\","
               "\"retry\":false}\n");
    BOOST_TEST(hear(refused) == "");
    gate->guard_answer = Error(Errc::backend_failed, "no disk");
    auto later = dial();
    say(later, guard_claim);
    BOOST_TEST(hear(later).find(R"("code":"later")") != std::string::npos);
    BOOST_TEST(logged.back().find("no disk") != std::string::npos);
    gate->guard_answer = GuardVerdict{{ClaimAnswer::Code::granted, "", {}}, {}};
    gate->guard_answer->answer.files = {{"large", std::string(9u << 20, 'x')}};
    auto large = dial();
    say(large, guard_claim);
    BOOST_TEST(hear(large).find("more than a grant can carry") != std::string::npos);
    BOOST_TEST(logged.back().find("t-1") != std::string::npos);
    BOOST_TEST(gate->guards.empty());
}

BOOST_AUTO_TEST_CASE(a_granted_guard_that_nobody_follows_is_left) {
    start();
    gate->follows = false;
    auto guard = dial();
    say(guard, guard_claim);
    BOOST_TEST(hear(guard).find("grant") != std::string::npos);
    BOOST_TEST(hear(guard) == "");
}

BOOST_AUTO_TEST_CASE(a_refused_agent_is_told_why_and_left) {
    start();
    gate->answer = AgentVerdict{AgentVerdict::Code::claimed, "another one", ""};
    auto agent = dial();
    say(agent, claim);
    BOOST_TEST(hear(agent) ==
               "{\"type\":\"refuse\",\"code\":\"claimed\",\"detail\":\"another one\","
               "\"retry\":false}\n");
    BOOST_TEST(hear(agent) == "");
    BOOST_TEST(gate->admitted.empty());
}

BOOST_AUTO_TEST_CASE(a_gate_that_fails_sends_the_agent_away_for_now) {
    start();
    gate->answer = Error(Errc::storage_failed, "disk full");
    auto agent = dial();
    say(agent, claim);
    BOOST_TEST(hear(agent).find(R"("code":"later")") != std::string::npos);
    BOOST_TEST(logged.back().find("disk full") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_gate_that_throws_costs_one_agent_its_connection_and_nothing_else) {
    options.max_greeting = 1;
    start();
    gate->throws = true;
    auto agent = dial();
    say(agent, claim);
    BOOST_TEST(hear(agent) == "");
    BOOST_TEST(logged.back().find("the gate is broken") != std::string::npos);
    gate->throws = false;
    auto next = dial();
    say(next, claim);
    BOOST_TEST(hear(next).find("grant") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_no_greeting_is_closed_without_asking_the_gate) {
    start();
    for (const std::string& said : {std::string("GET / HTTP/1.1\r\n"), std::string("\n"),
                                    claim + "more", claim + claim, std::string(70'000, 'x')}) {
        auto agent = dial();
        say(agent, said);
        BOOST_TEST(hear(agent) == "");
    }
    auto other = dial();
    say(other, R"({"type":"claim","versions":[7],"ticket":"t","secret":"s","nonce":"n",)"
               "\"kinds\":[],\"pid\":1}\n");
    BOOST_TEST(hear(other).find(R"("code":"version")") != std::string::npos);
    BOOST_TEST(gate->judged.empty());
    BOOST_TEST(logged.size() == 6u);
}

BOOST_AUTO_TEST_CASE(an_agent_that_says_nothing_is_closed_after_the_limit) {
    options.greeting_limit = std::chrono::milliseconds(1);
    start();
    auto agent = dial();
    settle();
    BOOST_TEST(hear(agent) == "");
}

BOOST_AUTO_TEST_CASE(more_greetings_than_allowed_at_a_time_are_closed) {
    options.max_greeting = 1;
    start();
    auto slow = dial();
    settle();
    auto next = dial();
    settle();
    BOOST_TEST(hear(next) == "");
    say(slow, claim);
    BOOST_TEST(hear(slow).find("grant") != std::string::npos);
    auto third = dial();
    settle();
    say(third, claim);
    BOOST_TEST(hear(third).find("grant") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_next_host_takes_the_same_socket) {
    start();
    const auto others = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
    BOOST_TEST(((std::filesystem::status(dir / "agents").permissions() & others) ==
                std::filesystem::perms::none));
    endpoint.reset();
    settle();
    BOOST_TEST(over->has_error());
    over.reset();
    start();
    auto agent = dial();
    say(agent, claim);
    BOOST_TEST(hear(agent).find("grant") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_cancelled_run_ends_and_leaves_what_was_handed_over) {
    start();
    auto agent = dial();
    say(agent, claim);
    hear(agent);
    settle();
    leave.emit(asio::cancellation_type::terminal);
    settle();
    BOOST_TEST_REQUIRE(over.has_value());
    say(agent, "hi");
    auto& connection = *gate->admitted.at(0).second;
    BOOST_TEST(run_on(io, [&] { return connection.read_some(9); }).value() == "hi");
}

BOOST_AUTO_TEST_CASE(addresses_that_cannot_be_are_refused) {
    for (const std::string address :
         {"", "unix:relative", "unix:", "tcp:localhost:1", "tcp:127.0.0.1:x", "tcp:127.0.0.1:70000",
          "tcp:127.0.0.1", "udp:127.0.0.1:1"}) {
        options.address = address;
        BOOST_CHECK_EXCEPTION(start(), std::invalid_argument, [](const auto& refused) {
            return std::string(refused.what()).find("address") != std::string::npos;
        });
    }
    options.address = "unix:/" + std::string(200, 'x');
    BOOST_CHECK_THROW(start(), std::invalid_argument);
    options.address = "unix:/nowhere/agents";
    BOOST_CHECK_THROW(start(), boost::system::system_error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
