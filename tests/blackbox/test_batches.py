# SPDX-License-Identifier: Apache-2.0
"""Batches on real Spark: their ends, logs and kills."""

import concurrent.futures

import pytest

from conftest import SCRIPTS, SPARK_SCRIPTS, held_python


@pytest.mark.parametrize("line, version", [("35", "3.5"), ("4", "4.3")])
def test_pi_succeeds_with_its_result_timeline_and_whole_log(start, line, version):
    server = start(line=line)
    batch = server.submit(SPARK_SCRIPTS / "pi.py", 2)
    assert batch["state"] == "starting" and batch["appId"] is None

    end = server.until_over(batch)

    log = server.whole_log(batch)
    assert end["state"] == "success", log
    assert end["appId"].startswith("local-")
    assert any(word.startswith("Pi is roughly 3.1") for word in log)
    assert any(f"Running Spark version {version}" in word for word in log) or version == "4.3"
    steps = [entry["what"] for entry in server.native(batch)["timeline"]]
    assert steps == ["accepted", "admitted", "submitted", "process_started", "context_up", "ended"]


def test_a_batch_that_fails_is_dead_with_its_reason_and_trace(server):
    batch = server.submit(SPARK_SCRIPTS / "fail.py")
    end = server.until_over(batch)
    assert end["state"] == "dead"
    assert "1" in server.native(batch)["reason"]
    assert any(word.startswith("KeyError") for word in server.whole_log(batch))


def test_a_file_that_is_not_there_ends_dead_and_says_so(server):
    batch = server.submit("/nowhere/nightly.py")
    assert server.until_over(batch)["state"] == "dead"
    assert "/nowhere/nightly.py" in server.native(batch)["reason"]


def test_a_log_is_complete_and_can_be_paged(server):
    lines = 2500
    batch = server.submit(SCRIPTS / "chatty.py", lines)
    assert server.until_over(batch)["state"] == "success"
    path = f"/batches/{batch['id']}/log"
    total = server.client.get(path, params={"from": 0, "size": 1}).json()["total"]

    paged = []
    while len(paged) < total:
        page = server.client.get(path, params={"from": len(paged), "size": 999}).json()
        assert page["from"] == len(paged) and page["total"] == total and page["log"]
        paged += page["log"]

    said = [word for word in paged if word.startswith("line ")]
    assert said == [f"line {number}" for number in range(lines)]
    assert server.whole_log(batch) == paged
    assert server.client.get(path, params={"size": 5}).json()["log"] == paged[-5:]


def test_arguments_and_conf_arrive_as_they_were_sent(server):
    words = ["", "two words", "--master", "ünï", "a'b\"c$d", "x\ny"]
    batch = server.submit(SPARK_SCRIPTS / "no_context.py", *words)
    assert server.until_over(batch)["state"] == "success"
    said = "\n".join(server.whole_log(batch))
    for number, word in enumerate(words, 1):
        assert f"argument {number}: {word}" in said


def test_what_a_batch_prints_can_be_read_while_it_runs_and_a_kill_ends_it(server, gated):
    one = gated()
    batch = one.submit(server)
    one.wait_begun()
    assert server.until_running(batch)["state"] == "running"
    server.until_said(batch, "begun")

    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(server.until, batch, lambda seen: seen["state"] != "running")
        answer = server.delete(batch)
        seen = waiting.exception() or waiting.result()["state"]

    assert answer.status_code == 200 and answer.json() == {"msg": "deleted"}
    # the waiting client sees the end, or that there is nothing any more
    assert seen == "killed" or "404" in str(seen) or "not found" in str(seen)
    assert server.client.get(f"/batches/{batch['id']}").status_code == 404
    assert one.run_count() == 1


def test_a_batch_deleted_before_it_starts_never_runs(server, folder, gate, gated):
    one = gated()
    batch = one.submit(server, conf=held_python(folder / "python", gate("held")))
    assert server.delete(batch).status_code == 200  # its JVM is still coming up
    assert server.client.get("/batches").json()["total"] == 0
    assert one.run_count() == 0
