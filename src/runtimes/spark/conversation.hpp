// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_RUNTIMES_SPARK_CONVERSATION_HPP
#define SPARKHOST_SRC_RUNTIMES_SPARK_CONVERSATION_HPP

#include "runtimes/spark/conversation_machine.hpp"
#include "waiter.hpp"

#include <sparkhost/session_runtime.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace sparkhost::detail::spark {

/// The state of an AgentConversation. What it started keeps it alive.
class Talk : public std::enable_shared_from_this<Talk> {
public:
    explicit Talk(SessionRuntime::AttachRequest request);

    Awaitable<void> run();
    Awaitable<StatementResult> execute(StatementSpec statement, std::shared_ptr<OutputSink> sink);
    Awaitable<Completion> complete(Conversation::CompletionRequest request);
    Awaitable<void> add(SessionFile file);
    void interrupt(const InterruptRequest& request);
    void settle(StatementId statement);
    void settle_session();
    void close();
    /// Its handle is gone: nothing is told any more.
    void abandon();

private:
    template <class T>
    struct Call {
        std::shared_ptr<Waiter> waiter{std::make_shared<Waiter>()};
        std::optional<Result<T>> answer{};
    };
    struct Statement : Call<StatementResult> {
        std::shared_ptr<OutputSink> sink{};
        std::int64_t command{0};
    };
    using StatementPtr = std::shared_ptr<Statement>;
    /// Calls that are answered once and may be lost with the connection, by their numbers.
    template <class T>
    using Calls = std::map<std::int64_t, std::shared_ptr<Call<T>>>;
    template <class T>
    Awaitable<T> ask(Calls<T>& calls, std::function<std::string(std::int64_t)> line);
    template <class T>
    static void answer(Calls<T>& calls, std::int64_t request, Result<T> answer);
    template <class T>
    static void end_asked(Calls<T>& calls, const Error& error);

    asio::awaitable<Error> read_until_it_ends();
    asio::awaitable<void> write_until_it_ends();
    Result<void> receive(const std::string& line);
    void tell(AgentMessage& message);
    void tell_statement(AgentMessage& message);
    void tell_session(AgentMessage& message);
    void reject(const AgentMessage& message, const AgentRejected& rejected);
    StatementPtr find(const std::optional<StatementId>& statement) const;
    void end_calls(const Error& error);
    void say(std::string line);
    void wake_writer();

    std::unique_ptr<AgentConnection> connection_;
    std::shared_ptr<SessionSink> sink_;
    ConversationMachine machine_;
    std::map<StatementId, StatementPtr> statements_{};
    Calls<Completion> completions_{};
    Calls<void> additions_{};
    std::int64_t last_request_{0};
    std::string unsent_{};
    std::shared_ptr<Waiter> writer_{};
    std::shared_ptr<Waiter> writer_ended_{std::make_shared<Waiter>()};
    bool bye_{false};    ///< the agent has said its last word
    bool ended_{false};  ///< nothing can be read any more
    bool close_asked_{false};
    std::optional<Error> over_{};  ///< why nothing can be asked any more
};

}  // namespace sparkhost::detail::spark

#endif
