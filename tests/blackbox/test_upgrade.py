# SPDX-License-Identifier: Apache-2.0
"""The next version takes the place of a server that works: by --take-over, or under a service
manager that keeps the socket. No client is refused, no application is touched."""

import array
import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import sqlite3
import threading

import pytest

from processes import alive, command_line, descendants, eventually, links
from server import DEADLINE

UPGRADES = 5


class Hammer:
    """A client that makes a new connection for each request, again and again: POSTs a batch with
    a key, posts it a second time, and asks for it by its name. Collects what is not as it should."""

    def __init__(self, server, prefix="h"):
        self.server = server
        self.prefix = prefix  # names and keys must be new
        self.address = server.address
        self.ids = {}
        self.problems = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(n,)) for n in range(2)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def check(self, at_least):
        """Nothing was refused, lost or doubled."""
        assert self.problems == []
        assert len(self.ids) >= at_least
        assert len(set(self.ids.values())) == len(self.ids)
        found = {one["name"]: one["id"] for one in self.server.client.get(
            "/batches", params={"size": 10_000}).json()["sessions"] if one["name"] in self.ids}
        assert found == self.ids

    def _work(self, worker):
        number = 0
        while not self._stop.is_set() and not self.problems:
            name = f"{self.prefix}{worker}-{number}"
            number += 1
            try:
                self._round(name)
            except Exception as problem:  # refused, reset, no answer
                self.problems.append(f"{name}: {problem!r}")

    def _round(self, name):
        body = json.dumps({"file": "/jobs/hammer.py", "name": name})
        made = self._ask("POST", "/batches", body, {"Idempotency-Key": name})
        again = self._ask("POST", "/batches", body, {"Idempotency-Key": name})
        seen = self._ask("GET", f"/batches/{name}")
        assert made["id"] == again["id"] == seen["id"], (made, again, seen)
        self.ids[name] = made["id"]

    def _ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(*self.address, timeout=DEADLINE)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status in (200, 201), (answer.status, text)
            return json.loads(text)
        finally:
            connection.close()


@pytest.fixture
def busy(gated):
    """Gives busy(server): its one slot is taken, so that what the hammer posts waits."""
    one = gated("slot")

    def take(server):
        batch = one.submit(server)
        one.wait_begun()
        server.until_running(batch)
        return one, batch

    return take


def counting(steps, step):
    """A statement that prints one number for each byte of a FIFO."""
    return (f"with open({step.path!r}, 'rb', buffering=0) as step:\n"
            f"    for n in range({steps}):\n        print('line', n, flush=True)\n        step.read(1)\n"
            "'end'")


def follow_up_to(statement, line, said, after):
    """Streams on from `after` until this line has come; gives the last position."""
    with statement.stream(after=after) as stream:
        stream.until(f"{line}\n")
        said.append(stream.text["stdout"])
        return stream.positions[-1]


def test_upgrades_back_to_back_refuse_nobody_and_touch_nothing(start, busy, gate):
    server = start("--max-running", "1")
    slot, batch = busy(server)
    step = gate("step")
    session = server.open_session().until_idle()
    driver = session.driver()
    statement = session.post(counting(UPGRADES + 1, step))
    waiting = session.post("'next'")
    said = []
    position = follow_up_to(statement, "line 0", said, None)
    url = server.url
    with Hammer(server) as hammer:
        for number in range(UPGRADES):
            before = len(hammer.ids)
            assert server.take_over() == 0
            assert server.url == url
            step.open()
            position = follow_up_to(statement, f"line {number + 1}", said, position)
            assert alive(driver) == driver
            while len(hammer.ids) == before and not hammer.problems:
                server.client.get("/healthz")
    hammer.check(at_least=UPGRADES)
    step.open()
    end = statement.until_over()
    lines = "".join(f"line {n}\n" for n in range(UPGRADES + 1))
    assert "".join(said) == lines
    assert end["output"]["data"]["text/plain"] == lines + "'end'"
    assert waiting.until_over()["output"]["data"] == {"text/plain": "'next'"}
    assert session.driver() == driver
    server.delete_all()
    assert slot.run_count() == 1


def test_a_service_manager_keeps_the_socket_between_two_servers(start, busy, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener, Notified(tmp_path) as manager:
        server = start("--max-running", "1", passed=[listener.fileno()],
                       wrapper=activation(listener.fileno(), 1, manager.path))
        assert server.address[1] == listener.getsockname()[1]
        assert manager.hear() == "READY=1"
        slot, _ = busy(server)
        with Hammer(server) as hammer:
            for _ in range(UPGRADES):
                before = len(hammer.ids)
                assert server.stop() == 0
                assert manager.hear() == "STOPPING=1"
                server.start()
                assert manager.hear() == "READY=1"
                while len(hammer.ids) == before and not hammer.problems:
                    server.client.get("/healthz")
        hammer.check(at_least=UPGRADES)
        no_child_has_the_socket(listener)
        server.delete_all()
        assert slot.run_count() == 1


class Notified:
    """What NOTIFY_SOCKET names."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(DEADLINE)

    def __enter__(self):
        self.socket.bind(self.path)
        return self

    def __exit__(self, *_):
        self.socket.close()

    def hear(self):
        return self.socket.recv(1000).decode()


def activation(descriptor, count, notify=""):
    """Starts a program as systemd does: the descriptor is number 3 in it."""
    move = "" if descriptor == 3 else f"3<&{descriptor} {descriptor}<&-"
    return ("bash", "-c", f"LISTEN_PID=$$ LISTEN_FDS={count} LISTEN_FDNAMES=x NOTIFY_SOCKET={notify} "
            f"exec \"$@\" {move}", "bash")


def no_child_has_the_socket(listener):
    inode = os.fstat(listener.fileno()).st_ino
    for pid in descendants():
        if "sparkhost-server" in command_line(pid):
            continue
        with contextlib.suppress(OSError):  # it has ended meanwhile
            assert f"socket:[{inode}]" not in links(pid), command_line(pid)
            environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
            assert b"LISTEN_FDS" not in environment


def refused(server, *options, passed=(), wrapper=()):
    """Starts another one on the same folder; gives the exit status and what is said."""
    before = len(server.log.read_bytes())
    command, kept = server.command, server.passed
    own = [word for word in command if "--listen" not in options or not is_listen(word)]
    server.command, server.passed = [*wrapper, *own], passed
    process = server.launch(*options)
    server.command, server.passed = command, kept
    status = process.wait(timeout=60)
    process.stdout.close()
    return status, server.log.read_bytes()[before:].decode()


def is_listen(word):
    return word in ("--listen", "127.0.0.1:0")


def test_a_successor_that_cannot_begin_leaves_the_server_as_it_is(server, gated):
    one = gated()
    batch = one.submit(server)
    one.wait_begun()
    process = server.process

    status, words = refused(server, "--take-over", "--listen", "127.0.0.1:1")
    assert status == 2 and "listens on" in words
    status, words = refused(server, "--take-over", "--max-runnin", "7")
    assert status == 2 and "unknown option" in words
    status, words = refused(server, "--take-over", "--agent-address", "nonsense")
    assert status == 2 and "address" in words
    assert server.client.get("/readyz").status_code == 200

    # This one finds out only with the store in its hands.
    status, words = refused(server, "--take-over", "--agent-address", "unix:/nowhere/agents.sock")
    assert status == 1 and "agents cannot be listened to" in words
    assert process.poll() is None
    with Hammer(server) as hammer:
        while len(hammer.ids) < 3 and not hammer.problems:
            server.client.get("/healthz")
    hammer.check(at_least=3)
    assert "this one goes on" in server.log.read_text()
    assert server.until_running(batch)["state"] == "running"

    assert server.take_over() == 0
    one.end.open()
    assert server.until_over(batch)["state"] == "success"
    assert one.run_count() == 1


class NextServer:
    """Speaks as the next server would, as far as the test wants."""

    def __init__(self, server):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(str(server.data_dir / "hand-over.sock"))

    def say(self, line):
        self.socket.sendall(line.encode() + b"\n")

    def hear(self):
        numbers = array.array("i")
        text, extra, _, _ = self.socket.recvmsg(100, socket.CMSG_SPACE(numbers.itemsize))
        for _, _, data in extra:
            numbers.frombytes(data)
        self.descriptors = list(numbers)
        return text.decode()


def test_the_server_goes_on_whenever_its_successor_goes_away(server):
    port = server.address[1]
    for last in ("", "greeting", "release", "released"):
        peer = NextServer(server)
        if last:
            peer.say("sparkhost take-over 1")
            assert peer.hear() == "socket 25000\n"
            with socket.socket(fileno=peer.descriptors[0]) as listener:
                assert listener.getsockname()[1] == port
        if last in ("release", "released"):
            peer.say("release")
        if last == "released":
            assert peer.hear() == "released\n"
        peer.socket.close()
        with Hammer(server, last) as hammer:
            while len(hammer.ids) < 2 and not hammer.problems:
                pass
        assert hammer.problems == [], last
        server.delete_all()
    stranger = NextServer(server)
    stranger.say("sparkhost take-over 99")
    assert stranger.hear() == "unknown\n"
    stranger.socket.close()
    assert server.take_over() == 0


def test_the_successor_goes_on_when_the_server_dies_while_it_ends(server):
    arriving = socket.create_connection(server.address, timeout=DEADLINE)
    arriving.sendall(b"POST /batches HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
    assert server.client.get("/healthz").status_code == 200
    old, url = server.process, server.url
    server.process = server.launch("--take-over")
    until_logged(server, "another server takes over")
    with Hammer(server) as hammer:
        os.kill(old.pid, signal.SIGKILL)
        old.wait()
        server.wait_ready()
        assert server.url == url
        while len(hammer.ids) < 3 and not hammer.problems:
            server.client.get("/healthz")
    hammer.check(at_least=3)
    assert arriving.recv(100) == b""
    arriving.close()
    old.stdout.close()


def until_logged(server, words):
    eventually(lambda: words in server.log.read_text())


def test_without_a_server_to_take_over_from_it_begins_as_always(start):
    server = start("--take-over")
    assert server.stop() == 0
    server.start()  # the last one's address is still in the folder
    assert server.client.get("/readyz").status_code == 200


@pytest.mark.parametrize("problem", ["no socket", "two", "not loopback", "another address",
                                     "take over"])
def test_a_socket_that_is_not_right_is_refused(start, problem):
    server = start()
    assert server.stop() == 0
    address = "0.0.0.0" if problem == "not loopback" else "127.0.0.1"
    with socket.create_server((address, 0)) as listener, open("/dev/null") as nothing:
        number = nothing.fileno() if problem == "no socket" else listener.fileno()
        server.command = [word for word in server.command if not is_listen(word)]
        options = {"another address": ("--listen", "127.0.0.1:1"), "take over": ("--take-over",)}
        status, words = refused(server, *options.get(problem, ()), passed=[number],
                                wrapper=activation(number, 2 if problem == "two" else 1))
    assert status == 2, words
    assert {"no socket": "not a listening TCP socket", "two": "2 sockets",
            "not loopback": "--insecure-listen", "another address": "listens on 127.0.0.1",
            "take over": "leave the option out"}[problem] in words
    server.start("--listen", "127.0.0.1:0")


def test_a_store_of_a_newer_version_is_refused_and_left_alone(server):
    kept = server.submit("/nowhere.py")
    server.until_over(kept)
    assert server.stop() == 0
    with sqlite3.connect(server.data_dir / "sparkhost.db") as database:
        [version] = database.execute("PRAGMA user_version").fetchone()
        database.execute(f"PRAGMA user_version = {version + 1}")
    database.close()
    status, words = refused(server)
    assert status == 1
    assert f"made by a newer sparkhost (schema {version + 1}, this one knows {version})" in words
    with sqlite3.connect(server.data_dir / "sparkhost.db") as database:
        database.execute(f"PRAGMA user_version = {version}")
    database.close()
    server.start()
    assert server.client.get(f"/batches/{kept['id']}").json()["state"] == "dead"
