# SPDX-License-Identifier: Apache-2.0
"""An agent and the host it talks to, from the host's side. Every wait has a deadline."""

import base64
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import processes

HERE = pathlib.Path(__file__).parent
PATIENCE = float(os.environ.get("SPARKHOST_TEST_PATIENCE", "120"))


def text(value):
    """A text of the protocol as bytes."""
    if isinstance(value, dict):
        return base64.b64decode(value["base64"], validate=True)
    return value.encode()


class Gone(Exception):
    """The agent closed the connection."""


class Peer:
    """The host's end of one connection."""

    def __init__(self, connection):
        self.socket = connection
        self._buffer = b""
        self.last = 0         # number of the last message that came
        self.acknowledges = True

    def read(self, patience=PATIENCE):
        deadline = time.monotonic() + patience
        while b"\n" not in self._buffer:
            self.socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionResetError:  # it has not read all that was sent to it
                data = b""
            if not data:
                raise Gone
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        message = json.loads(line)
        if "seq" in message:
            assert message["seq"] == self.last + 1, (self.last, message)
            self.last = message["seq"]
            if self.acknowledges:
                self.answer({"type": "ack", "received": self.last})
        return message

    def answer(self, message):
        """Where the other side still listens: one that ends does not wait long for it."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.send(message)

    def until(self, wanted):
        """Reads on until this very message has come."""
        deadline = time.monotonic() + PATIENCE
        while self.read(deadline - time.monotonic()) != wanted:
            assert time.monotonic() < deadline, wanted

    def send(self, message):
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def send_bytes(self, data):
        self.socket.settimeout(PATIENCE)
        self.socket.sendall(data)

    def close(self):
        self.socket.close()


class Session:
    """Launches the agent; is its host, which may go away and come back."""

    def __init__(self, agent, folder, command=(sys.executable, "-B"), environment=(), ticket="t-1",
                 **settings):
        self.folder = folder
        self.socket_path = folder / "host.sock"
        self.journal = folder / "journal"
        self.seq = 0            # of the host's last numbered message
        self.peer = None
        self.seen = []          # all that came but acknowledgements and pings
        self.address = None
        self.listen()
        values = {"endpoint": self.endpoint(), "ticket": ticket, "secret": "s3cret",
                  "spool_folder": str(folder), "bye_grace": 0.2}
        values.update(settings)
        values = {key: value for key, value in values.items() if value is not None}
        agent, path = self.place(agent, values)
        self.log_path = folder / "log"
        with self.log_path.open("w") as log:
            self.process = subprocess.Popen(
                [*command, str(agent), str(path)], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                preexec_fn=processes.die_with_parent,
                env={**{k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"},
                     "PYTHONPATH": str(HERE / "fake_pyspark"),
                     "FAKE_SPARK_JOURNAL": str(self.journal), **dict(environment)})

    # -- the host's comings and goings --

    def endpoint(self):
        return f"unix:{self.socket_path}"

    def place(self, agent, settings):
        """Where the driver finds the agent and its settings."""
        path = self.folder / "settings.json"
        path.touch(0o600)
        path.write_text(json.dumps(settings))
        return agent, path

    def listen(self):
        with contextlib.suppress(FileNotFoundError):
            self.socket_path.unlink()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.socket_path))
        self.listener.listen()

    def accept(self, patience=PATIENCE):
        """A connection and the agent's greeting on it."""
        self.listener.settimeout(patience)
        self.peer = Peer(self.listener.accept()[0])
        return self.peer.read()

    def vanish(self):
        self.listener.close()
        self.socket_path.unlink()
        self.peer.close()

    def grant(self, received=0, **fields):
        self.peer.last = received
        self.peer.send({"type": "grant", "version": 1, "resume_key": "r-1", "received": received,
                        **fields})

    def resume(self, received):
        """Takes up the conversation of an agent that has lost its host."""
        greeting = self.accept()
        assert greeting["type"] == "resume", greeting
        self.seq = greeting["received"]
        self.grant(received)
        return greeting

    def ready(self):
        assert self.accept()["type"] == "claim"
        self.grant()
        self.until("status", state="idle")
        return self

    # -- messages --

    def say(self, kind, /, **fields):
        self.seq += 1
        self.peer.send({"type": kind, "seq": self.seq, **fields})

    def read(self, patience=PATIENCE):
        deadline = time.monotonic() + patience
        while True:
            try:
                message = self.peer.read(deadline - time.monotonic())
            except (Gone, OSError) as error:
                raise AssertionError(f"{error!r} after {self.seen[-3:]}; its log:\n{self.log()}")
            if message["type"] == "ping":
                self.peer.answer({"type": "pong", "id": message["id"]})
            elif message["type"] != "ack":
                self.seen.append(message)
                return message

    def until(self, kind, patience=PATIENCE, /, **fields):
        """Reads on until a message of this type with these fields has come."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            message = self.read(deadline - time.monotonic())
            if message["type"] == kind and all(message.get(k) == v for k, v in fields.items()):
                return message
        raise AssertionError(f"no {kind} {fields} in {patience} s")

    def execute(self, statement, code, kind="pyspark"):
        self.say("execute", statement=statement, kind=kind, code=code)

    def result(self, statement, patience=PATIENCE):
        return self.until("result", patience, statement=statement)

    def run(self, statement, code, kind="pyspark"):
        self.execute(statement, code, kind)
        return self.result(statement)

    def echo(self, statement, code):
        """What an expression shows, as bytes; None where it shows nothing."""
        result = self.run(statement, code)
        assert result["status"] == "ok", result
        shown = result["data"].get("text/plain")
        return None if shown is None else text(shown)

    def running(self, statement, said=b"go"):
        """Waits until the statement's code has printed this."""
        deadline = time.monotonic() + PATIENCE
        while said not in self.output(statement):
            self.read(deadline - time.monotonic())

    def output(self, statement, stream="stdout"):
        """All that has come of a statement's output."""
        return b"".join(text(one["text"]) for one in self.seen if one["type"] == "output"
                        and one["statement"] == statement and one["stream"] == stream)

    def job(self, statement, payload, kind="pyspark", patience=PATIENCE):
        """Runs a binary job; gives its result."""
        self.say("execute", statement=statement, kind=kind, job=True,
                 code=base64.b64encode(payload).decode())
        return self.result(statement, patience)

    def add(self, request, what, uri, patience=PATIENCE):
        """Adds a jar or file; gives what the agent says of it: None, or an error."""
        self.peer.send({"type": "add", "request": request, "what": what, "uri": str(uri)})
        return self.until("added", patience, request=request)["error"]

    def complete(self, request, code, kind="pyspark"):
        """(candidates, how many characters they replace) at the end of the code."""
        self.peer.send({"type": "complete", "request": request, "kind": kind, "code": code,
                        "cursor": len(code.encode())})
        answer = self.until("completion", request=request)
        return answer["candidates"], answer["replaces"]

    def interrupt(self, statement, **fields):
        self.say("interrupt", statement=statement, **fields)

    # -- the end --

    def close(self):
        """Ends the session as a host does; gives the agent's exit status."""
        self.say("close")
        self.until("bye", reason="closed")
        return self.wait()

    def wait(self, patience=PATIENCE):
        return self.process.wait(patience)

    def log(self):
        return self.log_path.read_text()

    def end(self):
        if self.process.poll() is None:
            with contextlib.suppress(Exception):
                self.process.send_signal(signal.SIGTERM)
                self.process.wait(PATIENCE)
        self.process.kill()
        self.process.wait()
        self.listener.close()
        if self.peer:
            self.peer.close()
