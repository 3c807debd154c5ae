# SPDX-License-Identifier: Apache-2.0
"""Statements of kind spark over HTTP, as Livy's clients see them. One session of that kind per line
of Spark serves all."""

import re

import pytest


@pytest.fixture(scope="module")
def session(module_server):
    return module_server.open_session("spark").until_idle()


def test_a_session_of_kind_spark_has_compiled_nothing_of_its_users_yet(session):
    """The first test: results count from 0."""
    assert session.get()["kind"] == "spark"
    assert session.text("1+1") == "res0: Int = 2\n"
    assert session.text("val x=1\nval y=2\nx+y") == "x: Int = 1\ny: Int = 2\nres1: Int = 3\n"
    assert session.text('println("hi"); 5') == "hi\nres2: Int = 5\n"
    assert session.text("// c") == ""


def test_errors_are_livys(session):
    name, value, traceback = session.error("abcde")
    assert name == "Error" and traceback == "       abcde\n       ^\n"
    assert re.fullmatch(r"<console>:\d+: error: not found: value abcde", value)
    assert session.error("def f(") == ("Error", "incomplete statement", "")
    assert session.error("%json a") == ("NameError", "Value a does not exist", "")
    assert session.error("%plot a") == ("UnknownMagic", "Unknown magic command plot", "")


def test_a_magic_shows_its_value_and_nothing_else(session):
    table = session.run('val a=Seq((1,"a"),(2,"b"))\n%table a')
    assert table["data"] == {"application/vnd.livy.table.v1+json": {
        "headers": [{"type": "BIGINT_TYPE", "name": "_1"}, {"type": "STRING_TYPE", "name": "_2"}],
        "data": [[1, "a"], [2, "b"]]}}
    json = session.run('val m=Map("a"->1)\nprintln("not shown")\n%json m')
    assert json["data"] == {"application/json": {"a": 1}}


def test_sparkmagics_way_to_run_sql_shows_rows_alone(session):
    code = 'spark.sql("""SELECT id FROM range(3)""").toJSON.take(2500).foreach(println)'
    assert session.text(code) == '{"id":0}\n{"id":1}\n{"id":2}\n'
    assert session.text('spark.sql("SELECT 1 AS a").show(100, true)').startswith("+---+\n")


def test_kinds_share_one_spark(session):
    session.text("spark.range(4).createOrReplaceTempView('four')", "pyspark")
    assert session.text('spark.table("four").count()').endswith(": Long = 4\n")
    assert session.text("1+1", "pyspark") == "2"


def test_standard_error_is_in_the_stream_and_not_in_the_result(session):
    statement = session.post('println("a"); System.err.println("b")')
    assert statement.output().text == {"stdout": "a\n", "stderr": "b\n"}
    assert statement.get()["output"]["data"] == {"text/plain": "a\n"}


@pytest.mark.parametrize("code", [
    "while (true) {}",
    "Thread.sleep(600000)",
    "sc.parallelize(1 to 8, 8).foreach(_ => Thread.sleep(600000))",
    "spark.range(1000000000000000L).selectExpr(\"sum(id * 2)\").collect()",
    'while (true) println("x" * 1000)',
])
def test_whatever_runs_is_stopped_and_the_session_is_usable(session, code):
    statement = session.post('println("go")\n' + code)
    with statement.stream() as stream:
        stream.until("go\n")
        statement.cancel()
        assert stream.rest()["state"] == "cancelled"
    session.until("idle")
    assert session.text("spark.range(10).count()").endswith(": Long = 10\n")
