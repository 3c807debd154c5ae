# SPDX-License-Identifier: Apache-2.0
"""What is refused leaves nothing behind: no process, no file, no number, no name. A real Livy
leaves a driver of a session whose name it refuses, and keeps batches that it has refused."""

from conftest import SPARK_SCRIPTS
from processes import descendants

SCRIPT = str(SPARK_SCRIPTS / "no_context.py")
SESSIONS = [
    '{"kind": "foo", "name": "wanted"}', '{"name": "wanted", "colour": 1}', '{"name": "123"}',
    '{"name": ""}', '{"name": "taken"}', '{"name": "wanted", "jars": ["rel.jar"]}',
    '{"name": "wanted", "files": "not a list"}', '{"name": "wanted", "numExecutors": "x"}',
    '{"name": "wanted", "idleTimeout": "soon"}', '{"name": "wanted", "ttl": "-1"}',
    '{"name": "wanted", "heartbeatTimeoutInSecond": "x"}', '{"name": "wanted", "conf": []}',
    '{"name": "wanted", "conf": {"spark.x": {}}}', '{"name": "wanted"', "null", "[]", "",
    '{"name": ["wanted"]}', '{"name": "wanted", "driverMemory": "much"}',
    '{"name": "wanted", "driverCores": -1}',
]
BATCHES = [
    '{"name": "wanted"}', '{"file": "rel.py", "name": "wanted"}', '{"file": 1.5e400}',
    '{"file": "%s", "name": "taken"}' % SCRIPT, '{"file": "%s", "name": "12"}' % SCRIPT,
    '{"file": "%s", "name": "wanted", "colour": 1}' % SCRIPT,
    '{"file": "%s", "name": "wanted", "args": 7}' % SCRIPT,
    '{"file": "%s", "name": "wanted", "driverMemory": "much"}' % SCRIPT, '{"file"', "null", "",
]
CODE = ['{"code": "1", "colour": 1}', '{"code": null}', '{"kind": "pyspark"}', "null", "", "[]",
        '{"code": "1", "kind": "cobol"}', '{"code": "1"', '{"code": ["1"]}']


def holdings(server):
    """What there is: processes, files, what is listed."""
    files = {str(path) for path in server.data_dir.rglob("*")
             if not path.name.startswith("sparkhost.db")}
    return {"processes": len(descendants()), "files": files,
            **{kind: [one["id"] for one in server.client.get(f"/{kind}").json()["sessions"]]
               for kind in ("sessions", "batches")}}


def refuse(server, kind, body):
    response = server.client.post(f"/{kind}", content=body.encode())
    assert response.status_code == 400, (body, response.status_code, response.text)
    shown = response.json()
    assert shown and (isinstance(shown, str) or set(shown) == {"msg"}), shown


def test_refused_sessions_leave_nothing(server):
    taken = server.open_session("pyspark", name="taken").until_idle()
    before = holdings(server)
    for body in SESSIONS:
        refuse(server, "sessions", body)
        assert holdings(server) == before, body
    accepted = server.open_session("pyspark", name="wanted")  # the name is free
    assert accepted.id == taken.id + 1                        # and so is the number
    accepted.delete()
    taken.delete()


def test_refused_batches_leave_nothing(server, gated):
    job = gated()
    taken = job.submit(server, name="taken")
    job.wait_begun()
    before = holdings(server)
    for body in BATCHES:
        refuse(server, "batches", body)
        assert holdings(server) == before, body
    accepted = server.submit(SCRIPT, name="wanted")
    assert accepted["id"] == taken["id"] + 1
    assert server.until_over(accepted)["state"] == "success"
    job.end.open()
    assert server.until_over(taken)["state"] == "success"


def test_refused_code_leaves_nothing(server):
    """Numbers are given in turn, and the session stays idle."""
    session = server.open_session("pyspark").until_idle()
    for body in CODE:
        before = holdings(server), session.statements()
        response = server.client.post(session.path + "/statements", content=body.encode())
        assert response.status_code == 400, response.text
        assert session.state() == "idle"
        assert (holdings(server), session.statements()) == before, body
    made = session.post("1")
    assert made.id == 0 and made.until_over()["output"]["status"] == "ok"
    session.delete()
