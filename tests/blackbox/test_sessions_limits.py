# SPDX-License-Identifier: Apache-2.0
"""The server's options for sessions."""

from processes import wait_gone
from sessions import ENDED


def test_as_many_sessions_as_allowed_and_none_idle_for_ever(start):
    server = start("--max-sessions", "1", "--session-idle-timeout", "1")
    first = server.open_session()
    pids = first.driver()
    assert first.until_over() in ENDED
    assert wait_gone(pids) == []
    second = server.open_session(idleTimeout="1h")  # what has ended takes no place
    refused = server.client.post("/sessions", json={"kind": "pyspark"})
    assert refused.status_code == 400, refused.text
    assert refused.json() == {"msg": "Rejected, too many sessions are being created!"}
    assert [one["id"] for one in server.client.get("/sessions").json()["sessions"]] == [
        first.id, second.id]
    second.delete()
    third = server.open_session(idleTimeout="1h")
    assert third.id == second.id + 1  # the refused ones have taken no number
    third.delete()
    first.delete()
    assert server.client.get("/sessions").json() == {"from": 0, "total": 0, "sessions": []}


def test_sessions_and_batches_are_numbered_and_named_each_for_themselves(start):
    server = start()
    session = server.open_session(name="nightly")
    batch = server.submit("/nowhere.py", name="nightly")
    assert session.id == 0 and batch["id"] == 0
    assert server.until_over(batch)["state"] == "dead"
    assert session.state() in ("starting", "idle")
    session.delete()
    assert server.client.get("/batches/nightly").json()["id"] == batch["id"]
