# SPDX-License-Identifier: Apache-2.0
"""The server is asked to end: requests under way are finished, who waits is released, who comes is
told to come again, and what runs goes on."""

import concurrent.futures
import json
import pathlib
import signal
import socket

import httpx
import pytest

from conftest import SCRIPTS
from processes import DEADLINE, alive, command_line, descendants, eventually

BODY = json.dumps({"file": "/jobs/arriving.py", "name": "arriving"}).encode()


class Slow:
    """A request that arrives as slowly as the test wants; its first half has arrived."""

    def __init__(self, server):
        self.socket = socket.create_connection(server.address, timeout=DEADLINE)
        self.socket.sendall(b"POST /batches HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
                            % len(BODY) + BODY[:10])
        assert server.client.get("/healthz").status_code == 200

    def finish(self):
        """Gives the status of the answer."""
        self.socket.sendall(BODY[10:])
        return self.rest()[:12]

    def rest(self):
        with self.socket:
            return b"".join(iter(lambda: self.socket.recv(65536), b"")).decode()


def ask_anew(server, method, path, **request):
    """On a connection of its own."""
    return httpx.request(method, server.url + path, timeout=DEADLINE, **request)


def until_draining(server):
    eventually(lambda: ask_anew(server, "GET", "/readyz").status_code == 503)


@pytest.fixture
def patient(start):
    """A server that waits for slow clients for as long as it takes."""
    return start("--drain-timeout", "10m")


def test_who_comes_while_requests_are_finished_is_told_to_come_again(patient):
    server = patient
    slow = Slow(server)
    server.process.send_signal(signal.SIGTERM)
    until_draining(server)

    words = "The server is shutting down; send the request again later."
    refused = ask_anew(server, "POST", "/batches", json={"file": "/jobs/late.py"})
    assert (refused.status_code, refused.json()) == (503, {"msg": words})
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.headers["Connection"] == "close"
    native = ask_anew(server, "GET", "/api/v1/batches/0")
    assert native.status_code == 503 and native.json()["detail"] == words
    assert native.headers["Content-Type"] == "application/problem+json"
    large = ask_anew(server, "POST", "/sessions/0/upload-jar", files={"jar": b"x" * (50 << 20)})
    assert large.status_code == 503
    assert ask_anew(server, "GET", "/healthz").status_code == 200

    assert slow.finish() == "HTTP/1.1 201"
    assert server.ended() == 0
    server.start()
    assert server.client.get("/batches").json()["total"] == 1
    assert server.client.get("/batches/arriving").status_code == 200


def test_a_request_that_never_arrives_delays_the_end_for_its_time_only(start):
    server = start("--drain-timeout", "500ms")
    slow = Slow(server)
    assert server.stop() == 0
    assert slow.rest() == ""


def test_an_answer_that_is_taken_slowly_is_taken_whole(patient):
    server = patient
    batch = server.submit(SCRIPTS / "chatty.py", 500_000)
    assert server.until_over(batch)["state"] == "success"
    log = server.whole_log(batch)
    assert len("".join(log)) > 5 << 20
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(DEADLINE)
        slow.connect(server.address)
        slow.sendall(b"GET /batches/0/log?from=0&size=-1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = slow.recv(100)
        server.process.send_signal(signal.SIGTERM)
        until_draining(server)
        answer = head + b"".join(iter(lambda: slow.recv(1 << 20), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert json.loads(body)["log"] == log
    assert server.ended() == 0
    server.start()


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor() as workers:
        yield workers


def test_who_waits_is_released_and_what_runs_goes_on(server, gated, gate, pool):
    one, step = gated(), gate("step")
    session = server.open_session().until_idle()
    statement = session.post(f"print('before')\nopen({step.path!r}, 'rb').read(1)\n"
                             "print('after')\n'end'")
    batch = one.submit(server)
    pids = [one.wait_begun(), *drivers_of_sessions()]
    server.until_running(batch)
    before = established(server)
    poll = pool.submit(ask_anew, server, "GET", f"/batches/{batch['id']}/state?wait=300&state=running")
    eventually(lambda: established(server) > before)
    with statement.stream() as stream:
        stream.until("before\n")
        server.process.send_signal(signal.SIGTERM)
        while stream.next():
            pass
    assert stream.statement is None  # it has ended in order, but the statement has not
    answer = poll.result(timeout=DEADLINE)
    assert answer.status_code == 503 or answer.json()["state"] == "running"
    assert server.ended() == 0
    assert alive(pids) == pids

    server.start()
    assert server.until_running(batch)["state"] == "running"
    one.end.open()
    step.open()
    with statement.stream(after=stream.positions[-1]) as rest:
        end = rest.rest()
    assert rest.text["stdout"] == "after\n"
    assert end["output"]["data"]["text/plain"] == "before\nafter\n'end'"
    assert server.until_over(batch)["state"] == "success"
    assert one.run_count() == 1


def established(server):
    """How many connections it has."""
    port = server.address[1]
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "01"
               for line in lines)


def drivers_of_sessions():
    return [pid for pid in descendants() if "sparkhost_agent.py" in command_line(pid)]


def test_a_delete_that_waits_is_released_and_carried_out(server, pool, gate):
    step = gate("step")
    session = server.open_session().until_idle()
    session.run(f"import atexit\natexit.register(lambda: open({step.path!r}, 'rb').read(1))")
    deleted = pool.submit(ask_anew, server, "DELETE", session.path)
    session.until("shutting_down")
    assert server.stop() == 0
    answer = deleted.result(timeout=DEADLINE)
    assert answer.status_code in (200, 503), answer.text
    server.start()
    step.open()
    assert eventually(lambda: server.client.get(session.path).status_code == 404)
