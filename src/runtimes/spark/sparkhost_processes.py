# SPDX-License-Identifier: Apache-2.0
"""The processes that statements leave behind."""

import collections
import contextlib
import ctypes
import os
import signal
import time


def become_subreaper():
    """What a child leaves behind becomes ours, so that it can be ended with the session."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def descendants():
    children = collections.defaultdict(list)
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                with open(f"/proc/{name}/stat", "rb") as file:
                    state, parent = file.read().rpartition(b")")[2].split()[:2]
                if state != b"Z":
                    children[int(parent)].append(int(name))
    found = [os.getpid()]
    for pid in found:
        found += children[pid]
    return found[1:]


def end_descendants(patience=1.0):
    """SIGTERM, then SIGKILL, until there are none."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + patience
        left = descendants()
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, number)
        while left and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            time.sleep(0.01)
            left = descendants()
