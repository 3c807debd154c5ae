# SPDX-License-Identifier: Apache-2.0
"""Livy's magics for Python, and rich forms of echoes, in an agent with a stand-in for PySpark."""

import base64
import json

import pytest
from session import text

import sparkhost_magics as magics

TABLE = "application/vnd.livy.table.v1+json"


def shown(session, statement, code, kind):
    result = session.run(statement, code)
    assert result["status"] == "ok", result
    assert list(result["data"]) == [kind]
    return json.loads(text(result["data"][kind]))


def error(session, statement, code):
    result = session.run(statement, code)
    assert result["status"] == "error", result
    return result["ename"], result["evalue"], result["traceback"]


@pytest.mark.parametrize("value, expected", [
    ('[1, 2, {"a": None}]', [1, 2, {"a": None}]),
    ("'é \\ud800'", "é \\ud800"),
    ("{1: True, None: (1.5, float('nan'), float('inf'))}", {"1": True, "null": [1.5, None, None]}),
    ("10 ** 30", 10 ** 30),
    ("None", None),
])
def test_json_shows_the_value_of_a_variable(session, value, expected):
    assert shown(session, 0, f"v = {value}\n%json v", "application/json") == expected


def table(*columns, data):
    return {"headers": [{"name": name, "type": f"{kind}_TYPE"} for name, kind in columns],
            "data": data}


@pytest.mark.parametrize("value, expected", [
    ('[[1, "a", 2.5], [2, "b", None]]',
     table(("0", "INT"), ("1", "STRING"), ("2", "DOUBLE"), data=[[1, "a", 2.5], [2, "b", None]])),
    ("[[None], [True]]", table(("0", "BOOLEAN"), data=[[None], [True]])),
    ("[[None]]", table(("0", "NULL"), data=[[None]])),
    ("[{'b': 1, 'a': 'x'}, {'a': 'y', 'b': 2}]",
     table(("a", "STRING"), ("b", "INT"), data=[["x", 1], ["y", 2]])),
    ("[{'a': 1}, {'b': 2}]", table(("a", "INT"), ("b", "INT"), data=[[1, None], [None, 2]])),
    ("[[1], [1, 2]]", table(("0", "INT"), ("1", "INT"), data=[[1, None], [1, 2]])),
    ("[" + ", ".join(["0"] * 3) + "]", table(("0", "INT"), data=[[0], [0], [0]])),
    ("[list(range(11))]", table(*((str(n), "INT") for n in range(11)), data=[list(range(11))])),
    ("7", table(("0", "INT"), data=[[7]])),
    ("{'a': 1}", table(("a", "INT"), data=[[1]])),
    ("[]", table(data=[])),
    ("[[datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2, 3), decimal.Decimal('1.50')]]",
     table(("0", "DATE"), ("1", "TIMESTAMP"), ("2", "DECIMAL"),
           data=[["2020-01-02", "2020-01-02 03:00:00", "1.50"]])),
    ("[[[1, None, 2], {2: 1, 3: None}, (1.5,), b'x']]",
     table(("0", "ARRAY"), ("1", "MAP"), ("2", "ARRAY"), ("3", "STRING"),
           data=[[[1, None, 2], {"2": 1, "3": None}, [1.5], "b'x'"]])),
])
def test_table_shows_rows_as_livy_does(session, value, expected):
    session.run(0, "import datetime, decimal")
    assert shown(session, 1, f"t = {value}\n%table t", TABLE) == expected


def test_rows_of_spark_are_rows(session):
    session.run(0, "class Row(tuple):\n    def asDict(self): return {'b': self[0], 'a': self[1]}")
    assert shown(session, 1, "t = [Row([1, 'x'])]\n%table t", TABLE) == table(
        ("a", "STRING"), ("b", "INT"), data=[["x", 1]])


@pytest.mark.parametrize("value", ["[[1], ['x']]", "[[1], [1.5]]", "[[True], [1]]", "[[1], {'a': 1}]"])
def test_mixed_types_are_an_error_and_the_session_goes_on(session, value):
    assert error(session, 0, f"t = {value}\n%table t") == (
        "TypeError", "table rows have different types",
        ["TypeError: table rows have different types\n"])
    assert session.echo(1, "1") == b"1"


@pytest.mark.parametrize("value", ["[[[1, 'x']]]", "[[{'a': 1, 'b': 'x'}]]"])
def test_mixed_types_inside_a_cell_are_an_error(session, value):
    assert error(session, 0, f"t = {value}\n%table t")[:2] == (
        "ValueError", "value has inconsistent types")


@pytest.mark.parametrize("code, name, value", [
    ("%foo x", "UnknownMagic", "unknown magic command 'foo'"),
    ("%foo", "UnknownMagic", "unknown magic command 'foo'"),
    ("%", "UnknownMagic", "magic command not specified"),
    ("% json x", "UnknownMagic", "magic command not specified"),
    ("%json nope", "NameError", "name 'nope' is not defined"),
    ("%table nope", "NameError", "name 'nope' is not defined"),
    ("%matplot plt", "NameError", "name 'plt' is not defined"),
    ("%json", "TypeError", "%json needs the name of a variable"),
    ("v = object()\n%json v", "TypeError", "Object of type object is not JSON serializable"),
    ("v = 1\n%matplot v", "AttributeError", "'int' object has no attribute 'gcf'"),
])
def test_what_a_magic_cannot_show_is_an_error(session, code, name, value):
    found = error(session, 0, code)
    assert found[:2] == (name, value)
    assert found[2][-1] == f"{name}: {value}\n" and "sparkhost" not in "".join(found[2])
    assert session.echo(1, "'alive'") == b"'alive'"


def test_a_circular_value_is_an_error(session):
    assert error(session, 0, "v = []\nv.append(v)\n%json v")[0] == "RecursionError"


def test_the_code_before_a_magic_is_run_and_shown_beside_it(session):
    result = session.run(0, "x = [1]\nprint('said')\nx\n%json x")
    assert result["data"] == {"application/json": "[1]", "text/plain": "[1]"}
    assert session.output(0) == b"said\n"


def test_the_last_part_is_what_is_shown(session):
    assert session.run(0, "x = 1\n%json x\n%table x\n")["data"].keys() == {TABLE}
    assert session.run(1, "%json x\nx + 1")["data"] == {"text/plain": "2"}
    assert session.run(2, "%json x\ny = 2")["data"] == {}
    assert session.run(3, "%foo\nz = 5")["status"] == "error"
    assert session.run(4, "z")["ename"] == "NameError"


@pytest.mark.parametrize("code, echo", [
    ("a, b = 7, 4\n(a\n%b)", b"3"),
    ("s = '''\n%json x\n'''\ns", b"'\\n%json x\\n'"),
    ("a, b = 7, 4\na \\\n%b", b"3"),
])
def test_what_is_python_is_no_magic(session, code, echo):
    assert session.echo(0, code) == echo


@pytest.mark.parametrize("code, line, wrong", [
    ("x = = 1\n%json x", 1, "x = = 1"),
    ("%json x\ny = = 2", 2, "y = = 2"),
    ("s = '''\n%json x\n'''\nx = = 1", 4, "x = = 1"),
    ("if True:\n%json x", 1, "if True:"),
])
def test_a_syntax_error_beside_a_magic_runs_nothing(session, code, line, wrong):
    name, _, traceback = error(session, 0, "print('ran')\n" + code)
    assert name in ("SyntaxError", "IndentationError")
    assert f'"<statement 0>", line {line + 1}' in traceback[0] and wrong in traceback[1]
    assert session.output(0) == b""


def test_a_traceback_below_a_magic_names_the_right_line(session):
    session.run(0, "v = 1")
    shown = "".join(error(session, 1, "%json v\n\n1 / 0")[2])
    assert 'File "<statement 1>", line 3' in shown and "    1 / 0\n" in shown


def test_code_beside_a_magic_may_await(session):
    code = "import asyncio\nv = await asyncio.sleep(0, 5)\n%json v"
    assert shown(session, 0, code, "application/json") == 5


PLT = """
class Figure:
    def savefig(self, file, format): file.write(b'\\x89PNG')
class plt:
    closed = []
    figure = Figure()
    gcf = classmethod(lambda self: self.figure)
    close = classmethod(lambda self, one: self.closed.append(one))
"""


def test_matplot_shows_the_current_figure_and_closes_it(session):
    session.run(0, PLT)
    png = {"image/png": base64.b64encode(b"\x89PNG").decode()}
    assert session.run(1, "%matplot plt")["data"] == png
    assert session.echo(2, "plt.closed == [plt.figure]") == b"True"
    assert session.run(3, "f = plt.figure\n%matplot f")["data"] == png
    assert session.echo(4, "import os; os.environ['MPLBACKEND']") == b"'agg'"


def test_a_magic_may_show_more_than_an_echo_but_not_more_than_a_line(launch):
    session = launch(max_result=4096, max_chunk=4096, max_line=65536).ready()
    session.run(0, "v = 'x' * 60000\nw = 'x' * 70000")
    assert shown(session, 1, "%json v", "application/json") == "x" * 60000
    name, value, _ = error(session, 2, "%json w")
    assert name == "ResultTooLarge" and "the result takes 70" in value
    assert session.echo(3, "1") == b"1"


# ---- rich forms ------------------------------------------------------------------------------

RICH = """
class Html:
    def __repr__(self): return 'plain'
    def _repr_html_(self): return '<b>é</b>'
    def _repr_png_(self): return b'png'
    def _repr_svg_(self): return None
class Bundle:
    def __repr__(self): return 'plain'
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {'text/html': '<i>', 'text/plain': 'other', 'application/json': [1]}, {'meta': 1}
class Bad(Html):
    def _repr_html_(self): 1 / 0
class Claims:
    def __getattr__(self, name): return lambda: 1 / 0
    def __repr__(self): return 'claims'
class Large(Html):
    def _repr_html_(self): return 'x' * 5000
"""


def test_rich_forms_are_shown_beside_the_text_where_they_are_wanted(launch):
    session = launch(rich=1, max_result=4096).ready()
    session.run(0, RICH)
    png = base64.b64encode(b"png").decode()
    assert session.run(1, "Html()")["data"] == {
        "text/plain": "plain", "text/html": "<b>é</b>", "image/png": png}
    assert session.run(2, "Bundle()")["data"] == {
        "text/plain": "plain", "text/html": "<i>", "application/json": "[1]"}
    bad = session.run(3, "Bad()")
    assert bad["data"] == {"text/plain": "plain", "image/png": png}
    assert bad["notes"] == ["_repr_html_ has failed: ZeroDivisionError('division by zero')"]
    assert session.run(4, "Claims()")["data"] == {"text/plain": "claims"}
    large = session.run(5, "Large()")
    assert "text/html" not in large["data"]
    assert large["notes"] == ["text/html is left out: it is larger than 4096 bytes"]
    assert session.run(6, "Html")["data"].keys() == {"text/plain"}
    assert session.run(7, "Html()\n1")["data"] == {"text/plain": "1"}


def test_echoes_are_text_alone_unless_the_host_wants_more(session):
    session.run(0, RICH)
    assert session.run(1, "Html()")["data"] == {"text/plain": "plain"}


def test_parts_keep_their_line_numbers():
    assert magics.split_magics("a\n\n%json  b \nc\nd\n\n") == [
        magics.CodePart("a\n"), magics.MagicPart("json", "b"), magics.CodePart("\n\n\nc\nd")]
