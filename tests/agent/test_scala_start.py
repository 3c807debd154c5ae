# SPDX-License-Identifier: Apache-2.0
"""How Scala's interpreter starts in real drivers, and what it leaves behind."""

import itertools
import pathlib

import processes
import pytest

from scala_statements import Statements, make_jar
from session import text
from spark_driver import driver

pytestmark = pytest.mark.spark


@pytest.mark.parametrize("line", ["35", "4"])
def test_the_compiler_starts_with_the_first_statement_and_nothing_is_left(line, tmp_path):
    """Without a folder to keep what it compiles, and with a jar of the application's."""
    jar = make_jar(tmp_path, "own.Own", "five", 5)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    conf = [f"spark.jars={jar}", f"spark.local.dir={scratch}"]
    with driver(line, conf=conf) as one:
        one.line, one.numbers = line, itertools.count()
        spark = Statements(one)
        found = spark.run("sc.getConf().get('spark.repl.class.outputDir')", "pyspark")
        classes = pathlib.Path(text(found["data"]["text/plain"]).decode().strip("'"))
        assert classes.is_dir() and not list(classes.iterdir())
        assert spark.shows("own.Own.five()") == "res0: Int = 5\n"
        assert spark.shows("sc.parallelize(1 to 2).map(_ => own.Own.five()).sum()") == \
            "res0: Double = 10.0\n"
        assert list(classes.iterdir())
        one.close()
    processes.wait_gone(processes.descendants())
    assert not classes.exists()
