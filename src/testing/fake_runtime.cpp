// SPDX-License-Identifier: Apache-2.0
#include <sparkhost/testing/fake_runtime.hpp>

#include "testing/fake_runtime_world.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace sparkhost::detail::fake_agents {

namespace {

/// Counts the call, waits at the gate if it is held, and says whether it is to fail.
Awaitable<void> pass_gate(WorldPtr world, std::string operation) {
    world->count(operation);
    std::function<bool()> open = [world, operation] { return !world->holds(operation); };
    co_await wait_until(world, std::move(open));
    auto& [error, count] = world->failures[operation];
    if (count > 0) {
        --count;
        co_return error;
    }
    co_return ok();
}

Awaitable<SubmitRequest> prepare_session(WorldPtr world, std::vector<std::string> kinds,
                                         SessionRuntime::SessionRequest request) {
    auto allowed = co_await pass_gate(world, "prepare");
    if (!allowed) {
        co_return allowed.error();
    }
    const auto& kind = request.session.kind;
    if (!kind.empty() && std::ranges::find(kinds, kind) == kinds.end()) {
        co_return Error(Errc::invalid_argument, "the fake runtime does not speak " + kind, "kind");
    }
    world->prepare(request, std::move(kinds));
    SubmitRequest launch;
    launch.store_uuid = std::move(request.store_uuid);
    launch.subject = "session-" + std::to_string(request.id.value);
    launch.attempt = request.attempt;
    launch.spec = std::move(request.session.spec);
    launch.spec.file = "fake://agent";
    launch.spec.args = {request.ticket};
    if (!request.shares_files) {
        launch.driver_files = {DriverFile{request.claim_file, true}};
    }
    co_return launch;
}

class FakeRuntime final : public SessionRuntime {
public:
    FakeRuntime(WorldPtr world, testing::FakeRuntimeOptions options)
        : world_(std::move(world)), options_(std::move(options)) {}

    Traits traits() const override { return {options_.name, options_.kinds}; }
    Awaitable<SubmitRequest> prepare(SessionRequest request) override {
        return prepare_session(world_, options_.kinds, std::move(request));
    }
    std::unique_ptr<Conversation> attach(AttachRequest request) override {
        return make_conversation(world_, std::move(request));
    }
    Awaitable<void> release(ReleaseRequest) override { return pass_gate(world_, "release"); }

private:
    WorldPtr world_;
    testing::FakeRuntimeOptions options_;
};

}  // namespace

}  // namespace sparkhost::detail::fake_agents

namespace sparkhost::testing {

using detail::fake_agents::wait_until;

FakeAgents::FakeAgents(boost::asio::any_io_executor executor, FakeAgentsOptions options)
    : world_(std::make_shared<detail::fake_agents::World>()) {
    world_->executor = std::move(executor);
    world_->options = options;
}

FakeAgents::~FakeAgents() {
    world_->end();
}

void FakeAgents::answer(std::string code, FakeStatement statement) {
    world_->scripts[std::move(code)] = std::move(statement);
}

void FakeAgents::know_words(std::vector<std::string> words) {
    world_->words = std::move(words);
}

void FakeAgents::hold(std::string operation) {
    world_->held.insert(std::move(operation));
}

void FakeAgents::let_go(std::string operation) {
    world_->held.erase(operation);
    for (const auto& [id, driver] : world_->drivers) {
        if (operation == "statement") {
            driver->let_statement_go();
        } else if (operation == "exit") {
            driver->let_exit_go();
        }
        driver->advance();
    }
    world_->notify();
}

void FakeAgents::fail_next(std::string operation, Error error, std::size_t count) {
    world_->failures[std::move(operation)] = {std::move(error), count};
}

std::vector<SessionFile> FakeAgents::files(SessionId session) const {
    return world_->at(session).files;
}

void FakeAgents::fail_start(StatementResult why) {
    world_->start_failure = std::move(why);
}

void FakeAgents::start(SessionId session) {
    world_->at(session);
    world_->start(world_->find(session));
}

boost::asio::awaitable<void> FakeAgents::run_on(std::shared_ptr<FakeCluster> cluster) {
    return detail::fake_agents::run_on_cluster(world_, std::move(cluster));
}

void FakeAgents::write(SessionId session, OutputChunk chunk) {
    world_->at(session).write(std::move(chunk));
}

void FakeAgents::progress(SessionId session, double fraction) {
    world_->at(session).progress(fraction);
}

void FakeAgents::finish(SessionId session, StatementResult result) {
    world_->at(session).finish(std::move(result));
}

void FakeAgents::pass_interrupt_deadline(SessionId session) {
    world_->at(session).pass_deadline();
}

void FakeAgents::redial(SessionId session) {
    const auto& driver = world_->at(session);
    if (driver.started && !driver.exit_code) {
        world_->dial(world_->find(session));
    }
}

void FakeAgents::drop_connection(SessionId session) {
    auto& driver = world_->at(session);
    driver.leave();
    if (world_->options.redials_by_itself && driver.started && !driver.exit_code) {
        world_->dial(world_->find(session), detail::fake_agents::back_off);
    }
    world_->notify();
}

void FakeAgents::lose_next_grant(SessionId session) {
    world_->at(session).loses_grant = true;
}

void FakeAgents::crash(SessionId session) {
    world_->at(session).quit(1, "crashed");
}

std::size_t FakeAgents::runs(SessionId session, std::string code) const {
    const auto found = world_->runs.find({session, std::move(code)});
    return found == world_->runs.end() ? 0 : found->second;
}

std::string FakeAgents::last_refusal(SessionId session) const {
    const auto driver = world_->find(session);
    return driver ? driver->last_refusal : std::string();
}

bool FakeAgents::is_connected(SessionId session) const {
    const auto driver = world_->find(session);
    return driver && driver->link != 0;
}

std::optional<int> FakeAgents::exit_code(SessionId session) const {
    const auto driver = world_->find(session);
    return driver ? driver->exit_code : std::nullopt;
}

std::optional<SessionRuntime::SessionRequest> FakeAgents::prepared(SessionId session) const {
    const auto driver = world_->find(session);
    return driver ? std::optional(driver->request) : std::nullopt;
}

std::size_t FakeAgents::calls(std::string operation) const {
    const auto found = world_->calls.find(operation);
    return found == world_->calls.end() ? 0 : found->second;
}

std::size_t FakeAgents::dials(SessionId session) const {
    const auto driver = world_->find(session);
    return driver ? driver->dials : 0;
}

boost::asio::awaitable<void> FakeAgents::until_called(std::string operation, std::size_t count) {
    return wait_until(world_, [world = world_, operation, count] {
        const auto found = world->calls.find(operation);
        return found != world->calls.end() && found->second >= count;
    });
}

boost::asio::awaitable<void> FakeAgents::until_dialled(SessionId session, std::size_t count) {
    return wait_until(world_, [world = world_, session, count] {
        const auto driver = world->find(session);
        return driver && driver->dials >= count;
    });
}

boost::asio::awaitable<void> FakeAgents::until_connected(SessionId session) {
    return wait_until(world_, [world = world_, session] {
        const auto driver = world->find(session);
        return driver && driver->link != 0;
    });
}

boost::asio::awaitable<void> FakeAgents::until_running(SessionId session, StatementId statement) {
    return wait_until(world_, [world = world_, session, statement] {
        const auto driver = world->find(session);
        return driver && driver->has_begun(statement);
    });
}

boost::asio::awaitable<void> FakeAgents::until_ended(SessionId session) {
    return wait_until(world_, [world = world_, session] {
        const auto driver = world->find(session);
        return driver && driver->exit_code;
    });
}

std::unique_ptr<SessionRuntime> make_fake_runtime(std::shared_ptr<FakeAgents> agents,
                                                  FakeRuntimeOptions options) {
    if (!agents) {
        throw std::invalid_argument("agents: must not be null");
    }
    return std::make_unique<detail::fake_agents::FakeRuntime>(agents->world_, std::move(options));
}

}  // namespace sparkhost::testing
