# SPDX-License-Identifier: Apache-2.0
"""Statements of kind sparkr, in real drivers, with R and a stand-in for SparkR."""

import base64
import os
import pathlib
import signal
import struct
import tempfile
import threading

import pytest

import processes
import sparkhost_r
from shell import Shell
from spark_driver import driver
from sparkr import install

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A folder with SparkR in it."""
    return install(tmp_path_factory.mktemp("r") / "library")


@pytest.fixture(scope="module", params=["35", "4"])
def shell(request, library):
    """All tests of a line share it: what one leaves behind must not hurt the next."""
    with driver(request.param, environment={"SPARKR_PACKAGE_DIR": f"/none,{library}"},
                max_result=1 << 16) as session:
        yield Shell(session)


@pytest.mark.parametrize("code, shown", [
    ("1+1", "[1] 2\n"),
    ("a <- 20\na * 2", "[1] 40\n"),
    ("1\r\n2", "[1] 1\n[1] 2\n"),
    ("", ""),
    ("# only a comment", ""),
    ("invisible(3)", ""),
    ("NULL", "NULL\n"),
    ("cat('no end of line')", "no end of line"),
    ("print('x'); 'y'", '[1] "x"\n[1] "y"\n'),
    ("data.frame(n = 1:2, s = c('a', 'b'))", "  n s\n1 1 a\n2 2 b\n"),
    ("c(été = '€')", 'été \n"€" \n'),
    ("f <- function(n) n  # kept\nf", "function(n) n\n"),
    ("print.odd <- function(x, ...) cat('odd\\n')\nstructure(1, class = 'odd')", "odd\n"),
    ("setClass('P', representation(n = 'numeric')); new('P', n = 1)",
     'An object of class "P"\nSlot "n":\n[1] 1\n\n'),
    ("4 * 4\n.Last.value + 1", "[1] 16\n[1] 17\n"),
    ("if (TRUE) {\n  5\n} else {\n  6\n}", "[1] 5\n"),
    ("invisible(system('echo child'))", "child\n"),
    ("nchar(strrep('é', 300000))", "[1] 300000\n"),
])
def test_values_are_shown_as_at_rs_prompt(shell, code, shown):
    assert shell.text(code) == shown
    assert shell.complaint() == ""


@pytest.mark.parametrize("code, value", [
    ("stop('boom')", '[1] "Error: boom"'),
    ("fail <- function(n) stop('no ', n)\nfail(2)", '[1] "Error in fail(2): no 2"'),
    ("no_such_name", "[1] \"Error: object 'no_such_name' not found\""),
    ("log('a')", '[1] "Error in log(\\"a\\"): non-numeric argument to mathematical function"'),
    ("stop('é')", '[1] "Error: é"'),
    ("break", '[1] "Error: no loop for break/next, jumping to top level"'),
    ("conditionMessage.evil <- function(c) stop('evil')\n"
     "stop(structure(list(), class = c('evil', 'error', 'condition')))",
     '[1] "Error in conditionMessage.evil(cond): evil"'),
    ("'\0'", '[1] "Error in rawToChar('),
])
def test_an_error_is_what_r_says(shell, code, value):
    assert shell.error("cat('before ')\n" + code).startswith(value)
    assert shell.text("1") == "[1] 1\n"


@pytest.mark.parametrize("code, value", [
    ("x <- (", r'[1] "Error: <text>:3:0: unexpected end of input\n'),
    ("'a", r'[1] "Error: <text>:2:1: unexpected INCOMPLETE_STRING\n'),
    ("a b", r'[1] "Error: <text>:2:3: unexpected symbol\n'),
    ("\ud800", "the code is not Unicode: surrogates not allowed"),
])
def test_of_code_that_cannot_be_read_nothing_runs(shell, code, value):
    assert shell.error("cat('ran')\n" + code).startswith(value)
    assert shell.session.output(shell.last) == b""


@pytest.mark.parametrize("code, complaint", [
    ("as.integer('x')", "Warning message:\nNAs introduced by coercion\n"),
    ("f(1)", "Warning message:\nIn f(1) : old\n"),
    ("f(1); f(2)", "Warning message:\nIn f(1) : old\nWarning message:\nIn f(2) : old\n"),
    ("for (i in 1:2) warning(i)", "Warning messages:\n1: 1\n2: 2\n"),
    ("options(warn = 1); warning('now'); f(3); options(warn = 0)",
     "Warning: now\nWarning in f(3) : old\n"),
    ("suppressWarnings(f(4))", ""),
    ("tryCatch(f(5), warning = function(w) 'caught')", ""),
    ("message('told')", "told\n"),
])
def test_warnings_and_messages_are_complaints(shell, code, complaint):
    shell.text("f <- function(n) { warning('old'); n }\n" + code)
    assert shell.complaint() == complaint


def test_a_warning_is_shown_also_where_an_error_follows(shell):
    assert shell.error("as.integer('x'); stop('later')") == '[1] "Error: later"'
    assert shell.complaint() == "Warning message:\nNAs introduced by coercion\n"


def test_nobody_can_be_asked(shell):
    assert shell.text("readline('name? ')") == 'name? \n[1] ""\n'
    shell.text("invisible(c(readLines(stdin()), readLines(file('stdin'))))")
    assert shell.text("1") == "[1] 1\n"


def test_spark_is_shared_with_the_other_kinds(shell):
    assert "SparkSession" in shell.text("spark")
    assert "JavaSparkContext" in shell.text("sc")
    assert "SQLContext" in shell.text("sqlContext")
    started = next(one for one in shell.session.seen if one["type"] == "ready")
    code = "cat(SparkR:::callJMethod(SparkR:::callJMethod(sc, 'sc'), 'applicationId'))"
    assert shell.text(code) == started["application_id"]
    shell.python("spark.range(5).createOrReplaceTempView('of_python')")
    assert shell.text("count(sql('select * from of_python'))") == "[1] 5\n"
    shell.text("createOrReplaceTempView(sql('select 7 as n'), 'of_r')")
    assert shell.python("spark.table('of_r').collect()") == "[Row(n=7)]"
    assert '"data":[[7]]' in shell.run("select * from of_r", "sql")["data"]["application/json"]


def test_what_spark_refuses_is_an_error(shell):
    assert "no_such_table" in shell.error("sql('select * from no_such_table')")
    assert shell.text("count(sql('select 1'))") == "[1] 1\n"


def test_jobs_belong_to_their_statement(shell):
    shell.text("collect(sql('select 1'))")
    # Spark tells of jobs a moment after they have begun
    shell.python(f"while not sc.statusTracker().getJobIdsForGroup('sparkhost-{shell.last}'): pass")


def test_what_is_printed_while_r_starts_is_not_the_statements(shell):
    shell.run("quit('no')")
    assert shell.text("cat('alone')") == "alone"
    assert shell.complaint() == ""
    assert "SparkR says: Version mismatch" in shell.session.log()
    assert shell.text("ls(all.names = TRUE)") == '[1] "sc"         "spark"      "sqlContext"\n'


# ---- plots -----------------------------------------------------------------------------------

def image(result):
    """Width and height of the plot."""
    content = base64.b64decode(result["data"]["image/png"], validate=True)
    assert content.startswith(b"\x89PNG\r\n") and content.endswith(b"IEND\xaeB`\x82")
    return struct.unpack(">II", content[16:24])


def test_what_is_drawn_is_an_image(shell):
    result = shell.run("plot(1:3)\n'and text'")
    assert image(result) == (480, 480)
    assert shell.session.output(shell.last) == b'[1] "and text"\n'
    assert shell.run("'plot(1:3) is only named here'")["data"] == {}


def test_the_last_page_is_shown(shell):
    last = shell.run("hist(c(1, 2, 2, 3))")["data"]["image/png"]
    assert shell.run("plot(1:3)\nhist(c(1, 2, 2, 3))")["data"]["image/png"] == last
    assert shell.run("hist(c(1, 2, 2, 3)); dev.off()")["data"]["image/png"] == last
    assert shell.run("plot(1:3)")["data"]["image/png"] != last


def test_devices_of_the_code_are_its_own(shell):
    with tempfile.TemporaryDirectory() as folder:
        result = shell.run(f"plot(1:3); dev.off(); pdf('{folder}/a.pdf'); plot(1)")
        assert image(result) == (480, 480)
        assert shell.text("names(dev.list())") == '[1] "pdf"\n'
        assert shell.run("plot(2); invisible(dev.off())")["data"] == {}
        assert pathlib.Path(folder, "a.pdf").read_bytes().startswith(b"%PDF")


def test_a_plot_of_code_that_fails_is_not_shown(shell):
    assert shell.error("plot(1:3); stop('no')") == '[1] "Error: no"'
    assert shell.run("1")["data"] == {}


def test_a_plot_that_is_too_large_is_left_out_with_a_note(shell):
    result = shell.run("par(mar = rep(0, 4)); plot.new()\n"
                       "rasterImage(matrix(runif(160000), 400), 0, 0, 1, 1, interpolate = FALSE)")
    assert result["status"] == "ok" and result["data"] == {}
    assert "the plot is left out" in result["notes"][0]


# ---- what code may do to R -------------------------------------------------------------------

@pytest.mark.parametrize("code, how", [
    ("quit('no')", "R has ended with exit status 0"),
    ("q(status = 3)", "R has ended with exit status 3"),
    ("tools::pskill(Sys.getpid(), 9)", "R was ended by SIGKILL"),
])
def test_after_its_death_r_begins_anew(shell, code, how):
    shell.text("gone <- 1")
    assert shell.error(code) == f"Interpreter died:\n{how}"
    assert shell.text("exists('gone')") == "[1] FALSE\n"
    assert shell.text("count(sql('select 1'))") == "[1] 1\n"


def test_a_death_is_seen_where_a_child_holds_what_r_held(shell):
    assert shell.error("cat(system('sleep 600 >/dev/null & echo $!', intern = TRUE)); quit('no')"
                       ) == "Interpreter died:\nR has ended with exit status 0"
    os.kill(int(shell.session.output(shell.last)), signal.SIGKILL)


def test_a_death_between_two_statements_is_noted(shell):
    pid = int(shell.text("cat(Sys.getpid())"))
    os.kill(pid, signal.SIGKILL)
    assert processes.wait_gone([pid]) == []
    result = shell.run("1")
    assert result["status"] == "ok"
    assert result["notes"] == ["R was ended by SIGKILL since the last statement; this is a new one"]


def test_closed_connections_are_made_again(shell):
    assert shell.text("closeAllConnections()") == ""
    assert shell.text("count(sql('select 1'))") == "[1] 1\n"


def test_output_may_be_sent_elsewhere(shell):
    with tempfile.TemporaryDirectory() as folder:
        assert shell.text(f"sink('{folder}/sunk'); 1") == ""
        assert shell.text("2") == ""
        assert shell.error("stop('heard')") == '[1] "Error: heard"'
        assert shell.text("sink(); 3") == "[1] 3\n"
        assert pathlib.Path(folder, "sunk").read_text() == "[1] 1\n[1] 2\n"


def test_names_of_the_code_do_not_hide_what_runs_it(shell):
    shell.text("cat <- file <- print <- eval <- tryCatch <- function(...) stop('mine')")
    assert shell.text("1") == "[1] 1\n"
    shell.text("rm(cat, file, print, eval, tryCatch)")


def test_a_context_that_was_made_anew_is_taken_up(shell):
    shell.text("kept <- 5")
    shell.python("from pyspark.sql import SparkSession\nspark.stop()\n"
                 "spark = SparkSession.builder.getOrCreate()\nsc = spark.sparkContext")
    assert shell.text("kept * count(sql('select 1'))") == "[1] 5\n"
    shell.python("spark.range(3).createOrReplaceTempView('new')")
    assert shell.text("count(sql('select * from new'))") == "[1] 3\n"


@pytest.mark.parametrize("environment, added", [
    ({}, {"LC_ALL": "C.UTF-8"}), ({"LANG": "C"}, {"LC_ALL": "C.UTF-8"}),
    ({"LANG": "de_DE.UTF-8"}, {}), ({"LANG": "C", "LC_CTYPE": "de_DE.UTF-8"}, {}),
    ({"LANG": "de_DE.UTF-8", "LC_ALL": "POSIX"}, {"LC_ALL": "C.UTF-8"}),
    ({"LC_ALL": "", "LANG": "de_DE@euro"}, {}),
])
def test_r_gets_a_locale_where_there_is_none(environment, added):
    assert sparkhost_r.utf8_locale(environment) == added


def test_a_dead_r_is_known_to_be_dead_before_its_watcher_has_noticed(tmp_path):
    watching, notice = threading.Event(), threading.Event()

    class Unnoticed(sparkhost_r.Process):
        def _watch(self):
            with self._process._waitpid_lock:  # as while it waits
                watching.set()
                notice.wait()
            super()._watch()

    class Backend:
        def close(self):
            pass

    folder = tmp_path / "r"
    folder.mkdir()
    process = Unnoticed(["/bin/sh", "-c", "exit 3", "sh"], str(folder), Backend(), {})
    try:
        watching.wait()
        os.waitid(os.P_PID, process._process.pid, os.WEXITED | os.WNOWAIT)
        assert not process.is_alive()
    finally:
        notice.set()
        process.end()
    assert process.how_it_ended() == "R has ended with exit status 3"
