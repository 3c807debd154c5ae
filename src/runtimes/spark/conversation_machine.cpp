// SPDX-License-Identifier: Apache-2.0
#include "runtimes/spark/conversation_machine.hpp"

#include <algorithm>

namespace sparkhost::detail::spark {

bool ConversationMachine::is_of_session(const AgentMessage& message) {
    return std::holds_alternative<AgentReady>(message.body) ||
           std::holds_alternative<AgentFailed>(message.body) ||
           std::holds_alternative<AgentBye>(message.body);
}

Result<bool> ConversationMachine::accept(const AgentMessage& message) {
    if (message.seq == 0) {
        return true;
    }
    if (message.seq <= received_) {
        return false;
    }
    if (message.seq != received_ + 1) {
        return Error(Errc::backend_failed, "the agent broke its protocol: message " +
                                               std::to_string(message.seq) + " came after " +
                                               std::to_string(received_));
    }
    received_ = message.seq;
    if (message.statement) {
        const auto known = said_.find(*message.statement);
        if (known != said_.end() && known->second == 0) {
            known->second = message.seq;
        }
    }
    if (is_of_session(message) && first_of_session_ <= stored_session_) {
        first_of_session_ = message.seq;
    }
    return true;
}

std::optional<std::int64_t> ConversationMachine::take_acknowledgement() {
    auto through = received_;
    for (const auto& [statement, first] : said_) {
        if (first != 0) {
            through = std::min(through, first - 1);
        }
    }
    if (first_of_session_ > stored_session_) {
        through = std::min(through, first_of_session_ - 1);
    }
    if (through <= acknowledged_) {
        return std::nullopt;
    }
    acknowledged_ = through;
    return through;
}

}  // namespace sparkhost::detail::spark
