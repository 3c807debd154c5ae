# SPDX-License-Identifier: Apache-2.0
"""Cancelled statements: whatever runs is stopped, nothing else is, and the session stays usable.
The session is of kind `shared`: each statement says its own kind."""

import pytest

import sessions
from processes import wait_gone


@pytest.fixture(scope="module")
def session(module_server):
    return module_server.open_session("shared").until_idle()


GO = "import time, hashlib, zlib\nprint('go', flush=True)\n"


@pytest.mark.parametrize("code", [
    "while True: pass",
    "time.sleep(600)",
    "spark.range(10 ** 15).selectExpr('sum(id * 2)').collect()",
    "while True: spark.range(10).count()",
    "import subprocess; subprocess.run(['sleep', '600'])",
    # C code that goes on to its end, with and without the interpreter's lock
    "while True: _ = hashlib.pbkdf2_hmac('sha256', b'secret', b'salt', 1_000_000)",
    "while True: _ = zlib.compress(bytes(50_000_000), 9)",
    "while True: _ = 7 ** 500_000",
    "import asyncio\nawait asyncio.sleep(600)",
    "while True: print('x' * 1000)",
])
def test_whatever_runs_is_stopped_and_the_session_is_usable(session, code):
    statement = session.post(GO + code, "pyspark")
    with statement.stream() as stream:
        stream.until("go\n")
        statement.cancel()
        end = stream.rest()
    assert end["state"] == "cancelled" and end["progress"] == 1.0
    assert end["completed"] >= end["started"] > 0
    session.until("idle")
    assert session.text("spark.range(10).count()", "pyspark") == "10"


def test_code_that_swallows_an_interrupt_gets_another(session):
    statement = session.post(
        "import time\ntry:\n    print('go', flush=True)\n    time.sleep(600)\n"
        "except KeyboardInterrupt:\n    print('swallowed', flush=True)\nwhile True: pass", "pyspark")
    with statement.stream() as stream:
        stream.until("go\n")
        statement.cancel()
        assert stream.rest()["state"] == "cancelled"
    assert "swallowed" in stream.text["stdout"]


def test_tasks_that_run_in_python_workers_are_stopped(session, gate):
    begun = gate("begun")
    statement = session.post(
        "def task(n):\n"
        f"    open({begun.path!r}, 'w').write('x')\n"
        "    import time; time.sleep(600)\n"
        "sc.parallelize(range(2), 2).foreach(task)", "pyspark")
    begun.wait()
    statement.cancel()
    assert statement.until_over()["state"] == "cancelled"
    assert session.text("sc.parallelize(range(8), 2).sum()", "pyspark") == "28"


def test_sql_is_stopped(session):
    statement = session.post("SELECT sum(id * 2) FROM range(1000000000000000)", "sql")
    assert statement.until_begun()["state"] == "running"
    statement.cancel()
    assert statement.until_over()["state"] == "cancelled"
    assert session.run("SELECT 1 AS a", "sql")["data"]["application/json"]["data"] == [[1]]


def test_the_next_statement_runs_and_is_not_hit(session):
    running = session.post(GO + "while True: pass", "pyspark")
    waiting = session.post("print('kept')\ntime.sleep(0.2)\n'whole'", "pyspark")
    running.until_begun()
    running.cancel()
    assert running.until_over()["state"] == "cancelled"
    end = waiting.until_over()
    assert end["state"] == "available" and end["output"]["status"] == "ok"
    assert end["output"]["data"]["text/plain"] == "kept\n'whole'"


def test_one_that_waits_is_cancelled_without_having_run(session, gate):
    step = gate("step")
    session.run("ran = []", "pyspark")
    running = session.post(f"ran.append(0)\nopen({step.path!r}, 'rb', buffering=0).read(1)",
                           "pyspark")
    waiting = [session.post(f"ran.append({n})", "pyspark") for n in (1, 2)]
    running.until_begun()
    waiting[0].cancel()
    end = waiting[0].until_over()
    assert (end["state"], end["started"]) == ("cancelled", 0)
    assert running.get()["state"] == "running"
    assert session.state() == "busy"
    step.open()
    assert running.until_over()["output"]["status"] == "ok"
    assert waiting[1].until_over()["state"] == "available"
    assert session.text("ran", "pyspark") == "[0, 2]"


def test_one_that_is_over_stays_as_it_is(session):
    statement = session.post("6 * 7", "pyspark")
    end = statement.until_over()
    statement.cancel()
    assert statement.get() == end and end["state"] == "available"
    assert session.text("'next'", "pyspark") == "'next'"


def test_cancelling_twice_is_cancelling_once(session):
    statement = session.post(GO + "while True: pass", "pyspark")
    waiting = session.post("'next'", "pyspark")
    statement.until_begun()
    statement.cancel()
    statement.cancel()
    assert statement.until_over()["state"] == "cancelled"
    statement.cancel()
    assert waiting.until_over()["output"]["data"] == {"text/plain": "'next'"}


def test_a_cancel_that_races_the_end_hits_no_other_statement(session):
    for number in range(40):
        statement = session.post("x = sum(range(2000))", "pyspark")
        after = session.post(f"{number}", "pyspark")
        statement.cancel()
        assert statement.until_over()["state"] in ("available", "cancelled")
        end = after.until_over()
        assert end["state"] == "available"
        assert end["output"]["data"] == {"text/plain": str(number)}


def test_cancelling_says_so_until_the_code_gives_in(session, gate):
    step = gate("step")
    statement = session.post(
        sessions.holding(step) + "try:\n    print('go', flush=True)\n    time.sleep(600)\n"
        "except KeyboardInterrupt:\n    hold()\n    raise", "pyspark")
    statement.until_begun()
    with statement.stream() as stream:
        stream.until("go\n")
        statement.cancel()
        seen = statement.get()
        assert (seen["state"], seen["output"]) == ("cancelling", None)
        assert session.state() == "busy"
        step.open()
        assert stream.rest()["state"] == "cancelled"


STUBBORN = ("import time\nwhile True:\n    try:\n        print('go', flush=True)\n"
            "        time.sleep(600)\n    except KeyboardInterrupt: pass")


def test_other_sessions_are_not_hit_and_only_the_stubborn_one_ends(session, module_server, gate):
    step = gate("step")
    other = module_server.open_session("sql", name="other")
    undisturbed = other.post(
        f"import time\nopen({step.path!r}, 'rb', buffering=0).read(1)\n'whole'", "pyspark")
    python, java = [int(word) for word in session.text(
        "import os\nprint(os.getpid(), os.getppid())", "pyspark").split()]
    undisturbed.until_begun()
    statement = session.post(GO + "while True: pass", "pyspark")
    statement.until_begun()
    statement.cancel()
    assert statement.until_over()["state"] == "cancelled"
    assert undisturbed.get()["state"] == "running"
    step.open()
    assert undisturbed.until_over()["output"]["data"] == {"text/plain": "'whole'"}

    ending_is_by_option_and_ends_that_session_only(other)
    assert session.text("os.getpid(), os.getppid()", "pyspark") == f"({python}, {java})"


def ending_is_by_option_and_ends_that_session_only(session):
    pids = session.driver("pyspark")
    stubborn = session.post(STUBBORN, "pyspark")
    after = session.post("'never'", "pyspark")
    with stubborn.stream() as stream:
        stream.until("go\n")
    stubborn.cancel(endSessionAfter=1)
    assert stubborn.until_over()["state"] == "cancelled"
    assert after.until_over()["state"] == "cancelled"
    assert session.until_over() in ("dead", "killed")
    assert wait_gone(pids) == []


@pytest.mark.parametrize("value", ["x", "-1", ""])
def test_a_wrong_time_for_the_end_is_refused_and_cancels_nothing(session, gate, value):
    step = gate("step")
    statement = session.post(f"open({step.path!r}, 'rb', buffering=0).read(1)\n1", "pyspark")
    response = statement.client.post(statement.path + "/cancel", params={"endSessionAfter": value})
    assert response.status_code == 400, response.text
    step.open()
    assert statement.until_over()["output"]["data"] == {"text/plain": "1"}
