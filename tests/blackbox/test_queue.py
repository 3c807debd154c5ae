# SPDX-License-Identifier: Apache-2.0
"""The queue, names, idempotency, lists and long-polls, around a batch that runs until told."""

import concurrent.futures
import socket

import httpx
import pytest

from processes import DEADLINE


@pytest.fixture
def busy(start, gated):
    """A server with one slot, taken by batch 0; five more may wait."""
    server = start("--max-running", "1", "--max-queued", "5")
    one = gated("first")
    batch = one.submit(server)
    one.wait_begun()
    server.until_running(batch)
    server.first, server.first_batch = one, batch
    yield server
    one.end.open()


def test_batches_wait_their_turn_and_can_be_killed_while_they_wait(busy, gated):
    second, third = gated("second"), gated("third")
    waiting = [second.submit(busy), third.submit(busy)]
    assert [busy.client.get(f"/batches/{one['id']}/state").json()["state"] for one in waiting] == [
        "starting", "starting"]
    assert busy.delete(waiting[0]).status_code == 200
    assert busy.client.get(f"/batches/{waiting[0]['id']}").status_code == 404

    busy.first.end.open()
    third.wait_begun()
    third.end.open()

    assert busy.until_over(busy.first_batch)["state"] == "success"
    assert busy.until_over(waiting[1])["state"] == "success"
    assert (busy.first.run_count(), second.run_count(), third.run_count()) == (1, 0, 1)


def test_names_idempotency_lists_and_a_full_queue(busy):
    names_are_unique_and_stand_for_their_batch(busy)
    an_idempotency_key_gives_the_same_batch_again(busy)
    lists_are_paged_in_order(busy)


def names_are_unique_and_stand_for_their_batch(server):
    batch = server.submit("/jobs/n.py", name="nightly")
    again = server.client.post("/batches", json={"file": "/jobs/n.py", "name": "nightly"})
    assert again.status_code == 400 and "nightly" in again.json()["msg"]
    assert server.client.get("/batches/nightly").json()["id"] == batch["id"]
    assert server.client.get("/batches/nightly/state").json()["state"] == "starting"
    server.delete(batch)
    assert server.client.get("/batches/nightly").status_code == 404
    freed = server.submit("/jobs/n.py", name="nightly")
    assert freed["id"] > batch["id"]
    server.delete(freed)


def an_idempotency_key_gives_the_same_batch_again(server):
    key = {"Idempotency-Key": "report-2026-11-20"}
    first = server.submit("/jobs/k.py", headers=key)
    again = server.client.post("/batches", json={"file": "/jobs/k.py", "args": []}, headers=key)
    assert again.status_code in (200, 201)
    assert again.json()["id"] == first["id"]
    other = server.client.post("/batches", json={"file": "/jobs/other.py"}, headers=key)
    assert other.status_code == 422 and "dempotency" in other.text
    server.delete(first)


def lists_are_paged_in_order(server):
    made = [server.submit(f"/jobs/{number}.py")["id"] for number in range(5)]
    everything = server.client.get("/batches").json()
    assert everything["total"] == 6
    assert [batch["id"] for batch in everything["sessions"]] == [0, *made]
    page = server.client.get("/batches", params={"from": 2, "size": 2}).json()
    assert page["from"] == 2 and page["total"] == 6
    assert [batch["id"] for batch in page["sessions"]] == made[1:3]
    assert server.client.get("/batches", params={"from": 99}).json()["sessions"] == []
    the_queue_is_full(server)
    for number in made:
        server.delete({"id": number})


def the_queue_is_full(server):
    refused = server.client.post("/batches", json={"file": "/jobs/late.py"})
    assert refused.status_code == 400
    assert refused.json() == {"msg": "Rejected, too many sessions are being created!"}
    assert "Retry-After" in refused.headers


def test_long_polls_wait_for_a_change_and_etags_tell_what_was_seen(busy):
    path = f"/batches/{busy.first_batch['id']}"
    seen = busy.client.get(path)
    unchanged = busy.client.get(path, headers={"If-None-Match": seen.headers["ETag"]})
    assert unchanged.status_code == 304 and unchanged.content == b""
    timed_out = busy.client.get(path, params={"wait": 1},
                                headers={"If-None-Match": seen.headers["ETag"]})
    assert timed_out.status_code == 304
    at_once = busy.client.get(path, params={"wait": 150}, headers={"If-None-Match": '"0"'})
    assert at_once.status_code == 200
    assert busy.client.get(path + "/state", params={"wait": 150, "state": "starting"}).json()[
        "state"] == "running"

    with concurrent.futures.ThreadPoolExecutor() as pool:
        by_state = pool.submit(busy.client.get, path + "/state",
                               params={"wait": 150, "state": "running"})
        by_etag = pool.submit(busy.client.get, path, params={"wait": 150},
                              headers={"If-None-Match": seen.headers["ETag"]})
        busy.first.end.open()
        assert by_state.result().json()["state"] == "success"
        assert by_etag.result().status_code == 200
        assert by_etag.result().headers["ETag"] != seen.headers["ETag"]


def test_sigterm_releases_waiting_clients(busy):
    path = f"/batches/{busy.first_batch['id']}/state?wait=300&state=running"
    with socket.create_connection(busy.address, timeout=DEADLINE) as waiting:
        waiting.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        # asked behind it, and answered: the server has accepted the one before
        assert httpx.get(busy.url + "/healthz", timeout=DEADLINE).status_code == 200
        busy.process.terminate()
        answer = b"".join(iter(lambda: waiting.recv(65536), b"")).decode()
    assert busy.ended() == 0
    assert answer[:12] in ("HTTP/1.1 200", "HTTP/1.1 304", "HTTP/1.1 503"), answer
    busy.start()  # takes the running batch up, so that the fixture can end it
