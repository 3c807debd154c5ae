# SPDX-License-Identifier: Apache-2.0
"""How real drivers end, each its own."""


import pytest

import processes
from spark_driver import PATIENCE, driver, launch_spark

pytestmark = pytest.mark.spark


@pytest.mark.parametrize("line", ["35", "4"])
def test_close_ends_the_driver_and_all_its_children(line):
    with driver(line) as session:
        session.run(0, "import subprocess\nsubprocess.Popen(['sleep', '600'])\n"
                       "sc.parallelize([1]).map(str).collect()")
        session.say("close")
        session.until("bye", PATIENCE, reason="closed")
        assert session.wait(PATIENCE) == 0
        assert processes.wait_gone(processes.descendants()) == []


def test_the_agent_ends_when_its_jvm_is_killed():
    with driver("35") as session:
        session.execute(0, "print('go')\nwhile True: pass")
        session.running(0)
        session.process.kill()
        assert session.result(0)["status"] == "cancelled"
        session.until("bye", reason="driver_lost")
        assert processes.wait_gone(processes.descendants()) == []


def test_a_spark_that_cannot_start_is_reported(folder):
    session = launch_spark("35", folder, ["spark.serializer=no.such.Class"])
    try:
        session.accept(PATIENCE)
        session.grant()
        failed = session.until("failed", PATIENCE)
        assert "no.such.Class" in failed["evalue"] and failed["traceback"]
        session.until("bye", reason="spark_failed")
        assert session.wait(PATIENCE) != 0
    finally:
        session.end()
