// SPDX-License-Identifier: Apache-2.0
#include "testing/fake_runtime_world.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>

#include <charconv>
#include <fstream>
#include <stdexcept>
#include <string>

namespace sparkhost::detail::fake_agents {

void World::count(const std::string& operation) {
    ++calls[operation];
    notify();
}

void World::notify() {
    for (const auto& waiter : std::exchange(waiters, {})) {
        waiter->wake(WakeReason::changed);
    }
}

DriverPtr World::find(SessionId session) const {
    const auto found = drivers.find(session);
    return found == drivers.end() ? nullptr : found->second;
}

Driver& World::at(SessionId session) const {
    const auto driver = find(session);
    if (!driver) {
        throw std::invalid_argument("session: prepare() has not seen session " +
                                    std::to_string(session.value));
    }
    return *driver;
}

testing::FakeStatement World::script_of(const std::string& code) const {
    const auto found = scripts.find(code);
    if (found != scripts.end()) {
        return found->second;
    }
    testing::FakeStatement echo;
    echo.result.data["text/plain"] = code;
    return echo;
}

void World::prepare(const SessionRuntime::SessionRequest& request, std::vector<std::string> kinds) {
    const auto known = find(request.id);
    if (known && known->request.ticket == request.ticket) {
        if (!known->started) {
            known->request = request;
        }
        return;
    }
    if (known) {
        known->quit(1, "another attempt has been prepared");
    }
    const auto digits = std::to_string(++numbers);
    auto nonce = std::string(32 - digits.size(), '0') + digits;
    drivers[request.id] =
        std::make_shared<Driver>(*this, request, std::move(kinds), std::move(nonce));
    notify();
}

void World::start(const DriverPtr& driver) {
    if (std::exchange(driver->started, true) || driver->exit_code) {
        return;
    }
    std::ifstream file(driver->request.claim_file);
    std::getline(file, driver->secret);
    if (driver->secret.empty()) {
        return driver->quit(10, "the claim file cannot be read");
    }
    dial(driver);
}

void World::end() {
    over = true;
    for (const auto& [id, driver] : drivers) {
        driver->leave();
    }
    notify();
}

asio::awaitable<void> wait_until(WorldPtr world, std::function<bool()> holds) {
    while (!world->over && !holds()) {
        const auto waiter = world->waiters.emplace_back(std::make_shared<Waiter>());
        const WakeReason woken = co_await Waiter::wait(waiter);
        if (woken == WakeReason::cancelled) {
            break;
        }
    }
}

namespace {

/// The session a fake cluster's ticket is for: "<store>-session-<id>-<attempt>".
DriverPtr driver_for(const World& world, const std::string& ticket) {
    static const std::string mark = "-session-";
    const auto at = ticket.rfind(mark);
    if (at == std::string::npos) {
        return nullptr;
    }
    SessionId session;
    const char* end = ticket.data() + ticket.size();
    const auto parsed = std::from_chars(ticket.data() + at + mark.size(), end, session.value);
    const auto driver = parsed.ec == std::errc() ? world.find(session) : nullptr;
    const bool fits =
        driver && std::string(parsed.ptr, end) == "-" + std::to_string(driver->request.attempt);
    return fits ? driver : nullptr;
}

/// Starts what is new, ends what has been killed.
void follow_cluster(World& world, const std::shared_ptr<testing::FakeCluster>& cluster) {
    for (const auto& ticket : cluster->submitted()) {
        const auto driver = driver_for(world, ticket);
        if (!driver) {
            continue;
        }
        const auto status = cluster->status(ticket);
        const bool over = !status || status->state == ApplicationState::ended;
        if (!driver->started && !over) {
            driver->cluster = cluster;
            driver->cluster_ticket = ticket;
            cluster->start(ticket);
            world.start(driver);
        } else if (over && driver->cluster_ticket == ticket) {
            driver->quit(1, "killed");
        }
    }
}

}  // namespace

asio::awaitable<void> run_on_cluster(WorldPtr world,
                                     std::shared_ptr<testing::FakeCluster> cluster) {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!world->over) {
        const auto seen = cluster->changes();
        follow_cluster(*world, cluster);
        co_await cluster->until_changed(seen);
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) {
            break;
        }
    }
}

}  // namespace sparkhost::detail::fake_agents
