# SPDX-License-Identifier: Apache-2.0
"""Kill is final: when a DELETE has been answered, or its wish is durable, no user code of that
batch begins any more, whatever was in flight and whoever is killed next."""

import threading

import httpx
import pytest

from processes import DEADLINE, command_line, descendants, eventually, wait_gone


def ticket_exists(server):
    folder = server.data_dir / "local" / "tickets"
    return folder.exists() and any(folder.iterdir())


def supervisor_runs(server):
    return any("/tickets/" in command_line(pid) for pid in descendants())


def java_runs(server):
    return any("java " in command_line(pid) for pid in descendants())


MOMENTS = {"accepted": lambda server: True, "ticket": ticket_exists,
           "supervisor": supervisor_runs, "java": java_runs}


@pytest.mark.parametrize("moment", list(MOMENTS))
def test_after_the_answer_nothing_begins_any_more(server, gated, moment):
    one = gated()
    batch = one.submit(server)
    eventually(lambda: MOMENTS[moment](server))
    answer = server.delete(batch)
    assert answer.status_code == 200, answer.text
    runs = one.run_count()  # it may have begun before
    one.end.open()

    server.kill()
    server.start()
    assert wait_gone(set(descendants()) - {server.process.pid}) == []
    assert one.run_count() == runs
    assert server.client.get(f"/batches/{batch['id']}").status_code == 404
    assert server.client.get("/batches").json()["total"] == 0


@pytest.mark.parametrize("moment", ["ticket", "supervisor", "java"])
def test_kill_9_between_a_delete_and_its_answer(server, gated, moment):
    """Nobody knows whether the wish was durable: the batch is gone, or it has run once."""
    one = gated()
    batch = one.submit(server)
    eventually(lambda: MOMENTS[moment](server))
    deleting = threading.Thread(target=delete_quietly, args=(server.url, batch))
    deleting.start()
    server.kill()
    one.end.open()
    deleting.join()
    server.start()

    path = f"/batches/{batch['id']}"
    ended = eventually(lambda: state_of(server, path) in ("success", "dead", "killed", "gone"))
    assert ended
    assert wait_gone(set(descendants()) - {server.process.pid}) == []
    assert one.run_count() <= 1
    if state_of(server, path) == "success":
        assert one.run_count() == 1
        assert server.delete(batch).status_code == 200


def delete_quietly(url, batch):
    try:
        httpx.delete(f"{url}/batches/{batch['id']}", timeout=DEADLINE)
    except httpx.TransportError:
        pass  # its server has been killed


def state_of(server, path):
    answer = server.client.get(path)
    return "gone" if answer.status_code == 404 else answer.json()["state"]
