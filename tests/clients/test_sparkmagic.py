# SPDX-License-Identifier: Apache-2.0
"""sparkmagic's PySpark kernel, as it comes from PyPI, as a notebook drives it. The tests share a
notebook; those at the end replace its session and close it."""

import base64
import json

import pytest

from notebook import Cell, Notebook


@pytest.fixture(scope="module")
def notebook(server, module_folder):
    made = Notebook(module_folder / "notebook", server.url)
    yield made
    made.close()
    assert server.client.get("/sessions").json()["sessions"] == []  # shut down with its kernel


def shown_sessions(server):
    response = server.client.get("/sessions")
    assert response.status_code == 200, response.text
    return response.json()["sessions"]


def test_the_first_cell_opens_a_session_and_shows_it(server, notebook):
    assert shown_sessions(server) == []
    cell = notebook.good("print('hello')")
    [session] = shown_sessions(server)
    assert session["kind"] == "pyspark"
    assert session["heartbeatTimeoutInSecond"] in (0, 60)
    assert session["appId"] in cell.html and "<td>idle</td>" in cell.html
    assert "SparkSession available as 'spark'." in cell.out
    assert cell.out.rstrip().endswith("hello")


@pytest.mark.parametrize("code, shown", [
    ("1 + 1", "2"),
    ("x = 5", ""),
    ("for i in range(3):\n    print(i)\ni", "0\n1\n2\n2"),
    ("'é 你好 \\U0001f914'", "'é 你好 🤔'"),
    ("spark.range(3).count()", "3"),
    ("spark.range(2).show()", "+---+\n| id|\n+---+\n|  0|\n|  1|\n+---+"),
    ("sc.parallelize(range(100), 2).map(lambda n: n * 2).sum()", "9900"),
    ("    print('indented')", "indented"),
    ("import sys; print('to stderr', file=sys.stderr)", "to stderr"),
])
def test_a_cell_shows_what_it_writes_and_its_value(notebook, code, shown):
    assert notebook.good(code).out.rstrip() == shown


@pytest.mark.parametrize("code, words", [
    ("nobody", ["name 'nobody' is not defined", "Traceback (most recent call last):"]),
    ("1 / 0", ["division by zero"]),
    ("foo bar", ["invalid syntax", "SyntaxError"]),
    ("def f():\n    raise ValueError('é')\nf()", ["ValueError: é", "line 2, in f"]),
    ("spark.sql('select * from nope')", ["[TABLE_OR_VIEW_NOT_FOUND]"]),
    ("spark.range(1).rdd.map(lambda n: 1 / 0).collect()", ["Py4JJavaError", "division by zero"]),
])
def test_an_error_is_shown_and_the_next_cell_runs(notebook, code, words):
    cell = notebook.run(code)
    assert cell.err.startswith("An error was encountered:\n")
    for word in words:
        assert word in cell.err
    assert notebook.good("'alive'").out.rstrip() == "'alive'"


def test_sql_gives_a_table_that_local_code_can_use(notebook):
    cell = notebook.run("%%sql -o found\nSELECT id, concat('n', id) AS name FROM range(3)")
    assert "n2" in cell.html and "An error was" not in cell.err  # pandas may warn
    local = notebook.good("%%local\nprint(list(found.columns), found['name'].tolist())")
    assert local.out == "['id', 'name'] ['n0', 'n1', 'n2']\n"


def test_quiet_sql_shows_nothing_and_keeps_to_its_row_limit(notebook):
    cell = notebook.good("%%sql -q -n 2 -o few\nSELECT * FROM range(100)")
    assert cell.html == ""
    assert notebook.good("%%local\nprint(len(few))").out == "2\n"


def test_sql_without_rows_is_an_empty_table(notebook):
    notebook.good("%%sql -q -o nothing\nSELECT * FROM range(0)")
    assert notebook.good("%%local\nprint(len(nothing))").out == "0\n"


def test_many_rows_and_wide_ones_come_whole(notebook):
    notebook.good("%%sql -q -n -1 -o many\nSELECT id, repeat('é', 200) AS wide FROM range(3000)")
    local = notebook.good("%%local\nprint(len(many), many['wide'].map(len).unique().tolist())")
    assert local.out == "3000 [200]\n"


def test_a_wrong_query_shows_sparks_words(notebook):
    assert "[TABLE_OR_VIEW_NOT_FOUND]" in notebook.run("%%sql\nSELECT * FROM nope").err


def test_a_frame_of_the_driver_comes_to_the_notebook(notebook):
    notebook.run("%%spark -o frame\nframe = spark.createDataFrame([(1, 'a'), (2, None)], "
                  "['n', 's'])")
    local = notebook.good("%%local\nprint(frame['n'].tolist(), frame['s'][0])")
    assert local.out == "[1, 2] a\n"


def test_a_sampled_frame_comes_to_the_notebook(notebook):
    notebook.good("%%sql -q -m sample -r 0.5 -n -1 -o sampled\nSELECT * FROM range(1000)")
    assert 0 < int(notebook.good("%%local\nprint(len(sampled))").out) < 1000


def test_a_text_of_the_notebook_goes_to_the_driver(notebook):
    notebook.good("%%local\nwords = 'it\\'s \"é\"\\nand more \\\\'")
    notebook.good("%%send_to_spark -i words -n received -t str")
    assert notebook.good("print(received)").out.rstrip("\n") == (
        "it's \"é\"\nand more \\")


def test_a_frame_of_the_notebook_goes_to_the_driver(notebook):
    notebook.good("%%local\nimport pandas\nmine = pandas.DataFrame({'n': [1, 2], 's': ['a', 'é']})")
    notebook.good("%%send_to_spark -i mine -t df -n theirs")
    assert notebook.good("sorted((row.n, row.s) for row in theirs.collect())").out.rstrip() == (
        "[(1, 'a'), (2, 'é')]")


def test_a_plot_of_the_driver_is_shown(notebook):
    notebook.good("import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\n"
                  "plt.plot([1, 2, 3])")
    [image] = notebook.good("%matplot plt").of_type("image/png")
    assert base64.b64decode(image).startswith(b"\x89PNG\r\n\x1a\n")


def test_a_frame_that_is_printed_can_be_shown_prettily(notebook):
    assert "<table" in notebook.good("%%pretty\nspark.range(2).show()").html


def test_an_interrupted_cell_is_cancelled_and_the_next_one_runs(notebook, gate):
    begun = gate("begun")
    request = notebook.begin(f"open({begun.path!r}, 'wb', buffering=0).write(b'x')\n"
                             "while True: pass")
    cell = Cell()
    # its progress bar: the statement is posted, and the kernel has its number
    notebook.follow(request, cell, lambda kind, content: kind == "display_data")
    begun.wait()
    notebook.manager.interrupt_kernel()
    notebook.finish(request, cell)
    assert "Interrupted by user" in cell.err
    assert notebook.good("'alive'").out.rstrip() == "'alive'"


def test_an_interrupted_spark_job_is_cancelled_and_the_next_one_runs(notebook, gate):
    begun = gate("begun")
    request = notebook.begin(
        "def wait(n):\n"
        f"    open({begun.path!r}, 'wb', buffering=0).write(b'x')\n"
        "    import time; time.sleep(600)\n"
        "sc.parallelize([1], 1).map(wait).count()")
    cell = Cell()
    notebook.follow(request, cell, lambda kind, content: kind == "display_data")
    begun.wait()
    notebook.manager.interrupt_kernel()
    notebook.finish(request, cell)
    assert "Interrupted by user" in cell.err
    assert notebook.good("sc.parallelize([1], 1).count()").out.rstrip() == "1"


def test_info_lists_the_sessions(server, notebook):
    [session] = shown_sessions(server)
    cell = notebook.good("%%info")
    assert session["appId"] in cell.html and "pyspark" in cell.html


def test_logs_are_the_drivers(notebook):
    assert "stdout: " in notebook.good("%%logs").out


def test_another_configuration_needs_force(server, notebook):
    before = [session["id"] for session in shown_sessions(server)]
    assert "-f" in notebook.run('%%configure\n{"conf": {"spark.app.name": "other"}}').err
    assert [session["id"] for session in shown_sessions(server)] == before


def test_a_configuration_with_force_opens_another_session(server, notebook):
    [before] = shown_sessions(server)
    configuration = {"name": "configured", "driverMemory": "800m",
                     "conf": {**before["conf"], "spark.custom": 7}}
    cell = notebook.good("%%configure -f\n" + json.dumps(configuration))
    [after] = shown_sessions(server)
    assert after["id"] != before["id"] and after["name"] == "configured"
    assert after["driverMemory"] == "800m"
    assert server.client.get(f"/sessions/{before['id']}").status_code == 404
    assert after["appId"] in cell.html
    assert notebook.good("spark.conf.get('spark.custom')").out.rstrip() == "'7'"


def test_a_session_of_another_is_listed_and_deleted(server, notebook):
    [mine] = shown_sessions(server)
    other = server.open_session("pyspark", name="other")
    assert f"<td>{other.id}</td>" in notebook.good("%%info").html
    notebook.good(f"%%delete -f -s {other.id}")
    assert [session["id"] for session in shown_sessions(server)] == [mine["id"]]


def test_cleanup_deletes_the_sessions_and_the_next_cell_opens_one(server, notebook):
    [before] = shown_sessions(server)
    notebook.good("%%cleanup -f")
    assert shown_sessions(server) == []
    notebook.good("'again'")
    [after] = shown_sessions(server)
    assert after["id"] > before["id"]


def test_what_the_server_refuses_is_shown(server, module_folder):
    """In a notebook of its own: it is of no more use afterwards."""
    made = Notebook(module_folder / "refused", server.url)
    try:
        before = [session["id"] for session in shown_sessions(server)]
        made.run('%%configure -f\n{"colour": "red"}')
        cell = made.run("1")
        assert "400" in cell.err and "Unrecognized field" in cell.err and "colour" in cell.err
        assert [session["id"] for session in shown_sessions(server)] == before
    finally:
        made.close()
