// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_TESTING_FAKE_RUNTIME_TALK_HPP
#define SPARKHOST_SRC_TESTING_FAKE_RUNTIME_TALK_HPP

#include "testing/fake_runtime_world.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost::detail::fake_agents {

/// The state of a conversation with a Driver. It knows which one when run() has read the first
/// line of the connection; what is asked before that waits.
class Talk : public std::enable_shared_from_this<Talk> {
public:
    Talk(WorldPtr world, SessionRuntime::AttachRequest request);

    // For the host.
    Awaitable<void> run();
    Awaitable<StatementResult> execute(StatementSpec statement, std::shared_ptr<OutputSink> sink);
    Awaitable<Completion> complete(Conversation::CompletionRequest request);
    Awaitable<void> add(SessionFile file);
    void interrupt(InterruptRequest request);
    void settle(StatementId statement);
    void settle_session();
    void close();
    void abandon();  ///< its handle is gone: nothing is told any more

    // For the driver.
    void hear(Message message);
    void told_ready(const SessionFacts& facts);
    void told_failed(const StatementResult& why);
    void told_ended(const SessionEnd& end);
    void told_busy(StatementId statement);
    void told_idle();
    void told_stray(const OutputChunk& chunk);
    void told_output(StatementId statement, const OutputChunk& chunk);
    void told_progress(StatementId statement, double fraction);
    void told_unheeded(StatementId statement, std::int64_t interrupts);
    void told_result(StatementId statement, const StatementResult& result);
    void told_refusal(StatementId statement, const Error& error);
    void told_completion(std::int64_t number, const Completion& completion);
    void told_added(std::int64_t number, const Result<void>& added);

private:
    template <class T>
    struct Call {
        WaiterPtr waiter{std::make_shared<Waiter>()};
        std::optional<Result<T>> answer{};
        std::shared_ptr<OutputSink> sink{};
    };
    template <class T>
    using CallPtr = std::shared_ptr<Call<T>>;
    /// Calls that may be lost with the connection, by their numbers.
    template <class T>
    using Calls = std::map<std::int64_t, CallPtr<T>>;
    using Command = std::function<void(Driver&)>;

    static asio::awaitable<void> listen(std::shared_ptr<Talk> self);
    asio::awaitable<Error> tell_until_it_ends();
    void find_driver(const std::string& line);
    void command(Command act);
    template <class T>
    Awaitable<T> ask(Calls<T>& calls, std::function<void(Driver&, std::int64_t)> question);
    template <class T>
    static void told(Calls<T>& calls, std::int64_t number, Result<T> answer);
    std::shared_ptr<OutputSink> sink_of(StatementId statement) const;
    void answer(StatementId statement, Result<StatementResult> result);
    void end_calls(const Error& error);
    void wake();

    WorldPtr world_;
    std::unique_ptr<AgentConnection> connection_;
    std::shared_ptr<SessionSink> sink_;
    DriverPtr driver_{};
    std::uint64_t link_{0};
    std::vector<Command> early_{};
    std::deque<Message> mailbox_{};
    std::map<StatementId, CallPtr<StatementResult>> statements_{};
    Calls<Completion> completions_{};
    Calls<void> additions_{};
    std::int64_t last_number_{0};
    WaiterPtr news_{};
    WaiterPtr listened_{std::make_shared<Waiter>()};
    bool ready_told_{false};
    bool end_told_{false};
    bool lost_{false};  ///< the connection is gone
    bool abandoned_{false};
    std::optional<Error> over_{};  ///< why nothing can be asked any more
};

}  // namespace sparkhost::detail::fake_agents

#endif
