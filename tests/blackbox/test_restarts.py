# SPDX-License-Identifier: Apache-2.0
"""The server comes and goes, by SIGTERM and by kill -9; each batch runs exactly once."""

import os
import signal
import socket
import time

import pytest

from conftest import SCRIPTS
from processes import children, command_line, descendants, parent, state, wait_gone
from server import DEADLINE


def test_sigterm_lets_a_batch_run_on_and_the_next_server_takes_it_up(server, gated):
    one, queued = gated("running"), gated("queued")
    batch = one.submit(server)
    one.wait_begun()

    assert server.stop() == 0
    server.start()
    assert server.until_running(batch)["state"] == "running"
    one.end.open()

    assert server.until_over(batch)["state"] == "success"
    assert one.run_count() == 1
    assert "ending" in server.whole_log(batch)
    assert queued.run_count() == 0


def test_a_second_signal_ends_the_server_at_once(server):
    host, port = server.url.removeprefix("http://").rsplit(":", 1)
    with socket.create_connection((host, int(port))) as client:
        # a request that never becomes whole keeps the first signal from completing
        client.sendall(b"POST /batches HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
        server.client.get("/healthz")
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGINT)
        assert server.ended() in (128 + signal.SIGTERM, 128 + signal.SIGINT)


def test_kill_9_right_after_the_acceptance_loses_nothing_and_doubles_nothing(server, gated):
    batches = [gated(f"b{number}") for number in range(3)]
    for one in batches:
        one.end.open()
    made = [one.submit(server) for one in batches]
    server.kill()
    server.start()
    for batch, one in zip(made, batches):
        assert server.until_over(batch)["state"] == "success", server.whole_log(batch)
        assert one.run_count() == 1


def test_kill_9_while_a_batch_runs_finds_it_again(server, gated):
    one = gated()
    batch = one.submit(server)
    one.wait_begun()
    server.until_running(batch)

    server.kill()
    server.start()
    assert server.until_running(batch)["state"] == "running"
    one.end.open()

    assert server.until_over(batch)["state"] == "success"
    assert one.run_count() == 1


@pytest.mark.parametrize("status, state", [(0, "success"), (3, "dead")])
def test_kill_9_before_a_batch_ends_still_learns_how_it_ended(server, gated, status, state):
    one = gated()
    one.args += (status,)
    batch = one.submit(server)
    one.wait_begun()

    server.kill()
    one.end.open()
    assert wait_gone(descendants()) == []  # it ends while nobody is there
    server.start()

    assert server.until_over(batch)["state"] == state
    assert one.run_count() == 1


def test_kill_9_at_the_moment_a_batch_ends_keeps_its_end(server, gated):
    one = gated()
    batch = one.submit(server)
    driver = one.wait_begun()

    one.end.open()
    wait_gone([driver])
    server.kill()
    server.start()

    assert server.until_over(batch)["state"] == "success"
    assert one.run_count() == 1


def test_kill_9_of_a_supervisor_is_told_and_leaves_no_process(server, gated):
    one = gated()
    batch = one.submit(server)
    driver = one.wait_begun()
    jvm = parent(driver)
    supervisor = parent(jvm)
    assert supervisor not in (os.getpid(), server.process.pid)

    os.kill(supervisor, signal.SIGKILL)

    assert server.until_over(batch)["state"] == "dead"
    assert "not known" in server.native(batch)["reason"]
    assert wait_gone([driver, jvm]) == []
    assert one.run_count() == 1


def test_a_batch_killed_while_nobody_is_there_is_not_started_again(server, gated):
    """A supervisor killed while the server is down: the end is told, the batch is not rerun."""
    one = gated()
    batch = one.submit(server)
    driver = one.wait_begun()
    jvm = parent(driver)
    supervisor = parent(jvm)
    server.kill()
    os.kill(supervisor, signal.SIGKILL)

    server.start()

    assert server.until_over(batch)["state"] == "dead"
    assert wait_gone([driver, jvm]) == []
    assert one.run_count() == 1


def test_what_was_accepted_before_the_kill_keeps_its_id_and_key(server):
    key = {"Idempotency-Key": "k"}
    first = server.submit("/nowhere.py", headers=key)
    server.kill()
    server.start()
    again = server.submit("/nowhere.py", headers=key)
    assert again["id"] == first["id"]
    assert server.submit("/nowhere.py")["id"] == first["id"] + 1


def test_an_attempt_that_waits_for_its_time_outlives_kill_9(server, folder):
    runs = folder / "runs"
    made = server.client.post(
        "/batches", params={"maxAttempts": 3, "retryDelay": "10s", "retryJitter": 0},
        json={"file": str(SCRIPTS / "flaky.py"), "args": [str(runs), "2"]})
    assert made.status_code == 201, made.text
    batch = made.json()
    path = f"/api/v1/batches/{batch['id']}"
    waiting = server.follow(path, lambda seen: seen["phase"] == "waiting")
    assert waiting["state"] == "running"

    server.kill()
    server.start()

    assert server.until_over(batch)["state"] == "success", server.whole_log(batch)
    end = server.native(batch)
    assert end["attempt"] == 2
    assert [(one["outcome"], one["exitCode"]) for one in end["attempts"]] == [("failed", 3)]
    assert end["attempts"][0]["ticket"] == waiting["attempts"][0]["ticket"]
    assert len(runs.read_text().split()) == 2
    assert "run 2" in server.whole_log(batch)
    first = server.client.get(f"/batches/{batch['id']}/log", params={"size": -1, "attempt": 1})
    assert "run 1" in first.json()["log"]
    assert server.delete(batch).status_code == 200


def test_as_the_first_process_of_a_container_it_leaves_no_zombie(start, gated):
    as_root = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    server = start(wrapper=("unshare", *as_root, "--pid", "--fork", "--kill-child", "--mount-proc"))
    [init] = children(server.process.pid)
    one = gated()
    batch = one.submit(server)
    one.wait_begun()
    [supervisor] = [pid for pid in children(init) if "/tickets/" in command_line(pid)]
    one.end.open()
    assert server.until_over(batch)["state"] == "success"
    assert wait_gone([supervisor]) == []
    deadline = time.monotonic() + DEADLINE
    while state(supervisor) is not None:
        assert time.monotonic() < deadline, "it has ended and nobody has taken its exit status"

    os.kill(init, signal.SIGTERM)
    assert server.ended() == 0
