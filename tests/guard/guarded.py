# SPDX-License-Identifier: Apache-2.0
"""A driver with the guard in it, and the host that it asks. Every wait has a deadline."""

import base64
import os
import pathlib
import socket
import subprocess
import time

import processes
from session import Gone, PATIENCE, Peer

SECRET = "a-secret-of-the-backend"
MAIN = "io.sparkhost.guard.DriverGuard"


def java(program="java"):
    home = os.environ.get("JAVA_HOME")
    return f"{home}/bin/{program}" if home else program


def jar():
    """The build's."""
    built = pathlib.Path(__file__).parents[2] / "build" / "dev" / "src" / "guard" / "sparkhost-guard.jar"
    return os.environ.get("SPARKHOST_GUARD_JAR", str(built))


def grant(**files):
    """The host's consent; a file's name has a dot for each `__`."""
    return {"type": "grant", "version": 1, "files": [
        {"name": name.replace("__", "."), "base64": base64.b64encode(content).decode()}
        for name, content in files.items()]}


def refusal(code, detail="", retry=False):
    return {"type": "refuse", "code": code, "detail": detail, "retry": retry}


class Desk:
    """Where guards dial: a script takes one connection after the other."""

    def __init__(self, address="127.0.0.1", port=0):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.kept = processes.keep_port(family, address, port)
        self.port = self.kept.getsockname()[1]
        self.listener = socket.create_server((address, self.port), family=family)
        self.name = f"[{address}]" if ":" in address else address
        self.peers = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        self.kept.close()

    def close(self):
        """Who dials from now on is refused. The port can be listened on again."""
        for one in [self.listener, *self.peers]:
            one.close()

    def address(self):
        return f"tcp:{self.name}:{self.port}"

    def accept(self, patience=PATIENCE):
        """The next connection and its greeting."""
        self.listener.settimeout(patience)
        self.peers.append(Peer(self.listener.accept()[0]))
        return self.peers[-1], self.peers[-1].read(patience)

    def granted(self, **files):
        """A connection whose claim has been granted."""
        peer, _ = self.accept()
        peer.send(grant(**files))
        return peer


def report(peer, patience=PATIENCE):
    """The next report; pings on the way are answered."""
    deadline = time.monotonic() + patience
    while True:
        message = peer.read(deadline - time.monotonic())
        if message["type"] == "report":
            return message
        answer(peer, message)


def answer(peer, message):
    assert message["type"] == "ping", message
    peer.send({"type": "pong", "id": message["id"]})


def attend(peer):
    """Answers pings until the driver hangs up; gives its reports."""
    reports = []
    try:
        while True:
            message = peer.read()
            if message["type"] == "report":
                reports.append(message)
            else:
                answer(peer, message)
    except (Gone, ConnectionError):
        return reports


def environment(at, **settings):
    values = {"ADDRESS": at.address() if isinstance(at, Desk) else at, "TICKET": "t-1",
              "SECRET": SECRET, **settings}
    return {f"SPARKHOST_GUARD_{name}": str(value) for name, value in values.items()
            if value is not None}


class Driver:
    """A JVM as a cluster starts it."""

    def __init__(self, folder, class_path, words, at, options=(), main=(MAIN,), variables=(),
                 **settings):
        self.folder = folder
        self.command = [java(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *options, "-cp",
                        ":".join(map(str, class_path)), *main, *map(str, words)]
        self.output = {name: folder.parent / f"{folder.name}.{name}" for name in ("out", "err")}
        with self.output["out"].open("wb") as out, self.output["err"].open("wb") as err:
            self.process = subprocess.Popen(
                self.command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                preexec_fn=processes.die_with_parent,
                env={**os.environ, **environment(at, **settings), **dict(variables)})

    def wait(self, patience=PATIENCE):
        return self.process.wait(patience)

    def out(self):
        return self.output["out"].read_text()

    def err(self):
        return self.output["err"].read_text()

    def ran(self):
        """Whether a class of the user's was loaded."""
        return (self.folder / "loaded").exists()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
