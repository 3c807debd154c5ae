# SPDX-License-Identifier: Apache-2.0
"""Statements of kind spark in real drivers of Spark 3.5 (Scala 2.12) and 4 (Scala 2.13). One driver
per line serves most of the tests, so results are numbered from where the last one was."""

import itertools
import json
import pathlib
import re
import shutil
import tempfile

import pytest

from session import text
from scala_statements import Statements, make_jar
from spark_driver import PATIENCE, driver, progress_of

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def cache():
    """Where drivers keep what they compile of the agent's own."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sparkhost-scala-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module", params=["35", "4"])
def shared(request, cache):
    with driver(request.param, kind="spark", cache_folder=str(cache)) as one:
        one.line = request.param
        one.numbers = itertools.count()
        yield one


@pytest.fixture
def spark(shared):
    return Statements(shared)


def test_results_are_numbered_and_only_the_codes_own_count(shared):
    spark = Statements(shared)  # the first test of the driver: nothing has counted yet
    assert text(spark.run("1+1")["data"]["text/plain"]) == b"res0: Int = 2\n"
    spark.run("%json res0")
    spark.run("val x = 1")
    spark.run("// c")
    assert text(spark.run("x + 1")["data"]["text/plain"]) == b"res1: Int = 2\n"


@pytest.mark.parametrize("code, shown", [
    ("val x=1\nval y=2\nx+y", "x: Int = 1\ny: Int = 2\nres0: Int = 3\n"),
    ('println("hi"); 5', "hi\nres0: Int = 5\n"),
    ("1\n\"a\"\n2.5", "res0: Int = 1\nres1: String = a\nres2: Double = 2.5\n"),
    ('println("a")\nval q = { println("b"); 7 }\nq', "a\nb\nq: Int = 7\nres0: Int = 7\n"),
    ("// c", ""), ("", ""), ("\n\n/* a\n b */\n", ""), ("1 // c", "res0: Int = 1\n"),
    ("// a\nval u = 1 // b\n// c", "u: Int = 1\n"), ("()", ""),
    ("List(1, 2)\n  .map(_ * 2)\n  // between\n  .sum", "res0: Int = 6\n"),
    ("if (true) {\n  1\n}\nelse {\n  2\n}", "res0: Int = 1\n"),
    ("(\n1\n)", "res0: Int = 1\n"),
    ("val s = \"\"\"a\n%json b\n\"\"\".length", "s: Int = 10\n"),
    ("lazy val z = 3\nvar v = 4", "z: Int = <lazy>\nv: Int = 4\n"),
    ("val (g, h) = (1, \"x\")", "g: Int = 1\nh: String = x\n"),
    ("@transient\nval k = 1", "k: Int = 1\n"),
    ("val f = (i: Int) => i + 1\nf(2)", None),
    ("case class P(a: Int)\nobject O\ntrait T",
     "defined class P\ndefined object O\ndefined trait T\n"),
    ("class A { def b = new B }\nclass B\nobject A { val z = 5 }\nA.z",
     "defined class A\ndefined class B\ndefined object A\nres0: Int = 5\n"),
    ("import scala.collection.mutable", "import scala.collection.mutable\n"),
    ('System.out.println("o"); print("p"); Console.flush()', "o\np"),
    ("val l = 1\r\nl + 1\r\n", "l: Int = 1\nres0: Int = 2\n"),
    ('"é😀"', "res0: String = é😀\n"), ('println("é😀")', "é😀\n"),
    ('"val x: "', "res0: String = \"val x: \"\n"),
])
def test_what_is_shown_is_what_livys_clients_know(spark, code, shown):
    seen = spark.shows(code)
    if shown is None:
        assert seen.startswith("f: ") and seen.endswith("\nres0: Int = 3\n"), seen
    else:
        assert seen == shown


def test_output_comes_while_the_statement_runs(spark):
    number = spark.begin('println("go"); Thread.sleep(600000)')
    spark.session.running(number)
    spark.session.interrupt(number)
    assert spark.session.result(number, PATIENCE)["status"] == "cancelled"


def test_standard_error_is_apart_and_nothing_of_sparks_own_is_in_it(spark):
    number = spark.begin('System.err.println("e1"); Console.err.println("e2"); '
                         'sc.parallelize(1 to 4, 2).foreach(i => if (i == 9) sys.error("no")); '
                         'org.apache.logging.log4j.LogManager.getLogger("x").error("logged"); 1')
    assert spark.session.result(number, PATIENCE)["status"] == "ok"
    assert spark.session.output(number, "stderr") == b"e1\ne2\n"


def test_the_output_of_a_statement_is_not_that_of_the_next(spark):
    for round_ in range(20):
        number = spark.begin(f'for (i <- 1 to 50) println("{round_}")')
        spark.session.result(number, PATIENCE)
        assert spark.session.output(number) == f"{round_}\n".encode() * 50


@pytest.mark.parametrize("code, value", [
    ("def f(", "incomplete statement"), ("val a = 1\nif (true) {", "incomplete statement"),
    ('"""', None),
])
def test_incomplete_code_is_told_as_livy_does(spark, code, value):
    name, said, traceback = spark.fails(code)
    assert name == "Error"
    if value:
        assert (said, traceback) == (value, [])


def test_errors_have_livys_shape(spark):
    name, value, traceback = spark.fails("abcde")
    assert name == "Error"
    assert re.fullmatch(r"<console>:\d+: error: not found: value abcde", value)
    assert traceback == ["       abcde\n", "       ^\n"]
    name, value, traceback = spark.fails("val a = 1\n\nval z: Int =\n  \"s\"")
    assert re.fullmatch(r"<console>:\d+: error: type mismatch;", value)
    assert traceback == [' found   : String("s")\n', " required: Int\n", '         "s"\n',
                         "         ^\n"]
    assert spark.line == "35" or value.startswith("<console>:4:")
    name, value, traceback = spark.fails('throw new IllegalStateException("x")')
    assert (name, value) == ("Error", "java.lang.IllegalStateException: x")
    assert traceback and all(line.startswith("  ") and line.endswith("\n") for line in traceback)
    name, value, _ = spark.fails("val a = 1\n}")
    assert re.fullmatch(r"<console>:\d+: error: eof expected but '}' found\.", value)


def test_what_came_before_an_error_stays(spark):
    spark.fails('val before = 7\nsys.error("no")')
    assert spark.shows("before") == "res0: Int = 7\n"


def test_closures_and_case_classes_run_on_executors(spark):
    assert spark.shows("sc.parallelize(1 to 100).map(_*2).sum()") == "res0: Double = 10100.0\n"
    assert spark.shows("case class Point(x: Int, y: Int)\nval by = 3\n"
                       "sc.parallelize(1 to 3).map(i => Point(i, i * by)).map(_.y).sum()"
                       ).endswith("res0: Double = 18.0\n")
    assert spark.shows("Seq(Point(1, 2)).toDS.map(_.y + by).collect.head") == "res0: Int = 5\n"
    assert spark.shows('spark.udf.register("twice", (i: Int) => i * 2); '
                       'sql("SELECT twice(4)").head.getInt(0)') == "res0: Int = 8\n"


def test_livys_names_are_there(spark):
    assert spark.shows('spark.range(3).select(sum($"id")).head.getLong(0)') == "res0: Long = 3\n"
    assert spark.shows("sc.applicationId == spark.sparkContext.applicationId") == \
        "res0: Boolean = true\n"


def test_a_dataframes_rows_are_shown(spark):
    assert spark.shows("spark.range(2).show()") == "+---+\n| id|\n+---+\n|  0|\n|  1|\n+---+\n\n"


TABLE = "application/vnd.livy.table.v1+json"


def test_magics_show_the_value_that_they_name(spark):
    assert spark.data('val a = Seq((1,"a"),(2,"b"))\n%table a', TABLE) == {
        "headers": [{"type": "BIGINT_TYPE", "name": "_1"}, {"type": "STRING_TYPE", "name": "_2"}],
        "data": [[1, "a"], [2, "b"]]}
    spark.run("val other = 5")
    assert spark.data("%json a", "application/json") == [{"_1": 1, "_2": "a"}, {"_1": 2, "_2": "b"}]
    assert spark.data('val m = Map("a"->1)\n%json m', "application/json") == {"a": 1}
    assert spark.data("var w = 1\nw = 2\n%json w", "application/json") == 2
    assert spark.data("val n = None: Option[Int]\n%json n", "application/json") is None
    assert spark.data('val `a b` = "q"\n%json `a b`', "application/json") == "q"
    assert spark.data("val r = sc.parallelize(1 to 20)\n%json r", "application/json") == \
        list(range(1, 11))
    assert spark.data("val d = spark.range(2).toDF\n%table d", TABLE) == {
        "headers": [{"type": "BIGINT_TYPE", "name": "id"}], "data": [[0], [1]]}
    assert spark.data("case class Q(b: Int, a: String)\nval qs = Seq(Q(1, \"x\"))\n%table qs",
                      TABLE)["data"] == [["x", 1]]


def test_sparklyrs_statement_shows_its_value(spark):
    code = ("// invoke_static(sc, 'Cls', 'm', ...)\nvar sparklyrRetVar_0 = \"YWJj\".trim\n"
            "%json sparklyrRetVar_0")
    assert spark.data(code, "application/json") == "YWJj"


def test_plain_code_takes_the_place_of_a_magic(spark):
    assert spark.shows("val a = 1\n%json a\na + 1").endswith("res0: Int = 2\n")


@pytest.mark.parametrize("code, error", [
    ("%json nowhere", ("NameError", "Value nowhere does not exist", [])),
    ("%foo x", ("UnknownMagic", "Unknown magic command foo", [])),
    ('val mixed = Seq(1, "a")\n%table mixed', ("TypeError", "table rows have different types", [])),
    ("lazy val bad: Int = sys.error(\"no\")\n%json bad",
     ("ValueError", "Failed to convert value into a JSON value", [])),
    ('val long = "x" * (2 << 20)\n%json long',
     ("ValueError", "The value has 2097154 characters as JSON; at most 1048576 can be shown", [])),
])
def test_magics_that_cannot_be_shown_say_so(spark, code, error):
    assert spark.fails(code) == error


def test_scala_shares_views_with_python_and_sql(spark):
    spark.run("spark.range(5).createOrReplaceTempView('five')", "pyspark")
    assert spark.shows('spark.table("five").count()') == "res0: Long = 5\n"
    spark.run('Seq(("k", 9)).toDF("a", "b").createOrReplaceTempView("pair")')
    result = spark.run("SELECT b FROM pair", "sql")
    assert json.loads(result["data"]["application/json"])["data"] == [[9]]


def test_progress_is_told(spark):
    told = progress_of(spark, "sc.parallelize(1 to 8, 8).foreach(n => "
                              'if (n == 8) scala.io.Source.fromFile("GATE").mkString)')
    assert told and {tasks for _, tasks in told} == {8}


@pytest.mark.parametrize("code", [
    'println("go"); while (true) {}',
    'println("go"); Thread.sleep(600000)',
    'println("go"); sc.parallelize(1 to 8, 8).foreach(_ => Thread.sleep(600000))',
    'println("go"); spark.range(1000000000000000L).selectExpr("sum(id * 2)").collect()',
    'println("go"); while (true) spark.range(10).count()',
    'println("go"); while (true) try Thread.sleep(600000) catch { case _: InterruptedException => }',
    'println("go")\nval never = { while (true) {}; 1 }\nprintln("not this")',
])
def test_everything_is_interrupted_and_the_session_is_usable(spark, code):
    number = spark.begin(code)
    spark.session.running(number)
    spark.session.interrupt(number)
    result = spark.session.result(number, PATIENCE)
    assert result["status"] == "cancelled", result
    assert b"not this" not in spark.session.output(number)
    assert spark.shows("spark.range(10).count()") == "res0: Long = 10\n"


def test_a_compiler_that_was_left_in_pieces_is_asked_once_more(spark):
    spark.run("""val loader = Thread.currentThread.getContextClassLoader
val outer = loader.getClass.getDeclaredFields.find(_.getName.endsWith("$outer")).get
outer.setAccessible(true)
val compiler = outer.get(loader).asInstanceOf[scala.tools.nsc.interpreter.IMain].global
import compiler.{Tree, Type}
import scala.tools.nsc.Mode
var times = 0
object Trouble extends compiler.analyzer.AnalyzerPlugin {
  override def pluginsTyped(tpe: Type, typer: compiler.analyzer.Typer, tree: Tree, mode: Mode,
                            pt: Type) = {
    if (times > 0) { times -= 1; throw new AssertionError("assertion failed: in pieces") }
    tpe
  }
}
compiler.analyzer.addAnalyzerPlugin(Trouble)""")
    spark.run("times = 1")
    assert spark.shows('println("once"); 1') == "once\nres0: Int = 1\n"
    spark.run("times = 2")
    assert spark.fails("1")[1] == "java.lang.AssertionError: assertion failed: in pieces"
    assert spark.shows("2") == "res0: Int = 2\n"
    assert spark.fails('println("x"); assert(false)')[1].startswith("java.lang.AssertionError")


def test_code_that_heeds_an_interrupt_is_not_stopped_by_force(spark):
    number = spark.begin('println("go"); try Thread.sleep(600000) '
                         'catch { case _: InterruptedException => println("heard") }')
    spark.session.running(number)
    spark.session.interrupt(number)
    result = spark.session.result(number, PATIENCE)
    assert (result["status"], result["interrupted"]) == ("ok", True)
    assert spark.session.output(number) == b"go\nheard\n"


def test_what_a_thread_of_the_interpreter_holds_is_there_in_the_next_statement(spark):
    spark.run('sc.setLocalProperty("spark.scheduler.pool", "mine")')
    assert "= mine\n" in spark.shows('sc.getLocalProperty("spark.scheduler.pool")')


def complete(spark, code):
    number = next(spark.session.numbers)
    spark.session.peer.send({"type": "complete", "request": number, "kind": "spark", "code": code,
                             "cursor": len(code.encode())})
    answer = spark.session.until("completion", PATIENCE, request=number)
    return answer["candidates"], answer["replaces"]


def test_completion_knows_members_and_names(spark):
    spark.run("val completable = Seq(1)")
    assert complete(spark, "completab") == (["completable"], 9)
    candidates, replaces = complete(spark, "val é = 1\ncompletable.head")
    assert {"head", "headOption"} <= set(candidates) and replaces == 4
    assert complete(spark, "zzzqqq") [0] == []


def test_a_jar_that_comes_later_is_seen(spark, tmp_path):
    jar = str(make_jar(tmp_path, "later.Later", "seven", 7))
    spark.fails("later.Later.seven()")
    found = spark.run("import __main__, gc\n"
                      "scala = next(one for one in gc.get_objects() "
                      "if type(one).__name__ == 'ScalaCode')\n"
                      f"scala.add_jar({jar!r})", "pyspark")
    assert found["status"] == "ok", found
    assert spark.shows("later.Later.seven()") == "res0: Int = 7\n"
    spark.run(f"sc._jsc.addJar({jar!r})", "pyspark")
    assert spark.shows("sc.parallelize(1 to 2).map(_ => later.Later.seven()).sum()") == \
        "res0: Double = 14.0\n"
    missing = spark.run("scala.add_jar('/nowhere.jar')", "pyspark")
    assert missing["ename"] == "FileNotFoundError"


def test_scala_follows_a_spark_that_python_has_started_again(spark):
    spark.run("spark.stop()\nfrom pyspark.sql import SparkSession\n"
              "spark = SparkSession.builder.getOrCreate(); sc = spark.sparkContext", "pyspark")
    assert spark.shows("sc.parallelize(1 to 3).map(_ + 1).sum()") == "res0: Double = 9.0\n"
