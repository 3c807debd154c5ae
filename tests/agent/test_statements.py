# SPDX-License-Identifier: Apache-2.0
"""The table of statements, the inbox and the pauses between dials."""

import pytest
import sparkhost_agent as agent

from sparkhost_agent import FramingError, Statement


def statement(number, code="x"):
    return Statement(number, "pyspark", code)


def test_statements_start_in_their_order():
    table = agent.StatementTable(10000)
    assert [table.execute(statement(n)) for n in (0, 1, 5)] == ["queued"] * 3
    started = []
    while table.has_waiting():
        started.append(table.start().id)
        table.finish(started[-1], {}, 1)
    assert started == [0, 1, 5]


@pytest.mark.parametrize("number, outcome", [
    (1, "over"), (2, "known"), (3, "known"), (0, "forgotten"), (4, "queued")])
def test_what_is_known_is_not_queued_again(number, outcome):
    table = agent.StatementTable(10000)
    for one in (1, 2, 3):
        table.execute(statement(one))
    table.start()
    table.finish(1, {"status": "ok"}, 1)
    table.start()
    assert table.execute(statement(number)) == outcome
    if outcome == "over":
        assert table.result(number) == {"status": "ok"}


def test_cancelling_takes_only_what_waits():
    table = agent.StatementTable(10000)
    for one in (1, 2, 3):
        table.execute(statement(one))
    table.start()
    assert table.cancel_waiting(1) == [] and table.cancel_waiting(9) == []
    assert table.cancel_waiting(2) == [2]
    assert table.cancel_waiting() == [3]
    assert not table.has_waiting() and table.running.id == 1


def test_code_that_waits_is_limited_but_one_always_may():
    table = agent.StatementTable(10 + 2 * agent.StatementTable.OVERHEAD)
    assert table.execute(statement(1, "x" * 1000)) == "queued"
    assert table.execute(statement(2)) == "full"
    table.start()
    assert table.execute(statement(2, "x" * 9)) == "queued"
    assert table.execute(statement(3, "xx")) == "full"
    table.cancel_waiting(2)
    assert table.execute(statement(3, "xx")) == "queued"


def test_results_are_forgotten_when_they_are_many():
    table = agent.StatementTable(10000)
    size = agent.StatementTable.KEEP_RESULTS // 2
    for one in (1, 2, 3):
        table.execute(statement(one))
        table.start()
        table.finish(one, {"n": one}, size)
    assert [table.execute(statement(one)) for one in (1, 2, 3)] == ["forgotten", "over", "over"]
    table.execute(statement(4))
    table.start()
    table.finish(4, {"n": 4}, size * 10)
    assert table.execute(statement(4)) == "over"


@pytest.mark.parametrize("numbers, accepted", [
    ([1, 2, 3], [True] * 3), ([1, 1, 2], [True, False, True]), ([1, 2, 1, 2, 3],
                                                              [True, True, False, False, True])])
def test_the_inbox_takes_each_message_once(numbers, accepted):
    inbox = agent.Inbox()
    assert [inbox.accept({"type": "execute", "seq": n}) for n in numbers] == accepted
    assert inbox.received == max(numbers)


@pytest.mark.parametrize("message", [{"type": "execute", "seq": 2}, {"type": "execute"},
                                     {"type": "close"}, {"type": "interrupt"}])
def test_the_inbox_takes_no_gap_and_no_command_without_a_number(message):
    with pytest.raises(FramingError):
        agent.Inbox().accept(message)


def test_pauses_double_up_to_a_limit_and_begin_anew():
    back_off = agent.BackOff(1, first=0.25, chance=lambda: 0)
    assert [back_off.pause() for _ in range(4)] == [0.25, 0.5, 1, 1]
    back_off.reset()
    assert back_off.pause() == 0.25
    assert agent.BackOff(1, first=0.25, chance=lambda: 1).pause() == 0.125
