# SPDX-License-Identifier: Apache-2.0
"""Batches on real masters and workers, over HTTP, to each of their ends."""

import json

import pytest

from asking import until
from served import Client, both


@pytest.fixture
def clients(server, jar):
    return {daemon.line: Client(server, daemon, jar) for daemon in both()}


def test_spark_computes_pi_in_cluster_mode(server, clients, jars):
    """Python and a jar, to success and to failure, on executors of both lines."""
    def jar(line, *words):
        return clients[line].submit(jars["Pi"], 2, *words, className="Pi", conf=Client.small,
                                    driverMemory="512m")

    batches = [(clients["35"].pi(2), False), (jar("4"), False), (jar("35", "fail"), True),
               (clients["4"].pi(2, "fail"), True)]
    for batch, fails in batches:
        over = server.until_over(batch)
        log = "\n".join(server.whole_log(batch))
        assert over["state"] == ("dead" if fails else "success"), log[-3000:]
        assert over["appId"].startswith("app-"), over
        assert "Pi is roughly 3" in log and "tasks ran on [" in log
        assert ("failed on purpose" in log) == fails
        assert ("failed on purpose" in json.dumps(server.native(batch))) == fails


def test_a_program_runs_to_its_end_and_its_log_stays(client):
    batch = client.driver("print", "one", "lines", 300, "exit", 0)
    assert client.server.until_over(batch)["state"] == "success", str(client.server.native(batch))
    log = client.server.whole_log(batch)
    assert "one" in log and [line for line in log if line.startswith("line ")] == [
        f"line {n}" for n in range(300)]
    assert client.server.delete(batch).status_code == 200


def test_what_fails_says_why(client):
    cases = [(client.driver("throw", "on purpose"), "IllegalStateException: on purpose"),
             (client.driver(className="no.such.Main"), "no.such.Main"),
             (client.submit("/no/such.jar", className="Driver", driverMemory="256m"),
              "/no/such.jar"),
             (client.submit("/no/such.py", driverMemory="256m"), "/no/such.py")]
    told = [client.reason(batch) for batch, _ in cases]
    assert [words in text for text, (_, words) in zip(told, cases)] == [True] * len(cases), told


def test_a_batch_that_runs_is_killed(client, gate):
    begun, end = gate("begun"), gate("end")
    batch = client.driver("open", begun.path, "wait", end.path)
    begun.wait()
    assert list(client.drivers().values()) == ["RUNNING"]
    assert client.server.delete(batch).status_code == 200
    until(client.drivers, lambda left: not left, "the driver's end")


def test_a_batch_that_no_worker_has_room_for_waits_and_is_killed(client, folder):
    marks = folder / "marks"
    batch = client.driver("mark", marks, driverMemory="90g")
    until(client.drivers, lambda seen: list(seen.values()) == ["SUBMITTED"], "the driver")
    assert client.server.client.get(f"/batches/{batch['id']}").json()["state"] == "starting"
    assert client.server.delete(batch).status_code == 200
    until(client.drivers, lambda left: not left, "the driver's end")
    assert not marks.exists()
