# SPDX-License-Identifier: Apache-2.0
"""Processes and their deaths, without sleeping: pidfds, FIFOs and deadlines."""

import collections
import contextlib
import ctypes
import os
import pathlib
import re
import select
import signal
import socket
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
DEADLINE = 180  # seconds, for whatever is certain to come


def prctl(option, value):
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def die_with_parent():
    """For Popen's preexec_fn."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def become_subreaper():
    """What a killed server leaves behind becomes our child, so that we see it."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def children(pid):
    """Its child processes by their numbers, those that have ended too."""
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            words = pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split()
            found += map(int, words)
    return found


def descendants(pid=None):
    """All processes below this one that have not ended, by their numbers."""
    found = []
    for child in children(pid or os.getpid()):
        if state(child) not in ("Z", None):
            found.append(child)
        found += descendants(child)
    return found


def state(pid):
    """The letter of /proc/PID/stat; None where there is no such process."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def alive(pids):
    """Those of them that have not ended."""
    return [pid for pid in pids if state(pid) not in ("Z", None)]


def links(pid):
    """What its descriptors are: "socket:[4711]", "/data/sparkhost.db", … Some may close meanwhile."""
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
    return found


def descriptors(pid):
    """How many of each sort it has open: {"socket": 3, "/data/sparkhost.db": 1, …}."""
    return collections.Counter(re.sub(r":\[\d+\]$", "", link) for link in links(pid))


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def parent(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def command_line(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def wait_gone(pids, timeout=DEADLINE):
    """Waits until these processes have ended; gives those that have not."""
    deadline = time.monotonic() + timeout
    remaining = []
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        with os.fdopen(descriptor):
            left = max(0, deadline - time.monotonic())
            if not select.select([descriptor], [], [], left)[0]:
                remaining.append(pid)
    return remaining


def pause():
    """Between two looks at what nobody tells: what is waited for needs the processor more."""
    select.select([], [], [], 0.01)


def eventually(look, timeout=DEADLINE):
    """Looks until there is something to see; gives it. For what nobody tells."""
    deadline = time.monotonic() + timeout
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing after {timeout} s"
        pause()
    return found


def end_descendants(timeout=DEADLINE):
    """Waits for all below this process to end, ends what does not, and gives its command lines."""
    left_over = wait_gone(descendants(), timeout)
    words = [command_line(pid) for pid in left_over]
    for pid in left_over:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    return words


def keep_port(family, address, port=0):
    """Who keeps this socket may listen on its port, now and again; meanwhile nobody else is given
    it, and who dials is refused."""
    kept = socket.socket(family)
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind((address, port))
    return kept


class Gate:
    """A FIFO between a test and a driver: one side waits, the other opens. Where the test goes
    away the driver reads its end and goes on."""

    def __init__(self, path):
        self.path = str(path)
        os.mkfifo(path)
        self.descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def open(self):
        os.write(self.descriptor, b"x")

    def wait(self, timeout=DEADLINE):
        """Waits for the driver's side to write; gives what it wrote."""
        assert select.select([self.descriptor], [], [], timeout)[0], f"nobody wrote {self.path}"
        return os.read(self.descriptor, 4096).decode()

    def close(self):
        os.close(self.descriptor)
