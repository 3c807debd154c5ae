# SPDX-License-Identifier: Apache-2.0
"""Many clients at once: on one session, and one session after the other."""

import concurrent.futures
import threading

import httpx

from server import DEADLINE

SUBMITTERS = 8
EACH = 25


def submit(server, session, number, start):
    """One client with a connection of its own; gives the numbers that it was given, in turn."""
    with httpx.Client(base_url=server.url, timeout=DEADLINE) as client:
        start.wait()
        made = []
        for turn in range(EACH):
            kind = "sql" if (number + turn) % 5 == 0 else "pyspark"
            code = f"select {number}, {turn}" if kind == "sql" else f"ran.append(({number}, {turn}))"
            response = client.post(session.path + "/statements", json={"code": code, "kind": kind})
            assert response.status_code == 201, response.text
            made.append(response.json()["id"])
        return made


def test_eight_clients_on_one_session_lose_nothing_and_run_in_the_order_of_their_numbers(server):
    session = server.open_session("shared").until_idle()
    first = session.post("ran = []", "pyspark").id
    start = threading.Barrier(SUBMITTERS)
    with concurrent.futures.ThreadPoolExecutor(SUBMITTERS) as pool:
        numbers = [future.result() for future in [
            pool.submit(submit, server, session, number, start) for number in range(SUBMITTERS)]]
    for made in numbers:  # those of one client are in its order
        assert made == sorted(made)
    total = SUBMITTERS * EACH
    assert sorted(number for made in numbers for number in made) == list(
        range(first + 1, first + 1 + total))
    last = session.post("ran", "pyspark").until_over()
    listed = session.statements()
    assert listed["total_statements"] == total + 2
    by_number = {one["id"]: one for one in listed["statements"]}
    assert {one["state"] for one in by_number.values()} == {"available"}
    expected, ended = [], 0
    for number in range(first + 1, first + 1 + total):
        one = by_number[number]
        assert one["output"]["status"] == "ok", one
        assert one["started"] >= ended  # one after the other
        ended = one["completed"]
        if one["code"].startswith("select"):
            row = [int(word) for word in one["code"].removeprefix("select ").split(", ")]
            assert one["output"]["data"]["application/json"]["data"] == [row]
        else:
            expected.append(one["code"].removeprefix("ran.append(").removesuffix(")"))
    assert last["output"]["data"]["text/plain"] == f"[{', '.join(expected)}]"
    session.delete()
