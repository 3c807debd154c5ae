# SPDX-License-Identifier: Apache-2.0
"""Real Spark on a real API server: drivers that ask for executor pods."""

import pathlib
import re

import pytest

JOBS = pathlib.Path(__file__).parent / "jobs"
SMALL = {"spark.executor.instances": "1", "spark.executor.memory": "512m",
         "spark.kubernetes.executor.request.cores": "100m", "spark.ui.enabled": "false",
         "spark.kubernetes.driver.request.cores": "100m"}


def check(server, batch, ending, hosts):
    """That it has computed on executor pods, and ended as it was to."""
    over = server.until_over(batch)
    log = server.whole_log(batch)
    text = "\n".join(log)
    assert over["state"] == ("dead" if ending else "success"), text[-3000:]
    assert over["appId"].startswith("spark-")
    assert sum(line.startswith("Pi is roughly 3.") for line in log) == 1, text[-3000:]
    assert sum(re.fullmatch(hosts, line) is not None for line in log) == 1, text[-3000:]
    assert ("failed on purpose" in text) == bool(ending)
    native = server.native(batch)
    assert native["exitCode"] == (1 if ending else 0)
    assert "context_up" in [step["what"] for step in native["timeline"]]


@pytest.mark.parametrize("line, ending", [("3.5", []), ("4", ["fail"])])
def test_python_computes_pi_on_executor_pods(start, line, ending):
    server = start(image=f"sparkhost-test/spark:{line}")
    batch = server.submit(f"local://{JOBS / 'pi.py'}", 2, *ending, conf=SMALL)
    check(server, batch, ending, r"tasks ran on \['[a-z0-9-]+-exec-1'\]")


@pytest.mark.parametrize("line, ending", [("3.5", ["fail"]), ("4", [])])
def test_a_jar_computes_pi_on_executor_pods(start, jar, line, ending):
    server = start(image=f"sparkhost-test/spark:{line}")
    batch = server.submit(f"local://{jar}", 2, *ending, className="Pi", conf=SMALL)
    check(server, batch, ending, r"tasks ran on \[[a-z0-9-]+-exec-1\]")
