# SPDX-License-Identifier: Apache-2.0
"""Statements of kind sparkr over HTTP, with a stand-in for SparkR. One session per line of Spark
serves all but the last test."""

import base64

import pytest

import sparkr


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return sparkr.install(tmp_path_factory.mktemp("r") / "library")


@pytest.fixture(scope="module")
def session(module_server, library):
    conf = {"spark.sparkhost.sparkrPackageDir": str(library)}
    opened = module_server.open_session(kind="r", conf=conf).until_idle()
    assert opened.get()["kind"] == "sparkr"
    return opened


@pytest.mark.parametrize("code, shown", [
    ("1+1", "[1] 2"),
    ("x <- 20\nx * 2", "[1] 40"),
    ("print('a'); 'b'", '[1] "a"\n[1] "b"'),
    ("x <- 5", ""),
    ("", ""),
    ("'é€'", '[1] "é€"'),
    ("count(sql('select * from range(10)'))", "[1] 10"),
])
def test_code_shows_what_the_console_would(session, code, shown):
    output = session.run(code)
    assert (output["status"], output["data"]) == ("ok", {"text/plain": shown})


def test_what_r_prints_is_streamed(session):
    stream = session.post("cat('said\\n'); message('complained')").output()
    assert stream.text == {"stdout": "said\n", "stderr": "complained\n"}


@pytest.mark.parametrize("code, value", [
    ("stop('boom')", '[1] "Error: boom"'),
    ("x <- (", r'[1] "Error: <text>:2:0: unexpected end of input\n1: x <- (\n   ^"'),
    ("quit('no')", "Interpreter died:\nR has ended with exit status 0"),
])
def test_an_error_is_as_livy_shows_it(session, code, value):
    statement = session.post(code)
    assert statement.until_over()["output"] == {
        "status": "error", "execution_count": statement.id, "ename": "Error",
        "evalue": value, "traceback": []}
    assert session.text("1") == "[1] 1"


def test_a_plot_comes_beside_the_text(session):
    data = session.run("hist(c(1, 2, 2, 3)); 'text'")["data"]
    assert data.keys() == {"text/plain", "image/png"}
    assert data["text/plain"] == '[1] "text"'
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG\r\n")


def test_views_are_shared_between_the_kinds(session):
    session.run("spark.range(3).createOrReplaceTempView('of_python')", "pyspark")
    assert session.text("count(sql('select * from of_python'))") == "[1] 3"
    session.run("createOrReplaceTempView(sql('select 7 as n'), 'of_r')")
    assert session.text("spark.table('of_r').collect()", "pyspark") == "[Row(n=7)]"
    assert session.run("select * from of_r", "sql")["data"]["application/json"]["data"] == [[7]]


def test_an_endless_loop_is_cancelled_and_r_keeps_its_variables(session):
    session.run("kept <- 3")
    statement = session.post("cat('go\\n'); while (TRUE) {}")
    with statement.stream() as stream:
        stream.until("go")
    statement.cancel()
    assert statement.until_over()["state"] == "cancelled"
    assert session.text("kept") == "[1] 3"
    assert session.until_idle()


def test_without_r_a_statement_says_so_and_the_session_goes_on(module_server):
    session = module_server.open_session(conf={"spark.r.shell.command": "/none/R"}).until_idle()
    for _ in range(2):
        name, value, told = session.error("1+1", "sparkr")
        assert (name, value) == ("InterpreterError",
                                 "Fail to start interpreter: there is no program /none/R")
        assert "spark.r.shell.command" in told
    assert session.text("1+1", "pyspark") == "2"
    session.delete()
