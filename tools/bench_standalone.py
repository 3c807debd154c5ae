#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drivers on a standalone cluster: submissions to a real master, beside `spark-submit --deploy-mode
cluster` to the same one; following those that wait; until a driver is seen to run."""

import os
import pathlib
import sys
import tempfile

import cluster_bench


class Standalone:
    def __init__(self, bench):
        sys.path[:0] = [str(cluster_bench.ROOT / "tests/clusters" / each)
                        for each in ("standalone", "")]
        import daemon
        import served
        import asking
        self.bench, self.asking = bench, asking
        self.line = bench.options.spark.replace(".", "")
        self.daemon, self.served, self.modes = daemon.Daemon(self.line), served, daemon.QUICK
        self.folder = tempfile.TemporaryDirectory(prefix="sparkhost-bench-")
        self.jar = asking.compile_jar("Driver.java", self.folder.name)
        self.gate = pathlib.Path(self.folder.name) / "gate"
        os.mkfifo(self.gate)

    def ways(self):
        keys = {"shortest_interval": "1s", "longest_interval": "10s"}
        return {"": self.served.option(self.daemon, **keys)}

    def list_all(self):
        return len(self.asking.ask("GET", f"{self.daemon.web}/json/").text)

    def body(self):
        return {"file": str(self.jar), "className": "Driver", "args": ["wait", str(self.gate)],
                "driverMemory": "256m"}

    def environment(self):
        return {"SPARK_HOME": self.bench.spark}

    def spark_submit(self):
        conf = {"spark.master.rest.enabled": "true",
                "spark.driver.extraJavaOptions": self.modes}
        return [f"{self.bench.spark}/bin/spark-submit", "--master",
                self.daemon.rest.replace("http:", "spark:"), "--deploy-mode", "cluster", "--name",
                "spark-submit", "--driver-memory", "256m",
                *(word for pair in conf.items() for word in ("--conf", "=".join(pair))),
                "--class", "Driver", str(self.jar), "wait", str(self.gate)]

    def drivers(self):
        return self.daemon.state()["activedrivers"]

    def count(self):
        return len(self.drivers())

    def any_runs(self):
        return any(one["state"] == "RUNNING" for one in self.drivers())

    def end_all(self):
        """Those of spark-submit; the server ends its own."""
        for one in self.drivers():
            if one["mainclass"] == "Driver":
                self.daemon.kill_driver(one["id"])

    def hold(self):
        self.daemon.kill("worker")

    def go_on(self):
        self.daemon.restart("worker")


if __name__ == "__main__":
    spark = sys.argv[sys.argv.index("--spark") + 1] if "--spark" in sys.argv else "3.5"
    cluster_bench.inside("standalone", ["--spark", spark])
    sys.exit(cluster_bench.ClusterBench("standalone", __doc__, Standalone).run())
