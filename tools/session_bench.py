# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks of sessions share: a server, a client without overhead, and the report."""

import argparse
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests/blackbox"))
import sparkr  # noqa: E402
SERVER = ROOT / "build/release/examples/server/sparkhost-server"
CONF = {"spark.ui.enabled": "false", "spark.log.level": "WARN"}
MASTER = "local[2]"
PATIENCE = 300  # seconds
KINDS = ("pyspark", "spark", "sql") + (("sparkr",) if shutil.which("R") else ())
OVER = ("available", "cancelled")
ENDED = ("success", "dead", "killed")


def fail(text):
    raise SystemExit(f"bench: {text}")


# ---- options and report ----------------------------------------------------------------------


class Bench:
    """Reads the options, keeps the figures, prints them, writes them as the other benchmarks do."""

    def __init__(self, name, description, crowd=None):
        """`crowd`: how many for --crowd, usually and with --quick; there is no --crowd without."""
        self.name = name
        parser = argparse.ArgumentParser(prog=f"tools/bench {name}", description=description,
                                         formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--quick", action="store_true", help="a short run: does it work?")
        parser.add_argument("--json", metavar="FILE")
        parser.add_argument("--rounds", type=int)
        parser.add_argument("--spark", choices=("3.5", "4"), default="3.5")
        parser.add_argument("--server", default=str(SERVER))
        if crowd:
            parser.add_argument("--crowd", type=int, help=f"how many at once; {crowd[0]}")
        self.options = parser.parse_args()
        if crowd:
            self.crowd = self.options.crowd or crowd[self.options.quick]
        suffix = self.options.spark.replace(".", "")
        try:
            self.spark = os.environ[f"SPARKHOST_TEST_SPARK{suffix}"]
            self.python = os.environ[f"SPARKHOST_TEST_PYTHON{suffix}"]
        except KeyError as missing:
            fail(f"{missing.args[0]} is not set; tools/bench sets it")
        self.figures = []

    def rounds(self, usual, quick):
        return self.options.rounds or (quick if self.options.quick else usual)

    def progress(self, text):
        print(f"{self.name}: {text}", file=sys.stderr, flush=True)

    def add(self, what, value, unit, at_most=None, at_least=None, baseline="", beside=0.0):
        """`beside`: what the baseline has measured, in the same unit."""
        figure = {"what": what, "value": value, "unit": unit}
        if at_most is not None:
            figure |= {"goal": f"<= {at_most:g}", "met": value <= at_most}
        if at_least is not None:
            figure |= {"goal": f">= {at_least:g}", "met": value >= at_least}
        if beside:
            figure |= {"baseline": baseline, "ratio": value / beside}
        self.figures.append(figure)

    def finish(self):
        print(f"\n{self.name + ', Spark ' + self.options.spark:<52} {'figure':>12} {'unit':<7} "
              f"{'goal':<12} {'':<7} ratio")
        for one in self.figures:
            verdict = {True: "met", False: "MISSED", None: ""}[one.get("met")]
            ratio = f"{one['ratio']:.3g} x {one['baseline']}" if "ratio" in one else ""
            print(f"{one['what']:<52} {one['value']:>12.4g} {one['unit']:<7} "
                  f"{one.get('goal', ''):<12} {verdict:<7} {ratio}".rstrip())
        if self.options.json:
            pathlib.Path(self.options.json).write_text(
                json.dumps({"benchmark": self.name, "figures": self.figures}) + "\n")
        return 0


def percentile(samples, share):
    """As the other benchmarks take it."""
    return sorted(samples)[int(share * (len(samples) - 1))]


def median(samples):
    return statistics.median(samples)


# ---- the server ------------------------------------------------------------------------------


class Server:
    """A server in a folder of its own; it and its sessions are gone at the end."""

    def __init__(self, bench, archive="off", kinds=("pyspark",), options=()):
        self.bench = bench
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sparkhost-bench-"))
        self.log = open(self.folder / "server.log", "wb")
        self.conf = dict(CONF)
        if "sparkr" in kinds:  # the tests' stand-in, where nobody names a real one
            self.conf["spark.sparkhost.sparkrPackageDir"] = (
                os.environ.get("SPARKR_PACKAGE_DIR") or str(sparkr.install(self.folder / "sparkr")))
        self.process = subprocess.Popen(
            [bench.options.server, "--listen", "127.0.0.1:0", "--data-dir", self.folder / "data",
             "--spark-home", bench.spark, "--python", bench.python, "--master", MASTER,
             "--log-level", "error", "--class-data-archive", archive, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True)
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            fail(f"the server is not ready after {PATIENCE} s")
        line = self.process.stdout.readline()
        if "listening on " not in line:
            fail("the server did not start: " + (self.folder / "server.log").read_text())
        host, port = line.rsplit("/", 1)[1].strip().rsplit(":", 1)
        self.address = (host, int(port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            with Wire(self.address) as wire:
                for one in wire.get("/sessions")[1]["sessions"]:
                    wire.call("DELETE", f"/sessions/{one['id']}")
        finally:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)
            self.process.stdout.close()
            self.log.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def archives(self):
        return list(self.folder.rglob("*.jsa"))

    def wait_for_archive(self):
        deadline = time.monotonic() + PATIENCE
        while not self.archives():
            if time.monotonic() > deadline:
                fail("no class-data archive was made")
            time.sleep(0.2)


class Wire:
    """One keep-alive connection; nothing but a socket, so that what is measured is the server."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = f"{address[0]}:{address[1]}"
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _fill(self):
        piece = self.socket.recv(1 << 18)
        if not piece:
            fail("the server has closed the connection")
        self._buffer += piece

    def send(self, method, path, body=None, headers=""):
        content = b"" if body is None else json.dumps(body).encode()
        self.socket.sendall(f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n{headers}"
                            f"Content-Length: {len(content)}\r\n\r\n".encode() + content)

    def head(self):
        """Reads the answer's status and headers."""
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (
            line.partition(": ") for line in lines)}
        return int(first.split(" ")[1]), headers

    def exchange(self, method, path, body=None, headers=""):
        """Gives the status, the headers, and the content."""
        self.send(method, path, body, headers)
        status, found = self.head()
        length = 0 if status == 304 else int(found.get("content-length", 0))
        while len(self._buffer) < length:
            self._fill()
        content, self._buffer = self._buffer[:length], self._buffer[length:]
        return status, found, content

    def call(self, method, path, body=None, headers=""):
        """Gives the headers, and the object; None where there is none."""
        status, found, content = self.exchange(method, path, body, headers)
        if status == 304:
            return found, None
        if status >= 400:
            fail(f"{method} {path}: {status} {content.decode()}")
        return found, json.loads(content)

    def get(self, path):
        return self.call("GET", path)

    def follow(self, path, reached):
        """Long-polls until `reached(object)`; gives it."""
        headers, seen = self.call("GET", path)
        while seen is None or not reached(seen):
            headers, seen = self.call("GET", path + "?wait=60", None,
                                      f"If-None-Match: {headers['etag']}\r\n")
        return seen

    def pieces(self):
        """The pieces of a chunked answer; its head has been read."""
        while True:
            while b"\r\n" not in self._buffer:
                self._fill()
            size, _, self._buffer = self._buffer.partition(b"\r\n")
            size = int(size, 16)
            while len(self._buffer) < size + 2:
                self._fill()
            piece, self._buffer = self._buffer[:size], self._buffer[size + 2:]
            if size == 0:
                return
            yield piece

    def events(self, path):
        """(event, data) of a stream, data as sent."""
        self.send("GET", path + "?stream=1")
        status, headers = self.head()
        if status != 200 or headers.get("transfer-encoding") != "chunked":
            fail(f"{path}?stream=1: {status}, {headers}")
        buffer = b""
        for piece in self.pieces():
            buffer += piece
            while b"\n\n" in buffer:
                event, _, buffer = buffer.partition(b"\n\n")
                fields = dict(line.split(b": ", 1) for line in event.split(b"\n")
                              if b": " in line and not line.startswith(b":"))
                if fields:
                    yield fields[b"event"], fields[b"data"]


# ---- sessions --------------------------------------------------------------------------------


class Session:
    """A session over one connection."""

    def __init__(self, server, conf=(), kind="pyspark"):
        self.server = server
        self.wire = Wire(server.address)
        self.kind = kind
        body = {"kind": kind, "conf": {**server.conf, **dict(conf)}}
        began = time.perf_counter()
        self.path = f"/sessions/{self.wire.call('POST', '/sessions', body)[1]['id']}"
        seen = self.wire.get(self.path + "/state?wait=300&state=starting")[1]
        self.start = time.perf_counter() - began  # seconds
        if seen["state"] != "idle":
            fail(f"the session is {seen['state']}: {self.wire.get(self.path + '/log')[1]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.call("DELETE", self.path)
        self.wire.socket.close()

    def post(self, code, kind=""):
        made = self.wire.call("POST", self.path + "/statements",
                              {"code": code, "kind": kind or self.kind})[1]
        return f"{self.path}/statements/{made['id']}"

    def over(self, path):
        return self.wire.follow(path, lambda seen: seen["state"] in OVER)

    def run(self, code):
        seen = self.over(self.post(code))
        if seen["state"] != "available" or seen["output"]["status"] != "ok":
            fail(f"a statement failed: {seen}")
        return seen["output"]["data"]["text/plain"]


# ---- what they are measured against ----------------------------------------------------------


def loopback_pair():
    """Two ends of a TCP connection over loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    for one in (near, far):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return near, far


def echo_round_trips(rounds, size=100):
    """Seconds of each round trip of so many bytes with a thread that echoes them."""
    near, far = loopback_pair()

    def echo():
        while data := far.recv(1 << 16):
            far.sendall(data)

    thread = threading.Thread(target=echo)
    thread.start()
    samples = []
    with near, far:
        for _ in range(rounds):
            began = time.perf_counter()
            near.sendall(b"x" * size)
            near.recv(1 << 16)
            samples.append(time.perf_counter() - began)
        near.shutdown(socket.SHUT_RDWR)
        thread.join()
    return samples
