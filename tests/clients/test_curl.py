# SPDX-License-Identifier: Apache-2.0
"""What a person types: the walks of docs/rest_api.md with curl itself."""

import json
import subprocess

import pytest

from conftest import SPARK_SCRIPTS

DEADLINE = 180  # seconds for one command: some of them wait for the server
JSON = ("-H", "Content-Type: application/json")


@pytest.fixture
def curl(server):
    """Gives status and body: curl(path, word…)."""

    def run(path, *words):
        done = subprocess.run(
            ["curl", "-sS", "--globoff", "--max-time", str(DEADLINE), "-w", "\n%{http_code}", *words,
             server.url + path], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=DEADLINE + 10, check=True)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    return run


def waited(curl, path, over):
    """Asks again and again, each time until the state is another one; gives the object at last."""
    seen = json.loads(curl(path)[1])
    while seen["state"] not in over:
        status, body = curl(f"{path}?wait=60&state={seen['state']}")
        assert status == 200, body
        seen = json.loads(body)
    return seen


def test_a_walk_through_a_session(server, curl):
    status, body = curl("/sessions", *JSON, "-d",
                        '{"kind": "pyspark", "name": "walk", "conf": {"spark.ui.enabled": "false"}}')
    assert status == 201, body
    session = json.loads(body)
    path = f"/sessions/{session['id']}"
    assert session["state"] == "starting"
    assert waited(curl, path, ("idle", "dead"))["state"] == "idle"
    assert curl("/sessions/walk/state") == (200, json.dumps(
        {"id": session["id"], "state": "idle"}, separators=(",", ":")))

    # -d alone sends a form's type; @- would read a file
    status, body = curl(path + "/statements", "-d",
                        r'''{"code": "print('hello')\nspark.range(3).count()"}''')
    assert status == 201, body
    statement = waited(curl, path + "/statements/0", ("available",))
    assert statement["output"] == {"status": "ok", "execution_count": 0,
                                   "data": {"text/plain": "hello\n3"}}

    status, body = curl(path + "/statements", *JSON, "-d", '{"code": "select 1 as a", "kind": "sql"}')
    assert status == 201, body
    table = waited(curl, path + "/statements/1", ("available",))["output"]["data"]
    assert table["application/json"]["data"] == [[1]]

    assert curl(path + "/statements", *JSON, "-d", '{"code": "while True: pass"}')[0] == 201
    assert waited(curl, path + "/statements/2", ("running",))["state"] == "running"
    assert curl(path + "/statements/2/cancel", "-X", "POST") == (200, '{"msg":"canceled"}')
    assert waited(curl, path + "/statements/2", ("cancelled",))["state"] == "cancelled"

    status, body = curl(path + "/statements?order=desc&size=1")
    page = json.loads(body)
    assert page["total_statements"] == 3 and [one["id"] for one in page["statements"]] == [2]

    status, body = curl(path + "/log?from=0&size=5")
    log = json.loads(body)
    assert (status, log["from"], log["log"][0]) == (200, 0, "stdout: ")

    assert curl(path, "-X", "DELETE") == (200, '{"msg":"deleted"}')
    assert curl(path) == (404, f'{{"msg":"Session \'{session["id"]}\' not found."}}')


def test_a_statement_is_followed_while_it_runs(server, curl):
    session = server.open_session("pyspark")
    made = session.post("print('first')\nprint('second')\n3")
    status, body = curl(f"{made.path}?stream=1", "-N")
    assert status == 200
    events = [dict(line.split(": ", 1) for line in event.splitlines() if not line.startswith(":"))
              for event in body.strip().split("\n\n")]
    assert "".join(json.loads(event["data"])["text"] for event in events
                   if event["event"] == "output") == "first\nsecond\n"
    assert events[-1]["event"] == "statement"
    assert json.loads(events[-1]["data"])["output"]["data"]["text/plain"] == "first\nsecond\n3"
    session.delete()


def test_a_walk_through_a_batch(curl):
    body = json.dumps({"file": str(SPARK_SCRIPTS / "pi.py"), "args": [2], "name": "pi",
                       "conf": {"spark.ui.enabled": "false"}})
    status, answer = curl("/batches", *JSON, "-d", body)
    assert status == 201, answer
    path = f"/batches/{json.loads(answer)['id']}"
    assert waited(curl, path, ("success", "dead", "killed"))["state"] == "success"
    lines = json.loads(curl(path + "/log?size=-1")[1])["log"]
    assert any(line.startswith("Pi is roughly 3.") for line in lines)
    status, answer = curl("/batches?from=0&size=10")
    assert [one["name"] for one in json.loads(answer)["sessions"]] == ["pi"]
    assert json.loads(curl("/api/v1/batches/pi")[1])["outcome"] == "success"
    assert curl(path, "-X", "DELETE") == (200, '{"msg":"deleted"}')
    assert curl(path + "/log")[0] == 404


def test_the_same_request_twice_with_a_key_is_one_batch(curl):
    words = (*JSON, "-H", "Idempotency-Key: report-2026-11-20", "-d",
             json.dumps({"file": str(SPARK_SCRIPTS / "no_context.py")}))
    first, second = curl("/batches", *words), curl("/batches", *words)
    assert first[0] == second[0] == 201
    assert json.loads(first[1])["id"] == json.loads(second[1])["id"]


@pytest.mark.parametrize("words, status, text", [
    (("-d", '{"kind": "pyspark"'), 400, "not valid JSON"),
    (("-d", '{"kind": "pyspark", "colour": 1}'), 400, 'Unrecognized field \\"colour\\"'),
    (("-d", ""), 400, "No content"),
    (("-X", "PUT"), 405, ""),
    (("-H", "Host: evil.example"), 403, ""),
    (("-H", "Content-Encoding: gzip", "--data-binary", "xxx"), 415, ""),
])
def test_what_is_wrong_is_told(curl, words, status, text):
    seen, body = curl("/sessions", *words)
    assert seen == status and text in body, body


def test_a_large_body_is_announced_and_comes_whole(server, curl, folder):
    """curl waits for the server's 100 before it sends it."""
    session = server.open_session("pyspark")
    code = "text = '" + "x" * 700_000 + "'\nlen(text)"
    (folder / "body").write_text(json.dumps({"code": code}), encoding="utf-8")
    status, body = curl(session.path + "/statements", *JSON, "-H", "Expect: 100-continue",
                        "--expect100-timeout", str(DEADLINE), "--data-binary",
                        f"@{folder / 'body'}")
    assert status == 201, body[:200]
    assert waited(curl, session.path + "/statements/0", ("available",))["output"]["data"] == {
        "text/plain": "700000"}
    session.delete()
