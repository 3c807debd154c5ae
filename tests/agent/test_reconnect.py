# SPDX-License-Identifier: Apache-2.0
"""Hosts that go away and come back: all arrives once and in order, nothing runs twice."""

import itertools
import os

import pytest

from session import text

# prints numbers forever, as fast as it is let, and stops when told
COUNTING = """
import itertools, os
for n in itertools.count():
    print(n)
    if n % 100 == 0 and os.path.exists({stop!r}): break
n
"""


def wait_still(session):
    """Reads until nothing more comes. A slow machine can only make what has come less."""
    with pytest.raises(AssertionError, match="timed out"):
        while True:
            session.read(patience=0.5)


def test_a_statement_runs_on_and_another_waits_while_the_host_is_away(session, folder):
    os.mkfifo(folder / "gate")
    session.execute(0, f"runs = globals().get('runs', 0) + 1\nprint('go')\n"
                       f"open('{folder}/gate').read(); print('while away'); runs")
    session.execute(1, "runs += 1; runs")
    session.running(0)
    session.vanish()
    with open(folder / "gate", "w"):
        pass
    session.listen()
    greeting = session.resume(received=session.peer.last)
    assert greeting["resume_key"] == "r-1" and greeting["received"] == 2
    assert greeting["oldest"] <= session.peer.last + 1 and greeting["ticket"] == "t-1"
    assert session.result(0)["data"] == {"text/plain": "1"}
    assert session.result(1)["data"] == {"text/plain": "2"}
    assert session.output(0) == b"go\nwhile away\n"


def test_a_host_that_has_forgotten_its_numbers_gets_what_it_never_acknowledged(session):
    session.peer.acknowledges = False
    first = session.peer.last
    session.run(0, "print('kept')\n5")
    session.seen.clear()
    session.vanish()
    session.listen()
    greeting = session.resume(received=first)
    assert greeting["oldest"] <= first + 1 and greeting["latest"] >= first + 3
    session.execute(0, "print('again')\n6")
    assert session.result(0)["data"] == {"text/plain": "5"}
    assert session.output(0) == b"kept\n"
    assert session.result(0)["data"] == {"text/plain": "5"}  # asked for again, sent again
    assert session.output(0) == b"kept\n"


def test_commands_that_were_not_acknowledged_may_be_said_again(session):
    session.run(0, "n = 0")
    session.vanish()
    session.listen()
    session.resume(received=session.peer.last)
    session.seq -= 1  # as a host would that never saw the acknowledgement
    session.execute(0, "n = 100")
    session.execute(1, "n += 1; n")
    assert session.result(1)["data"] == {"text/plain": "1"}


@pytest.mark.parametrize("acknowledges", [True, False])
def test_output_arrives_once_and_in_order_through_many_hosts(launch, folder, acknowledges):
    session = launch(memory=65536, max_chunk=4096, spool=300000, back_off=0.02).ready()
    stop = folder / "stop"
    session.execute(0, COUNTING.format(stop=str(stop)))
    durable = session.peer.last
    received = [one["seq"] for one in session.seen]
    for turn in range(12):
        session.peer.acknowledges = acknowledges and turn % 2 == 0
        for _ in range(turn * 3):
            received.append(session.read()["seq"])
        # every third host dies with what it had not made durable, unless it has acknowledged it
        if turn % 3 or session.peer.acknowledges:
            durable = session.peer.last
        del session.seen[durable:], received[durable:]
        if turn % 2:
            session.vanish()
            session.listen()
        else:
            session.peer.close()
        session.resume(received=durable)
    stop.touch()
    session.peer.acknowledges = True
    result = session.result(0)
    numbers = list(map(int, session.output(0).split()))
    assert numbers == list(range(len(numbers)))
    assert text(result["data"]["text/plain"]) == str(numbers[-1]).encode()
    assert [one["seq"] for one in session.seen] == list(range(1, session.peer.last + 1))


def test_code_waits_when_nobody_acknowledges_and_goes_on_when_somebody_does(launch, folder):
    session = launch(memory=65536, max_chunk=4096, spool=100000).ready()
    session.peer.acknowledges = False
    session.execute(0, f"import os\ncount = os.open('{folder}/count', os.O_WRONLY | os.O_CREAT)\n"
                       "for _ in range(3000):\n  _ = os.write(1, b'z' * 1000); _ = os.write(count, b'.')")
    first = session.peer.last
    while len(session.output(0)) < 65536:
        session.read()
    wait_still(session)
    held = len(session.output(0))
    assert held < 300000
    # what is on its way is in the pipe
    assert (folder / "count").stat().st_size * 1000 < held + (1 << 20) + 5000
    session.peer.send({"type": "ack", "received": session.peer.last})
    session.peer.acknowledges = True
    assert session.result(0)["status"] == "ok"
    assert session.output(0) == b"z" * 3000000
    assert session.peer.last > first


def test_code_that_waits_for_acknowledgement_can_be_interrupted(launch):
    session = launch(memory=65536, max_chunk=4096, spool=0).ready()
    session.peer.acknowledges = False
    session.execute(0, "import os\nwhile True: _ = os.write(1, b'z' * 1000)")
    while len(session.output(0)) < 32768:
        session.read()
    wait_still(session)
    session.interrupt(0)
    session.peer.acknowledges = True
    session.peer.send({"type": "ack", "received": session.peer.last})
    assert session.result(0)["status"] == "cancelled"


def test_no_statement_starts_while_there_is_no_room(launch):
    session = launch(memory=65536, max_chunk=4096, spool=0).ready()
    session.peer.acknowledges = False
    for number in range(400):
        session.execute(number, "'r' * 1000")
    session.result(10)
    wait_still(session)
    assert sum(one["type"] == "result" for one in session.seen) < 70
    session.peer.acknowledges = True
    session.peer.send({"type": "ack", "received": session.peer.last})
    assert session.result(399)["status"] == "ok"


def test_a_host_that_claims_more_than_was_sent_is_left_and_the_next_is_served(launch):
    session = launch(back_off=0.02).ready()
    session.run(0, "1")
    last = session.peer.last + 1  # idle
    session.vanish()
    session.listen()
    assert session.accept()["type"] == "resume"
    session.grant(received=10000)
    assert session.resume(received=last - 1)["latest"] == last
    assert session.echo(1, "2") == b"2"


def test_a_refused_resume_ends_the_agent(session):
    session.vanish()
    session.listen()
    assert session.accept()["type"] == "resume"
    session.peer.send({"type": "refuse", "code": "unknown", "detail": "no such session"})
    assert session.wait() == 11


def test_bye_is_told_to_a_host_that_returns_in_time(launch):
    session = launch(bye_grace=20).ready()
    session.say("close")
    session.peer.until({"type": "ack", "received": session.seq})
    session.vanish()
    session.listen()
    session.resume(received=session.peer.last)
    session.until("bye", reason="closed")
    assert session.wait() == 0


def test_numbers_rise_by_one_across_connections(session):
    last = session.peer.last
    for statement in itertools.islice(itertools.count(), 5):
        session.run(statement, "print(1)")
        assert session.peer.last > last
        last = session.peer.last
        session.peer.close()
        session.resume(received=last)
