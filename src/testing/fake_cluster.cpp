// SPDX-License-Identifier: Apache-2.0
#include <sparkhost/testing/fake_backend.hpp>

#include "testing/fake_world.hpp"

#include <utility>

namespace sparkhost::testing {

FakeCluster::FakeCluster() : world_(std::make_shared<detail::fake::World>()) {}
FakeCluster::~FakeCluster() = default;

void FakeCluster::set_pace(Pace pace) {
    const std::lock_guard lock(world_->mutex);
    world_->pace = pace;
}

void FakeCluster::end_next(Outcome outcome, int exit_code, std::size_t count) {
    const std::lock_guard lock(world_->mutex);
    world_->other_ends = {count, outcome, exit_code};
}

void FakeCluster::hold(std::string operation) {
    const std::lock_guard lock(world_->mutex);
    world_->operations[operation].held = true;
}

void FakeCluster::let_go(std::string operation) {
    const std::lock_guard lock(world_->mutex);
    auto& gate = world_->operations[operation];
    gate.held = false;
    for (const auto& waiter : std::exchange(gate.waiting, {})) {
        waiter->wake(detail::WakeReason::changed);
    }
}

void FakeCluster::fail_next(std::string operation, Error error, std::size_t count) {
    const std::lock_guard lock(world_->mutex);
    auto& failing = world_->operations[operation];
    failing.error = std::move(error);
    failing.failures = count;
}

void FakeCluster::start(std::string ticket) {
    const std::lock_guard lock(world_->mutex);
    world_->advance(world_->known(ticket), ApplicationState::started);
}

void FakeCluster::bring_context_up(std::string ticket, std::string application_id) {
    const std::lock_guard lock(world_->mutex);
    auto& application = world_->known(ticket);
    if (application.status.state < ApplicationState::context_up) {
        application.status.application_id = std::move(application_id);
    }
    world_->advance(application, ApplicationState::context_up);
}

void FakeCluster::add_step(std::string ticket, std::string what, std::string reason) {
    const std::lock_guard lock(world_->mutex);
    auto& application = world_->known(ticket);
    if (application.status.state != ApplicationState::ended) {
        application.status.steps.push_back(
            {std::move(what), world_->clock->now(), std::move(reason)});
        world_->report(application);
    }
}

void FakeCluster::end(std::string ticket, Outcome outcome, int exit_code, std::string reason) {
    const std::lock_guard lock(world_->mutex);
    world_->conclude(world_->known(ticket), outcome, exit_code, std::move(reason));
}

void FakeCluster::forget(std::string ticket) {
    const std::lock_guard lock(world_->mutex);
    world_->known(ticket).forgotten = true;
    world_->count_change();
}

void FakeCluster::append_log(std::string ticket, std::string line) {
    const std::lock_guard lock(world_->mutex);
    auto& application = world_->known(ticket);
    application.log.push_back(std::move(line));
    detail::fake::World::wake_readers(application);
}

void FakeCluster::drop_watches() {
    const std::lock_guard lock(world_->mutex);
    for (const auto& watch : world_->watches) {
        watch->mailbox.clear();
        watch->mailbox.push_back({detail::fake::Message::Kind::snapshot_begin, {}, {}});
        world_->fill_snapshot(*watch);
        detail::fake::World::wake(*watch);
    }
}

void FakeCluster::trouble(std::string reason) {
    const std::lock_guard lock(world_->mutex);
    for (const auto& watch : world_->watches) {
        watch->mailbox.push_back({detail::fake::Message::Kind::trouble, {}, reason});
        detail::fake::World::wake(*watch);
    }
}

std::size_t FakeCluster::starts(std::string ticket) const {
    const std::lock_guard lock(world_->mutex);
    if (auto found = world_->applications.find(ticket); found != world_->applications.end()) {
        return found->second.starts;
    }
    auto gone = world_->released.find(ticket);
    return gone == world_->released.end() ? 0 : gone->second.starts;
}

std::map<std::string, std::string> FakeCluster::driver_files(std::string ticket) const {
    const std::lock_guard lock(world_->mutex);
    return world_->known(ticket).driver_files;
}

std::optional<ApplicationStatus> FakeCluster::status(std::string ticket) const {
    const std::lock_guard lock(world_->mutex);
    const auto found = world_->applications.find(ticket);
    if (found == world_->applications.end() || found->second.forgotten) {
        return std::nullopt;
    }
    return found->second.status;
}

std::size_t FakeCluster::changes() const {
    const std::lock_guard lock(world_->mutex);
    return world_->changes;
}

std::vector<std::string> FakeCluster::submitted() const {
    const std::lock_guard lock(world_->mutex);
    return world_->submitted;
}

std::size_t FakeCluster::calls(std::string operation) const {
    const std::lock_guard lock(world_->mutex);
    auto found = world_->operations.find(operation);
    return found == world_->operations.end() ? 0 : found->second.calls;
}

namespace fake_cluster {

boost::asio::awaitable<void> until_called(detail::fake::WorldPtr world, std::string operation,
                                          std::size_t count) {
    detail::fake::WaiterPtr waiter;
    {
        const std::lock_guard lock(world->mutex);
        auto& watched = world->operations[operation];
        if (watched.calls < count) {
            waiter = std::make_shared<detail::Waiter>();
            watched.watchers.emplace_back(count, waiter);
        }
    }
    if (waiter) {
        co_await detail::Waiter::wait(waiter);
    }
}

boost::asio::awaitable<void> until_changed(detail::fake::WorldPtr world, std::size_t seen) {
    detail::fake::WaiterPtr waiter;
    {
        const std::lock_guard lock(world->mutex);
        if (world->changes <= seen) {
            waiter = world->change_watchers.emplace_back(std::make_shared<detail::Waiter>());
        }
    }
    if (waiter) {
        co_await detail::Waiter::wait(waiter);
    }
}

}  // namespace fake_cluster

boost::asio::awaitable<void> FakeCluster::until_called(std::string operation, std::size_t count) {
    return fake_cluster::until_called(world_, std::move(operation), count);
}

boost::asio::awaitable<void> FakeCluster::until_changed(std::size_t seen) {
    return fake_cluster::until_changed(world_, seen);
}

}  // namespace sparkhost::testing
