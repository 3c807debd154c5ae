// SPDX-License-Identifier: Apache-2.0
#include "testing/runtime_conformance_rig.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <random>
#include <system_error>
#include <utility>

namespace sparkhost::testing::runtime_cases {

namespace fs = std::filesystem;

/// Hands what one conversation says of its session to the rig.
class RigSessionSink final : public SessionSink {
public:
    RigSessionSink(Rig& rig, std::shared_ptr<Told> told, Slot<void> run)
        : rig_(rig), told_(std::move(told)), run_(std::move(run)) {}

    void ready(SessionFacts facts) override {
        check("ready");
        if (!told_->ready.empty()) {
            rig_.violation("ready came twice in one conversation");
        }
        told_->ready.push_back(std::move(facts));
    }
    void failed(StatementResult why) override {
        check("failed");
        rig_.violation("the session failed: " + why.error_name + ": " + why.error_value);
    }
    void busy(StatementId statement) override {
        check("busy");
        if (std::ranges::find(told_->busy, statement) != told_->busy.end()) {
            rig_.violation("busy came twice for a statement");
        }
        told_->busy.push_back(statement);
    }
    void idle() override { check("idle"); }
    void ended(SessionEnd end) override {
        check("ended");
        told_->ended = std::move(end);
    }
    void stray_output(OutputSink::Stream, std::string) override { check("stray_output"); }

private:
    void check(const std::string& call) {
        if (told_->ended) {
            rig_.violation(call + " was called after ended");
        }
        if (run_->has_value()) {
            rig_.violation(call + " was called after run() had completed");
        }
        if (!rig_.strand().running_in_this_thread()) {
            rig_.violation(call + " was not called on the executor run() was awaited on");
        }
        rig_.notify();
    }

    Rig& rig_;
    std::shared_ptr<Told> told_;
    Slot<void> run_;
};

namespace {

fs::path make_folder() {
    auto name = (fs::temp_directory_path() / "sparkhost-runtime-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::system_error(errno, std::generic_category(), "mkdtemp " + name);
    }
    return name;
}

/// Hexadecimal digits nobody else has, so that rigs can share a cluster.
std::string random_digits(std::size_t count) {
    std::random_device device;
    std::string digits;
    while (digits.size() < count) {
        digits += "0123456789abcdef"[device() % 16];
    }
    return digits;
}

}  // namespace

Rig::Rig(RuntimeFixture& fixture, RuntimeConformanceOptions with, asio::any_io_executor loop)
    : options(std::move(with)),
      fixture_(fixture),
      strand_(asio::make_strand(loop)),
      news_(strand_, asio::steady_timer::time_point::max()),
      folder_(make_folder()),
      name_(random_digits(8)) {
    busy_with("the case to begin");
    gate_ = std::make_shared<Gate>([this] { notify(); });
    make_endpoint();
    runtime_ = fixture_.make(strand_);
    expect(runtime_ != nullptr, "the fixture made no runtime");
}

Rig::~Rig() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

void Rig::make_endpoint() {
    AgentEndpointOptions listening;
    listening.address = options.agent_address.empty() ? "unix:" + (folder_ / "agents").string()
                                                      : options.agent_address;
    endpoint_ = std::make_unique<AgentEndpoint>(strand_, std::move(listening), gate_);
    listening_ = std::make_shared<std::optional<Result<void>>>();
    auto over = [this, slot = listening_](std::exception_ptr, Result<void> result) {
        slot->emplace(std::move(result));
        notify();
    };
    asio::co_spawn(strand_, endpoint_->run(), std::move(over));
}

void Rig::busy_with(std::string what) {
    waiting_for_ = std::move(what);
    deadline_ = std::chrono::steady_clock::now() + options.patience;
}

asio::awaitable<void> Rig::wait(std::string what, std::function<bool()> holds) {
    busy_with(std::move(what));
    boost::system::error_code ignored;
    while (!holds()) {
        co_await news_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    busy_with("the case to go on");
}

std::string Rig::take_violation() {
    for (auto& refused : std::exchange(gate_->refused, {})) {
        violation(std::move(refused));
    }
    const auto all = std::exchange(violations_, {});
    return all.empty() ? std::string() : all.front();
}

SessionRuntime::SessionRequest Rig::plan() {
    SessionRuntime::SessionRequest request;
    request.store_uuid = name_ + "-0000-4000-8000-000000000000";
    request.id = SessionId{sessions_++};
    request.session.kind = fixture_.kind();
    const auto number = std::to_string(request.id.value);
    request.ticket = name_ + "-session-" + number + "-1";
    request.agent_endpoint = endpoint_->address();
    const auto claim = folder_ / ("claim-" + number);
    const auto secret = random_digits(32);
    std::ofstream file(claim);
    fs::permissions(claim, fs::perms::owner_read | fs::perms::owner_write);
    file << secret << '\n';
    request.claim_file = claim.string();
    gate_->expect_ticket(request.ticket, secret);
    return request;
}

asio::awaitable<SubmitRequest> Rig::prepare(SessionRuntime::SessionRequest request) {
    busy_with("prepare");
    co_return value_of(co_await runtime_->prepare(std::move(request)));
}

asio::awaitable<void> Rig::open() {
    if (!talk_ || spoilt_) {
        co_await open_new();
    }
}

asio::awaitable<void> Rig::open_fresh() {
    if (!talk_ || spoilt_ || used_) {
        co_await open_new();
    }
}

asio::awaitable<void> Rig::open_new() {
    co_await close_session();
    session_ = plan();
    auto launch = co_await prepare(session_);
    busy_with("the session to be launched");
    co_await fixture_.launch(std::move(launch));
    co_await reconnect();
    spoilt_ = false;
    used_ = false;
    converse();
    co_await until_ready();
}

asio::awaitable<void> Rig::until_ready() {
    std::function<bool()> known = [this] { return !told_->ready.empty() || run_->has_value(); };
    co_await wait("the session to be ready", std::move(known));
    expect(!told_->ready.empty(), "the session has ended before it was ready");
}

asio::awaitable<void> Rig::reconnect() {
    co_await drop_conversation();
    std::function<bool()> come = [this] { return gate_->has_connection(session_.ticket); };
    co_await wait("the agent to dial", std::move(come));
    told_ = std::make_shared<Told>();
    run_ = std::make_shared<std::optional<Result<void>>>();
    auto request = gate_->take(session_.ticket);
    request.sink = std::make_shared<RigSessionSink>(*this, told_, run_);
    talk_ = runtime_->attach(std::move(request));
    expect(talk_ != nullptr, "attach gave no conversation");
    stop_run_.reset();
}

void Rig::converse() {
    stop_run_ = std::make_shared<asio::cancellation_signal>();
    auto over = [this, slot = run_](std::exception_ptr escaped, Result<void> result) {
        if (escaped) {
            violation("an exception escaped from run()");
            result = Errc::backend_failed;
        }
        slot->emplace(std::move(result));
        notify();
    };
    asio::co_spawn(strand_, talk_->run(),
                   asio::bind_cancellation_slot(stop_run_->slot(), std::move(over)));
}

/// Gives its result, when all that was asked has been answered, too.
asio::awaitable<Result<void>> Rig::until_run_ends(std::string why) {
    std::function<bool()> told = [this] { return told_->ended || run_->has_value(); };
    co_await wait("run() to end: " + why, std::move(told));
    if (told_->ended) {  // the agent waits until it is known that this is durable
        std::ranges::for_each(unsettled_, [this](StatementId id) { talk_->settle(id); });
        talk_->settle_session();
    }
    std::function<bool()> over = [this] { return run_->has_value(); };
    co_await wait("run() to end: " + why, std::move(over));
    for (const auto& asked : std::vector<Asked>(asked_)) {
        co_await answer(asked);
    }
    co_return **run_;
}

asio::awaitable<void> Rig::lose_connection() {
    std::vector<Asked> open_ones;
    std::ranges::copy_if(asked_, std::back_inserter(open_ones),
                         [](const Asked& one) { return !one.is_over(); });
    gate_->cut(session_.ticket);
    expect_error(co_await until_run_ends("its connection is gone"), Errc::backend_failed);
    for (const auto& asked : open_ones) {
        if (asked.answer->value().has_error()) {  // or its result was just on its way
            expect_error(**asked.answer, Errc::backend_failed);
        }
    }
}

asio::awaitable<void> Rig::leave() {
    stop_run_->emit(asio::cancellation_type::terminal);
    const auto ended = co_await until_run_ends("it was cancelled");
    expect(ended.has_error(), "a cancelled run() says that the session is over");
}

/// Of a session that cannot be used any more; its agent may live on.
asio::awaitable<void> Rig::drop_conversation() {
    if (!talk_) {
        co_return;
    }
    if (stop_run_ && !run_->has_value()) {
        gate_->cut(session_.ticket);
        co_await until_run_ends("its connection is gone");
    }
    talk_.reset();
    asked_.clear();
}

asio::awaitable<void> Rig::close_session() {
    if (!talk_) {
        co_return;
    }
    if (!told_->ended && run_->has_value()) {
        co_await reconnect();
        converse();
    }
    if (!told_->ended) {
        talk_->close();
    }
    co_await until_run_ends("the session was closed");
    co_await drop_conversation();
    unsettled_.clear();
    gate_->forget(session_.ticket);
    SessionRuntime::ReleaseRequest over;
    over.ticket = session_.ticket;
    busy_with("release");
    value_of(co_await runtime_->release(std::move(over)));
}

asio::awaitable<void> Rig::end_case() {
    if (!talk_) {
        co_return;
    }
    if (run_->has_value()) {
        spoil();
        co_return;
    }
    for (const auto& asked : std::vector<Asked>(asked_)) {
        co_await answer(asked);
    }
    for (const auto id : std::exchange(unsettled_, {})) {
        talk_->settle(id);
    }
    talk_->settle_session();
    used_ = true;
    asked_.clear();
}

asio::awaitable<void> Rig::tidy() {
    co_await close_session();
    runtime_.reset();
    endpoint_.reset();
    std::function<bool()> closed = [this] { return listening_->has_value(); };
    co_await wait("the endpoint to be closed", std::move(closed));
}

}  // namespace sparkhost::testing::runtime_cases
