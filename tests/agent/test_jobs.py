# SPDX-License-Identifier: Apache-2.0
"""Binary jobs, in an agent with a stand-in for PySpark: its cloudpickle is the standard library's pickle,
which knows functions by their names only."""

import base64
import pickle
import textwrap

import pytest
from session import HERE, text

import sparkhost_jobs as jobs


def modules_of(folder):
    return {"PYTHONPATH": f"{HERE}/fake_pyspark:{folder}"}


@pytest.fixture
def session(launch, folder):
    """An agent whose code can import the module `job_functions`, as these tests write it."""
    return launch(environment=modules_of(folder)).ready()


def by_name(name, module="job_functions"):
    """The pickle of a function."""
    return f"c{module}\n{name}\n.".encode()


def functions(folder, code):
    (folder / "job_functions.py").write_text(textwrap.dedent(code))


def value(result):
    assert result["status"] == "ok", result
    assert list(result["data"]) == ["application/octet-stream"]
    answer = base64.b64decode(result["data"]["application/octet-stream"], validate=True)
    return pickle.loads(base64.b64decode(answer, validate=True))


def test_a_job_gets_a_context_and_gives_a_value(session, folder):
    functions(folder, """
        import os
        def job(context):
            assert context.sc is context.spark_session.sparkContext
            assert context.sql_ctx is context.sqlctx and type(context.sql_ctx).__name__ == 'SQLContext'
            assert os.path.isdir(context.local_tmp_dir_path)
            assert context.local_tmp_dir_path == context.get_local_tmp_dir_path()
            print('said')
            return context.sc.applicationId, [1, None, 'é']
    """)
    assert value(session.job(0, by_name("job"))) == ("fake-1", [1, None, "é"])
    assert session.output(0) == b"said\n"
    session.until("status", state="idle")
    states = [one["state"] for one in session.seen if one["type"] == "status"]
    assert states[-2:] == ["busy", "idle"]
    assert "group sparkhost-0" in session.journal.read_text()


def test_jobs_share_objects_and_take_turns_with_statements(session, folder):
    functions(folder, """
        def keep(context):
            context.set_shared_object('o', context.get_shared_object('o') or 41)
        def take(context):
            return context.get_shared_object('o') + 1
        def drop(context):
            context.remove_shared_object('o')
            context.remove_shared_object('o')
            return context.get_shared_object('o')
    """)
    assert value(session.job(0, by_name("keep"))) is None
    assert session.echo(1, "1") == b"1"
    assert value(session.job(2, by_name("take"))) == 42
    assert value(session.job(3, by_name("drop"))) is None


def test_the_oldest_shared_objects_are_forgotten():
    context = jobs.JobContext(None)
    for number in range(101):
        context.set_shared_object(number, number)
        context.get_shared_object(0)
    assert context.get_shared_object(0) == 0 and context.get_shared_object(1) is None
    assert context.get_shared_object(100) == 100


def test_a_streaming_context_must_be_made_first():
    with pytest.raises(ValueError, match="create_streaming_ctx function should be called first"):
        jobs.JobContext(None).streaming_ctx
    with pytest.raises(ValueError, match="Cannot stop streaming context"):
        jobs.JobContext(None).stop_streaming_ctx()


def test_an_error_of_a_job_is_told_as_livy_does(session, folder):
    functions(folder, """
        def job(context):
            raise KeyError('é')
    """)
    result = session.job(0, by_name("job"))
    assert (result["status"], result["ename"]) == ("error", "KeyError")
    assert result["evalue"].startswith("Client job error:Traceback (most recent call last):\n")
    assert result["evalue"].endswith("KeyError: 'é'\n")
    assert "raise KeyError" in result["evalue"] and "sparkhost_" not in result["evalue"]


@pytest.mark.parametrize("payload, name", [
    (b"", "EOFError"), (b"nonsense", "UnpicklingError"),
    (by_name("job", "no_module"), "ModuleNotFoundError"),
    (by_name("no_name", "os"), "AttributeError"), (by_name("exit", "sys"), "SystemExit"),
    (pickle.dumps(5), "JobError"),
])
def test_bad_payloads_are_errors_and_the_session_goes_on(session, payload, name):
    result = session.job(0, payload)
    assert (result["status"], result["ename"]) == ("error", name)
    assert session.echo(1, "'alive'") == b"'alive'"


def test_a_result_that_cannot_be_pickled_is_an_error(session, folder):
    functions(folder, "def job(context): return lambda: 1")
    assert session.job(0, by_name("job"))["evalue"].startswith("Client job error:")


def test_what_is_not_base64_is_an_error(session):
    session.say("execute", statement=0, kind="pyspark", code="?", job=True)
    result = session.result(0)
    assert (result["status"], result["ename"]) == ("error", "JobError")
    assert result["evalue"].startswith("the job is not base64: ")


@pytest.mark.parametrize("fields, detail", [
    ({"kind": "sql"}, "kind: must be one of pyspark, spark"),
    ({"kind": "pyspark", "job": 1}, "job: must be true or false"),
    ({"kind": "pyspark", "job": None}, "job: must be true or false"),
])
def test_a_wrong_message_is_rejected(session, fields, detail):
    session.say("execute", **{"statement": 0, "code": "", "job": True, **fields})
    rejected = session.until("rejected")
    assert (rejected["code"], rejected["detail"]) == ("bad_message", detail)


def test_a_job_is_interrupted(session, folder):
    functions(folder, """
        def job(context):
            print('go', flush=True)
            while True: pass
    """)
    session.say("execute", statement=0, kind="pyspark", job=True,
                code=base64.b64encode(by_name("job")).decode())
    session.running(0)
    session.interrupt(0)
    result = session.result(0)
    assert (result["status"], result["interrupted"]) == ("cancelled", True)
    assert session.echo(1, "1") == b"1"


def test_a_job_that_waits_is_cancelled(session, folder):
    functions(folder, "def job(context): pass")
    session.execute(0, "print('go'); import time; time.sleep(600)")
    session.running(0)
    session.say("execute", statement=1, kind="pyspark", job=True,
                code=base64.b64encode(by_name("job")).decode())
    session.interrupt(1)
    assert session.result(1)["status"] == "cancelled"
    session.interrupt(0)
    assert session.result(0)["status"] == "cancelled"


def test_a_large_result_is_whole_or_an_error(launch, folder):
    session = launch(environment=modules_of(folder),
                     max_result=4096, max_chunk=4096, max_line=65536).ready()
    functions(folder, """
        def fits(context): return 'x' * 30000
        def exceeds(context): return 'x' * 40000
    """)
    assert value(session.job(0, by_name("fits"))) == "x" * 30000
    result = session.job(1, by_name("exceeds"))
    assert (result["status"], result["ename"]) == ("error", "ResultTooLarge")
    assert session.echo(2, "1") == b"1"


def test_jobs_in_java_are_refused_without_livys_jars(session):
    result = session.job(0, b"job", kind="spark")
    assert (result["status"], result["ename"]) == ("error", "JobError")
    assert "--job-jars" in result["evalue"]


def test_a_jar_of_livy_that_does_not_exist_is_named(launch):
    session = launch(job_jars="/nowhere/livy-api.jar:/nowhere/livy-rsc.jar").ready()
    evalue = session.job(0, b"job", kind="spark")["evalue"]
    assert "/nowhere/livy-api.jar" in evalue and "--job-jars" in evalue


def test_a_clients_own_cloudpickle_is_looked_for_in_pysparks(session):
    payload = b"ccloudpickle.cloudpickle\nloads\n."
    evalue = text(session.job(0, payload)["evalue"]).decode()
    assert "TypeError" in evalue and "ModuleNotFoundError" not in evalue
