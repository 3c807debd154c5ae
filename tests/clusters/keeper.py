# SPDX-License-Identifier: Apache-2.0
"""Keeps a cluster for whoever asked for one, and takes orders on a socket in its folder."""

import json
import os
import signal
import socket
import subprocess
import threading


class Keeper:
    """All processes are started by the thread that made the keeper: they die with it."""

    def __init__(self, cluster, parent=None):
        self.cluster = cluster
        self.parent = parent
        self.path = cluster.folder / "control"
        self.stopping = False
        self.server = None

    def open(self):
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(self.path))
        self.server.listen(16)
        self.server.settimeout(0.2)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._end)

    def _end(self, *_):
        self.stopping = True

    def serve(self, until=lambda: False):
        """Until it is told to stop, its parent is gone, or `until` says so."""
        while not self.stopping and not until() and not self._is_orphan():
            try:
                connection, _ = self.server.accept()
            except socket.timeout:
                continue
            with connection:
                connection.settimeout(5)
                try:
                    self._answer(connection)
                except OSError:
                    continue  # whoever asked has gone

    def _is_orphan(self):
        return self.parent is not None and not os.path.exists(f"/proc/{self.parent}")

    def _answer(self, connection):
        with connection.makefile("rw") as stream:
            line = stream.readline()
            try:
                answer = {"result": self._obey(json.loads(line))}
            except Exception as error:  # whoever asked is told
                answer = {"error": f"{type(error).__name__}: {error}"}
            stream.write(json.dumps(answer) + "\n")

    def _obey(self, order):
        what, part, more = order["do"], order.get("part"), order.get("arguments", [])
        if what == "stop":
            self.cluster.stop()
            self.stopping = True
            return None
        if what == "status":
            return json.loads(self.cluster.describe())
        if part not in self.cluster.parts:
            raise ValueError(f"no part {part!r}; there are {', '.join(self.cluster.parts)}")
        if what == "kill":
            self.cluster.kill(part)
        elif what == "restart":
            self.cluster.restart(part, *more)
        else:
            raise ValueError(f"unknown order {what!r}")
        return json.loads(self.cluster.describe())

    def run(self, command):
        """Serves until a command has ended, which sees the cluster in its environment; gives its
        exit code."""
        environment = {**os.environ, **self.cluster.environment()}
        process = subprocess.Popen(command, env=environment)
        waiter = threading.Thread(target=process.wait, daemon=True)
        waiter.start()
        self.serve(lambda: not waiter.is_alive())
        if waiter.is_alive():
            process.terminate()
            waiter.join(10)
            process.kill()
        waiter.join()
        code = process.returncode
        return code if code >= 0 else 128 - code


def ask(folder, order, seconds=600):
    """Gives a keeper an order and its result back."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        connection.connect(str(folder / "control"))
        with connection.makefile("rw") as stream:
            stream.write(json.dumps(order) + "\n")
            stream.flush()
            answer = json.loads(stream.readline())
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer["result"]
