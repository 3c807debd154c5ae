# SPDX-License-Identifier: Apache-2.0
"""The server comes and goes, by SIGTERM and by kill -9: sessions live on, each statement runs
once, and no output is lost."""

import concurrent.futures
import contextlib
import os
import signal

import httpx
import pytest

import sessions
from processes import DEADLINE, command_line, descendants, eventually, wait_gone


class Journal:
    """Where statements write down that they have run."""

    def __init__(self, path):
        self.path = path

    def code(self, word):
        return f"with open({str(self.path)!r}, 'a') as file: file.write('{word}\\n')\n"

    def words(self):
        return self.path.read_text().split() if self.path.exists() else []


@pytest.fixture
def journal(folder):
    return Journal(folder / "journal")


@pytest.fixture
def server(line, start):
    return start(line=line)


def test_kill_9_while_a_statement_runs_and_one_waits(server, gate, journal):
    begun, step = gate("begun"), gate("step")
    session = server.open_session(name="survivor").until_idle()
    kept = session.post("print('kept')\nkept = 42")
    kept.until_over()
    running = session.post(
        journal.code("running") + "print('before')\n"
        f"begun, step = open({begun.path!r}, 'w'), open({step.path!r}, 'rb', buffering=0)\n"
        "print('1', file=begun, flush=True)\nstep.read(1)\n"
        "for n in range(5000): print('while nobody is there', n)\n"
        "print('2', file=begun, flush=True)\nstep.read(1)\nprint('after')\n'end'")
    waiting = session.post(journal.code("waiting") + "kept")
    begun.wait()
    running.until_begun()

    server.kill()
    step.open()
    begun.wait()
    server.start()

    assert session.state() == "busy"
    assert server.client.get("/sessions/survivor").json()["id"] == session.id
    assert [one["state"] for one in session.statements()["statements"]] == [
        "available", "running", "waiting"]
    with running.stream() as stream:
        stream.until("there 4999\n")
        step.open()
        end = stream.rest()
    said = "".join(f"while nobody is there {n}\n" for n in range(5000))
    assert stream.text == {"stdout": f"before\n{said}after\n", "stderr": ""}
    assert end["output"]["data"]["text/plain"] == f"before\n{said}after\n'end'"
    assert waiting.until_over()["output"]["data"] == {"text/plain": "42"}
    assert kept.get()["output"]["data"] == {"text/plain": "kept"}
    assert session.text(journal.code("new") + "'new'") == "'new'"
    assert journal.words() == ["running", "waiting", "new"]

    a_post_repeated_after_kill_9_finds_its_statement(server, session, journal)
    idle_sessions_survive_too(server, session, kept)


def a_post_repeated_after_kill_9_finds_its_statement(server, session, journal):
    """Whatever has become of the answer: lost with the server, or read."""
    for word, is_read in (("answered", True), ("unanswered", False)):
        body = {"code": journal.code(word) + f"'{word}'"}
        request = {"url": session.path + "/statements", "json": body,
                   "headers": {"Idempotency-Key": word}}
        with httpx.Client(base_url=server.client.base_url, timeout=DEADLINE) as client, \
                concurrent.futures.ThreadPoolExecutor() as pool:
            first = pool.submit(client.post, **request)
            if is_read:
                concurrent.futures.wait([first])
            server.kill()
        server.start()
        again = server.client.post(**request)
        assert again.status_code == 201, again.text
        with contextlib.suppress(httpx.TransportError):
            assert first.result().json()["id"] == again.json()["id"]
        assert server.client.post(**request).json()["id"] == again.json()["id"]
        over = session.statement(again.json()["id"]).until_over()
        assert over["output"]["data"]["text/plain"] == f"'{word}'"
        other = server.client.post(**{**request, "json": {"code": "another"}})
        assert other.status_code == 422, other.text
        assert journal.words().count(word) == 1


def idle_sessions_survive_too(server, session, kept):
    pids = session.driver()
    for end in (server.kill, server.stop, server.kill):
        session.until("idle")
        before = without_log(session.get()), kept.get()
        end()
        server.start()
        assert (without_log(session.get()), kept.get()) == before
        assert session.text("kept") == "42"
        assert session.driver() == pids
    server.kill()
    server.start()
    session.delete()  # before its agent is back, perhaps
    assert server.client.get(session.path).status_code == 404


def without_log(session):
    """Its agent writes there that its host has gone."""
    return {key: value for key, value in session.items() if key != "log"}


def test_kill_9_again_and_again_runs_each_statement_once_and_in_order(server, journal):
    session = server.open_session()
    statements = [session.post(journal.code(n) + f"import time; time.sleep(0.02)\nprint({n})\n-{n}")
                  for n in range(40)]
    for last in (0, 9, 19, 29):
        statements[last].until_over()
        server.kill()
        server.start()
    for number, statement in enumerate(statements):
        end = statement.until_over()
        assert end["state"] == "available", end
        assert end["output"]["data"] == {"text/plain": f"{number}\n{-number}"}
    assert journal.words() == [str(n) for n in range(40)]
    assert statements[39].id == 39
    assert session.until("idle") == "idle"


@pytest.mark.parametrize("moment", ["accepted", "launched"])
def test_kill_9_before_the_agent_has_claimed(start, journal, moment):
    server = start()
    session = server.open_session()
    statement = session.post(journal.code("once") + "'ran'")
    if moment == "launched":
        eventually(drivers)
    server.kill()
    server.start()
    assert session.state() in ("starting", "idle", "busy")
    assert statement.until_over()["output"]["data"] == {"text/plain": "'ran'"}
    assert session.until("idle") == "idle"
    assert journal.words() == ["once"]
    assert len(drivers()) == 1


def drivers():
    """The JVMs of sessions."""
    words = [command_line(pid).split(" ") for pid in descendants()]
    return [one for one in words if one[0].endswith("/java") and
            any("sparkhost_agent.py" in word for word in one)]


def test_kill_9_while_a_cancel_is_under_way_still_cancels(start, gate, journal):
    server = start()
    step = gate("step")
    session = server.open_session()
    statement = session.post(
        # the agent interrupts again every second, and a restart may take longer
        sessions.holding(step) + "try:\n    print('go', flush=True)\n    time.sleep(600)\n"
        "except KeyboardInterrupt:\n    hold()\n    raise")
    after = session.post(journal.code("after") + "'after'")
    with statement.stream() as stream:
        stream.until("go\n")
    statement.cancel()
    server.kill()
    server.start()
    assert statement.get()["state"] == "cancelling"
    step.open()
    assert statement.until_over()["state"] == "cancelled"
    assert after.until_over()["output"]["data"] == {"text/plain": "'after'"}

    a_session_that_ends_while_nobody_is_there_is_known_to_have_ended(server, session)
    assert journal.words() == ["after"]


def a_session_that_ends_while_nobody_is_there_is_known_to_have_ended(server, session):
    pids = session.driver()
    server.kill()
    os.kill(pids[0], signal.SIGKILL)
    assert wait_gone(pids) == []
    server.start()
    assert session.until_over() == "dead"
    refused = server.client.post(session.path + "/statements", json={"code": "1"})
    assert 400 <= refused.status_code < 600


def test_kill_9_while_a_session_is_deleted_still_ends_it(start, gate):
    server = start()
    step = gate("step")
    session = server.open_session()
    pids = session.driver()
    session.run(f"import atexit\natexit.register(lambda: open({step.path!r}, 'rb').read(1))")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        deleted = pool.submit(server.client.delete, session.path)
        session.until("shutting_down")
        server.kill()
        with contextlib.suppress(httpx.TransportError):
            deleted.result()
    server.start()
    step.open()
    assert wait_gone(pids) == []
    # the wish to delete it was durable: the new server carries it out
    assert eventually(lambda: server.client.get(session.path).status_code == 404)
