// SPDX-License-Identifier: Apache-2.0
// Code of a session shares its agent's process and can say anything in its name. Beyond not
// crashing: lines are the same in whatever pieces they arrive, and what is accepted keeps to the
// rules that the conversation relies on.
#include "core/agent_greeting.hpp"
#include "core/guard_messages.hpp"
#include "runtimes/spark/conversation_machine.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace {

using namespace sparkhost::detail::spark;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

std::vector<std::string> lines_of(std::string_view stream, std::size_t piece) {
    LineReader reader;
    std::vector<std::string> all;
    while (!stream.empty()) {
        auto lines = reader.feed(stream.substr(0, piece));
        stream.remove_prefix(stream.size() < piece ? stream.size() : piece);
        require(lines.has_value());  // no input of a fuzzer is so long
        all.insert(all.end(), lines->begin(), lines->end());
    }
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view stream(reinterpret_cast<const char*>(data), size);
    const auto lines = lines_of(stream, size + 1);
    require(lines == lines_of(stream, 1));
    ConversationMachine machine(sparkhost::AgentHello{});
    machine.begin(sparkhost::StatementId{0});
    std::int64_t last = 0;
    for (const auto& line : lines) {
        if (const auto greeting = sparkhost::detail::read_greeting(line)) {
            if (const auto* agent = std::get_if<sparkhost::AgentGreeting>(&*greeting)) {
                require(agent->hello.oldest >= 1 && agent->hello.received >= 0);
            } else {
                require(std::get<sparkhost::DriverClaim>(*greeting).nonce.size() == 32);
            }
        }
        if (const auto guard = sparkhost::detail::read_guard_message(line)) {
            const auto* ping = std::get_if<sparkhost::detail::GuardPing>(&*guard);
            require(ping == nullptr || ping->pong.find('\n') == ping->pong.size() - 1);
        }
        const auto message = read_message(line);
        if (!message) {
            continue;
        }
        require(message->seq >= 0 && (!message->statement || message->statement->value >= 0));
        const auto fresh = machine.accept(*message);
        if (fresh && *fresh && message->seq > 0) {
            require(message->seq == last + 1);
            last = message->seq;
        }
        if (const auto through = machine.take_acknowledgement()) {
            require(*through <= last);
        }
    }
    return 0;
}
