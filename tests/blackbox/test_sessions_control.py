# SPDX-License-Identifier: Apache-2.0
"""Routes about a whole session: stop, interrupt, connect, completion. Spark's line does not matter
here."""

import pytest

from conftest import empty_folder, starter

JOB = "spark.range(10 ** 15).selectExpr('sum(id * 2)').collect()"


@pytest.fixture(scope="module")
def server():
    with empty_folder() as path, starter(path) as begin:
        yield begin()


@pytest.fixture(scope="module")
def session(server):
    return server.open_session("pyspark", name="in control").until_idle()


def post(session, action, body=None):
    return session.client.post(f"{session.path}/{action}", json=body)


def completed(session, code, **fields):
    fields.setdefault("cursor", len(code.encode("utf-16-le")) // 2)
    response = post(session, "completion", {"code": code, **fields})
    assert response.status_code == 200, response.text
    assert list(response.json()) == ["candidates"]
    return response.json()["candidates"]


@pytest.mark.parametrize("code", ["while True: pass", JOB, "import time\ntime.sleep(600)"])
def test_an_interrupt_stops_what_runs_and_keeps_the_session(session, code):
    running = session.post("print('go', flush=True)\n" + code)
    behind = session.post("'behind'")
    with running.stream() as stream:
        stream.until("go\n")
    interrupted = post(session, "interrupt")
    assert interrupted.status_code == 200
    assert interrupted.json() == {"msg": "interrupted"}
    assert running.until_over()["state"] == "cancelled"
    assert behind.until_over()["output"]["data"]["text/plain"] == "'behind'"
    assert session.until("idle")


def test_an_interrupt_of_an_idle_session_changes_nothing(session):
    count = session.statements()["total_statements"]
    assert post(session, "interrupt").json() == {"msg": "interrupted"}
    assert session.state() == "idle"
    assert session.statements()["total_statements"] == count


def test_connect_gives_the_session_by_id_and_by_name(session):
    for path in (session.path, "/sessions/in%20control"):
        response = session.client.post(path + "/connect")
        assert response.status_code == 200
        connected, found = response.json(), session.get()
        del connected["log"], found["log"]  # Spark may be writing to it
        assert connected == found


def test_code_is_completed_with_what_the_session_knows(session):
    session.run("the_answer_is_here = {'a': 1}\nµmwelt = 1")
    assert "the_answer_is_here" in completed(session, "the_ans")
    assert "the_answer_is_here" in completed(session, "print(1)\nthe_ans", kind="python")
    assert any("parallelize" in word for word in completed(session, "sc.parallel"))
    # an emoji is two units of Java's strings
    assert "the_answer_is_here" in completed(session, "x = '\U0001f600'; the_ans")
    assert "the_answer_is_here" in completed(session, "the_ans + 1", cursor=7)
    assert completed(session, "no_such_name_at_all") == []
    assert completed(session, "SELECT no_such", kind="sql") == []


def test_a_stopped_session_is_over_and_its_statements_stay(server):
    session = server.open_session("pyspark", name="to be stopped").until_idle()
    assert session.text("1 + 1") == "2"
    stopped = server.client.post("/sessions/to%20be%20stopped/stop")
    assert stopped.status_code == 204
    assert stopped.content == b""
    assert session.state() == "success"
    assert session.statements()["statements"][0]["output"]["data"] == {"text/plain": "2"}
    refused = post(session, "completion", {"code": "x", "cursor": 1})
    assert refused.status_code == 400
    assert refused.json() == {"msg": "requirement failed: Session isn't active."}
    assert post(session, "stop").status_code == 204
    assert post(session, "interrupt").json() == {"msg": "interrupted"}
    session.delete()
