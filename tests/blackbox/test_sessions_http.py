# SPDX-License-Identifier: Apache-2.0
"""The routes of sessions: objects, lists, refusals, ETags and waiting. Spark's line does not
matter here: one driver."""

import concurrent.futures
import json

import pytest

from conftest import empty_folder, held_python, starter
from processes import Gate

FIELDS = ["id", "name", "appId", "owner", "proxyUser", "state", "kind", "appInfo", "log", "ttl",
          "idleTimeout", "driverMemory", "driverCores", "executorMemory", "executorCores", "conf",
          "archives", "files", "heartbeatTimeoutInSecond", "jars", "numExecutors", "pyFiles",
          "queue"]
STATEMENT_FIELDS = ["id", "code", "state", "output", "progress", "started", "completed"]


@pytest.fixture(scope="module")
def server():
    with empty_folder() as path, starter(path) as begin:
        yield begin()


@pytest.fixture(scope="module")
def session(server):
    folder = server.data_dir.parent
    start = Gate(folder / "start")
    conf = {"spark.app.name": "over http", **held_python(folder / "python", start)}
    made = server.open_session("shared", name="é/nightly", conf=conf,
                               idleTimeout="1h", driverMemory="1g", driverCores=2)
    check_the_new_one(made.made)
    made.first = made.post("print('early')\n1", "pyspark")  # while it starts
    assert made.state() == "starting"
    assert made.first.get()["state"] == "waiting"
    start.open()
    yield made.until_idle()
    start.close()


def check_the_new_one(made):
    assert list(made) == FIELDS
    assert made["state"] == "starting" and made["kind"] == "shared" and made["appId"] is None
    assert made["name"] == "é/nightly" and made["idleTimeout"] == "1h"
    assert (made["driverMemory"], made["driverCores"], made["numExecutors"]) == ("1g", 2, 0)
    assert made["conf"]["spark.app.name"] == "over http"
    assert made["log"] == ["stdout: ", "\nstderr: "]
    assert made["appInfo"] == {"driverLogUrl": None, "sparkUiUrl": None, "executorLogUrls": None}


def test_a_session_is_shown_with_livys_fields_and_no_other(server, session):
    response = server.client.get(session.path)
    seen = response.json()
    assert list(seen) == FIELDS
    assert response.headers["Content-Type"] == "application/json;charset=utf-8"
    assert seen["appId"].startswith("local-") and seen["state"] == "idle"
    listed = server.client.get("/sessions").json()
    for shown in (seen, *listed["sessions"]):
        del shown["log"]  # Spark may be writing to it
    assert listed == {"from": 0, "total": 1, "sessions": [seen]}
    assert server.client.get("/sessions/").json()["total"] == 1
    assert server.client.get("/sessions", params={"from": 1}).json()["sessions"] == []
    assert server.client.get("/sessions/%C3%A9%2Fnightly/state").json() == {
        "id": session.id, "state": "idle"}


def test_what_was_posted_while_it_started_has_run(session):
    end = session.first.until_over()
    assert end["output"] == {"status": "ok", "execution_count": 0,
                             "data": {"text/plain": "early\n1"}}


def test_a_log_is_paged(server, session):
    page = server.client.get(session.path + "/log", params={"from": 0, "size": 1}).json()
    assert page == {"id": session.id, "from": 0, "total": page["total"], "log": ["stdout: "]}
    assert "\nstderr: " in session.log()
    assert len(session.log()) >= page["total"] > 2


def test_a_statement_is_shown_with_livys_fields(server, session):
    response = server.client.post(session.path + "/statements",
                                  json={"code": "1\r\n2", "kind": "pyspark"})
    assert response.status_code == 201
    made = response.json()
    assert list(made) == STATEMENT_FIELDS
    path = f"{session.path}/statements/{made['id']}"
    end = server.follow(path, lambda seen: seen["state"] == "available")
    assert list(end) == STATEMENT_FIELDS
    assert end["output"] == {"status": "ok", "execution_count": made["id"],
                             "data": {"text/plain": "2"}}
    assert end["progress"] == 1.0 and end["completed"] >= end["started"] > 1_700_000_000_000


def test_statements_are_listed_in_pages_and_either_order(session):
    while session.statements()["total_statements"] < 5:
        session.run("0", "pyspark")
    everything = session.statements()
    total = everything["total_statements"]
    numbers = [one["id"] for one in everything["statements"]]
    assert numbers == list(range(total))
    assert [one["id"] for one in session.statements(order="desc")["statements"]] == numbers[::-1]
    assert [one["id"] for one in session.statements(**{"from": 1, "size": 2})["statements"]] == [1, 2]
    last = session.statements(order="desc", size=1)["statements"]
    assert [one["id"] for one in last] == [total - 1]
    assert session.statements(**{"from": total})["statements"] == []


@pytest.mark.parametrize("path", ["/sessions/99", "/sessions/99/state", "/sessions/99/log",
                                  "/sessions/99/statements", "/sessions/99/statements/0",
                                  "/sessions/nobody"])
def test_a_session_that_is_not_there_is_404(server, path):
    response = server.client.get(path)
    assert response.status_code == 404
    assert response.json() == {"msg": f"Session '{path.split('/')[2]}' not found."}


def test_a_statement_that_is_not_there_is_404(server, session):
    for query in ("", "?wait=1&state=running", "?stream=1"):
        response = server.client.get(session.path + "/statements/9999" + query)
        assert (response.status_code, response.json()) == (404, "Statement not found")


@pytest.mark.parametrize("body, words", [
    ({"kind": "foo"}, "foo"),
    ({"kind": "pyspark", "foo": 1}, "Unrecognized field \"foo\""),
    ({"kind": "pyspark", "name": "123"}, "Invalid session name: 123"),
    ({"kind": "pyspark", "name": "é/nightly"}, "é/nightly"),
    ({"kind": "pyspark", "jars": ["rel.jar"]}, "rel.jar"),
    ({"kind": "pyspark", "idleTimeout": "soon"}, "soon"),
    ({"kind": "pyspark", "driverCores": "2"}, "driverCores"),
    ([], ""),
])
def test_what_cannot_be_a_session_is_refused_and_takes_no_number(server, session, body, words):
    response = server.client.post("/sessions", json=body)
    assert response.status_code == 400, response.text
    assert words in json.dumps(response.json(), ensure_ascii=False).replace('\\"', '"')
    assert server.client.get("/sessions").json()["total"] == 1


@pytest.mark.parametrize("body", [
    {}, {"kind": "pyspark"}, {"code": 1.5, "kind": "cobol"}, {"code": "1"},
    {"code": "1", "kind": "cobol"}, {"code": "1", "kind": "shared"},
    {"code": "1", "kind": "pyspark", "colour": "red"}, [],
])
def test_what_cannot_be_a_statement_is_refused_and_takes_no_number(server, session, body):
    before = session.statements()["total_statements"]
    response = server.client.post(session.path + "/statements", json=body)
    assert response.status_code == 400, response.text
    assert session.statements()["total_statements"] == before
    assert session.state() == "idle"


def test_etags_tell_a_session_that_has_changed(server, session):
    seen = server.client.get(session.path)
    same = {"If-None-Match": seen.headers["ETag"]}
    unchanged = server.client.get(session.path, headers=same)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert server.client.get(session.path, headers=same, params={"wait": 1}).status_code == 304
    session.run("1", "pyspark")
    changed = server.client.get(session.path, headers=same)
    assert changed.status_code == 200 and changed.headers["ETag"] != seen.headers["ETag"]


def test_etags_tell_a_statement_that_has_changed(server, session, gate):
    step = gate("step")
    statement = session.post(f"open({step.path!r}, 'rb', buffering=0).read(1)\n1", "pyspark")
    statement.until_begun()
    seen = server.client.get(statement.path)
    same = {"If-None-Match": seen.headers["ETag"]}
    assert server.client.get(statement.path, headers=same).status_code == 304
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(server.client.get, statement.path, headers=same, params={"wait": 60})
        step.open()
        answer = waiting.result()
    assert answer.status_code == 200 and answer.headers["ETag"] != seen.headers["ETag"]
    assert statement.until_over()["state"] == "available"


def test_waiting_by_state_returns_with_the_next_one(server, session, gate):
    step = gate("step")
    statement = session.post(f"open({step.path!r}, 'rb', buffering=0).read(1)\n1", "pyspark")
    at_once = server.client.get(session.path, params={"wait": 60, "state": "idle"})
    assert at_once.json()["state"] == "busy"
    statement.until_begun()
    same = server.client.get(statement.path, params={"wait": 1, "state": "running"})
    assert (same.status_code, same.json()["state"]) == (200, "running")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = [pool.submit(server.client.get, path, params={"wait": 60, "state": state})
                   for path, state in ((session.path + "/state", "busy"), (session.path, "busy"),
                                       (statement.path, "running"))]
        step.open()
        answers = [one.result().json()["state"] for one in waiting]
    assert answers == ["idle", "idle", "available"]


@pytest.mark.parametrize("params", [
    {"wait": "soon", "state": "idle"}, {"wait": 1, "state": "happy"}, {"wait": 1}, {"wait": -1}])
def test_a_wait_for_nothing_is_refused(server, session, params):
    assert server.client.get(session.path, params=params).status_code == 400
    assert server.client.get(session.first.path, params=params).status_code == 400


@pytest.mark.parametrize("position", ["x", "-1", "7.5"])
def test_a_wrong_position_is_refused(server, session, position):
    response = server.client.get(session.first.path, params={"stream": 1},
                                 headers={"Last-Event-ID": position})
    assert response.status_code == 400, response.text


@pytest.mark.parametrize("method, path", [
    ("PUT", "/sessions"), ("PATCH", "/sessions/0"), ("POST", "/sessions/0"),
    ("DELETE", "/sessions/0/statements"), ("GET", "/sessions/0/statements/0/cancel")])
def test_a_method_that_is_not_there_is_405(server, session, method, path):
    response = server.client.request(method, path)
    assert response.status_code == 405 and response.headers["Allow"]


def test_sigterm_releases_streams_and_waiting_clients(server, session, gate):
    """Last: it stops the server, and the next one takes the session up."""
    step = gate("step")
    statement = session.post(f"print('go')\nopen({step.path!r}, 'rb', buffering=0).read(1)\n1",
                             "pyspark")
    with statement.stream() as stream:
        stream.until("go\n")
        server.process.terminate()
        while stream.next():  # comes to an end, and in order
            pass
        assert stream.statement is None
    assert server.ended() == 0
    server.start()
    step.open()
    assert statement.until_over()["output"]["data"] == {"text/plain": "go\n1"}
