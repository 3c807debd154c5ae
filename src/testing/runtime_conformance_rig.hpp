// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_TESTING_RUNTIME_CONFORMANCE_RIG_HPP
#define SPARKHOST_SRC_TESTING_RUNTIME_CONFORMANCE_RIG_HPP

// What the cases of the runtime conformance kit are written with: the part of a host that has to
// do with sessions, reduced to its calls.

#include <sparkhost/testing/runtime_conformance.hpp>

#include "hop.hpp"
#include "testing/backend_rig.hpp"
#include "testing/runtime_conformance_gate.hpp"

#include <sparkhost/agent_endpoint.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost::testing::runtime_cases {

namespace asio = boost::asio;
using backend_cases::Case;
using backend_cases::expect;
using backend_cases::expect_error;
using backend_cases::fail;
using backend_cases::Here;
using backend_cases::Slot;
using backend_cases::value_of;
using Program = RuntimeFixture::Program;

/// What an OutputSink was told.
struct Heard {
    std::string out{};
    std::string err{};
};

/// What a SessionSink was told.
struct Told {
    std::vector<SessionFacts> ready{};
    std::vector<StatementId> busy{};
    std::optional<SessionEnd> ended{};
};

/// One statement, as one conversation sees it.
struct Asked {
    StatementSpec spec{};
    std::string mark{};
    std::shared_ptr<Heard> heard{};
    std::shared_ptr<asio::cancellation_signal> give_up{};
    Slot<StatementResult> answer{};
    std::shared_ptr<std::size_t> place{};  ///< its answer was the n-th of the rig

    bool is_over() const { return answer->has_value(); }
};

/// All members belong to the strand.
class Rig {
public:
    Rig(RuntimeFixture& fixture, RuntimeConformanceOptions options, asio::any_io_executor loop);
    ~Rig();
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;

    SessionRuntime& runtime() { return *runtime_; }
    RuntimeFixture& fixture() { return fixture_; }

    // Sessions.
    SessionRuntime::SessionRequest plan();  ///< a session that nobody has heard of
    asio::awaitable<SubmitRequest> prepare(SessionRuntime::SessionRequest request);
    asio::awaitable<void> open();        ///< there is a session that is ready, and quiet
    asio::awaitable<void> open_fresh();  ///< one that has not been used
    asio::awaitable<void> lose_connection();
    asio::awaitable<void> leave();      ///< cancels run()
    asio::awaitable<void> reconnect();  ///< attaches the next connection; run() is for converse()
    void converse();
    asio::awaitable<Result<void>> until_run_ends(std::string why);
    asio::awaitable<void> until_ready();

    Conversation& talk() { return *talk_; }
    const Told& told() const { return *told_; }
    const Greeted& greeted(const std::string& ticket) const { return gate_->at(ticket); }
    const std::string& ticket() const { return session_.ticket; }

    // Statements.
    Asked begin(Program program);
    Asked begin(StatementSpec spec, std::string mark = {});
    Asked take_up(const Asked& earlier);  ///< the same in the present conversation
    asio::awaitable<Result<StatementResult>> answer(Asked asked);
    asio::awaitable<StatementResult> result(Asked asked);
    asio::awaitable<void> echo();  ///< the session is usable
    asio::awaitable<void> until_busy(Asked asked);
    asio::awaitable<void> until_begun(Asked asked);  ///< `endless_after_line`
    void interrupt(const Asked& asked);
    std::size_t runs(const Asked& asked) { return fixture_.runs(asked.mark); }
    StatementSpec next_statement(Program program, std::string& mark);
    Slot<Completion> complete(Conversation::CompletionRequest request);
    asio::awaitable<Completion> finish(Slot<Completion> slot);

    // For the runner.
    asio::awaitable<void> end_case();  ///< settles what the case has asked
    void spoil() { spoilt_ = true; }   ///< the session cannot be used by the next case
    asio::awaitable<void> tidy();
    void use(RuntimeConformanceOptions with) { options = std::move(with); }
    const detail::Strand& strand() const { return strand_; }
    std::chrono::steady_clock::time_point deadline() const { return deadline_; }
    const std::string& waiting_for() const { return waiting_for_; }
    std::string take_violation();

    RuntimeConformanceOptions options;

private:
    friend class RigSessionSink;
    friend class RigOutputSink;
    asio::awaitable<void> wait(std::string what, std::function<bool()> holds);
    asio::awaitable<void> open_new();
    asio::awaitable<void> close_session();
    asio::awaitable<void> drop_conversation();
    void make_endpoint();
    void busy_with(std::string what);
    void violation(std::string text) { violations_.push_back(std::move(text)); }
    void notify() { news_.cancel(); }

    RuntimeFixture& fixture_;
    detail::Strand strand_;
    asio::steady_timer news_;
    std::filesystem::path folder_;
    std::string name_;  ///< of this rig, in tickets and marks
    std::shared_ptr<Gate> gate_;
    std::unique_ptr<AgentEndpoint> endpoint_;
    Slot<void> listening_;
    std::unique_ptr<SessionRuntime> runtime_;
    SessionRuntime::SessionRequest session_{};  ///< the open one
    std::unique_ptr<Conversation> talk_;
    std::shared_ptr<Told> told_{std::make_shared<Told>()};
    std::shared_ptr<asio::cancellation_signal> stop_run_;
    Slot<void> run_;
    std::vector<Asked> asked_;  ///< of the present conversation
    std::vector<StatementId> unsettled_;
    std::int64_t sessions_{0};
    std::int64_t next_statement_{0};
    std::size_t answers_{0};
    bool used_{false};
    bool spoilt_{false};
    std::vector<std::string> violations_;
    std::string waiting_for_;
    std::chrono::steady_clock::time_point deadline_;
};

std::string plain_text(const StatementResult& result);

void add_prepare_cases(std::vector<RuntimeCase>& cases, const RuntimeConformanceOptions& options);
void add_statement_cases(std::vector<RuntimeCase>& cases, const RuntimeConformanceOptions& options);
void add_interrupt_cases(std::vector<RuntimeCase>& cases, const RuntimeConformanceOptions& options);
void add_connection_cases(std::vector<RuntimeCase>& cases,
                          const RuntimeConformanceOptions& options);
void add_end_cases(std::vector<RuntimeCase>& cases, const RuntimeConformanceOptions& options);

}  // namespace sparkhost::testing::runtime_cases

#endif
