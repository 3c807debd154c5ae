# SPDX-License-Identifier: Apache-2.0
"""What statements do and show, in an agent with a stand-in for PySpark."""

import pytest

from session import text


@pytest.mark.parametrize("code, shown", [
    ("1+1", b"2"),
    ("None", None),
    ("", None),
    ("   \n", None),
    ("# only a comment", None),
    ("x = 1", None),
    ("x = 3\nx * 2", b"6"),
    ("1\n2", b"2"),
    ("'a'; 'b'", b"'b'"),
    ("'é \\u2028 😀'", "'é \\u2028 😀'".encode()),
    ("class A:\n  def __repr__(self): return '\\ud800x'\nA()", b"\xed\xa0\x80x"),
    ("if True:\n    5", None),
    ("import asyncio\nawait asyncio.sleep(0, 'woken')", b"'woken'"),
    ("async def f():\n    return 7\ny = await f()\ny", b"7"),
    ("type(spark).__name__, type(sc).__name__, type(sqlContext).__name__",
     b"('SparkSession', 'SparkContext', 'SQLContext')"),
    ("__name__", b"'__main__'"),
    ("import sys; sys.modules['__main__'].__dict__ is globals()", b"True"),
    ("import sys; sys.stdin.read()", b"''"),
    ("import sys; sys.argv", b"['']"),
])
def test_the_last_expression_is_echoed(session, code, shown):
    assert session.echo(0, code) == shown


def test_names_live_on_and_underscore_is_the_last_value(session):
    session.run(0, "x = 20\nx + 1")
    assert session.echo(1, "_ + x") == b"41"
    assert session.echo(2, "None") is None
    assert session.echo(3, "_") == b"41"


@pytest.mark.parametrize("code, shown", [
    ("if True:\n  1", b"1\n"),
    ("for n in range(2):\n  print('a')\n  n", b"a\n0\na\n1\n"),
    ("if True:\n  1\nx = 2", b""),  # only at the end, as with Livy
    ("def f():\n  3\nf()", b""), ("class A:\n  4", b""), ("while False:\n  5", b""),
    ("import asyncio\nif True:\n  await asyncio.sleep(0, 6)", b"6\n"),
    ("try:\n  7\nfinally:\n  pass", b"7\n")])
def test_values_in_a_block_at_the_end_are_shown(session, code, shown):
    assert session.echo(0, code) is None
    assert session.output(0) == shown
    assert session.echo(1, "8") == b"8"


def test_future_imports_live_on(session):
    session.run(0, "from __future__ import annotations")
    assert session.echo(1, "def f(a: nowhere): pass\nf.__annotations__") == b"{'a': 'nowhere'}"


def test_the_event_loop_lives_on_between_statements(session):
    session.run(0, "import asyncio\nasync def set(): return 5\n"
                   "task = asyncio.get_running_loop().create_task(set())\nawait asyncio.sleep(0)")
    assert session.echo(1, "await task") == b"5"
    assert session.echo(2, "asyncio.run(set())") == b"5"
    assert session.echo(3, "await asyncio.sleep(0, 1)") == b"1"


TRACEBACK = """\
def inner(n):
    return 1 / n

def outer():
    inner(0)

outer()
"""


def error(session, statement, code):
    result = session.run(statement, code)
    assert result["status"] == "error", result
    return result["ename"], result["evalue"], "".join(result["traceback"])


def test_a_traceback_shows_source_lines_and_none_of_our_frames(session):
    name, value, shown = error(session, 4, TRACEBACK)
    assert (name, value) == ("ZeroDivisionError", "division by zero")
    assert shown.startswith('Traceback (most recent call last):\n  File "<statement 4>", line 7, in')
    for line in ("outer()", "inner(0)", "return 1 / n"):
        assert "    " + line + "\n" in shown
    assert "sparkhost" not in shown
    assert shown.endswith("ZeroDivisionError: division by zero\n")


def test_a_function_of_an_earlier_statement_shows_its_own_lines(session):
    session.run(0, "def broken():\n    raise ValueError('old')")
    shown = error(session, 1, "broken()")[2]
    assert 'File "<statement 0>", line 2' in shown and "raise ValueError('old')" in shown


def test_chained_exceptions_are_all_shown(session):
    shown = error(session, 0, "try:\n    {}['k']\nexcept KeyError as e:\n"
                              "    raise ValueError('v') from e")[2]
    assert "KeyError: 'k'" in shown and "direct cause" in shown
    assert shown.endswith("ValueError: v\n") and "sparkhost" not in shown


@pytest.mark.parametrize("code", ["x = = 1", "if True:\n", "def f(:\n  pass", "return 5", "'abc",
                                  "print('before')\n]"])
def test_a_syntax_error_runs_nothing_and_is_well_formed(session, code):
    name, _, shown = error(session, 0, code)
    assert name in ("SyntaxError", "IndentationError")
    assert shown.startswith('  File "<statement 0>", line ')
    assert "Traceback" not in shown and "sparkhost" not in shown
    assert session.output(0) == b""


def test_a_null_byte_in_the_code_is_an_error_of_the_statement(session):
    assert error(session, 0, "x = '\0'")[0] in ("SyntaxError", "ValueError")
    assert session.echo(1, "1") == b"1"


@pytest.mark.parametrize("code, name", [
    ("import sys; sys.exit(3)", "SystemExit"),
    ("raise SystemExit", "SystemExit"),
    ("exit()", "SystemExit"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ("raise GeneratorExit", "GeneratorExit"),
    ("def f(): f()\nf()", "RecursionError"),
    ("async def f(): raise SystemExit(2)\nawait f()", "SystemExit"),
    ("class E(Exception):\n  def __str__(self): raise ValueError\nraise E", "E"),
    ("class R:\n  def __repr__(self): 1/0\nR()", "ZeroDivisionError"),
    ("raise Exception('\\udc80')", "Exception"),
])
def test_nothing_that_code_raises_ends_the_session(session, code, name):
    assert session.run(0, code)["ename"] == name
    assert session.echo(1, "'alive'") == b"'alive'"
    assert session.close() == 0


def test_lone_surrogates_travel_as_bytes(session):
    result = session.run(0, "raise Exception('a\\udc80')")
    assert text(result["evalue"]) == b"a\xed\xb2\x80"


def test_statements_run_in_order_in_one_namespace(session):
    for number in range(20):
        session.execute(number, f"order = globals().get('order', []) + [{number}]\norder")
    shown = [text(session.result(number)["data"]["text/plain"]) for number in range(20)]
    assert shown[-1] == str(list(range(20))).encode()
    busy = [one["statement"] for one in session.seen if one.get("state") == "busy"]
    assert busy == list(range(20))


def test_a_long_echo_is_cut_with_a_note(launch):
    session = launch(max_result=2048).ready()
    shown = session.echo(0, "'é' * 5000")
    assert len(shown) < 2200 and shown.endswith(b"[sparkhost: cut after 2048 of 10002 bytes]")


def test_a_long_traceback_is_cut_in_the_middle(launch):
    session = launch(max_result=4096).ready()
    result = session.run(0, "raise Exception('x' * 100000)")
    shown = "".join(result["traceback"])
    assert len(shown) < 4096 and "characters are cut]" in shown
    assert len(result["evalue"]) < 4096


def test_the_main_thread_runs_the_code(session):
    assert session.echo(
        0, "import threading; threading.current_thread() is threading.main_thread()") == b"True"


def test_an_object_that_is_pickled_by_reference_to_main_is_found(session):
    session.run(0, "class P:\n    pass\nimport pickle")
    assert session.echo(1, "type(pickle.loads(pickle.dumps(P()))) is P") == b"True"


def test_a_sql_error_has_livys_name(session):
    result = session.run(0, "wrong", kind="sql")
    assert (result["status"], result["ename"]) == ("error", "Error")
    assert result["evalue"] == "[PARSE_SYNTAX_ERROR] wrong"


def test_completions_continue_the_word_before_the_cursor(session):
    session.run(0, "é_value = 1\nimport os")
    session.peer.send({"type": "complete", "request": 5, "kind": "pyspark",
                       "code": "'é'; os.getpi + 1", "cursor": len("'é'; os.getpi".encode())})
    assert session.until("completion", request=5) == {
        "type": "completion", "request": 5, "candidates": ["getpid"],
        "replaces": len("getpi")}
    session.peer.send({"type": "complete", "request": 6, "kind": "sql", "code": "SEL",
                       "cursor": 3})
    assert session.until("completion", request=6)["candidates"] == []
