# SPDX-License-Identifier: Apache-2.0
"""Interrupts: of everything that runs or waits, and of nothing else."""

import sparkhost_agent as agent
import pytest

GO = "print('go')\n"


def cancelled(session, statement, **fields):
    session.running(statement)
    session.interrupt(statement, **fields)
    result = session.result(statement)
    assert result["status"] == "cancelled" and result["interrupted"], result
    return result


@pytest.mark.parametrize("code", [
    "while True: pass",
    "import time; time.sleep(600)",
    "import threading; threading.Event().wait()",
    "import socket; a, b = socket.socketpair(); a.recv(1)",
    "import os; r, w = os.pipe(); os.read(r, 1)",
    "import subprocess; subprocess.run(['sleep', '600'])",
    "import asyncio; await asyncio.sleep(600)",
    "import asyncio\nasync def f():\n    while True: pass\nawait f()",
    "import asyncio; asyncio.run(asyncio.sleep(600))",
    "class R:\n  def __repr__(self):\n    while True: pass\nR()",
    "class E(Exception):\n  def __str__(self):\n    while True: pass\nraise E",
    "import ctypes\nwhile True: ctypes.CDLL(None).usleep(20000)",
    "while True: print('x' * 100)",
    "try:\n  while True: pass\nexcept KeyboardInterrupt: raise ValueError",
])
def test_an_interrupt_interrupts_and_the_session_is_usable(session, code):
    session.execute(0, GO + code)
    cancelled(session, 0)
    assert session.echo(1, "'usable'") == b"'usable'"


@pytest.fixture
def patient(launch):
    """An agent that does not interrupt again while code is about to end by itself."""
    return launch(interrupt_repeat=60).ready()


def test_an_interrupt_cancels_the_jobs_of_the_statement(patient):
    session = patient
    session.execute(0, "try:\n  print('go')\n  while True: pass\nexcept KeyboardInterrupt: pass\n"
                       "while 'sparkhost-0' not in sc.cancelled: pass")
    session.running(0)
    session.interrupt(0)
    assert session.result(0)["status"] == "ok"
    assert session.echo(1, "sc.cancelled") == b"{'sparkhost-0'}"


def test_jobs_that_begin_when_their_statement_is_over_are_cancelled_too(session):
    session.execute(0, "print('go')\nwhile True: pass")
    session.running(0)
    cancelled(session, 0)
    session.run(1, "sc.cancelled.clear()")  # the JVM had gone on, and now begins a job
    assert session.echo(2, "while 'sparkhost-0' not in sc.cancelled: pass\n'ended'") == b"'ended'"


def test_the_traceback_of_an_interrupt_shows_where(session):
    session.execute(0, GO + "while True:\n    pass")
    result = cancelled(session, 0)
    shown = "".join(result["traceback"])
    assert result["ename"] == "KeyboardInterrupt"
    assert '"<statement 0>"' in shown and "sparkhost_agent" not in shown


@pytest.mark.parametrize("times, attempts", [(1, 1000), (3, 2)])
def test_code_that_swallows_interrupts_gets_more(launch, times, attempts):
    session = launch(interrupt_repeat=0.1, interrupt_attempts=attempts).ready()
    session.execute(0, f"for _ in range({times}):\n  try:\n    print('go')\n    while True: pass\n"
                       "  except KeyboardInterrupt: pass\nwhile True: pass")
    cancelled(session, 0)
    told = [one for one in session.seen if one["type"] == "unheeded"]
    assert len(told) == (times > attempts)


def test_code_may_clean_up_before_the_next_interrupt(patient):
    session = patient
    session.execute(0, "import time\ntry:\n  print('go')\n  time.sleep(600)\nfinally:\n"
                       "  time.sleep(0.3); print('cleaned')")
    cancelled(session, 0)
    assert session.output(0).endswith(b"cleaned\n")


def test_code_that_ends_well_after_an_interrupt_keeps_its_result(patient):
    session = patient
    session.execute(0, "try:\n  print('go')\n  while True: pass\n"
                       "except KeyboardInterrupt: pass\n'done'")
    session.running(0)
    session.interrupt(0)
    result = session.result(0)
    assert (result["status"], result["interrupted"]) == ("ok", True)
    assert result["data"] == {"text/plain": "'done'"}


def test_ending_the_session_is_by_option_and_is_said(launch):
    session = launch(interrupt_repeat=0.1, interrupt_attempts=2, progress_every=0.05).ready()
    session.execute(0, "while True:\n  try:\n    print('go')\n    while True: pass\n"
                       "  except KeyboardInterrupt: pass")
    session.running(0)
    session.interrupt(0)
    session.until("unheeded", statement=0)
    session.interrupt(0, end_session_after=0.2)
    assert session.result(0)["ename"] == "SessionEnded"
    session.peer.acknowledges = False  # so that it has its last time to the full
    assert "statement 0" in session.until("bye", reason="interrupt_unheeded")["detail"]
    assert session.wait() == agent.EXIT_INTERRUPT_UNHEEDED


def test_the_option_does_not_end_a_session_whose_statement_ends(session):
    session.execute(0, GO + "while True: pass")
    cancelled(session, 0, end_session_after=20)
    assert session.echo(1, "1") == b"1"


def test_a_statement_that_waits_is_cancelled_without_running(session):
    session.execute(0, GO + "while True: pass")
    session.execute(1, "print('never')")
    session.execute(2, "print('kept')")
    session.running(0)
    session.interrupt(1)
    assert session.result(1)["status"] == "cancelled"
    cancelled(session, 0)
    assert session.result(2)["status"] == "ok"
    assert session.output(1) == b"" and session.output(2) == b"kept\n"


def test_an_interrupt_of_what_has_not_come_keeps_it_and_nothing_else_from_running(session):
    session.run(0, "1")
    session.interrupt(2)
    session.execute(1, "print('kept')")
    session.execute(2, "print('never')")
    session.execute(3, "print('kept too')")
    session.result(3)
    ends = {one["statement"]: one["status"] for one in session.seen if one["type"] == "result"}
    assert ends == {0: "ok", 1: "ok", 2: "cancelled", 3: "ok"}
    assert session.output(2) == b"" and session.output(3) == b"kept too\n"


@pytest.mark.parametrize("statement", [0, 77])
def test_an_interrupt_of_what_is_over_or_unknown_does_nothing(session, statement):
    session.run(0, "1")
    session.interrupt(statement)
    assert session.echo(1, "'next'") == b"'next'"


def test_an_interrupt_at_the_end_of_a_statement_never_hits_the_next(session):
    """Interrupts race the ends of short statements; whatever they hit, it is that statement."""
    for number in range(0, 400, 2):
        session.execute(number, "x = sum(range(2000))")
        session.execute(number + 1, "y = [i for i in range(2000)]; len(y)")
        session.interrupt(number)
    for number in range(0, 400, 2):
        result = session.result(number + 1)
        assert result["status"] == "ok" and "interrupted" not in result, result
        assert result["data"] == {"text/plain": "2000"}
    assert session.close() == 0


def test_code_with_a_handler_of_its_own_does_not_break_the_next(session):
    session.execute(0, GO + "import signal, time\n"
                            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
                            "time.sleep(600)")
    cancelled(session, 0)
    session.execute(1, GO + "import time; time.sleep(600)")
    cancelled(session, 1)
    assert session.echo(2, "1") == b"1"


def test_a_sigint_that_nobody_asked_for_does_nothing(session):
    session.run(0, "import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    assert session.echo(1, "'alive'") == b"'alive'"


@pytest.mark.parametrize("steps, wanted", [
    # (time, delivered so far) → actions; requested at 0
    ([(0, 0)], [["signal"]]),
    ([(0, 0), (0.04, 0), (0.05, 0), (0.1, 0), (0.2, 0)], [["signal"], [], ["signal"], [],
                                                           ["signal"]]),
    ([(0, 0), (0.01, 1), (1.0, 1), (1.01, 1)], [["signal"], [], [], ["signal"]]),
    ([(0, 0), (0.1, 1), (1.1, 1), (1.2, 2), (2.2, 2), (2.3, 3), (3.3, 3)],
     [["signal"], [], ["signal"], [], ["signal", "unheeded"], [], ["signal"]]),
    ([(0, 0), (0.1, 2), (1.2, 2)], [["signal"], [], ["signal", "unheeded"]]),
])
def test_interrupt_machine(steps, wanted):
    machine = agent.InterruptMachine(repeat=1, attempts=2)
    machine.request(7, 0)
    assert [machine.tick(*step) for step in steps] == wanted


def test_interrupt_machine_ends_the_session_once_and_at_the_earliest_time():
    machine = agent.InterruptMachine(repeat=1, attempts=99)
    machine.request(7, 0, end_session_after=5)
    machine.request(7, 1, end_session_after=2)
    machine.request(7, 2, end_session_after=9)
    assert machine.deadline() == 0
    assert "end_session" not in machine.tick(2.9, 0)
    assert "end_session" in machine.tick(3, 0)
    assert "end_session" not in machine.tick(9, 0)


def test_interrupt_machine_forgets_a_statement_that_is_over():
    machine = agent.InterruptMachine(repeat=1, attempts=2)
    machine.request(7, 0, end_session_after=1)
    assert not machine.over(6)
    assert machine.over(7)
    assert not machine.over(7)
    assert machine.tick(50, 0) == [] and machine.deadline() is None


def gate(**fields):
    one = agent.Gate()
    one.__dict__.update(dict(current=1, target=1, open=True), **fields)
    return one


class Frame:
    def __init__(self, name):
        self.f_code = type("Code", (), {"co_filename": name})


@pytest.mark.parametrize("fields, file, raises", [
    ({}, "<statement 1>", True),
    ({}, "/usr/lib/python3/asyncio/events.py", True),
    ({}, agent.__file__, False),
    ({"open": False}, "<statement 1>", False),
    ({"target": 0}, "<statement 1>", False),
    ({"target": None, "current": None}, "<statement 1>", False),
])
def test_the_gate_raises_only_in_the_code_of_its_statement(fields, file, raises):
    one = gate(**fields)
    if raises:
        with pytest.raises(KeyboardInterrupt):
            one.on_sigint(2, Frame(file))
    else:
        one.on_sigint(2, Frame(file))
    assert one.raised == raises
