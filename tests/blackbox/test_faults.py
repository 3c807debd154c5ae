# SPDX-License-Identifier: Apache-2.0
"""What happens to the data folder: a disk that is full for a while, files that are moved away,
backups that are put back."""

import contextlib
import os
import pathlib
import resource
import shutil
import sqlite3

from processes import DEADLINE, eventually, wait_gone
from server import ENDED

ORDER = ["starting", "running", "success"]


def on_a_small_disk(data, size):
    """For start(wrapper=…): `data` is a file system of its own, and full when we say so."""
    data.mkdir()
    as_root = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    mount = f'mount -t tmpfs -o size={size},mode=700 none "$0" && exec "$@"'
    return ("unshare", *as_root, "--mount", "sh", "-c", mount, str(data))


class Filler:
    """Takes all the room that is left on the server's disk."""

    def __init__(self, server, data):
        self.path = pathlib.Path(f"/proc/{server.process.pid}/root{data}/filler")

    def fill(self):
        with open(self.path, "ab", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass

    def make_room(self):
        self.path.unlink()


def submit_until_refused(server, filler):
    """Gives what was accepted, and the refusal."""
    accepted = []
    for _ in range(5000):
        filler.fill()  # where the log has room, and where something else was removed
        response = server.client.post("/batches", json={"file": "/nowhere.py"})
        if response.status_code != 201:
            return accepted, response
        accepted.append(response.json())
    raise AssertionError("the disk is not full")


def ready(server):
    return server.client.get("/readyz").status_code == 200


def test_a_full_disk_is_told_loses_nothing_and_heals_when_there_is_room(start, folder, gated):
    data = folder / "data"
    server = start("--max-running", "1", wrapper=on_a_small_disk(data, "48m"))
    running, waiting = gated("running"), gated("waiting")
    first = running.submit(server)
    driver = running.wait_begun()
    server.until_running(first)
    second = waiting.submit(server)
    filler = Filler(server, data)

    accepted, refused = submit_until_refused(server, filler)
    assert refused.status_code == 503, refused.text
    assert "Retry-After" in refused.headers
    told = server.client.get("/readyz")
    assert told.status_code == 503
    assert "make room" in told.json()["reason"]
    assert told.json()["storage"]["since"].startswith("20")
    assert server.client.get("/healthz").status_code == 200
    assert "\nsparkhost_storage_healthy 0\n" in server.client.get("/metrics").text
    assert server.client.get(f"/batches/{first['id']}").json()["state"] == "running"
    running.end.open()
    assert wait_gone([driver]) == []  # it ends while the disk is full
    assert server.client.get(f"/batches/{first['id']}").json()["state"] in ("running", "success")

    filler.make_room()
    eventually(lambda: ready(server))
    waiting.end.open()
    for batch, gate in ((first, running), (second, waiting)):
        assert server.until_over(batch)["state"] == "success", server.whole_log(batch)
        assert gate.run_count() == 1
    for batch in accepted:
        assert server.until_over(batch)["state"] == "dead"
    assert server.client.get("/batches").json()["total"] == 2 + len(accepted)
    assert server.log.read_text().count("the storage does not work, trying") <= 3


def test_a_limit_on_the_size_of_files_is_a_full_disk_and_not_the_end(start):
    server = start()
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (4096, limits[1]))
    refused = server.client.post("/batches", json={"file": "/nowhere.py"})
    assert refused.status_code == 503, refused.text
    session = server.client.post("/sessions", json={"kind": "pyspark"})
    assert session.status_code == 503, session.text
    assert server.client.get("/readyz").status_code == 503
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)
    eventually(lambda: ready(server))
    assert server.until_over(server.submit("/nowhere.py"))["state"] == "dead"
    assert server.client.get("/sessions").json()["total"] == 0


def test_a_store_that_is_moved_away_is_refused_until_it_is_back(start, folder):
    server = start()
    batch = server.submit("/nowhere.py")
    server.until_over(batch)
    store = folder / "data" / "sparkhost.db"

    store.rename(store.with_suffix(".away"))
    refused = server.client.post("/batches", json={"file": "/nowhere.py"})
    assert refused.status_code == 503, refused.text
    assert "put it back" in server.client.get("/readyz").json()["reason"]
    assert server.client.get("/batches").status_code == 503
    assert not store.exists()

    store.with_suffix(".away").rename(store)
    eventually(lambda: ready(server))
    assert server.client.get(f"/batches/{batch['id']}").json()["state"] == "dead"
    server.submit("/nowhere.py")


def put_back(data, backup):
    """As docs/server.md says."""
    for suffix in ("", "-wal", "-shm", ".lock"):
        (data / f"sparkhost.db{suffix}").unlink(missing_ok=True)
    shutil.copy(backup, data / "sparkhost.db")


def test_a_backup_made_while_the_server_runs_can_be_put_back(start, folder, gated):
    server = start()
    old = server.submit("/nowhere.py", headers={"Idempotency-Key": "old"})
    server.until_over(old)
    shown = server.client.get(f"/batches/{old['id']}").json()
    backup = folder / "backup.db"
    with contextlib.closing(sqlite3.connect(folder / "data" / "sparkhost.db")) as store:
        store.execute("VACUUM INTO ?", (str(backup),))
    forgotten, again = gated("forgotten"), gated("again")
    lost = forgotten.submit(server)
    forgotten.wait_begun()
    server.kill()

    put_back(folder / "data", backup)
    server.start()

    assert server.client.get(f"/batches/{old['id']}").json() == shown
    assert server.submit("/nowhere.py", headers={"Idempotency-Key": "old"})["id"] == old["id"]
    assert server.client.get(f"/batches/{lost['id']}").status_code == 404
    # The number is given again; what still runs under it is not taken for the new batch.
    new = again.submit(server)
    assert new["id"] == lost["id"]
    again.wait_begun()
    forgotten.end.open()
    again.end.open()
    assert server.until_over(new)["state"] == "success"
    assert again.run_count() == 1


def test_a_store_without_the_log_it_was_left_with_is_refused(start, folder):
    server = start()
    server.submit("/nowhere.py")
    server.kill()
    (folder / "data" / "sparkhost.db-wal").unlink()
    try:
        server.start()
    except AssertionError:
        pass
    else:
        raise AssertionError("it has started")
    assert server.process.wait(timeout=DEADLINE) == 1
    assert "sparkhost.db-wal is missing" in server.log.read_text()


def test_states_never_go_back_while_a_server_recovers(server, gated):
    one = gated()
    batch = one.submit(server)
    one.wait_begun()
    server.until_running(batch)
    seen = []
    for _ in range(3):
        server.kill()
        server.start()
        seen += [server.client.get(f"/batches/{batch['id']}").json()["state"] for _ in range(20)]
    assert set(seen) == {"running"}
    one.end.open()
    server.until(batch, lambda now: seen.append(now["state"]) or now["state"] in ENDED)
    assert [ORDER.index(state) for state in seen] == sorted(ORDER.index(state) for state in seen)
    assert one.run_count() == 1
