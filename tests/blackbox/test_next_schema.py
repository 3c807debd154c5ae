# SPDX-License-Identifier: Apache-2.0
"""An upgrade to a version with a newer schema. Only the campaign's build can play that version:
it knows one more step of the schema where SPARKHOST_NEXT_SCHEMA is set."""

import contextlib
import sqlite3

import pytest

from processes import eventually
from test_upgrade import Hammer, refused

NEXT = ["env", "SPARKHOST_NEXT_SCHEMA=1"]


def schema(server):
    """Version of the schema, and how many records there were when it was brought to it."""
    path = server.data_dir / "sparkhost.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
        version = store.execute("PRAGMA user_version").fetchone()[0]
        if version == 1:
            return version, None
        return version, store.execute("SELECT count(*) FROM versions_at_upgrade").fetchone()[0]


@pytest.fixture
def server(start):
    return start("--max-running", "1")


def test_a_newer_schema_takes_over_beside_clients_and_a_running_batch(server, gated):
    one = gated()
    batch = one.submit(server)
    one.wait_begun()
    server.until_running(batch)
    assert schema(server) == (1, None)
    old_command = server.command
    with Hammer(server) as hammer:
        while len(hammer.ids) < 3 and not hammer.problems:
            server.client.get("/healthz")
        before = len(hammer.ids)
        server.command = [*NEXT, *server.command]
        assert server.take_over() == 0
        version, records = schema(server)
        assert version == 2 and records >= before + 1
        while len(hammer.ids) < before + 3 and not hammer.problems:
            server.client.get("/healthz")
        assert server.take_over() == 0  # from one of the same schema: nothing to be done
        assert schema(server) == (2, records)
    hammer.check(at_least=6)
    one.end.open()
    assert server.until_over(batch)["state"] == "success"
    assert one.run_count() == 1
    server.delete_all()
    assert server.stop() == 0

    server.command = old_command
    status, words = refused(server)
    assert status == 1 and "made by a newer sparkhost (schema 2, this one knows 1)" in words


def test_a_successor_that_dies_with_the_store_brought_forward(server, gated):
    """The old one cannot take the store back, and says so; the new one, started again, can."""
    one = gated()
    batch = one.submit(server)
    one.wait_begun()
    server.until_running(batch)
    old = server.process
    server.command = [*NEXT, "SPARKHOST_CRASH_AT=sqlite.open.migrated:1", *server.command]
    successor = server.launch("--take-over")
    assert successor.wait(timeout=60) == -9
    successor.stdout.close()
    assert old.wait(timeout=60) == 1
    old.stdout.close()
    eventually(lambda: "made by a newer sparkhost" in server.log.read_text())

    server.command = [word for word in server.command if "CRASH_AT" not in word]
    server.start()
    assert schema(server) == (2, 1)
    assert server.until_running(batch)["id"] == batch["id"]
    one.end.open()
    assert server.until_over(batch)["state"] == "success"
    assert one.run_count() == 1
