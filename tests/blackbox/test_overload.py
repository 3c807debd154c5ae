# SPDX-License-Identifier: Apache-2.0
"""More than the server has room for: what is refused is refused early and with the settled words,
the admitted are served, and memory and descriptors stay bounded. The bounds are generous: they are
for a debug build, and far below what keeping everything would take."""

import json
import resource
import socket
import threading

import httpx
import pytest

from conftest import SCRIPTS
from processes import descriptors, eventually
from server import DEADLINE

MEGABYTE = 1 << 20
IDLE = 5000
QUEUED = 10_000


@pytest.fixture(autouse=True)
def many_descriptors():
    """For the clients' side of so many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < IDLE + 1000:
        pytest.fail(f"the hard limit of open files is {hard}; {IDLE + 1000} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (IDLE + 1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Crowd:
    """Connections that are kept."""

    def __init__(self, server):
        self.address = server.address
        self.sockets = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.sockets:
            one.close()

    def connect(self, said=b"", buffer=None):
        one = socket.socket()
        if buffer:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        one.settimeout(DEADLINE)
        self.sockets.append(one)
        one.connect(self.address)
        if said:
            one.sendall(said)
        return one


def get(path):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path, body, fields=""):
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{fields}"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


def memory(server):
    """Resident bytes."""
    for line in open(f"/proc/{server.process.pid}/status", encoding="ascii"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def sockets_of(server):
    return descriptors(server.process.pid)["socket"]


def served(server, name):
    """A batch is accepted and found."""
    server.submit("/jobs/x.py", name=name)
    assert server.client.get(f"/batches/{name}").status_code == 200


@pytest.fixture
def server(start, gated):
    """Its one slot is taken, so that what is posted waits."""
    server = start("--max-running", "1", "--max-queued", str(QUEUED))
    one = gated()
    one.submit(server)
    one.wait_begun()
    return server


def test_idle_connections_slow_writers_and_slow_readers_cost_little(server):
    served(server, "before")
    before, open_before = memory(server), sockets_of(server)
    with Crowd(server) as crowd:
        for _ in range(IDLE):
            crowd.connect()
        for one in crowd.sockets[::2]:  # at last: a request must have come whole within 30 s
            one.sendall(get("/batches")[:20])
        eventually(lambda: sockets_of(server) == open_before + IDLE)
        served(server, "beside the idle")
        assert memory(server) - before < IDLE * 32 * 1024
    eventually(lambda: sockets_of(server) == open_before)
    served(server, "after")


def test_answers_that_nobody_takes_do_not_fill_the_memory(start, gated):
    server = start("--max-running", "1")
    batch = server.submit(SCRIPTS / "chatty.py", 500_000)
    server.until_over(batch)
    one = gated()
    one.submit(server)
    one.wait_begun()
    size = len(server.client.get("/batches/0/log?from=0&size=-1").content)
    assert size > 5 * MEGABYTE
    readers, before = 300, memory(server)
    with Crowd(server) as crowd:
        for _ in range(readers):
            crowd.connect(get("/batches/0/log?from=0&size=-1"), buffer=4096)
        served(server, "beside the slow")
        eventually(lambda: memory(server) - before > 64 * MEGABYTE)
        served(server, "later")
        assert memory(server) - before < 1024 * MEGABYTE < readers * size / 1.5
    one.end.open()


def test_a_statement_stream_that_is_not_read_is_not_written_for(start, gate):
    server = start()
    begun, step = gate("begun"), gate("step")
    session = server.open_session().until_idle()
    statement = session.post(
        f"for n in range(32): print('x' * 100_000)\n"
        f"with open({begun.path!r}, 'w') as file: file.write('1')\n"
        f"open({step.path!r}, 'rb').read(1)\n'end'")
    begun.wait()
    before = memory(server)
    with Crowd(server) as crowd:
        for _ in range(40):
            crowd.connect(get(statement.path + "?stream=1"), buffer=4096).recv(100)
        assert memory(server) - before < 128 * MEGABYTE
        step.open()
        assert statement.until_over()["state"] == "available"
    assert len(statement.output().text["stdout"]) == 32 * 100_001


@pytest.mark.parametrize("fields", ["", "Expect: 100-continue\r\n"])
def test_a_body_of_100_mb_is_refused_before_it_is_read(server, fields):
    before = memory(server)
    with Crowd(server) as crowd:
        head = post("/batches", "", fields).replace(b": 0\r\n", b": %d\r\n" % (100 * MEGABYTE))
        senders = [crowd.connect(head) for _ in range(50)]
        for one in senders:
            answer = one.recv(65536).decode()
            assert answer.startswith("HTTP/1.1 413"), answer
            assert "\r\nConnection: close\r\n" in answer
            assert "bytes" in json.loads(answer.partition("\r\n\r\n")[2])["msg"]
        one = senders[0]
        sent = 0
        with pytest.raises(OSError):  # it is not read to its end
            while sent < 100 * MEGABYTE:
                sent += one.send(bytes(MEGABYTE))
        assert sent < 50 * MEGABYTE
        assert memory(server) - before < 64 * MEGABYTE
        served(server, "beside")


def test_a_full_queue_refuses_with_the_settled_answer(server):
    clients, each = 8, QUEUED // 8
    before = memory(server)
    with Crowd(server) as crowd:
        threads = [threading.Thread(target=fill, args=(crowd.connect(), each, n))
                   for n in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.client.get("/batches?size=1").json()["total"] == QUEUED + 1
        for _ in range(3):
            refused = server.client.post("/batches", json={"file": "/jobs/late.py"})
            assert refused.status_code == 400
            assert refused.json() == {"msg": "Rejected, too many sessions are being created!"}
            assert int(refused.headers["Retry-After"]) > 0
        # a key that has been accepted is known all the same
        again = server.client.post("/batches", json={"file": "/jobs/q.py"},
                                   headers={"Idempotency-Key": "0-0"})
        assert again.status_code in (200, 201)
    assert memory(server) - before < 512 * MEGABYTE
    last = server.client.get("/batches", params={"from": QUEUED, "size": 10}).json()["sessions"]
    assert [one["id"] for one in last] == [QUEUED]
    assert server.client.delete(f"/batches/{QUEUED}").status_code == 200
    served(server, "there is room again")
    server.kill()
    server.start()
    assert server.client.get("/batches?size=1").json()["total"] == QUEUED + 1
    server.kill()  # deleting them one by one takes long


def fill(connection, count, worker):
    """Pipelined: all are sent without waiting for their answers."""
    requests = b"".join(post("/batches", '{"file": "/jobs/q.py"}',
                             f"Idempotency-Key: {worker}-{n}\r\n") for n in range(count))
    sender = threading.Thread(target=connection.sendall, args=(requests,))
    sender.start()
    answers, rest = 0, b""
    while answers < count:
        piece = connection.recv(MEGABYTE)
        assert piece, "the server has closed the connection"
        *lines, rest = (rest + piece).split(b"\r\n")
        # a body ends without a line end: the next answer's first line follows in the same
        status = [line[line.index(b"HTTP/1.1 "):] for line in lines if b"HTTP/1.1 " in line]
        assert set(status) <= {b"HTTP/1.1 201 Created"}, status
        answers += len(status)
    sender.join()


def test_clients_do_not_take_the_descriptors_that_batches_need(start, gated):
    server = start(wrapper=("sh", "-c", "ulimit -n 1024; exec \"$@\"", "sh"))
    one = gated()
    server.client = httpx.Client(base_url=server.url, timeout=DEADLINE,
                                 limits=httpx.Limits(keepalive_expiry=None))
    assert server.client.get("/healthz").status_code == 200  # this connection is kept
    with Crowd(server) as crowd:
        asking = [crowd.connect(get("/healthz")) for _ in range(1200)]
        batch = one.submit(server)  # on the connection that was there first
        one.wait_begun()
        one.end.open()
        assert server.until_over(batch)["state"] == "success"
        assert asking[0].recv(1000).startswith(b"HTTP/1.1 200")
        late = asking[-1]
        late.settimeout(0.2)
        with pytest.raises(TimeoutError):
            late.recv(1000)  # waits its turn
        late.settimeout(DEADLINE)
        for other in asking[:-1]:
            other.close()
        assert late.recv(1000).startswith(b"HTTP/1.1 200")
    assert one.run_count() == 1
