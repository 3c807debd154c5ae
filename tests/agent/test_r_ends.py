# SPDX-License-Identifier: Apache-2.0
"""How R begins and ends. Each test has a driver of its own."""

import os
import pathlib
import shutil
import signal

import pytest

import processes
from shell import Shell
from session import PATIENCE
from spark_driver import driver
from sparkr import install

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return install(tmp_path_factory.mktemp("r") / "library")


def test_what_does_not_heed_is_told_and_may_end_the_session(library):
    with driver("35", environment={"SPARKR_PACKAGE_DIR": str(library)},
                interrupt_attempts=1) as session:
        number = Shell(session).begin("suspendInterrupts(repeat {})")
        session.interrupt(number)
        session.until("unheeded", statement=number)
        session.interrupt(number, end_session_after=0)
        assert session.result(number)["ename"] == "SessionEnded"
        session.until("bye", reason="interrupt_unheeded")
        assert processes.wait_gone(processes.descendants()) == []


def test_r_and_its_files_end_with_the_session(library):
    with driver("4", environment={"SPARKR_PACKAGE_DIR": str(library)}) as session:
        shell = Shell(session)
        folder = pathlib.Path(shell.text("cat(dirname(tempdir()))"))
        shell.run("plot(1)\nwriteLines('x', tempfile())\nsystem('sleep 600 &')\n"
                  "written <- file(file.path('/proc/self/cwd', 'never'), 'r')")
        assert folder.is_dir()
        session.say("close")
        session.until("bye", reason="closed")
        assert session.wait(PATIENCE) == 0
        assert processes.wait_gone(processes.descendants()) == []
        assert not folder.exists()


def test_r_ends_with_an_agent_that_is_killed(library):
    with driver("35", environment={"SPARKR_PACKAGE_DIR": str(library)}) as session:
        shell = Shell(session)
        agent = int(shell.python("import os; os.getpid()"))
        r = int(shell.text("cat(Sys.getpid())"))
        shell.begin("repeat {}")
        os.kill(agent, signal.SIGKILL)
        assert processes.wait_gone([r]) == []


# ---- where R or SparkR is missing ------------------------------------------------------------

def refusal(shell):
    """What a statement says where R cannot be had."""
    result = shell.run("1")
    assert (result["status"], result["ename"]) == ("error", "InterpreterError"), result
    assert result["evalue"].startswith("Fail to start interpreter: ")
    return result["evalue"], "".join(result["traceback"])


def test_each_statement_looks_for_r_anew(library, tmp_path):
    program, packages = tmp_path / "the R", tmp_path / "packages"
    with driver("35", conf=[f"spark.r.shell.command={program}",
                            f"spark.sparkhost.sparkrPackageDir={packages}"]) as session:
        shell = Shell(session)

        def become(script):
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)

        value, told = refusal(shell)
        assert value.endswith(f"there is no program {program}")
        assert "spark.r.shell.command" in told and "SPARKR_DRIVER_R" in told

        become("echo heard >&2; exit 3")
        assert refusal(shell)[0].endswith("R has ended with exit status 3")
        assert session.output(shell.last, "stderr") == b"heard\n"

        program.write_text("no program at all")
        assert "Exec format error" in refusal(shell)[0]

        become("echo go; exec sleep 600")  # never gets ready
        number = shell.execute("1")
        session.running(number)
        session.interrupt(number)
        assert session.result(number)["status"] == "cancelled"

        # without the libraries in which somebody may have SparkR
        become(f'R_LIBS= R_LIBS_USER=/none R_LIBS_SITE=/none exec "{shutil.which("R")}" "$@"')
        value, told = refusal(shell)
        assert value.endswith("there is no package called ‘SparkR’")
        assert f"R is {program}" in told and "SPARKR_PACKAGE_DIR" in told

        shutil.copytree(library, packages)
        assert shell.text("count(sql('select 1'))") == "[1] 1\n"
        assert shell.python("spark.range(2).count()") == "2"
