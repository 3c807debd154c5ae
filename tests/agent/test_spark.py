# SPDX-License-Identifier: Apache-2.0
"""The agent in real drivers of Spark 3.5 and 4. One driver per line serves most of the tests."""

import itertools
import json

import pytest

from session import text
from spark_driver import PATIENCE, driver, progress_of

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module", params=["35", "4"])
def shared(request):
    with driver(request.param) as one:
        one.line = request.param
        one.numbers = itertools.count()
        yield one


class Statements:
    """Runs code in the driver that several tests share."""

    def __init__(self, session):
        self.session, self.line = session, session.line

    def begin(self, code, kind="pyspark"):
        number = next(self.session.numbers)
        self.session.execute(number, code, kind)
        return number

    def run(self, code, kind="pyspark"):
        return self.session.result(self.begin(code, kind), PATIENCE)

    def echo(self, code):
        result = self.run(code)
        assert result["status"] == "ok", result
        return text(result["data"]["text/plain"]).decode()

    def sql(self, code):
        result = self.run(code, "sql")
        assert result["status"] == "ok", result
        return json.loads(result["data"]["application/json"])


@pytest.fixture
def spark(shared):
    return Statements(shared)


def test_it_says_what_it_is(spark):
    ready = next(one for one in spark.session.seen if one["type"] == "ready")
    assert ready["application_id"].startswith("local-")
    assert ready["spark_version"].startswith({"35": "3.5.", "4": "4."}[spark.line])


def test_python_and_sql_share_one_session(spark):
    assert spark.echo("spark.range(10).count()") == "10"
    spark.run("spark.range(3).createOrReplaceTempView('three')")
    assert spark.sql("SELECT sum(id) AS s FROM three") == {
        "schema": {"type": "struct", "fields": [
            {"name": "s", "type": "long", "nullable": True, "metadata": {}}]},
        "data": [[3]]}
    assert spark.echo("sc.parallelize([1, 2, 3]).map(lambda x: x * 2).sum()") == "12"
    assert spark.echo("sqlContext.sql('SELECT 5 AS v').first().v") == "5"


@pytest.mark.parametrize("expression, value", [
    ("1", 1), ("CAST(NULL AS INT)", None), ("true", True), ("'é😀'", "é😀"), ("''", ""),
    ("CAST(1.5 AS DOUBLE)", 1.5), ("CAST('NaN' AS DOUBLE)", None),
    ("CAST('12.340' AS DECIMAL(10, 3))", 12.34), ("DATE '2019-07-24'", "2019-07-24"),
    ("TIMESTAMP '2019-07-24 10:11:12.345 UTC'", "2019-07-24T10:11:12Z"),
    ("TIMESTAMP_NTZ '2019-07-24 10:11:12'", "2019-07-24T10:11:12"),
    ("X'00ff'", [0, 255]), ("array(1, NULL, 3)", [1, None, 3]), ("map('a', 1)", {"a": 1}),
    ("map(1, 'x', 2, 'y')", {"1": "x", "2": "y"}), ("map(DATE '2020-01-02', 1)", {"2020-01-02": 1}),
    ("named_struct('a', 1, 'b', array(DATE '2020-01-02'))", {"a": 1, "b": ["2020-01-02"]}),
    ("INTERVAL '1 02:03:04' DAY TO SECOND", "1 day, 2:03:04"), ("9223372036854775807", 2**63 - 1),
])
def test_sql_values_are_as_livy_writes_them(spark, expression, value):
    assert spark.sql(f"SELECT {expression} AS v")["data"] == [[value]]


def test_ddl_and_dml_give_tables_too(spark):
    empty = {"schema": {"type": "struct", "fields": []}, "data": []}
    assert spark.sql("CREATE TABLE ddl (a INT, b STRING) USING parquet") == empty
    assert spark.sql("INSERT INTO ddl VALUES (1, 'x'), (2, 'y')") == empty
    assert spark.sql("SELECT * FROM ddl ORDER BY a")["data"] == [[1, "x"], [2, "y"]]
    assert [row[1] for row in spark.sql("SHOW TABLES")["data"]].count("ddl") == 1
    assert spark.sql("DROP TABLE ddl") == empty


def test_sql_results_have_a_limit_and_a_note(spark):
    result = spark.run("SELECT id FROM range(5000)", "sql")
    assert len(json.loads(result["data"]["application/json"])["data"]) == 1000
    assert result["notes"] == ["only the first 1000 rows are shown"]
    result = spark.run("SELECT repeat('x', 100000) AS v FROM range(50)", "sql")
    assert len(json.loads(result["data"]["application/json"])["data"]) == 10
    assert result["notes"] == ["only the first 10 of 50 rows fit into 1048576 bytes"]


def test_sql_errors_have_livys_shape(spark):
    result = spark.run("SELECT nothing FROM nowhere", "sql")
    assert (result["status"], result["ename"]) == ("error", "Error")
    assert "TABLE_OR_VIEW_NOT_FOUND" in result["evalue"]
    assert result["traceback"][0].startswith("org.apache.spark.")


def test_python_errors_of_spark_show_no_frames_of_ours(spark):
    result = spark.run("spark.sql('SELECT nothing FROM nowhere')")
    assert result["ename"] == "AnalysisException"
    assert '"<statement ' in result["traceback"][1]
    assert "sparkhost_agent" not in "".join(result["traceback"])


SLOW = "\nsc.parallelize(range(8), 8).foreach(lambda _: __import__('time').sleep(%s))"


@pytest.mark.parametrize("code, kind", [
    ("print('go')\nwhile True: pass", "pyspark"),
    ("print('go')\nimport time; time.sleep(600)", "pyspark"),
    ("print('go')" + SLOW % 600, "pyspark"),
    ("print('go')\nspark.range(10 ** 15).selectExpr('sum(id * 2)').collect()", "pyspark"),
    ("print('go')\nwhile True: spark.range(10).count()", "pyspark"),
    ("print('go')\nfor _ in range(2):\n  try:\n    import time; time.sleep(600)\n"
     "  except KeyboardInterrupt: print('swallowed')\nwhile True: pass", "pyspark"),
    ("SELECT sum(id * 2) FROM range(1000000000000000)", "sql"),
])
def test_everything_is_interrupted_and_the_session_is_usable(spark, code, kind):
    number = spark.begin(code, kind)
    if kind == "sql":
        spark.session.until("status", PATIENCE, state="busy", statement=number)
        spark.session.until("progress", PATIENCE, statement=number)
    else:
        spark.session.running(number)
    spark.session.interrupt(number)
    result = spark.session.result(number, PATIENCE)
    assert result["status"] == "cancelled", result
    assert b"Traceback" not in spark.session.output(number, "stderr")
    assert spark.echo("spark.range(10).count()") == "10"


def test_an_interrupt_leaves_the_jobs_of_others(spark):
    """A job that code runs in a thread of its own is not the statement's."""
    spark.run("import threading\nfrom pyspark import InheritableThread\n"
              "def other():\n    global counted\n    sc.setJobGroup('other', '')\n"
              "    counted = sc.parallelize([0], 1).map(lambda _: __import__('time').sleep(3) or 5)"
              ".collect()\nthread = InheritableThread(target=other); thread.start()")
    number = spark.begin("print('go')\nwhile True: pass")
    spark.session.running(number)
    spark.session.interrupt(number)
    assert spark.session.result(number)["status"] == "cancelled"
    assert spark.echo("thread.join(); counted") == "[5]"


def test_progress_is_told(spark):
    told = progress_of(spark, "sc.parallelize(range(8), 8).foreach("
                              "lambda n: n < 7 or open('GATE').read())")
    assert told and told == sorted(told) and {tasks for _, tasks in told} == {8}
    assert 7 <= told[-1][0] <= 8


def test_a_statement_may_stop_spark_and_start_it_again(spark):
    assert spark.echo("spark.stop()\nfrom pyspark.sql import SparkSession\n"
                      "spark = SparkSession.builder.getOrCreate(); sc = spark.sparkContext\n"
                      "spark.range(4).count()") == "4"
    assert spark.sql("SELECT 1 AS v")["data"] == [[1]]
    number = spark.begin("print('go')" + SLOW % 600)
    spark.session.running(number)
    spark.session.interrupt(number)
    assert spark.session.result(number, PATIENCE)["status"] == "cancelled"
    assert spark.echo("1") == "1"
