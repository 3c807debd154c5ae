# SPDX-License-Identifier: Apache-2.0
"""Spark's own spark-submit on the test cluster: that drivers and executors run there as on any."""

import os
import pathlib
import subprocess

from attached import phase

JOBS = pathlib.Path(__file__).parent / "jobs"
PROPERTIES = {
    "spark.kubernetes.namespace": "jobs", "spark.executor.instances": "1",
    "spark.kubernetes.authenticate.driver.serviceAccountName": "spark",
    "spark.executor.memory": "512m", "spark.kubernetes.executor.request.cores": "100m",
    "spark.kubernetes.driver.request.cores": "100m", "spark.ui.enabled": "false",
    "spark.kubernetes.submission.waitAppCompletion": "false"}


def submit(cluster, name, line, *arguments):
    """Runs spark-submit and gives the driver's name."""
    home = os.environ[f"SPARKHOST_TEST_SPARK{line}"]
    conf = {**PROPERTIES, "spark.kubernetes.driver.pod.name": name,
            "spark.kubernetes.container.image":
                f"sparkhost-test/spark:{'3.5' if line == '35' else '4'}"}
    options = [text for key, value in conf.items() for text in ("--conf", f"{key}={value}")]
    done = subprocess.run(
        [f"{home}/bin/spark-submit", "--master", f"k8s://{cluster.address}", "--deploy-mode",
         "cluster", "--name", name, *options, *map(str, arguments)],
        env={**os.environ, "KUBECONFIG": cluster.kubeconfigs["admin"], "SPARK_HOME": home,
             "SPARK_SUBMIT_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"},
        capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return name


def test_a_jar_runs_with_an_executor_pod(cluster, jar):
    name = submit(cluster, "submitted-jar", "35", "--class", "Pi", f"local://{jar}", 2)
    over = cluster.wait_over(name)
    log = cluster.log(name)
    assert phase(over) == "Succeeded", log[-3000:]
    assert "Pi is roughly 3" in log and "tasks ran on [pi-" in log
    cluster.delete("pods", name)


def test_python_runs_with_an_executor_pod(cluster):
    name = submit(cluster, "submitted-python", "4", f"local://{JOBS / 'pi.py'}", 2, "fail")
    over = cluster.wait_over(name)
    log = cluster.log(name)
    assert phase(over) == "Failed", log[-3000:]
    assert "Pi is roughly 3" in log and "tasks ran on ['" in log and "failed on purpose" in log
    cluster.delete("pods", name)
