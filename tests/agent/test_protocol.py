# SPDX-License-Identifier: Apache-2.0
"""The conversation: claim, refusal, numbers, acknowledgement, life-cycle, ends."""

import os
import signal
import socket

import pytest
import sparkhost_agent as agent

import processes
from session import Gone


def test_the_claim_carries_ticket_secret_nonce_and_versions(launch):
    session = launch()
    claim = session.accept()
    assert (claim["type"], claim["ticket"], claim["secret"]) == ("claim", "t-1", "s3cret")
    assert claim["versions"] == [1]
    assert claim["kinds"] == ["pyspark", "spark", "sparkr", "sql"]
    assert len(claim["nonce"]) >= 32 and claim["pid"] == session.process.pid
    assert "s3cret" not in processes.command_line(session.process.pid)


def test_nothing_of_spark_is_started_before_the_claim_is_granted(launch):
    session = launch()
    session.accept()
    assert not session.journal.exists()
    session.grant()
    session.until("status", state="idle")
    assert session.journal.read_text() == "start\n"


def test_a_lost_grant_is_asked_for_again_with_the_same_nonce(launch):
    session = launch()
    first = session.accept()
    session.peer.close()
    second = session.accept()
    assert second == first
    session.grant()
    session.until("status", state="idle")


def test_a_refused_agent_says_why_and_ends_with_its_own_status(launch):
    session = launch()
    session.accept()
    session.peer.send({"type": "refuse", "code": "claimed", "detail": "another agent has it"})
    assert session.wait() == agent.EXIT_REFUSED
    assert "refuses this agent: claimed: another agent has it" in session.log()
    assert not session.journal.exists()


def test_an_agent_that_shall_come_back_comes_back(launch):
    session = launch(back_off=0.05)
    for _ in range(3):
        session.accept()
        session.peer.send({"type": "refuse", "code": "starting", "detail": "", "retry": True})
    session.ready()


def test_without_a_host_the_agent_gives_up(launch):
    session = launch(connect_for=0.3, endpoint="unix:/nowhere/at/all")
    assert session.wait() == agent.EXIT_HOST_VANISHED
    assert "no host at unix:/nowhere/at/all for 0.3 s" in session.log()


def test_tcp_works_too(launch, folder):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        session = launch(endpoint=f"tcp:127.0.0.1:{listener.getsockname()[1]}")
        session.listener.close()
        session.listener = listener
        session.ready()
        assert session.echo(0, "1") == b"1"


def test_the_life_cycle_is_told(session):
    ready = next(one for one in session.seen if one["type"] == "ready")
    assert (ready["application_id"], ready["ui"]) == ("fake-1", "http://127.0.0.1:4040")
    session.run(0, "1")
    session.until("status", state="idle")
    assert session.close() == 0
    states = [one.get("state", one["type"]) for one in session.seen]
    assert states == ["starting", "ready", "idle", "busy", "result", "idle", "bye"]
    assert session.journal.read_text().splitlines()[-1] == "stop"
    assert "ended: closed" in session.log()


def test_a_spark_that_cannot_start_is_told_with_its_traceback(launch):
    session = launch(environment={"FAKE_SPARK_FAILS": "no memory"})
    session.accept()
    session.grant()
    failed = session.until("failed")
    assert (failed["ename"], failed["evalue"]) == ("RuntimeError", "no memory")
    assert "sparkhost_agent" not in "".join(failed["traceback"])
    session.until("bye", reason="spark_failed")
    assert session.wait() == agent.EXIT_SPARK_FAILED
    assert "no memory" in session.log()


def test_statements_that_came_before_spark_was_there_run_afterwards(launch, folder):
    os.mkfifo(folder / "gate")
    session = launch(environment={"FAKE_SPARK_GATE": str(folder / "gate")})
    session.accept()
    session.grant()
    session.until("status", state="starting")
    session.execute(0, "'early'")
    with open(folder / "gate", "w"):
        pass
    assert session.result(0)["data"] == {"text/plain": "'early'"}


def test_close_while_spark_starts_ends_the_agent(launch, folder):
    os.mkfifo(folder / "gate")
    session = launch(environment={"FAKE_SPARK_GATE": str(folder / "gate")}, close_grace=0.1)
    session.accept()
    session.grant()
    session.execute(0, "1")
    assert session.close() == 0
    assert session.seen[-2]["status"] == "cancelled"


def test_close_interrupts_what_runs_cancels_what_waits_and_ends_children(session):
    session.execute(0, "import subprocess\nchild = subprocess.Popen(['sleep', '600'])\n"
                       "print('go')\nwhile True: pass")
    session.execute(1, "print('never')")
    session.running(0)
    assert session.close() == 0
    results = {one["statement"]: one["status"] for one in session.seen if one["type"] == "result"}
    assert results == {0: "cancelled", 1: "cancelled"}
    assert session.output(1) == b""
    assert processes.wait_gone(processes.descendants()) == []


def test_children_that_left_their_parent_end_too(session):
    session.run(0, "import subprocess\n"
                   "subprocess.run('trap \"\" TERM; setsid sleep 600 & exit', shell=True)")
    assert session.close() == 0
    assert processes.wait_gone(processes.descendants()) == []


def test_close_does_not_wait_for_code_that_will_not_end(launch):
    session = launch(close_grace=0.3).ready()
    session.execute(0, "while True:\n  try:\n    print('go')\n    while True: pass\n"
                       "  except KeyboardInterrupt: pass")
    session.running(0)
    assert session.close() == 0
    assert session.seen[-2]["ename"] == "SessionEnded"
    assert "ends by force" in session.log()


def test_close_does_not_wait_for_threads_and_runs_exit_handlers(session, folder):
    session.run(0, "import atexit, threading, time\n"
                   f"atexit.register(lambda: open('{folder}/left', 'w').close())\n"
                   "threading.Thread(target=time.sleep, args=(600,)).start()")
    assert session.close() == 0
    assert (folder / "left").exists()


def test_an_execute_after_close_is_rejected(launch, folder):
    os.mkfifo(folder / "gate")
    session = launch(environment={"FAKE_SPARK_GATE": str(folder / "gate")}, close_grace=600)
    session.accept()
    session.grant()
    with open(folder / "gate", "w"):  # Spark's start reads it, and the end waits for that
        session.say("close")
        session.execute(0, "1")
        assert session.until("rejected")["code"] == "ending"
    session.until("bye", reason="closed")


def test_sigterm_ends_cleanly_also_while_code_blocks(session):
    session.execute(0, "print('go')\nimport ctypes\nwhile True: ctypes.CDLL(None).sleep(1)")
    session.running(0)
    session.process.send_signal(signal.SIGTERM)
    session.until("bye", reason="terminated")
    assert session.wait() == agent.EXIT_TERMINATED
    assert session.journal.read_text().splitlines()[-1] == "stop"


def test_progress_counts_the_tasks_of_the_statements_jobs(launch):
    session = launch(progress_every=0.05).ready()
    session.execute(0, "print('go')\nsc.jobs['sparkhost-0'] = {1: (3, 4), 2: (0, 4)}\n"
                       "while True: pass")
    progress = session.until("progress", statement=0)
    assert (progress["completed_tasks"], progress["tasks"]) == (3, 8)
    session.interrupt(0)
    session.result(0)


def test_messages_that_are_wrong_are_rejected_and_counted(session):
    wrong = [{"type": "execute"}, {"type": "execute", "statement": -1},
             {"type": "execute", "statement": True, "kind": "pyspark", "code": ""},
             {"type": "execute", "statement": 1, "kind": "perl", "code": ""},
             {"type": "execute", "statement": 1, "kind": "pyspark", "code": 5},
             {"type": "execute", "statement": 1, "kind": ["sql"], "code": ""},
             {"type": "execute", "statement": 1, "kind": "sql", "code": {"base64": "?"}},
             {"type": "interrupt", "statement": "1"},
             {"type": "interrupt", "statement": 1, "end_session_after": "soon"}]
    for message in wrong:
        session.say(message.pop("type"), **message)
        rejected = session.until("rejected")
        assert (rejected["message"], rejected["code"]) == (session.seq, "bad_message")
        assert rejected["detail"]
    session.say("of a later version", anything=[1])
    assert session.echo(1, "1") == b"1"


def test_a_known_statement_is_never_run_again(session):
    session.run(3, "count = globals().get('count', 0) + 1\ncount")
    again = session.run(3, "count = globals().get('count', 0) + 1\ncount")
    assert again["data"] == {"text/plain": "1"}
    assert session.echo(4, "count") == b"1"
    assert session.run(2, "count = 99")["status"] == "forgotten"
    assert session.echo(5, "count") == b"1"


def test_a_message_that_comes_twice_counts_once(session):
    session.run(0, "n = 0")
    session.execute(1, "n += 1; n")
    session.peer.send({"type": "execute", "seq": session.seq, "statement": 2, "kind": "pyspark",
                       "code": "n = 50"})
    assert session.result(1)["data"] == {"text/plain": "1"}
    assert session.echo(3, "n") == b"1"


def test_a_gap_in_the_hosts_numbers_ends_the_connection_not_the_session(session):
    session.seq += 5
    session.execute(0, "1")
    with pytest.raises(AssertionError, match="Gone"):
        session.result(0)
    assert session.resume(received=session.peer.last)["received"] == 0
    assert session.echo(0, "1") == b"1"


def test_a_waiting_queue_has_a_limit(launch):
    session = launch(max_waiting=2000).ready()
    session.execute(0, "print('go')\nwhile True: pass")
    session.running(0)
    session.execute(1, "#" * 1500)
    session.execute(2, "#" * 1500)
    rejected = session.until("rejected")
    assert (rejected["code"], rejected["statement"]) == ("queue_full", 2)
    session.interrupt(0)
    session.result(1)
    assert session.run(2, "'later'")["data"] == {"text/plain": "'later'"}


def test_the_host_is_acknowledged(session):
    session.execute(0, "1")
    session.peer.until({"type": "ack", "received": session.seq})


def test_a_ping_is_answered(session):
    session.peer.send({"type": "ping", "id": 7})
    session.peer.until({"type": "pong", "id": 7})


def test_a_silent_host_is_left(launch):
    session = launch(ping_every=0.1)
    session.accept()
    session.grant()
    with pytest.raises(Gone):  # at any time from now on: this host does nothing but read
        session.peer.until("nothing")
    session.resume(received=session.peer.last)


def test_a_host_that_accepts_and_says_nothing_does_not_hold_the_agent(launch):
    session = launch(connect_for=0.3)
    session.accept()
    assert session.wait() == agent.EXIT_HOST_VANISHED


def test_an_agent_whose_host_has_vanished_ends_itself(launch):
    session = launch(host_vanished_after=0.4).ready()
    session.execute(0, "import subprocess; subprocess.Popen(['sleep', '600'])\nprint('go')\n"
                       "while True: pass")
    session.running(0)
    session.vanish()
    assert session.wait() == agent.EXIT_HOST_VANISHED
    assert "for 0.4 s: ending" in session.log()
    assert session.journal.read_text().splitlines()[-1] == "stop"
    assert processes.wait_gone(processes.descendants()) == []
