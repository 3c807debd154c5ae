#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Applications on YARN: submissions to a real ResourceManager, beside `spark-submit --master yarn
--deploy-mode cluster` to the same one; following those that wait; until a driver is seen to run."""

import sys
import tempfile

import cluster_bench

JOBS = cluster_bench.ROOT / "tests/clusters/jobs"
SMALL = {"spark.executor.instances": "1", "spark.executor.memory": "512m",
         "spark.ui.enabled": "false"}


class Yarn:
    def __init__(self, bench):
        sys.path[:0] = [str(cluster_bench.ROOT / "tests/clusters" / each) for each in ("yarn", "")]
        import asking
        import daemon
        import served
        self.bench, self.asking = bench, asking
        self.folder = tempfile.TemporaryDirectory(prefix="sparkhost-bench-")
        self.daemon, self.served = daemon.Daemon(), served
        self.name = f"yarn{bench.options.spark.replace('.', '')}"

    def ways(self):
        keys = {"shortest_interval": "1s", "longest_interval": "10s"}
        hdfs, shared = (self.served.option(self.daemon, self.name[4:], **keys, **more)
                        for more in ({}, {"staging": f"file://{self.folder.name}"}))
        return {"by a shared folder": shared, "by WebHDFS": hdfs}

    def list_all(self):
        answer = self.asking.ask("GET", f"{self.daemon.rm}/ws/v1/cluster/apps?states=NEW,NEW_SAVING,"
                                 "SUBMITTED,ACCEPTED,RUNNING&deSelects=resourceRequests")
        return len(answer.text)

    def body(self):
        return {"file": str(JOBS / "pi.py"), "args": ["2"], "driverMemory": "512m", "conf": SMALL}

    def environment(self):
        return {"SPARK_HOME": self.bench.spark, "HADOOP_CONF_DIR": self.daemon.conf_dir}

    def spark_submit(self):
        conf = {**SMALL, "spark.yarn.submit.waitAppCompletion": "false",
                "spark.yarn.jars": f"local:{self.bench.spark}/jars/*",
                "spark.pyspark.python": self.bench.python}
        return [f"{self.bench.spark}/bin/spark-submit", "--master", "yarn", "--deploy-mode",
                "cluster", "--name", "spark-submit", "--driver-memory", "512m",
                *(word for pair in conf.items() for word in ("--conf", "=".join(pair))),
                str(JOBS / "pi.py"), "2"]

    def count(self):
        """By numbers that cost the ResourceManager nothing, for this is asked all the time."""
        now = self.daemon.metrics()
        return now["appsPending"] + now["appsRunning"]

    def any_runs(self):
        return self.daemon.metrics()["appsRunning"] > 0

    def end_all(self):
        """Those of spark-submit; the server ends its own."""
        for application in self.daemon.active():
            if self.daemon.application(application)["name"] == "spark-submit":
                self.daemon.kill_application(application)

    def hold(self):
        self.daemon.kill("nm")

    def go_on(self):
        self.daemon.restart("nm")


if __name__ == "__main__":
    cluster_bench.inside("yarn")
    sys.exit(cluster_bench.ClusterBench("yarn", __doc__, Yarn).run())
