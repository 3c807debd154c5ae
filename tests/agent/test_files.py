# SPDX-License-Identifier: Apache-2.0
"""Jars and files that are added to a session, in an agent with a stand-in for PySpark."""

import os

import pytest


@pytest.fixture
def data(folder):
    """A file outside of the session's folder."""
    path = folder / "some data.txt"
    path.write_text("content")
    return path


def test_statements_run_in_the_folder_of_the_files(session, folder, data):
    assert session.echo(0, "import os; os.getcwd()") == repr(str(folder / "files")).encode()
    assert session.add(1, "file", data) is None
    assert session.echo(1, "open('some data.txt').read()") == b"'content'"
    assert session.echo(2, "import pyspark; open(pyspark.SparkFiles.get('some data.txt')).read()") \
        == b"'content'"


def test_a_file_may_be_named_by_a_uri(session, data):
    assert session.add(0, "file", data.as_uri()) is None
    assert session.echo(0, "open('some data.txt').read()") == b"'content'"


def test_a_module_can_be_imported_at_once(session, folder):
    (folder / "added_module.py").write_text("value = 5")
    assert session.run(0, "import added_module")["ename"] == "ModuleNotFoundError"
    assert session.add(1, "pyfile", folder / "added_module.py") is None
    assert session.echo(1, "import added_module; added_module.value") == b"5"


@pytest.mark.parametrize("what", ["file", "pyfile", "jar"])
@pytest.mark.parametrize("uri", ["/nowhere/x.zip", "file:///nowhere/x.zip"])
def test_what_does_not_exist_is_an_error(session, what, uri):
    assert session.add(7, what, uri) == f"{uri} does not exist in the driver"


def test_a_failure_of_spark_is_the_answer(session, folder):
    (folder / "sub").mkdir()
    assert "Is a directory" in session.add(0, "file", folder / "sub")
    assert "is not a file" in session.add(1, "jar", folder / "sub")


def test_a_session_whose_code_has_stopped_spark_takes_no_files(session, data):
    session.run(0, "spark.stop()")
    assert session.add(1, "file", data) == "the session's code has stopped Spark"
    session.run(1, "SparkSession = type(spark)\nspark = SparkSession.builder.getOrCreate()")
    assert session.add(2, "file", data) is None


def test_files_are_added_while_a_statement_runs(session, data):
    session.execute(0, "print('go', flush=True)\nimport os, time\n"
                       "while not os.path.exists('some data.txt'): time.sleep(0.01)\n'seen'")
    session.running(0)
    assert session.add(1, "file", data) is None
    assert session.result(0)["data"] == {"text/plain": "'seen'"}


def test_before_spark_is_there_nothing_can_be_added(launch, folder, data):
    os.mkfifo(folder / "gate")
    session = launch(environment={"FAKE_SPARK_GATE": str(folder / "gate")})
    assert session.accept()["type"] == "claim"
    session.grant()
    assert session.add(1, "file", data) == "the session has not started yet"
    (folder / "gate").write_text("")
    session.until("ready")
    assert session.add(2, "file", data) is None


def test_while_the_session_ends_nothing_can_be_added(launch, folder, data):
    session = launch(close_grace=600).ready()
    session.execute(0, "import os, time\ndef hold():\n    while True:\n        try:\n"
                       f"            while not os.path.exists('{folder}/over'): time.sleep(0.01)\n"
                       "            return\n"
                       "        except KeyboardInterrupt: pass\n"
                       "print('go', flush=True)\nhold()")
    session.running(0)
    session.execute(1, "1")
    session.say("close")
    session.until("result", statement=1)  # what waits is cancelled first
    assert session.add(1, "file", data) == "the session is ending"
    (folder / "over").touch()
    session.until("bye", reason="closed")


@pytest.mark.parametrize("fields, error", [
    ({"what": "archive"}, "what: must be one of jar, file, pyfile"),
    ({"what": None}, "what: must be one of jar, file, pyfile"),
    ({"uri": ""}, "uri: must be a text of UTF-8"), ({"uri": 5}, "uri: must be a text of UTF-8"),
    ({"uri": {"base64": "/w=="}}, "uri: must be a text of UTF-8"),
    ({"uri": {"base64": "L24="}}, "/n does not exist in the driver"),
])
def test_a_wrong_field_is_an_error(session, fields, error):
    session.peer.send({"type": "add", "request": 1, "what": "file", "uri": "/x", **fields})
    assert session.until("added", request=1)["error"] == error


@pytest.mark.parametrize("request_number", [-1, "1", None, 1.5, True])
def test_what_cannot_be_answered_is_rejected(session, request_number):
    session.peer.send({"type": "add", "request": request_number, "what": "file", "uri": "/x"})
    rejected = session.until("rejected")
    assert (rejected["message"], rejected["code"], rejected["detail"]) == (
        None, "bad_message", "request: must be a number")


def test_code_that_has_gone_elsewhere_stays_there(session, folder):
    session.run(0, f"import os; os.chdir({str(folder)!r})")
    assert session.echo(1, "os.getcwd()") == repr(str(folder)).encode()
