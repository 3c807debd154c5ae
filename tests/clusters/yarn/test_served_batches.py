# SPDX-License-Identifier: Apache-2.0
"""Batches on a real YARN cluster, over HTTP, to each of their ends."""

import json

import pytest

from asking import until
from served import Client

HUGE = "6600m"  # with its overhead more than half of the node


@pytest.fixture
def clients(server, daemon, jar):
    return {line: Client(server, daemon, jar, line) for line in ("35", "4")}


def test_spark_computes_pi_in_cluster_mode(server, clients, jars):
    """Python and a jar, to success and to failure, on executors."""
    def jar(line, *words):
        return clients[line].submit(jars["Pi"], 2, *words, className="Pi", driverMemory="512m",
                                    conf=Client.small)

    batches = [(clients["35"].pi(2), 0), (jar("4"), 0),
               (jar("35", "fail"), None),  # its ApplicationMaster tells no code
               (clients["35"].pi(2, "fail"), 1)]
    for batch, code in batches:
        over = server.until_over(batch)
        log = "\n".join(server.whole_log(batch))
        assert over["state"] == ("success" if code == 0 else "dead"), log[-3000:]
        assert over["appId"].startswith("application_"), over
        assert "Pi is roughly 3" in log and "tasks ran on [" in log
        native = server.native(batch)
        assert native["exitCode"] == code
        for told in (log, json.dumps(native)):
            assert ("failed on purpose" in told) == (code != 0), told


def test_a_program_runs_to_its_end_and_its_log_stays(client):
    words = ("a b", "it's \"quoted\"", "$HOME {{PWD}} `id` \\ %s", "ünïcode")
    batch = client.driver(*(part for word in words for part in ("print", word)), "lines", 300)
    assert client.server.until_over(batch)["state"] == "success", str(client.server.native(batch))
    log = client.server.whole_log(batch)
    assert [line for line in log if line in words] == list(words)
    assert [line for line in log if line.startswith("line ")] == [
        f"line {n}" for n in range(300)]
    assert client.server.delete(batch).status_code == 200


def test_what_fails_says_why(client):
    cases = [
        (client.driver("throw", "on purpose"), None, "IllegalStateException: on purpose"),
        (client.driver("exit", 3), None, "Shutdown hook called"),
        (client.driver(className="no.such.Main"), 13, "no.such.Main"),
        (client.submit(client.jar, "print", "no context", className="Driver"), 13, "spark context"),
        (client.submit("/no/such.jar", className="Driver"), None, "/no/such.jar"),
        (client.submit(f"{client.daemon.hdfs}/no/such.jar", className="Driver"), None,
         "/no/such.jar"),
        (client.driver(queue="nope"), None, "unknown queue: nope"),
        (client.driver(driverMemory="90g"), None, "memory")]
    told = [(client.reason(batch), client.server.native(batch)["exitCode"])
            for batch, *_ in cases]
    assert [(words in reason, code) for (reason, code), (_, _, words) in zip(told, cases)] == [
        (True, code) for _, code, _ in cases], told


def test_a_batch_that_runs_is_killed(client, gate):
    begun, end = gate("begun"), gate("end")
    batch = client.driver("open", begun.path, "wait", end.path)
    begun.wait()
    assert list(client.drivers().values()) == ["RUNNING"]
    assert client.server.delete(batch).status_code == 200
    until(client.drivers, lambda left: not left, "the driver's end")


def test_a_batch_that_the_node_has_no_room_for_waits_and_is_killed(client, folder, gate):
    marks, begun, end = folder / "marks", gate("begun"), gate("end")
    first = client.driver("open", begun.path, "wait", end.path, driverMemory=HUGE)
    begun.wait()
    batch = client.driver("mark", marks, driverMemory=HUGE)
    until(client.drivers, lambda seen: sorted(seen.values()) == ["ACCEPTED", "RUNNING"],
          "the driver that waits")
    assert client.server.client.get(f"/batches/{batch['id']}").json()["state"] == "starting"
    assert client.server.delete(batch).status_code == 200
    until(client.drivers, lambda left: list(left.values()) == ["RUNNING"], "the driver's end")
    end.open()
    assert client.server.until_over(first)["state"] == "success"
    assert not marks.exists()
