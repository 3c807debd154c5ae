# SPDX-License-Identifier: Apache-2.0
"""What clients send besides statements, byte by byte: to steer a session, to give it files, to run
jobs of their own. One session without a kind serves most tests."""

import base64
import hashlib
import json
import pickle
import subprocess

import pytest

from conftest import blackbox
from processes import eventually
from sessions import ENDED
from test_wire import JAVA, SESSION_KEYS, Wire

JOB_KEYS = {"id", "state", "result", "error"}
TYPED = ("Content-Type: application/json", "X-Requested-By: livy")


@pytest.fixture(scope="module")
def session(server):
    """With the settings that Livy's own clients send of themselves."""
    session = server.open_session("shared", name="steered", conf={"livy.uri": server.url})
    yield session.until_idle()
    session.delete()


@pytest.fixture
def wire(server):
    with Wire(server) as connection:
        yield connection


# -- steering --

def test_hue_interrupts_without_a_body_and_the_session_goes_on(session, wire):
    running = session.post("while True: pass", "pyspark")
    running.until_begun()
    answer = wire.ask(f"POST {session.path}/interrupt", ("X-Requested-By: hue",))
    assert (answer.status, answer.json()) == (200, {"msg": "interrupted"})
    assert running.until_over()["state"] == "cancelled"
    assert session.text("1", "pyspark") == "1"


def test_the_python_client_connects_with_an_empty_body(session, wire):
    answer = wire.ask(f"POST {session.path}/connect", (*TYPED, "Content-Length: 0"))
    assert answer.status == 200 and set(answer.json()) == SESSION_KEYS
    assert answer.json()["id"] == session.id


def test_zeppelin_completes_a_name(session, wire):
    session.run("frame = spark.range(1)", "pyspark")
    body = b'{\n  "code": "frame.sho",\n  "kind": "pyspark",\n  "cursor": 9\n}'
    answer = wire.ask(f"POST {session.path}/completion",
                      ("Content-Type: application/json;charset=UTF-8",), body)
    assert answer.status == 200 and set(answer.json()) == {"candidates"}
    assert any(word.endswith("show") or word == "w" for word in answer.json()["candidates"])


def test_a_session_is_stopped_and_stays_to_be_looked_at(server, wire):
    stopped = server.open_session("pyspark").until_idle()
    answer = wire.ask(f"POST {stopped.path}/stop", ("Content-Length: 0",))
    assert answer.status == 204 and answer.body == b""
    assert stopped.state() in ("dead", "killed", "success")
    assert wire.ask(f"DELETE {stopped.path}").status == 200


def test_a_session_whose_time_to_live_is_over_has_ended(server):
    """Whether clients still find it or not, it is over for them."""
    made = server.open_session("pyspark", ttl="1s")
    assert made.made["ttl"] == "1s"
    eventually(lambda: server.client.get(made.path + "/state").status_code == 404 or
               made.state() in ENDED)
    assert server.client.delete(made.path).status_code in (200, 404)


def test_a_session_that_nobody_asks_for_is_gone(server):
    """Lists do not count: the client that has opened it does not look there."""
    made = server.open_session("pyspark", heartbeatTimeoutInSecond=1)
    assert made.made["heartbeatTimeoutInSecond"] == 1
    assert server.client.get(made.path).status_code in (200, 404)
    eventually(lambda: made.id not in [
        one["id"] for one in server.client.get("/sessions").json()["sessions"]])
    assert server.client.get(made.path).status_code == 404


# -- magics --

def test_a_table_of_mixed_types_is_an_error_and_the_interpreter_lives(session):
    """It is the end of a real Livy's interpreter."""
    session.run("kept = 7", "pyspark")
    name, value, _ = session.error("t = [[1], ['x']]\n%table t", "pyspark")
    assert name and "type" in value
    assert session.text("kept", "pyspark") == "7"


def test_json_is_the_only_type_of_its_answer(session):
    output = session.run("v = [1, {'a': None}]\n%json v", "pyspark")
    assert output["data"] == {"application/json": [1, {"a": None}]}


def test_a_table_has_headers_and_rows(session):
    output = session.run("t = [[1, 'a', 2.5], [2, 'b', None]]\n%table t", "pyspark")
    table = output["data"]["application/vnd.livy.table.v1+json"]
    assert [header["type"] for header in table["headers"]] == [
        "INT_TYPE", "STRING_TYPE", "DOUBLE_TYPE"]
    assert table["data"] == [[1, "a", 2.5], [2, "b", None]]


def test_a_magic_that_is_not_there_is_an_error(session):
    assert session.error("%foo x", "pyspark")[0] == "UnknownMagic"


# -- files --

def multipart(name, filename, content):
    """As Apache's HttpClient writes it."""
    head = (f'--edge\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
            "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n")
    return head.encode() + content + b"\r\n--edge--\r\n"


def test_an_uploaded_file_is_found_by_its_name_and_in_the_working_directory(session, wire):
    content = bytes(range(256)) * 50
    wire.send(f"POST {session.path}/upload-file",
              ("Content-Type: multipart/form-data; boundary=edge", "Expect: 100-continue",
               "X-Requested-By: livy"), body := multipart("file", "mine.bin", content))
    assert wire.head() == b"HTTP/1.1 100 Continue"
    wire.socket.sendall(body)
    assert wire.answer().status == 200
    code = "import hashlib, pyspark\n" + "".join(
        f"print(hashlib.sha256(open({place}, 'rb').read()).hexdigest())\n"
        for place in ("pyspark.SparkFiles.get('mine.bin')", "'mine.bin'"))
    assert session.text(code, "pyspark").split() == [hashlib.sha256(content).hexdigest()] * 2


def test_an_uploaded_module_can_be_imported_on_executors(session, wire):
    answer = wire.ask(f"POST {session.path}/upload-pyfile",
                      ("Content-Type: multipart/form-data; boundary=edge",),
                      multipart("file", "lent.py", b"def twice(n):\n    return 2 * n\n"))
    assert answer.status == 200
    assert session.text("import lent\n"
                        "def run(n):\n    import lent\n    return lent.twice(n)\n"
                        "sc.parallelize([1, 2], 2).map(run).sum()", "pyspark") == "6"


def test_an_upload_without_its_part_is_refused_in_livys_words(session, wire):
    answer = wire.ask(f"POST {session.path}/upload-file",
                      ("Content-Type: multipart/form-data; boundary=edge",),
                      multipart("other", "x", b"x"))
    assert (answer.status, answer.json()) == (400, "No file sent!")


@pytest.mark.parametrize("name", ["../up.txt", "/etc/up.txt", "..", ""])
def test_an_uploaded_name_stays_in_its_folder(server, session, wire, name):
    answer = wire.ask(f"POST {session.path}/upload-file",
                      ("Content-Type: multipart/form-data; boundary=edge",),
                      multipart("file", name, b"x"))
    assert answer.status in (200, 400)
    assert not list(server.data_dir.parent.glob("up.txt"))
    assert session.state() == "idle"


def test_a_file_is_added_by_its_place(session, wire, module_folder):
    """It must stay where it is: Spark fetches it again for its executors."""
    (module_folder / "added.txt").write_text("added", encoding="utf-8")
    body = json.dumps({"uri": (module_folder / "added.txt").as_uri()}).encode()
    assert wire.ask(f"POST {session.path}/add-file", JAVA, body).status == 200
    assert session.text("import pyspark\nprint(open(pyspark.SparkFiles.get('added.txt')).read())",
                        "pyspark") == "added"
    refused = wire.ask(f"POST {session.path}/add-file", JAVA, b'{"uri": "rel"}')
    assert refused.status == 400 and "Path 'rel' is not absolute." in refused.json()["msg"]


# -- Python jobs --

def pickled(source):
    """A function as Livy's Python client sends it."""
    _, python = blackbox.installation("35")
    code = ("import base64, sys\nfrom pyspark import cloudpickle\nspace = {}\n"
            "exec(sys.stdin.read(), space)\n"
            "print(base64.b64encode(cloudpickle.dumps(space['job'])).decode())")
    return subprocess.run([python, "-c", code], input=source, capture_output=True, text=True,
                          check=True).stdout.strip()


def result_of(text):
    """Twice in base64, as Livy has it."""
    return pickle.loads(base64.b64decode(base64.b64decode(text)))


def run_job(session, wire, source, route="submit-job"):
    """Gives the job's status when it has ended."""
    answer = wire.ask(f"POST {session.path}/{route}", TYPED, json.dumps(
        {"job": pickled(source), "jobType": "pyspark"}).encode())
    made = answer.json()
    assert answer.status == 201 and set(made) == JOB_KEYS
    seen = []

    def ended():
        seen.append(session.client.get(f"{session.path}/jobs/{made['id']}").json())
        assert set(seen[-1]) == JOB_KEYS
        return seen[-1]["state"] in ("SUCCEEDED", "FAILED", "CANCELLED")

    eventually(ended)
    assert session.client.get(f"{session.path}/jobs/{made['id']}").json() == seen[-1]  # again
    return seen[-1]


@pytest.mark.parametrize("route", ["submit-job", "run-job"])
def test_a_python_job_gives_its_result(session, wire, route):
    end = run_job(session, wire, "def job(context):\n"
                  "    return context.sc.parallelize(range(10), 2).sum(), 'é'", route)
    assert end["state"] == "SUCCEEDED" and end["error"] is None, end["error"]
    assert result_of(end["result"]) == (45, "é")


def test_a_python_job_that_fails_says_why(session, wire):
    end = run_job(session, wire, "def job(context):\n    raise ValueError('as it was told')")
    assert end["state"] == "FAILED" and end["result"] is None
    assert "Traceback" in end["error"] and "as it was told" in end["error"]


def test_a_python_job_is_cancelled(session, wire, gate):
    begun = gate("begun")
    source = (f"def job(context):\n    open({begun.path!r}, 'wb', buffering=0).write(b'x')\n"
              "    while True: pass")
    made = wire.ask(f"POST {session.path}/submit-job", TYPED, json.dumps(
        {"job": pickled(source), "jobType": "pyspark"}).encode()).json()
    begun.wait()
    path = f"{session.path}/jobs/{made['id']}"
    assert session.client.get(path).json()["state"] == "STARTED"
    assert wire.ask(f"POST {path}/cancel", TYPED).status == 200
    eventually(lambda: session.client.get(path).json()["state"] == "CANCELLED")
    assert session.text("1", "pyspark") == "1"
