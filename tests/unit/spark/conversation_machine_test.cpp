// SPDX-License-Identifier: Apache-2.0
#include "runtimes/spark/conversation_machine.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>

using namespace sparkhost;
using namespace sparkhost::detail::spark;

namespace {

AgentMessage numbered(std::int64_t seq, decltype(AgentMessage::body) body,
                      std::optional<StatementId> statement = {}) {
    AgentMessage message;
    message.seq = seq;
    message.statement = statement;
    message.body = std::move(body);
    return message;
}

AgentMessage output(std::int64_t seq, std::int64_t statement) {
    return numbered(seq, AgentOutput{}, StatementId{statement});
}

constexpr StatementId first{0};
constexpr StatementId second{1};

}  // namespace

BOOST_AUTO_TEST_SUITE(conversation_machine)

BOOST_AUTO_TEST_CASE(commands_go_on_where_the_agent_has_come_to) {
    ConversationMachine fresh(AgentHello{});
    BOOST_TEST(fresh.next_command() == 1);
    BOOST_TEST(fresh.next_command() == 2);
    ConversationMachine resumed(AgentHello{12, 57});
    BOOST_TEST(resumed.next_command() == 13);
}

BOOST_AUTO_TEST_CASE(each_message_counts_once_and_none_may_be_missing) {
    ConversationMachine machine(AgentHello{0, 57});
    BOOST_TEST(machine.accept(numbered(57, AgentStatus{})).value());
    BOOST_TEST(!machine.accept(numbered(57, AgentStatus{})).value());
    BOOST_TEST(!machine.accept(numbered(1, AgentStatus{})).value());
    BOOST_TEST(machine.accept(numbered(59, AgentStatus{})).error().is(Errc::backend_failed));
    BOOST_TEST(machine.accept(numbered(58, AgentStatus{})).value());
    BOOST_TEST(machine.accept(numbered(0, AgentProgress{})).value(), "is not numbered");
}

BOOST_AUTO_TEST_CASE(what_nobody_has_asked_for_is_acknowledged_at_once_and_once) {
    ConversationMachine machine(AgentHello{});
    BOOST_TEST(!machine.take_acknowledgement().has_value());
    machine.accept(numbered(1, AgentStatus{})).value();
    machine.accept(output(2, 0)).value();
    BOOST_TEST(machine.take_acknowledgement().value() == 2);
    BOOST_TEST(!machine.take_acknowledgement().has_value());
}

BOOST_AUTO_TEST_CASE(what_a_statement_says_is_kept_until_it_is_settled) {
    ConversationMachine machine(AgentHello{});
    machine.begin(first);
    machine.begin(second);
    machine.accept(numbered(1, AgentStatus{})).value();
    machine.accept(output(2, 0)).value();
    machine.accept(numbered(3, AgentResult{}, first)).value();
    machine.accept(output(4, 1)).value();
    BOOST_TEST(machine.take_acknowledgement().value() == 1);
    machine.settle(second);
    BOOST_TEST(!machine.take_acknowledgement().has_value(), "the first is still needed");
    machine.begin(second);
    machine.settle(first);
    BOOST_TEST(machine.take_acknowledgement().value() == 4);
    machine.accept(output(5, 1)).value();
    BOOST_TEST(!machine.take_acknowledgement().has_value());
    machine.settle(second);
    BOOST_TEST(machine.take_acknowledgement().value() == 5);
}

BOOST_AUTO_TEST_CASE(what_the_session_says_is_kept_until_it_is_settled) {
    ConversationMachine machine(AgentHello{});
    machine.accept(numbered(1, AgentStatus{})).value();
    machine.accept(numbered(2, AgentReady{})).value();
    machine.accept(numbered(3, AgentStatus{})).value();
    BOOST_TEST(machine.take_acknowledgement().value() == 1);
    machine.settle_session();
    BOOST_TEST(machine.take_acknowledgement().value() == 3);
    machine.accept(numbered(4, AgentBye{})).value();
    BOOST_TEST(!machine.take_acknowledgement().has_value());
    machine.settle_session();
    BOOST_TEST(machine.take_acknowledgement().value() == 4);
}

BOOST_AUTO_TEST_SUITE_END()
