# SPDX-License-Identifier: Apache-2.0
"""What code does and shows in a session on real Spark. One session per line of Spark serves all."""

import re

import pytest


@pytest.fixture(scope="module")
def session(module_server):
    return module_server.open_session(name="shared by all").until_idle()


@pytest.mark.parametrize("code, shown", [
    ("1+1", "2"),
    ("x = 20\nx * 2", "40"),
    ("print('a')\nprint('b')\n3", "a\nb\n3"),
    ("None", ""),
    ("", ""),
    ("# only a comment", ""),
    ("x = 5", ""),
    ("import sys; sys.stdin.read()", "''"),
    ("import asyncio\nawait asyncio.sleep(0, 'woken')", "'woken'"),
    ("async def f():\n    return 7\ny = await f()\ny", "7"),
    ("spark.range(10).count()", "10"),
    ("sc.parallelize([1, 2, 3]).map(lambda x: x * 2).sum()", "12"),
    ("spark.createDataFrame([(1, 'a')], 'i long, s string')", "DataFrame[i: bigint, s: string]"),
    ("spark.range(3).show()", "+---+\n| id|\n+---+\n|  0|\n|  1|\n|  2|\n+---+"),
])
def test_code_shows_what_it_prints_and_its_last_value(session, code, shown):
    assert session.text(code).rstrip("\n") == shown


def test_names_live_on_from_statement_to_statement(session):
    session.run("def double(n):\n    return 2 * n\nkept = 21")
    assert session.text("double(kept)") == "42"


def test_python_c_code_and_child_processes_are_all_heard(session):
    code = ("import os, subprocess, sys\n"
            "print('python', flush=True)\n"
            "os.write(1, b'descriptor\\n')\n"
            "_ = subprocess.run(['echo', 'child'])\n"
            "_ = subprocess.run('echo complaint >&2', shell=True)\n"
            "print('warning', file=sys.stderr)")
    statement = session.post(code)
    stream = statement.output()
    assert stream.text == {"stdout": "python\ndescriptor\nchild\n", "stderr": "complaint\nwarning\n"}
    shown = statement.get()["output"]["data"]["text/plain"]
    assert [line for line in shown.split("\n") if line in ("python", "descriptor", "child")] == [
        "python", "descriptor", "child"]
    assert "complaint" in shown and "warning" in shown


TRACEBACK = """\
def inner(n):
    return 1 / n

def outer():
    inner(0)

print("before")
outer()
"""


def test_a_traceback_shows_source_lines_and_none_of_our_frames(session):
    statement = session.post(TRACEBACK)
    output = statement.until_over()["output"]
    assert (output["status"], output["ename"], output["evalue"]) == (
        "error", "ZeroDivisionError", "division by zero")
    assert output["execution_count"] == statement.id
    shown = "".join(output["traceback"])
    assert shown.startswith("Traceback (most recent call last):\n")
    for line in ("outer()", "inner(0)", "return 1 / n"):
        assert f"    {line}\n" in shown
    assert f'"<statement {statement.id}>", line 8' in shown
    assert "sparkhost" not in shown
    assert all(line.endswith("\n") for line in output["traceback"])
    assert shown.endswith("ZeroDivisionError: division by zero\n")
    assert statement.output().text["stdout"] == "before\n"


@pytest.mark.parametrize("code, name", [
    ("print('never')\nx = = 1", "SyntaxError"),
    ("if True:\n", "IndentationError"),
    ("import sys; sys.exit(3)", "SystemExit"),
    ("exit()", "SystemExit"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ("undefined_name", "NameError"),
    ("def f(): f()\nf()", "RecursionError"),
    ("spark.sql('SELECT nothing FROM nowhere')", "AnalysisException"),
])
def test_an_error_is_told_and_the_session_goes_on(session, code, name):
    statement = session.post(code)
    seen = statement.until_over()
    assert seen["state"] == "available" and seen["progress"] == 1.0
    assert (seen["output"]["status"], seen["output"]["ename"]) == ("error", name)
    shown = "".join(seen["output"]["traceback"])
    assert name in shown and "sparkhost_agent" not in shown
    assert statement.output().text["stdout"] == ""
    assert session.text("'alive'") == "'alive'"


def test_a_syntax_error_points_at_its_place(session):
    name, value, shown = session.error("foo bar")
    assert name == "SyntaxError" and "invalid syntax" in value
    assert "    foo bar\n" in shown and "^" in shown and "Traceback" not in shown


UNICODE = "é e\u0301 😀 👩‍👩‍👧 \u05d0\u202e \u2028|\u2029|\x85|\x0b|\x1b[31m a\0b \ufeff 你好 \U0010ffff \\ \" \t|\r|end"


def test_text_is_byte_exact_in_code_output_echo_and_errors(session):
    statement = session.post(f"value = {ascii(UNICODE)}\nprint(value)\nvalue == {ascii(UNICODE)}")
    stream = statement.output()
    assert stream.text == {"stdout": UNICODE + "\n", "stderr": ""}
    assert stream.positions[-1] == len((UNICODE + "\n").encode())
    assert stream.statement == statement.get()
    assert stream.statement["output"]["data"]["text/plain"] == UNICODE + "\nTrue"
    literal = "'é e\u0301 😀 \u2028 你好'"
    assert session.text(f"print({literal})").rstrip("\n") == literal.strip("'")
    assert session.error("raise ValueError(value)")[1] == UNICODE


@pytest.mark.parametrize("code, shown", [
    ("class Odd:\n    def __repr__(self): return 'a\\ud800b'\nOdd()", r"a\ufffd+b"),
    (r"import os; _ = os.write(1, b'a\xffb\xe2\x82')", r"a\ufffdb\ufffd+"),
    (r"raise ValueError('a\udc80b')", r"a\ufffd+b"),
])
def test_what_is_not_utf_8_is_replaced_where_it_stands(session, code, shown):
    output = session.run(code)
    text = output.get("evalue") or output["data"]["text/plain"]
    assert re.fullmatch(shown, text.rstrip("\n")), ascii(text)


def table(session, code):
    output = session.run(code, "sql")
    assert output["status"] == "ok", output
    assert list(output["data"]) == ["application/json"]
    return output["data"]["application/json"]


def test_sql_gives_rows_with_their_schema(session):
    assert table(session, "SELECT 1 AS a, 'é😀' AS b, CAST(NULL AS DOUBLE) AS c") == {
        "schema": {"type": "struct", "fields": [
            {"name": "a", "type": "integer", "nullable": False, "metadata": {}},
            {"name": "b", "type": "string", "nullable": False, "metadata": {}},
            {"name": "c", "type": "double", "nullable": True, "metadata": {}}]},
        "data": [[1, "é😀", None]]}


def test_ddl_and_dml_give_tables_too(session):
    empty = {"schema": {"type": "struct", "fields": []}, "data": []}
    assert table(session, "CREATE TABLE ddl (a INT, b STRING) USING parquet") == empty
    assert table(session, "INSERT INTO ddl VALUES (1, 'x'), (2, 'y')") == empty
    assert table(session, "SELECT * FROM ddl ORDER BY a")["data"] == [[1, "x"], [2, "y"]]
    assert "ddl" in [row[1] for row in table(session, "SHOW TABLES")["data"]]
    assert table(session, "DROP TABLE ddl") == empty


def test_an_sql_error_has_livys_shape(session):
    name, value, shown = session.error("SELECT * FROM nowhere", "sql")
    assert name == "Error" and "TABLE_OR_VIEW_NOT_FOUND" in value
    assert "sparkhost" not in shown
    assert session.error("SELEC 1", "sql")[0] == "Error"


def test_kinds_share_views_and_tables_in_one_session(session):
    session.run("spark.range(4).createOrReplaceTempView('four')")
    assert table(session, "SELECT sum(id) AS s FROM four")["data"] == [[6]]
    table(session, "CREATE OR REPLACE TEMP VIEW five AS SELECT * FROM range(5)")
    assert session.text("spark.table('five').count()") == "5"


def test_too_much_output_is_cut_where_one_can_see_it(session):
    statement = session.post("import os\nfor _ in range(20): os.write(1, b'y' * (1 << 20))\n'end'")
    output = statement.until_over()["output"]
    assert output["status"] == "ok"
    shown = output["data"]["text/plain"]
    assert "[sparkhost: " in shown and shown.endswith("'end'")
    assert (1 << 20) < len(shown) < 20 * (1 << 20)
    told = statement.output()
    assert "[sparkhost: " in told.text["stderr"]
    assert len(told.text["stdout"]) < 20 * (1 << 20)
    assert set(told.text["stdout"]) == {"y"}
    assert session.text("print('whole again')").rstrip("\n") == "whole again"


def test_progress_is_told_while_a_spark_job_runs(session, gate):
    last = gate("last")
    statement = session.post(  # Spark counts tasks late that end right behind each other
        "def task(n):\n"
        "    import time; time.sleep(0.2)\n"
        f"    if n == 3: open({last.path!r}, 'rb', buffering=0).read(1)\n"
        "sc.parallelize(range(4), 4).foreach(task)")
    told = []

    def three_quarters(seen):
        told.append(seen["progress"])
        return seen["progress"] == 0.75 or seen["state"] == "available"

    assert statement.until(three_quarters)["state"] == "running"
    last.open()
    end = statement.until_over()
    assert end["state"] == "available" and end["output"]["status"] == "ok"
    assert end["progress"] == 1.0
    assert told == sorted(told)


def test_statements_run_one_after_the_other_in_the_order_they_came(session, gate):
    first = gate("first")
    statements = [session.post(f"order = [0]\nopen({first.path!r}, 'rb', buffering=0).read(1)")]
    statements += [session.post(f"order.append({n})\norder") for n in range(1, 6)]
    statements[0].until_begun()
    assert session.state() == "busy"
    assert [one.get()["state"] for one in statements] == ["running"] + ["waiting"] * 5
    assert [one.get()["started"] for one in statements[1:]] == [0] * 5
    first.open()
    ends = [one.until_over() for one in statements]
    assert ends[-1]["output"]["data"]["text/plain"] == "[0, 1, 2, 3, 4, 5]"
    times = [moment for end in ends for moment in (end["started"], end["completed"])]
    assert times == sorted(times) and times[0] > 0
    assert session.state() == "idle"


def test_a_session_is_idle_the_moment_its_last_statement_is_over(session):
    for number in range(20):
        statement = session.post(f"{number}")
        if number % 2:
            assert statement.until_over()["state"] == "available"
            assert session.state() == "idle"
        else:
            session.until("idle")
            assert statement.get()["state"] == "available"


def test_output_is_seen_while_the_statement_runs(session, gate):
    step = gate("step")
    statement = session.post(
        "import sys\n"
        f"step = open({step.path!r}, 'rb', buffering=0)\n"
        "print('one')\nstep.read(1)\n"
        "print('zwei', file=sys.stderr)\nstep.read(1)\n"
        "print('trois')\n4")
    with statement.stream() as stream:
        stream.until("one\n")
        running = statement.get()
        assert (running["state"], running["output"]) == ("running", None)
        assert session.state() == "busy"
        step.open()
        stream.until("zwei\n", "stderr")
        assert statement.get()["state"] == "running"
        step.open()
        end = stream.rest()
    assert stream.order == [["stdout", "one\n"], ["stderr", "zwei\n"], ["stdout", "trois\n"]]
    assert end == statement.get()
    assert end["state"] == "available"
    assert end["output"]["data"]["text/plain"] == "one\nzwei\ntrois\n4"


def test_a_stream_goes_on_where_it_was_left(session, gate):
    step = gate("step")
    statement = session.post(f"print('first')\nopen({step.path!r}, 'rb', buffering=0).read(1)\n"
                             "print('second ' * 3)")
    with statement.stream() as stream:
        stream.until("first\n")
    assert stream.positions[-1] == 6
    with statement.stream(after=stream.positions[-1]) as again, statement.stream(after=2) as inside:
        step.open()
        assert again.rest()["state"] == inside.rest()["state"] == "available"
    assert again.text["stdout"] == "second second second \n"
    assert inside.text["stdout"] == "rst\nsecond second second \n"
    whole = statement.output()
    assert whole.text["stdout"] == "first\nsecond second second \n"
    assert again.positions[-1] == inside.positions[-1] == whole.positions[-1] == 28
    at_the_end = statement.output(after=28)
    assert at_the_end.positions == [] and at_the_end.statement == whole.statement


def test_a_stream_of_a_statement_that_waits_begins_when_it_does(session, gate):
    step = gate("step")
    session.post(f"print('not this')\nopen({step.path!r}, 'rb', buffering=0).read(1)")
    waiting = session.post("print('this')")
    with waiting.stream() as stream:
        assert waiting.get()["state"] == "waiting"
        step.open()
        stream.rest()
    assert stream.text["stdout"] == "this\n"


def test_a_long_table_is_cut(session):
    assert len(table(session, "SELECT id FROM range(5000)")["data"]) == 1000
