# SPDX-License-Identifier: Apache-2.0
"""What clients send byte by byte, and what each of them needs in the answers: the habits of those
that are not run here themselves. One session without a kind serves all tests."""

import base64
import json
import re
import socket

import pytest

from server import DEADLINE
from sessions import Session

SESSION_KEYS = {"id", "name", "appId", "owner", "proxyUser", "state", "kind", "appInfo", "log",
                "ttl", "idleTimeout", "driverMemory", "driverCores", "executorMemory",
                "executorCores", "conf", "archives", "files", "heartbeatTimeoutInSecond", "jars",
                "numExecutors", "pyFiles", "queue"}
STATEMENT_KEYS = {"id", "code", "state", "output", "progress", "started", "completed"}
BATCH_KEYS = {"id", "name", "owner", "proxyUser", "state", "appId", "appInfo", "log"}


class Answer:
    def __init__(self, head, body):
        status, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(status.split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in
                        (line.partition(":") for line in lines)}
        self.body = body

    def json(self):
        assert self.headers["content-type"].startswith("application/json")
        assert b"\n" not in self.body  # clients match it as one line
        return json.loads(self.body)


class Wire:
    """One connection, written to as it stands."""

    def __init__(self, server):
        host, port = server.url.removeprefix("http://").rsplit(":", 1)
        self.host = f"{host}:{port}"
        self.socket = socket.create_connection((host, int(port)), timeout=DEADLINE)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, line, headers=(), body=b"", length=True):
        head = [f"{line} HTTP/1.1", f"Host: {self.host}", *headers]
        if length and (body or line.startswith("POST")):
            head.append(f"Content-Length: {len(body)}")
        self.socket.sendall("\r\n".join([*head, "", ""]).encode())
        if not any(header.startswith("Expect") for header in headers):
            self.socket.sendall(body)

    def until(self, reached):
        while not reached(self.received):
            piece = self.socket.recv(65536)
            assert piece, f"closed after {self.received}"
            self.received += piece

    def head(self):
        self.until(lambda seen: b"\r\n\r\n" in seen)
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        return head

    def answer(self, body=True):
        answer = Answer(self.head(), b"")
        length = int(answer.headers.get("content-length", 0)) if body else 0
        self.until(lambda seen: len(seen) >= length)
        answer.body, self.received = self.received[:length], self.received[length:]
        return answer

    def ask(self, line, headers=(), body=b""):
        self.send(line, headers, body)
        return self.answer(body=not line.startswith("HEAD"))


@pytest.fixture(scope="module")
def session(server):
    """Seen in each of its states from the first answer on: rules that nobody can look up later."""
    made = server.client.post("/sessions", json={
        "name": "wire", "conf": {"spark.ui.enabled": False, "spark.task.maxFailures": 1,
                                 "spark.sql.shuffle.partitions": "1"}})
    assert made.status_code == 201, made.text
    session = Session(server, made.json())
    session.states = [made.json()["state"]]

    def reached(seen):
        assert set(seen) == SESSION_KEYS
        session.states.append(seen["state"])
        return seen["state"] not in ("starting",)

    server.follow(session.path, reached)
    yield session
    session.delete()


@pytest.fixture
def wire(server):
    with Wire(server) as connection:
        yield connection


def test_a_session_is_starting_and_then_idle_with_nothing_in_between(session):
    assert session.states[-1] == "idle"
    assert set(session.states[:-1]) == {"starting"}


def test_a_session_without_a_kind_is_shared_and_takes_numbers_as_conf(session):
    assert session.get()["kind"] == "shared"
    assert session.text("spark.conf.get('spark.task.maxFailures')", "pyspark") == "'1'"
    assert session.text("spark.conf.get('spark.ui.enabled')", "pyspark") == "'false'"


# -- how clients write their requests --

JAVA = ("Content-Type: application/json", "Content-Encoding: UTF-8", "X-Requested-By: livy",
        "Connection: Keep-Alive", "User-Agent: livy-client-http", "Accept-Encoding: gzip,deflate")


def test_the_java_client_waits_for_100_and_posts_to_the_slash(server, wire):
    body = b'{"conf":{"spark.ui.enabled":"false","spark.master":"local[1]"}}'
    wire.send("POST /sessions/", (*JAVA, "Expect: 100-continue"), body)
    assert wire.head() == b"HTTP/1.1 100 Continue"  # nothing of the body is sent yet
    wire.socket.sendall(body)
    answer = wire.answer()
    made = answer.json()
    assert answer.status == 201 and made["kind"] == "shared" and made["state"] == "starting"
    assert answer.headers["location"] == f"/sessions/{made['id']}"
    assert wire.ask(f"DELETE /sessions/{made['id']}", JAVA).json() == {"msg": "deleted"}


def test_the_java_client_writes_its_encoding_on_requests_without_a_body(session, wire):
    answer = wire.ask(f"GET /sessions/{session.id}", JAVA)
    assert answer.status == 200 and set(answer.json()) == SESSION_KEYS
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("path", ["//sessions/", "/sessions/", "//sessions", "/sessions//"])
def test_the_python_client_doubles_slashes_and_is_not_sent_elsewhere(wire, path):
    answer = wire.ask(f"POST {path}", ("Content-Type: application/json", "X-Requested-By: livy"),
                      b'{"kind": "nothing"}')
    assert answer.status == 400 and "nothing" in answer.json()  # the route has read it


def test_requests_without_a_body_may_have_its_type(session, wire):
    for line in (f"GET /sessions/{session.id}", "GET /sessions", f"GET {session.path}/state"):
        assert wire.ask(line, ("Content-Type: application/json",)).status == 200
    gone = wire.ask("DELETE /sessions/987", ("Content-Type: application/json", "Content-Length: 0"))
    assert gone.status == 404


@pytest.mark.parametrize("kind", ["text/plain; charset=ISO-8859-1", "application/json;charset=utf-8",
                                  "application/x-www-form-urlencoded"])
def test_a_body_is_json_whatever_its_type_says(session, wire, kind):
    answer = wire.ask(f"POST {session.path}/statements", (f"Content-Type: {kind}",),
                      b'{"code": "40 + 2", "kind": "pyspark"}')
    assert answer.status == 201 and set(answer.json()) == STATEMENT_KEYS
    number = answer.json()["id"]
    assert answer.headers["location"] == f"{session.path}/statements/{number}"


def test_bodies_may_be_written_over_many_lines(session, wire):
    body = b'{\r\n  "code": "6 * 7",\r\n  "kind": "pyspark"\r\n}\r\n'
    assert wire.ask(f"POST {session.path}/statements", (), body).status == 201


@pytest.mark.parametrize("body", [b"", b"{}", b'{"msg":"cancel"}'])
def test_a_cancel_is_200_whatever_its_body(session, wire, body):
    statement = session.post("while True: pass", "pyspark")
    answer = wire.ask(f"POST {statement.path}/cancel",
                      ("Content-Type: application/json;charset=UTF-8", "X-Requested-By: zeppelin"),
                      body)
    assert answer.status == 200 and answer.json() == {"msg": "canceled"}
    assert statement.get()["state"] in ("cancelling", "cancelled")  # seen by the first poll
    assert statement.until_over()["state"] == "cancelled"


@pytest.mark.parametrize("header", [
    "Authorization: Basic " + base64.b64encode(b"None:None").decode(), "Authorization: Negotiate x",
    "X-Requested-By: anybody", "Keep-Alive: timeout=3600, max=10000", "Content-Encoding: identity",
    "X-Compatibility-Mode: sparkmagic"])
def test_headers_that_mean_nothing_here_change_nothing(session, wire, header):
    assert wire.ask(f"GET {session.path}", (header,)).status == 200


def test_head_is_answered_without_a_body_on_a_connection_that_stays(wire):
    answer = wire.ask("HEAD /batches", ("Accept-Encoding: identity",))
    assert answer.status == 200
    assert wire.ask("GET /batches").json() == {"from": 0, "total": 0, "sessions": []}


# -- what clients probe --

@pytest.mark.parametrize("line, status", [
    ("GET /session/1", 404), ("GET /sessions/x/y/z", 404), ("POST /sessions/find-by-user", 405),
    ("PUT /sessions", 405), ("GET /", 200), ("GET /version", 200), ("GET /metrics/ping", 200)])
def test_probes_get_the_status_that_clients_look_for(wire, line, status):
    assert wire.ask(line).status == status


def test_the_version_is_one_that_clients_compare(wire):
    version = wire.ask("GET /version").json()["version"]
    parts = re.match(r"(\d+)\.(\d+)\.(\d+)(\S*)$", version).groups()
    assert parts[:3] >= ("0", "5", "0")  # compared as strings


def test_a_session_that_is_not_there_is_told_in_one_line_that_clients_match(session, wire):
    for path in ("/sessions/987", "/batches/987", "/sessions/987/statements/0"):
        answer = wire.ask(f"GET {path}")
        assert answer.status == 404
        assert re.fullmatch(r"""(.*)"Session '\d+' not found."(.*)""", answer.body.decode())
    unknown = wire.ask(f"GET {session.path}/statements/99999")
    assert (unknown.status, unknown.json()) == (404, "Statement not found")


def test_a_taken_name_is_told_in_words_that_clients_look_for(session, wire):
    answer = wire.ask("POST /sessions", (), b'{"name": "wire"}')
    assert answer.status == 400 and "Duplicate session name" in answer.json()["msg"]


# -- objects --

def test_lists_have_their_three_keys_and_names_are_found_in_them(server, session):
    listed = server.client.get("/sessions", params={"from": 0, "size": 100}).json()
    assert set(listed) == {"from", "total", "sessions"}
    assert [one["id"] for one in listed["sessions"] if one["name"] == "wire"] == [session.id]
    assert server.client.get("/sessions/wire").json()["id"] == session.id
    assert set(session.statements()) == {"total_statements", "statements"}


def test_a_statement_is_whole_at_every_look(server, session, gate):
    step = gate("step")
    statement = session.post(f"open({step.path!r}, 'rb', buffering=0).read(1)", "pyspark")
    states = []

    def reached(seen):
        assert set(seen) == STATEMENT_KEYS
        assert isinstance(seen["progress"], (int, float)) and 0 <= seen["progress"] <= 1
        if not states or states[-1] != seen["state"]:
            states.append(seen["state"])
        over = seen["state"] == "available"
        assert (seen["completed"] > 0) == over and (seen["output"] is not None) == over
        if seen["state"] == "running":
            assert seen["started"] > 0
            step.open()
        return over

    end = server.follow(statement.path, reached)
    assert states in (["waiting", "running", "available"], ["running", "available"])
    assert isinstance(end["completed"], int) and end["completed"] >= end["started"]


def test_an_error_has_text_and_a_list_of_lines(session):
    for code, kind in (("raise ValueError()", "pyspark"), ("foo bar", "pyspark"),
                       ("select * from nope", "sql")):
        statement = session.post(code, kind).until_over()
        assert statement["state"] == "available"
        output = statement["output"]
        assert set(output) == {"status", "execution_count", "ename", "evalue", "traceback"}
        assert output["status"] == "error" and isinstance(output["evalue"], str)
        assert isinstance(output["traceback"], list)
        assert all(isinstance(line, str) for line in output["traceback"])


@pytest.mark.parametrize("code", ["select 1 as a, 'x' as b", "show databases", "show tables",
                                  "create or replace temp view wired as select 1 a",
                                  "describe wired", "-- said first\nselect 1"])
def test_sql_has_one_type_with_schema_and_rows(session, code):
    output = session.run(code, "sql")
    [(mime, table)] = output["data"].items()
    assert mime == "application/json" and set(table) == {"schema", "data"}
    assert table["schema"]["type"] == "struct"
    assert all(set(field) == {"name", "type", "nullable", "metadata"}
               for field in table["schema"]["fields"])
    assert all(len(row) == len(table["schema"]["fields"]) for row in table["data"])


def test_describe_has_the_columns_that_clients_read(session):
    session.run("create or replace temp view described as select 1 id, 'x' name", "sql")
    table = session.run("describe described", "sql")["data"]["application/json"]
    assert [field["name"] for field in table["schema"]["fields"]] == [
        "col_name", "data_type", "comment"]
    assert table["data"] == [["id", "int", None], ["name", "string", None]]


def test_output_is_what_code_printed_and_no_line_of_sparks_log(session):
    assert session.text("sc.setLogLevel('INFO')\nimport json\n"
                        "for row in spark.sql('select id from range(3)').toJSON().collect():\n"
                        "    print(row)\n"
                        "sc.setLogLevel('WARN')", "pyspark") == '{"id":0}\n{"id":1}\n{"id":2}'


def test_a_long_line_comes_whole(session):
    assert session.text("print('x' * 200_000)", "pyspark") == "x" * 200_000


# -- logs --

def test_a_log_can_be_read_to_its_end_and_past_it(server, session):
    lines, start = [], 0
    while True:  # as airflow-livy-operators does: until what has come is the total
        page = server.client.get(session.path + "/log", params={"from": start, "size": 7}).json()
        assert set(page) == {"id", "from", "total", "log"} and page["from"] == start
        lines += page["log"]
        start += len(page["log"])
        if start >= page["total"]:
            break
        assert page["log"], page
    whole = server.client.get(session.path + "/log", params={"from": 0, "size": -1}).json()
    assert whole["log"][:len(lines)] == lines and "stdout: " in lines and "\nstderr: " in lines
    past = server.client.get(session.path + "/log", params={"from": 10**6, "size": 100})
    assert (past.status_code, past.json()["log"]) == (200, [])


def test_the_default_page_of_a_log_is_its_tail(server, session):
    whole = session.log()
    tail = server.client.get(session.path + "/log", params={"size": 3}).json()
    assert len(tail["log"]) == 3 and tail["from"] == tail["total"] - 3
    assert tail["total"] >= len(whole)
    assert len(session.get()["log"]) <= 10


# -- deleting --

def test_what_is_deleted_is_gone_at_the_next_look(server, wire):
    made = server.open_session("pyspark", name="short")
    answer = wire.ask(f"DELETE /sessions/{made.id}", ("Content-Length: 0",))
    assert (answer.status, answer.json()) == (200, {"msg": "deleted"})
    assert wire.ask(f"GET /sessions/{made.id}").status == 404
    assert wire.ask("GET /sessions/short").status == 404
    assert made.id not in [one["id"] for one in wire.ask("GET /sessions").json()["sessions"]]
    assert wire.ask(f"DELETE /sessions/{made.id}").status == 404
    assert server.open_session("pyspark", name="short").id > made.id
    assert wire.ask("DELETE /sessions/short").status == 200


def test_a_batch_has_its_eight_keys(server):
    made = server.submit("/nowhere/x.py", conf={"spark.task.maxFailures": 2, "spark.x": True})
    assert set(made) == BATCH_KEYS and made["state"] in ("starting", "running")
    assert set(server.until_over(made)) == BATCH_KEYS
    assert server.client.get(f"/batches/{made['id']}/state").json() == {
        "id": made["id"], "state": "dead"}
    assert server.delete(made).json() == {"msg": "deleted"}
