// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_CLUSTERS_GUARDED_BACKEND_HPP
#define SPARKHOST_TESTS_CLUSTERS_GUARDED_BACKEND_HPP

#include <sparkhost/agent_endpoint.hpp>
#include <sparkhost/testing/backend_wrapper.hpp>

#include "core/guard_messages.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sparkhost::test {

/// A port of this machine that stays the same while hosts come and go.
class KeptPort {
public:
    KeptPort() {
        using boost::asio::ip::tcp;
        // bound but not listening: hosts may listen there, and nobody else gets it in between
        holder_.open(tcp::v4());
        holder_.set_option(tcp::acceptor::reuse_address(true));
        holder_.bind({boost::asio::ip::address_v4::loopback(), 0});
    }
    std::string address() const {
        return "tcp:127.0.0.1:" + std::to_string(holder_.local_endpoint().port());
    }

private:
    boost::asio::io_context io_{};
    boost::asio::ip::tcp::acceptor holder_{io_};
};

/// What a host does with the guards of a backend's drivers: real ones, by the agent protocol.
/// Belongs to the strand that the backend is opened on.
class GuardGate final : public AgentGate, public std::enable_shared_from_this<GuardGate> {
public:
    explicit GuardGate(boost::asio::any_io_executor strand) : strand_(std::move(strand)) {}

    void take_judge(std::weak_ptr<ClaimJudge> judge) { judge_ = std::move(judge); }
    void open() { is_open_ = true; }
    /// Guards find their line cut, and dial the next host.
    void close() {
        is_open_ = false;
        for (const auto& each : connections_) {
            if (const auto connection = each.lock()) {
                connection->close();
            }
        }
    }

    Awaitable<AgentVerdict> judge(AgentGreeting) override { return no_sessions(); }
    void admit(AgentGreeting, std::unique_ptr<AgentConnection>) override {}
    Awaitable<GuardVerdict> judge_guard(DriverClaim claim) override {
        return ask(shared_from_this(), std::move(claim));
    }

private:
    using Connection = std::shared_ptr<AgentConnection>;

    static Awaitable<AgentVerdict> no_sessions() { co_return AgentVerdict{}; }

    static Awaitable<GuardVerdict> ask(std::shared_ptr<GuardGate> self, DriverClaim claim) {
        GuardVerdict verdict;
        verdict.answer.code = ClaimAnswer::Code::later;
        const auto judge = self->judge_.lock();
        if (!judge || !self->is_open_) {
            co_return verdict;
        }
        auto answer = co_await judge->claim(claim);
        if (!answer) {
            co_return verdict;
        }
        verdict.answer = std::move(*answer);
        if (verdict.answer.code == ClaimAnswer::Code::granted) {
            verdict.admit = [self, claim](std::unique_ptr<AgentConnection> connection) {
                self->begin_listening(claim, std::move(connection));
            };
        }
        co_return verdict;
    }

    void begin_listening(const DriverClaim& claim, Connection connection) {
        if (!is_open_) {
            return;
        }
        connections_.push_back(connection);
        boost::asio::co_spawn(strand_, listen(shared_from_this(), claim, std::move(connection)),
                              boost::asio::detached);
    }

    static boost::asio::awaitable<void> listen(std::shared_ptr<GuardGate> self, DriverClaim claim,
                                               Connection connection) {
        detail::GuardLines lines;
        for (bool stays = true; stays;) {
            const auto bytes = co_await connection->read_some(4096);
            if (!bytes || bytes->empty()) {
                break;
            }
            const std::vector<std::string> said = lines.feed(*bytes).value();
            std::string pongs;
            for (const auto& line : said) {
                pongs += self->hear(claim, line);
            }
            if (!pongs.empty()) {
                const auto written = co_await connection->write(std::move(pongs));
                stays = written.has_value();
            }
        }
        connection->close();
        if (const auto judge = self->judge_.lock()) {
            judge->guard_gone(claim.ticket);
        }
    }

    /// Gives what is to be answered.
    std::string hear(const DriverClaim& claim, const std::string& line) {
        auto message = detail::read_guard_message(line).value();
        if (auto* const ping = std::get_if<detail::GuardPing>(&message)) {
            return std::move(ping->pong);
        }
        const auto judge = judge_.lock();
        if (auto* const report = std::get_if<DriverReport>(&message); judge && report != nullptr) {
            report->ticket = claim.ticket;
            report->driver = claim.driver;
            judge->reported(std::move(*report));
        }
        return {};
    }

    boost::asio::any_io_executor strand_;
    std::weak_ptr<ClaimJudge> judge_{};
    bool is_open_{false};
    std::vector<std::weak_ptr<AgentConnection>> connections_{};
};

/// A backend whose drivers' guards dial a real address, for as long as it lives.
class GuardedBackend final : public testing::BackendWrapper {
public:
    GuardedBackend(std::shared_ptr<Backend> inner, std::string address)
        : BackendWrapper(std::move(inner)), door_(std::make_shared<Door>()) {
        door_->address = std::move(address);
    }
    ~GuardedBackend() override {
        door_->endpoint.reset();
        if (door_->gate) {
            door_->gate->close();
        }
    }
    Awaitable<void> open(BackendContext context) override {
        return open_at(inner_, door_, std::move(context));
    }

private:
    struct Door {
        std::string address{};
        std::shared_ptr<GuardGate> gate{};
        std::optional<AgentEndpoint> endpoint{};
    };

    static Awaitable<void> open_at(std::shared_ptr<Backend> inner, std::shared_ptr<Door> door,
                                   BackendContext context) {
        const auto strand = co_await boost::asio::this_coro::executor;
        door->gate = std::make_shared<GuardGate>(strand);
        AgentEndpointOptions options;
        options.address = door->address;
        door->endpoint.emplace(strand, std::move(options), door->gate);
        boost::asio::co_spawn(strand, door->endpoint->run(),
                              [](std::exception_ptr, Result<void>) {});
        context.agent_address = door->address;
        context.take_claims = [gate = door->gate](std::weak_ptr<ClaimJudge> judge) {
            gate->take_judge(std::move(judge));
        };
        Result<void> opened = co_await inner->open(std::move(context));
        if (opened) {
            door->gate->open();
        }
        co_return opened;
    }

    std::shared_ptr<Door> door_;
};

}  // namespace sparkhost::test

#endif
