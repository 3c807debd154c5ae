# SPDX-License-Identifier: Apache-2.0
"""Plots, data frames and completion, in real drivers: of Spark 3.5 with matplotlib, pandas and jedi
as users have them, and of Spark 4 without."""

import base64
import json
import os
import subprocess

import pytest
from session import text
from spark_driver import PATIENCE, driver

pytestmark = pytest.mark.spark

LIBRARIES = {"jedi", "matplotlib", "pandas"}


@pytest.fixture(scope="module", params=["35", "4"])
def spark(request):
    with driver(request.param, rich=1) as one:
        one.line = request.param
        yield one


def has_libraries(spark):
    """Whether the driver's Python has all of them; it has all or none."""
    program = "import importlib.util as u, sys; print([n for n in sys.argv[1:] if u.find_spec(n)])"
    python = os.environ[f"SPARKHOST_TEST_PYTHON{spark.line}"]
    found = subprocess.run([python, "-c", program, *LIBRARIES], check=True, text=True,
                           stdout=subprocess.PIPE).stdout
    there = {name for name in LIBRARIES if name in found}
    assert there in (set(), LIBRARIES)
    return bool(there)


def run(spark, statement, code):
    spark.execute(statement, code)
    return spark.result(statement, PATIENCE)


def test_libraries_are_there_on_the_line_that_tests_them(spark):
    assert has_libraries(spark) == (spark.line == "35")


def png(data):
    image = base64.b64decode(data, validate=True)
    assert image.startswith(b"\x89PNG\r\n\x1a\n") and image.endswith(b"IEND\xaeB`\x82")
    return image


def test_plots_and_data_frames(spark):
    if not has_libraries(spark):
        result = run(spark, 0, "import matplotlib.pyplot as plt\n%matplot plt")
        assert (result["ename"], result["evalue"]) == (
            "ModuleNotFoundError", "No module named 'matplotlib'")
        return
    result = run(spark, 0, "import matplotlib.pyplot as plt\nplt.plot([1, 4, 9]);\n%matplot plt")
    drawn = png(result["data"]["image/png"])
    assert run(spark, 1, "plt.get_fignums()")["data"]["text/plain"] == "[]"
    blank = png(run(spark, 2, "%matplot plt")["data"]["image/png"])
    assert len(blank) < len(drawn)

    run(spark, 3, "figure = plt.figure(); figure.gca().plot([1, 2])")
    shown = run(spark, 4, "figure")["data"]
    assert set(shown) == {"text/plain", "image/png"} and png(shown["image/png"])
    assert run(spark, 5, "plt.get_fignums()")["data"]["text/plain"] == "[1]"
    assert set(run(spark, 6, "figure\n%matplot figure")["data"]) == {"text/plain", "image/png"}

    shown = run(spark, 7, "import pandas\npandas.DataFrame({'é': [1]})")["data"]
    assert set(shown) == {"text/plain", "text/html"}
    assert "<th>é</th>" in text(shown["text/html"]).decode()


def test_frames_of_spark_are_text(spark):
    shown = run(spark, 10, "df = spark.range(2).toDF('id')\ndf")["data"]
    assert shown == {"text/plain": "DataFrame[id: bigint]"}


def test_rows_are_a_table(spark):
    result = run(spark, 11, "rows = spark.createDataFrame([(1, 'a'), (2, None)], 'n int, s string')"
                            ".collect()\n%table rows")
    assert json.loads(result["data"]["application/vnd.livy.table.v1+json"]) == {
        "headers": [{"name": "n", "type": "INT_TYPE"}, {"name": "s", "type": "STRING_TYPE"}],
        "data": [[1, "a"], [2, None]]}


@pytest.mark.parametrize("code, candidate, replaces", [
    ("df.sho", "show", 3), ("sc.par", "parallelize", 3), ("spark.read.parq", "parquet", 4),
    ("x = 1\nprint(spark.cata", "catalog", 4), ("impor", "import", 5), ("sqlCont", "sqlContext", 7),
])
def test_completion_gives_the_last_word(spark, code, candidate, replaces):
    run(spark, 20, "df = spark.range(2)")
    candidates, replaced = spark.complete(1, code)
    assert candidate in candidates and replaced == replaces
    assert all(one.startswith(code[-replaces:]) and "." not in one for one in candidates)


def test_completion_runs_no_properties(spark):
    run(spark, 30, "ran = []\nclass Lazy:\n    @property\n    def value(self): ran.append(1)\n"
                   "lazy = Lazy()")
    assert "value" in spark.complete(2, "lazy.va")[0]
    assert run(spark, 31, "ran")["data"]["text/plain"] == "[]"
    if has_libraries(spark):
        spark.complete(3, "lazy.value.r")
        assert run(spark, 32, "ran")["data"]["text/plain"] == "[]"


def test_completion_answers_while_code_runs(spark):
    spark.execute(40, "print('go', flush=True)\nimport time; time.sleep(600)")
    spark.running(40)
    assert spark.complete(4, "spark.rang")[0] == ["range"]
    spark.interrupt(40)
    assert spark.result(40, PATIENCE)["status"] == "cancelled"


def test_the_names_of_livy_are_there(spark):
    shown = run(spark, 50, "[type(one).__name__ for one in (spark, sc, sqlContext)]")
    assert shown["data"]["text/plain"] == "['SparkSession', 'SparkContext', 'SQLContext']"
