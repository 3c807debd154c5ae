// SPDX-License-Identifier: Apache-2.0
#include "core/guard_desk.hpp"

#include "core/guard_messages.hpp"
#include "core/host_impl.hpp"

#include <exception>
#include <utility>

namespace sparkhost {

namespace guard_desk {

/// A guard has little to say. Past so many messages of one connection it is heard slowly: the
/// user's code could speak in its place, and the host's strand is for all.
constexpr std::size_t messages_at_once = 64;
constexpr std::chrono::milliseconds pause_per_message{250};
constexpr std::size_t piece = 4096;

GuardVerdict refusal(ClaimAnswer::Code code, std::string detail) {
    GuardVerdict verdict;
    verdict.answer.code = code;
    verdict.answer.detail = std::move(detail);
    return verdict;
}

bool is_open(const HostImpl& host) {
    return host.stage == HostImpl::Stage::ready && !host.stop_requested && !host.storage_suspect;
}

}  // namespace guard_desk

void GuardDesk::take_judge(std::size_t backend, std::weak_ptr<ClaimJudge> judge) {
    if (judges_.size() <= backend) {
        judges_.resize(backend + 1);
    }
    judges_[backend] = std::move(judge);
}

std::vector<GuardDesk::JudgePtr> GuardDesk::judges() const {
    std::vector<JudgePtr> there;
    for (const auto& each : judges_) {
        if (auto judge = each.lock()) {
            there.push_back(std::move(judge));
        }
    }
    return there;
}

bool GuardDesk::is_newest(const Visit& visit) const {
    const auto found = guards_.find(visit.ticket);
    return found != guards_.end() && found->second.connection == visit.connection;
}

Awaitable<GuardVerdict> GuardDesk::judge(std::shared_ptr<HostImpl> host, DriverClaim claim) {
    using Code = ClaimAnswer::Code;
    if (!host || !guard_desk::is_open(*host)) {
        co_return guard_desk::refusal(Code::later, "the host is starting, stopping or recovering");
    }
    const TaskGuard guard(*host);
    co_return co_await ask(host, std::move(claim));
}

Awaitable<GuardVerdict> GuardDesk::ask(std::shared_ptr<HostImpl> host, DriverClaim claim) {
    using Code = ClaimAnswer::Code;
    auto unknown = guard_desk::refusal(Code::unknown, "no backend of this host knows the ticket");
    const auto all = host->desk.judges();
    for (const auto& judge : all) {
        auto call = [&] { return judge->claim(claim); };
        auto answer = co_await guarded<ClaimAnswer>(call, Errc::backend_failed);
        if (!answer) {
            host->log(LogLevel::error, "a claim could not be judged: " + answer.error().text());
            co_return guard_desk::refusal(Code::later, answer.error().text());
        }
        if (answer->code == Code::unknown) {
            if (!answer->detail.empty()) {
                unknown.answer.detail = std::move(answer->detail);
            }
            continue;
        }
        GuardVerdict verdict;
        verdict.answer = std::move(*answer);
        if (verdict.answer.code == Code::granted) {
            const Visit visit{claim.ticket, claim.driver, judge, 0};
            verdict.admit = [weak = std::weak_ptr(host),
                             visit](std::unique_ptr<AgentConnection> connection) {
                if (const auto there = weak.lock()) {
                    admit(there, visit, std::move(connection));
                }
            };
        }
        if (verdict.answer.code == Code::claimed || verdict.answer.code == Code::ended) {
            host->log(LogLevel::info, "driver '" + claim.driver + "' of " + claim.ticket +
                                          " runs no user code: " + verdict.answer.detail);
        }
        co_return verdict;
    }
    co_return unknown;
}

void GuardDesk::admit(const std::shared_ptr<HostImpl>& host, Visit visit,
                      std::unique_ptr<AgentConnection> connection) {
    if (!guard_desk::is_open(*host)) {
        return;  // it finds the line cut, and dials again
    }
    auto& guard = host->desk.guards_[visit.ticket];
    auto before = std::exchange(guard.leave, nullptr);
    guard.connection = visit.connection = ++host->connections;
    cancel_task(before);
    auto left = [weak = std::weak_ptr(host), visit] {
        const auto there = weak.lock();
        if (there && there->desk.is_newest(visit)) {
            there->desk.guards_.erase(visit.ticket);
        }
    };
    auto listening = listen(host, visit, std::shared_ptr<AgentConnection>(std::move(connection)));
    guard.leave = host->spawn_cancellable(std::move(listening), std::move(left));
}

/// Acts on what one guard says, for as long as its connection is the newest of its ticket.
class GuardDesk::Listener {
public:
    Listener(std::shared_ptr<HostImpl> host, Visit visit,
             std::shared_ptr<AgentConnection> connection)
        : host_(std::move(host)), visit_(std::move(visit)), connection_(std::move(connection)) {}

    boost::asio::awaitable<void> run() {
        detail::GuardLines lines;
        for (bool stays = true; stays;) {
            const auto bytes = co_await connection_->read_some(guard_desk::piece);
            if (!bytes || bytes->empty()) {
                break;
            }
            auto said = lines.feed(*bytes);
            if (said) {
                stays = co_await hear_all(std::move(*said));
            } else {
                stays = misunderstood(said.error());
            }
        }
        connection_->close();
        if (is_current()) {
            tell([&](ClaimJudge& judge) { judge.guard_gone(visit_.ticket); });
        }
    }

private:
    bool is_current() const {
        return host_->desk.is_newest(visit_) && host_->stage == HostImpl::Stage::ready;
    }
    bool misunderstood(const Error& error) const {
        host_->log(LogLevel::warning,
                   "the guard of " + visit_.ticket + " was not understood: " + error.text());
        return false;
    }

    /// False: the connection is over.
    boost::asio::awaitable<bool> hear_all(std::vector<std::string> lines) {
        for (const auto& line : lines) {
            if (++heard_ > guard_desk::messages_at_once) {
                const auto until = host_->clock->steady_now() + guard_desk::pause_per_message;
                co_await host_->clock->sleep_until(until);
            }
            if (!is_current()) {
                co_return false;  // another one has come, or the host leaves
            }
            auto message = detail::read_guard_message(line);
            if (!message) {
                co_return misunderstood(message.error());
            }
            if (auto* report = std::get_if<DriverReport>(&*message)) {
                pass_on(std::move(*report));
            } else if (auto* ping = std::get_if<detail::GuardPing>(&*message)) {
                const auto answered = co_await connection_->write(std::move(ping->pong));
                if (!answered) {
                    co_return false;
                }
            }
        }
        co_return true;
    }

    void pass_on(DriverReport report) {
        report.ticket = visit_.ticket;
        report.driver = visit_.driver;
        tell([&](ClaimJudge& judge) { judge.reported(std::move(report)); });
    }

    template <class Call>
    void tell(Call call) {
        const auto judge = visit_.judge.lock();
        if (!judge) {
            return;
        }
        try {
            call(*judge);
        } catch (const std::exception& failure) {
            host_->log(LogLevel::error,
                       std::string("a backend failed at a guard's word: ") + failure.what());
        } catch (...) {
            host_->log(LogLevel::error, "a backend failed at a guard's word");
        }
    }

    std::shared_ptr<HostImpl> host_;
    Visit visit_;
    std::shared_ptr<AgentConnection> connection_;
    std::size_t heard_{0};
};

boost::asio::awaitable<void> GuardDesk::listen(std::shared_ptr<HostImpl> host, Visit visit,
                                               std::shared_ptr<AgentConnection> connection) {
    Listener listener(std::move(host), std::move(visit), std::move(connection));
    co_await listener.run();
}

}  // namespace sparkhost
