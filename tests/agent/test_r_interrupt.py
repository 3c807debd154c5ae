# SPDX-License-Identifier: Apache-2.0
"""Interrupts of statements of kind sparkr."""

import pytest

import processes
from shell import Shell
from spark_driver import driver
from sparkr import install

pytestmark = pytest.mark.spark

GO = "cat('go\\n')\n"
# a job that takes for ever, and stops when it is cancelled
SLEEP_IN_SPARK = "count(sql(\"select java_method('java.lang.Thread', 'sleep', 600000L)\"))"


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return install(tmp_path_factory.mktemp("r") / "library")


@pytest.fixture(scope="module", params=["35", "4"])
def shell(request, library):
    conf = [f"spark.sparkhost.sparkrPackageDir={library}"]
    with driver(request.param, conf=conf, interrupt_attempts=1) as session:
        yield Shell(session)


def cancel(shell, code):
    """Interrupts the code when it has said that it goes."""
    number = shell.execute(code)
    shell.session.running(number)
    shell.session.interrupt(number)
    result = shell.session.result(number)
    assert result["interrupted"]
    return result


@pytest.mark.parametrize("code", [
    "while (TRUE) {}",
    "Sys.sleep(600)",
    "readBin(socketConnection(port = 0, server = TRUE, timeout = 600), 'raw', 1L)",
    SLEEP_IN_SPARK,
    f"tryCatch({SLEEP_IN_SPARK}, error = function(e) Sys.sleep(600))",
])
def test_an_interrupt_stops_the_code_and_r_lives_on(shell, code):
    pid = shell.text("kept <- 3; frame <- sql('select 1'); cat(Sys.getpid())")
    result = cancel(shell, GO + code)
    assert (result["status"], result["ename"]) == ("cancelled", "KeyboardInterrupt")
    assert result["traceback"] == ["KeyboardInterrupt\n"]
    assert shell.text("cat(Sys.getpid())") == pid
    # the answer that the interrupted call has not taken is not that of the next one
    assert shell.text("kept + count(frame)") == "[1] 4\n"


def test_what_the_code_waits_for_is_interrupted_too(shell):
    """R itself heeds no interrupt while it waits for a command, and goes on after it."""
    pid = int(shell.text("cat(Sys.getpid())"))
    result = cancel(shell, "status <- system('echo go; exec sleep 600'); Sys.sleep(600)")
    assert result["status"] == "cancelled"
    assert shell.text("status") != "[1] 0\n"
    assert processes.children(pid) == []


def test_only_the_statements_own_jobs_are_cancelled(shell):
    shell.python("import threading, time\n"
                 "def job():\n"
                 "    sc.setJobGroup('other', '', True)\n"
                 "    try:\n"
                 "        sc.parallelize([1], 1).map(lambda n: time.sleep(600)).count()\n"
                 "    except Exception:\n"
                 "        pass\n"
                 "other = threading.Thread(target=job)\nother.start()\n"
                 "while not sc.statusTracker().getJobIdsForGroup('other'): time.sleep(0.01)")
    assert cancel(shell, GO + SLEEP_IN_SPARK)["status"] == "cancelled"
    # Spark counts jobs a moment after they have ended
    shell.python("tracker = sc.statusTracker()\n"
                 "while len(tracker.getActiveJobsIds()) > 1: time.sleep(0.01)")
    active = "sorted(tracker.getActiveJobsIds()) == sorted(tracker.getJobIdsForGroup('other'))"
    assert shell.python(active) == "True"
    shell.python("sc.cancelJobGroup('other')\nother.join()")


def test_code_that_catches_the_interrupt_may_end_well(shell):
    result = cancel(shell, "tryCatch({ cat('go\\n'); Sys.sleep(600) },\n"
                           "         interrupt = function(i) cat('caught\\n'))")
    assert result["status"] == "ok"
    assert shell.session.output(shell.last) == b"go\ncaught\n"
    assert shell.text("1") == "[1] 1\n"


def test_an_interrupt_is_for_no_later_statement(shell):
    """Also where it comes when R has already done what it was told."""
    for _ in range(5):
        number = shell.execute("1")
        shell.session.interrupt(number)
        shell.session.result(number)
        assert shell.text("Sys.sleep(0.01); 2") == "[1] 2\n"
