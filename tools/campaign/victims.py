# SPDX-License-Identifier: Apache-2.0
"""Drivers and supervisors, found by their tickets' folders and killed."""

import contextlib
import os
import pathlib
import signal


def start_time(pid):
    """Field 22 of its stat, or None."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(text.rpartition(")")[2].split()[19])


def running(folder):
    """(ticket, "supervisor" or "driver", pid, start time) of what has a claim."""
    found = []
    for ticket in (folder / "data/local/tickets").glob("*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            words = (ticket / "claim").read_text().split()
            if words[0] != "supervisor":
                continue
            found.append((ticket.name, "supervisor", int(words[1]), int(words[2])))
            for line in (ticket / "journal").read_text().splitlines():
                words = line.split()
                if words[1] == "process":
                    found.append((ticket.name, "driver", int(words[2]), int(words[3])))
    return found


def kill_one(folder, dice, ledger):
    """Kills one of them, if there is any; whether it did. The ledger hears of it before."""
    candidates = running(folder)
    dice.shuffle(candidates)
    for ticket, who, pid, began in candidates:
        try:
            handle = os.pidfd_open(pid)
        except OSError:
            continue
        try:
            if start_time(pid) != began:
                continue
            with ledger.lock:
                ledger.victims.setdefault(ticket, who)
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            return True
        except OSError:
            continue
        finally:
            os.close(handle)
    return False


def note_token(taken, ledger, server_pid):
    """A point was passed by (pid, folder): if that was no server, by a supervisor or its child."""
    if taken is None or taken[0] == server_pid:
        return
    folder = pathlib.Path(taken[1])
    ticket = folder.parent.name if folder.name == "work" else folder.name
    with ledger.lock:
        ledger.victims[ticket] = "supervisor"


def left_over(folder, spared=()):
    """Command lines of processes that have the folder's name in their words or environment."""
    wanted = os.fsencode(str(folder) + "/")
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) in (os.getpid(), *spared):
            continue
        with contextlib.suppress(OSError):
            words = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes()
            surroundings = pathlib.Path(f"/proc/{entry}/environ").read_bytes()
            if wanted in words + surroundings and b"crash_campaign" not in words:
                found.append((int(entry), words.replace(b"\0", b" ").decode(errors="replace")))
    return found


def end_all(folder):
    """Supervisors first: none of them starts anything any more."""
    for _ in range(5):
        for pid, _words in sorted(left_over(folder), key=lambda one: "supervisor" not in one[1]):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
