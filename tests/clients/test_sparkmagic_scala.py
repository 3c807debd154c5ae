# SPDX-License-Identifier: Apache-2.0
"""sparkmagic's Scala kernel, as it comes from PyPI, as a notebook drives it."""

import pytest

from notebook import Cell, Notebook


@pytest.fixture(scope="module")
def notebook(server, module_folder):
    made = Notebook(module_folder / "notebook", server.url, kernel="sparkkernel")
    yield made
    made.close()
    assert server.client.get("/sessions").json()["sessions"] == []


def test_the_first_cell_opens_a_session_of_its_kind(server, notebook):
    cell = notebook.good('println("hello")')
    [session] = server.client.get("/sessions").json()["sessions"]
    assert session["kind"] == "spark" and session["appId"] in cell.html
    assert cell.out.rstrip().endswith("hello")


def test_cells_are_echoed_as_the_shell_does(notebook):
    assert notebook.good("val x = 1\nval y = 2").out.rstrip() == "x: Int = 1\ny: Int = 2"
    assert notebook.good("x + y").out.rstrip().endswith(": Int = 3")


def test_definitions_closures_and_datasets_work_over_cells(notebook):
    notebook.good("case class Point(x: Int, y: Int)\ndef twice(n: Int): Int = {\n  2 * n\n}")
    assert notebook.good("spark.range(1, 4).map(n => twice(n.toInt)).collect().sum").out.rstrip(
        ).endswith("Int = 12")
    assert notebook.good("Seq(Point(1, 2), Point(3, 4)).toDS.map(_.x).collect().sum").out.rstrip(
        ).endswith("Int = 4")


@pytest.mark.parametrize("code, word", [
    ("nobody", "not found: value nobody"),
    ("def broken(", "incomplete statement"),
    ('throw new IllegalStateException("as it was told")', "as it was told"),
])
def test_an_error_is_shown_and_the_next_cell_runs(notebook, code, word):
    cell = notebook.run(code)
    assert "An error was encountered:" in cell.err and word in cell.err
    assert notebook.good('"alive"').out.rstrip().endswith("String = alive")


def test_sql_gives_a_table_that_local_code_can_use(notebook):
    assert "n2" in notebook.run(
        "%%sql -o found\nSELECT id, concat('n', id) AS name FROM range(3)").html
    local = notebook.good("%%local\nprint(list(found.columns), found['name'].tolist())")
    assert local.out == "['id', 'name'] ['n0', 'n1', 'n2']\n"


def test_frames_and_texts_travel_both_ways(notebook):
    notebook.run('%%spark -o frame\nval frame = Seq((1, "a"), (2, "é")).toDF("n", "s")')
    local = notebook.good("%%local\nprint(frame['n'].tolist(), frame['s'][1])")
    assert local.out == "[1, 2] é\n"
    notebook.good("%%local\nwords = 'some words'")
    notebook.good("%%send_to_spark -i words -n received -t str")
    assert notebook.good("received").out.rstrip().endswith("String = some words")


def test_an_interrupted_cell_is_cancelled_and_the_next_one_runs(notebook, gate):
    begun = gate("begun")
    request = notebook.begin(
        "sc.parallelize(Seq(1), 1).map { n =>\n"
        f'  val gate = new java.io.FileOutputStream("{begun.path}"); gate.write(120); gate.close()\n'
        "  Thread.sleep(600000); n }.count()")
    cell = Cell()
    notebook.follow(request, cell, lambda kind, content: kind == "display_data")
    begun.wait()
    notebook.manager.interrupt_kernel()
    notebook.finish(request, cell)
    assert "Interrupted by user" in cell.err
    assert notebook.good("sc.parallelize(Seq(1), 1).count()").out.rstrip().endswith("Long = 1")
