# SPDX-License-Identifier: Apache-2.0
"""The agent in a driver of a real Spark."""

import contextlib
import os
import pathlib
import shutil
import tempfile

import processes
import session as sessions
from conftest import AGENT

PATIENCE = 120


def launch_spark(line, folder, conf=(), environment=(), **settings):
    home = os.environ[f"SPARKHOST_TEST_SPARK{line}"]
    python = os.environ[f"SPARKHOST_TEST_PYTHON{line}"]
    command = [f"{home}/bin/spark-submit", "--master", "local[1]",
               "--conf", "spark.ui.enabled=false", "--conf", "spark.sql.shuffle.partitions=1",
               "--conf", f"spark.sql.warehouse.dir={folder}/warehouse",
               "--driver-java-options", f"-Dderby.system.home={folder} -XX:TieredStopAtLevel=1",
               *(word for item in conf for word in ("--conf", item))]
    return sessions.Session(AGENT, folder, command, {
        "SPARK_HOME": home, "PYSPARK_PYTHON": python, "SPARK_LOCAL_IP": "127.0.0.1",
        "PYTHONPATH": "", "TZ": "America/New_York", **dict(environment)}, **settings)


@contextlib.contextmanager
def driver(line, **settings):
    """An agent that is idle in a driver of this line. Nothing of it may be left over."""
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="sparkhost-agent-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        one = launch_spark(line, folder, interrupt_repeat=2, **settings)
        stack.callback(one.end)
        assert one.accept(PATIENCE)["type"] == "claim"
        one.grant()
        one.until("status", PATIENCE, state="idle")
        yield one
    left_over = processes.wait_gone(processes.descendants())
    assert not left_over, [processes.command_line(pid) for pid in left_over]


def progress_of(statements, code):
    """What is told of the progress of code with eight tasks, of which the last waits for the file
    GATE: [(completed tasks, tasks), …]."""
    session = statements.session
    gate = session.folder / "gate"
    os.mkfifo(gate)
    number = statements.begin(code.replace("GATE", str(gate)))
    session.until("progress", PATIENCE, statement=number, completed_tasks=7)
    gate.write_text("")
    session.result(number, PATIENCE)
    return [(one["completed_tasks"], one["tasks"]) for one in session.seen
            if one["type"] == "progress" and one["statement"] == number]
