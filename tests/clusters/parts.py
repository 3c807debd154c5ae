# SPDX-License-Identifier: Apache-2.0
"""Processes that a test cluster consists of."""

import contextlib
import ctypes
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

from asking import PATIENCE

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


class ClusterError(Exception):
    """Something a person can act on."""


def die_with_parent():
    """Run in a child before its program: should the keeper die, so does the part."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    """A port of the loopback address that is free, and below those that connections get: it is
    still free when the API server is started a second time."""
    for _ in range(200):
        port = random.randrange(15000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ClusterError("no free port on 127.0.0.1 between 15000 and 30000")


def free_network():
    """The node's address in a network 127.X.0.0/16 that no other cluster uses, and what keeps it
    so: a socket that is bound until it is closed."""
    numbers = list(range(64, 192))
    random.shuffle(numbers)
    for number in numbers:
        address = f"127.{number}.255.1"
        claim = socket.socket()
        try:
            claim.bind((address, 10249))
        except OSError:
            claim.close()
            continue
        return address, claim
    raise ClusterError("no free loopback network 127.64.0.0 to 127.191.0.0")


def descendants(pid):
    """All processes below one."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found + [deeper for child in found for deeper in descendants(child)]


class Part:
    """One process, its arguments and its log. `tree`: what it has started ends with it."""

    def __init__(self, name, arguments, log, environment=None, tree=False):
        self.name = name
        self.arguments = [str(one) for one in arguments]
        self.log = log
        self.environment = environment
        self.tree = tree
        self.process = None

    def start(self, *more):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.arguments, *more], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment, preexec_fn=die_with_parent, start_new_session=True)

    @property
    def pid(self):
        return self.process.pid if self.is_running() else None

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def check(self):
        if not self.is_running():
            raise ClusterError(f"{self.name} ended; the end of {self.log}:\n{self.log_end()}")

    def log_end(self, size=3000):
        with open(self.log, "rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - size))
            return log.read().decode(errors="replace")

    def kill(self):
        """At once, as a machine that fails would."""
        if self.is_running():
            below = descendants(self.process.pid) if self.tree else []
            self.process.kill()
            self.process.wait()
            for pid in below:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def stop(self, seconds=3):
        if not self.is_running():
            return
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()


def wait_until(what, check, seconds=PATIENCE, *parts):
    """Until check() gives something; fails when it takes too long or a part has ended."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        for part in parts:
            part.check()
        if time.monotonic() > deadline:
            raise ClusterError(f"{what}: not within {seconds} s")
        time.sleep(0.03)
