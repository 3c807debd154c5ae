# SPDX-License-Identifier: Apache-2.0
"""What the parts of the demo share: the server's process, its client, and the console."""

import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

READY = "sparkhost-server listening on http://"
DEADLINE = 180  # seconds, for whatever is certain to come
MARKERS = ("stdout: ", "\nstderr: ")  # Livy's, around a driver's lines
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

COLOURS = {"success": "32", "running": "36", "starting": "33", "dead": "31", "killed": "35",
           "idle": "32", "busy": "36", "cancelled": "35", "bold": "1", "dim": "2"}


class Failed(Exception):
    """The demo cannot go on; the text says why."""


def paint(text, colour):
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or colour not in COLOURS:
        return text
    return f"\033[{COLOURS[colour]}m{text}\033[0m"


def say(text=""):
    print(text, flush=True)


def prctl(option, value):
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def children_of(pid):
    """All processes below this one, by their numbers."""
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                found += [int(child), *children_of(int(child))]
    return found


def become_subreaper():
    """What a server leaves behind becomes our child, so that we can end it."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


class Server:
    """The server as a process of the demo, on an empty folder and a port that the system picks."""

    def __init__(self, options, folder):
        self.log = folder / "server.log"
        command = [options.server, "--listen", "127.0.0.1:0", "--data-dir", str(folder / "data")]
        for name in ("spark_home", "python"):
            if getattr(options, name):
                command += ["--" + name.replace("_", "-"), getattr(options, name)]
        began = time.monotonic()
        with open(self.log, "wb") as log:
            # a session of its own: Ctrl-C is for the demo, which then ends the server in order
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True, preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGTERM))
        timer = threading.Timer(DEADLINE, self.process.kill)
        timer.start()
        line = self.process.stdout.readline().decode().strip()
        timer.cancel()
        if not line.startswith(READY):
            self.process.wait()
            raise Failed(f"the server did not start (status {self.process.returncode})")
        self.address = line.removeprefix(READY)
        self.start_time = time.monotonic() - began

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed(f"the server did not stop within {DEADLINE} s of SIGTERM") from None


class Client:
    """One keep-alive connection to the server."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=DEADLINE)

    def call(self, method, path, body=None, headers=None):
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text, headers or {})
        response = self.connection.getresponse()
        content = response.read()
        if response.status >= 400:
            raise Failed(f"{method} {path}: {response.status} {content.decode(errors='replace')}")
        return response, json.loads(content) if content else None

    def get(self, path, etag=None):
        """Gives the object and its ETag; with one given, waits for a change (long-poll)."""
        headers = {"If-None-Match": etag} if etag else {}
        deadline = time.monotonic() + DEADLINE
        while True:
            response, value = self.call("GET", path + ("?wait=10" if etag else ""), None, headers)
            if response.status != 304:
                return value, response.headers["ETag"]
            if time.monotonic() > deadline:
                raise Failed(f"{path} has not changed for {DEADLINE} s")


def heading(number, text):
    say()
    say(paint(f"{number}. {text}", "bold"))


def clean_up(server):
    """After trouble: leaves no batch, no server and none of their processes."""
    if server and server.process.poll() is None:
        with contextlib.suppress(Exception):
            client = Client(server.address)
            for kind in ("batches", "sessions"):
                for one in client.call("GET", "/" + kind)[1]["sessions"]:
                    client.call("DELETE", f"/{kind}/{one['id']}")
        with contextlib.suppress(Exception):
            server.stop()
    for pid in children_of(os.getpid()):  # all below us are ours: we are their subreaper
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
