# SPDX-License-Identifier: Apache-2.0
"""Sessions leave nothing behind: no process, no descriptor, no thread, no file."""

import collections
import concurrent.futures
import time

import httpx

from processes import children, command_line, descendants, descriptors, pause, threads
from server import DEADLINE

SESSIONS = 50
AT_A_TIME = 2


def use(server, number):
    session = server.open_session("pyspark" if number % 2 else "shared", name=f"number {number}")
    assert session.text(f"print('a' * 1000)\n{number}", "pyspark").endswith(f"\n{number}")
    running = session.post("print('go', flush=True)\nwhile True: pass", "pyspark")
    with running.stream() as stream:
        stream.until("go\n")
        if number % 3 == 0:
            running.cancel()
            stream.rest()
    if number % 4 == 0:
        session.post("import subprocess; subprocess.Popen(['sleep', '600'])", "pyspark")
    session.delete()


def files(folder):
    """All that is in it but the database and kept logs."""
    found = set()
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if not name.startswith(("sparkhost.db", "local/logs")):
            found.add(name)
    return found


def holdings(server):
    """What the server holds while one client is connected."""
    server.client.close()
    server.client = httpx.Client(base_url=server.url, timeout=DEADLINE)
    assert server.client.get("/healthz").status_code == 200
    return {"descriptors": descriptors(server.process.pid), "threads": threads(server.process.pid),
            "children": [command_line(pid) for pid in children(server.process.pid)],
            "processes": len(descendants()), "files": files(server.data_dir)}


def test_fifty_sessions_leave_nothing(start):
    server = start()
    use(server, 0)  # what is opened once and kept is open from now on
    first = settled(server, lambda now: now["processes"] == 1)
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(lambda number: use(server, number), range(SESSIONS)))
    last = settled(server, lambda now: more_than(first, now) == {})
    assert more_than(first, last) == {}
    assert server.client.get("/sessions").json()["total"] == 0


def more_than(first, now):
    """What it holds now and did not hold before, when some connections were still closing."""
    counts = {"descriptors": now["descriptors"] - first["descriptors"],
              "children": collections.Counter(now["children"]) - collections.Counter(first["children"]),
              "files": now["files"] - first["files"],
              "threads": max(0, now["threads"] - first["threads"]),
              "processes": max(0, now["processes"] - first["processes"])}
    return {name: more for name, more in counts.items() if more}


def settled(server, enough):
    """What it holds when that is enough, or at last: connections close a moment later."""
    deadline = time.monotonic() + DEADLINE
    while not enough(now := holdings(server)) and time.monotonic() < deadline:
        pause()
    return now
