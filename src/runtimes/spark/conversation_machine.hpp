// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_RUNTIMES_SPARK_CONVERSATION_MACHINE_HPP
#define SPARKHOST_SRC_RUNTIMES_SPARK_CONVERSATION_MACHINE_HPP

#include "runtimes/spark/agent_messages.hpp"

#include <cstdint>
#include <map>
#include <optional>

namespace sparkhost::detail::spark {

/// Counts messages in both directions and decides what may be acknowledged: never what a
/// statement has said before the statement is settled, for a host that dies asks for it again.
class ConversationMachine {
public:
    explicit ConversationMachine(const AgentHello& hello)
        : sent_(hello.received),
          received_(hello.oldest - 1),
          acknowledged_(received_),
          stored_session_(received_) {}

    /// The number of the next command.
    std::int64_t next_command() { return ++sent_; }

    /// From now on what this statement says is kept by the agent until settle().
    void begin(StatementId statement) { said_.emplace(statement, 0); }
    void settle(StatementId statement) { said_.erase(statement); }
    void settle_session() { stored_session_ = received_; }

    /// Whether to act on the message: false for one that came before.
    /// Errors: backend_failed – one is missing before it.
    Result<bool> accept(const AgentMessage& message);

    /// What may be acknowledged now and has not been.
    std::optional<std::int64_t> take_acknowledgement();

private:
    static bool is_of_session(const AgentMessage& message);

    std::int64_t sent_;
    std::int64_t received_;
    std::int64_t acknowledged_;
    std::int64_t stored_session_;  ///< what the session said up to here is durable
    std::int64_t first_of_session_{0};
    std::map<StatementId, std::int64_t> said_{};  ///< number of its first message; 0: none yet
};

}  // namespace sparkhost::detail::spark

#endif
