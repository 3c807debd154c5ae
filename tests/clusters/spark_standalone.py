# SPDX-License-Identifier: Apache-2.0
"""Spark's own master and worker, from one of the project's PySpark installations."""

import json
import os
import pathlib
import urllib.request

from asking import PATIENCE
from cluster import Cluster
from parts import ClusterError, Part, free_port, wait_until

LINES = {"3.5": "35", "4": "4"}
SMALL = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"  # the heap: SPARK_DAEMON_MEMORY
ATTEMPTS = 3


class StandaloneCluster(Cluster):
    """A master that recovers from a folder and has a REST server, and a worker."""

    def __init__(self, folder, line, cores=4, memory="2g"):
        super().__init__(folder)
        self.line = line
        self.home = pathlib.Path(_installed("SPARK", line))
        self.python = _installed("PYTHON", line)
        self.cores, self.memory = cores, memory
        self.ports = {}

    @staticmethod
    def add_options(parser):
        parser.add_argument("--spark", choices=sorted(LINES), default="3.5", help="line of Spark")
        parser.add_argument("--cores", type=int, default=4, help="of the worker")
        parser.add_argument("--memory", default="2g", help="of the worker")

    @classmethod
    def make(cls, folder, options):
        return cls(folder, options.spark, options.cores, options.memory)

    # ---- life ----------------------------------------------------------------------------------

    def start(self):
        for name in ("logs", "conf", "work", "recovery", "tmp"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for attempt in range(ATTEMPTS):
            # A port may be taken between the look and the use; no part moves to another by itself,
            # because then nobody would know where.
            self.ports = {name: free_port() for name in ("master", "rest", "web", "worker",
                                                         "worker-web")}
            self.parts = {"master": self._master(), "worker": self._worker()}
            try:
                self.parts["master"].start()
                self.parts["worker"].start()
                self._wait_ready()
                return self
            except ClusterError as error:
                self.stop()
                if attempt + 1 == ATTEMPTS or "Address already in use" not in str(error):
                    raise
        return self

    def stop(self):
        # nothing needs to be kept; what the worker has started goes with it
        for name in ("worker", "master"):
            if name in self.parts:
                self.parts[name].kill()

    def restart(self, name, *more):
        before = self._workers()
        self.parts[name].kill()
        self.parts[name].start(*more)
        if name == "worker":
            self._wait_ready(before)
        elif self.parts["worker"].is_running():
            self._wait_ready()
        else:
            wait_until("the master", lambda: self.state() is not None, PATIENCE, self.parts["master"])

    def _wait_ready(self, before=()):
        """Until the master has a worker that it did not have `before`."""
        parts = [part for part in self.parts.values() if part.is_running()]
        wait_until("the master and its worker", lambda: self._status() == "ALIVE" and
                   self._workers() - set(before), PATIENCE, *parts)

    # ---- what the master says ------------------------------------------------------------------

    def state(self):
        """None while it does not answer."""
        try:
            with urllib.request.urlopen(f"{self.web_url}/json/", timeout=5) as answer:
                return json.load(answer)
        except OSError:
            return None

    def _status(self):
        return (self.state() or {}).get("status")

    def _workers(self):
        seen = self.state() or {}
        return {one["id"] for one in seen.get("workers", []) if one["state"] == "ALIVE"}

    @property
    def master_url(self):
        return f"spark://127.0.0.1:{self.ports['master']}"

    @property
    def rest_url(self):
        return f"http://127.0.0.1:{self.ports['rest']}"

    @property
    def web_url(self):
        return f"http://127.0.0.1:{self.ports['web']}"

    # ---- parts ---------------------------------------------------------------------------------

    def _master(self):
        properties = {"spark.deploy.recoveryMode": "FILESYSTEM",
                      "spark.deploy.recoveryDirectory": self.folder / "recovery",
                      "spark.master.rest.enabled": "true",
                      "spark.master.rest.port": self.ports["rest"]}
        return self._part("master", "org.apache.spark.deploy.master.Master", properties,
                          "--host", "127.0.0.1", "--port", self.ports["master"],
                          "--webui-port", self.ports["web"])

    def _worker(self):
        return self._part("worker", "org.apache.spark.deploy.worker.Worker", {},
                          "--host", "127.0.0.1", "--port", self.ports["worker"],
                          "--webui-port", self.ports["worker-web"],
                          "--cores", self.cores, "--memory", self.memory,
                          "--work-dir", self.folder / "work", self.master_url)

    def _part(self, name, main, properties, *arguments):
        """spark-class becomes the JVM, so the part is that; it knows what this Spark's JVM needs."""
        options = " ".join([SMALL, *(f"-D{key}={value}" for key, value in
                                     {"spark.port.maxRetries": 0, **properties}.items())])
        environment = {**_clean(os.environ), "SPARK_HOME": str(self.home),
                       "SPARK_CONF_DIR": str(self.folder / "conf"),
                       "SPARK_LOCAL_DIRS": str(self.folder / "tmp"),
                       "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m",
                       f"SPARK_{name.upper()}_OPTS": options, "PYSPARK_PYTHON": self.python}
        return Part(name, [self.home / "bin/spark-class", main, *arguments],
                    self.folder / f"logs/{name}.log", environment=environment, tree=True)

    # ---- what is told about it -----------------------------------------------------------------

    def environment(self):
        told = {"": str(self.folder), "_MASTER": self.master_url, "_REST": self.rest_url,
                "_WEB": self.web_url}
        names = ("SPARKHOST_TEST_STANDALONE", f"SPARKHOST_TEST_STANDALONE{LINES[self.line]}")
        return {name + key: value for name in names for key, value in told.items()}

    def details(self):
        return {"spark": self.line, "master": self.master_url, "rest": self.rest_url,
                "web": self.web_url}


def _installed(what, line):
    name = f"SPARKHOST_TEST_{what}{LINES[line]}"
    found = os.environ.get(name)
    if not found or not pathlib.Path(found).exists():
        raise ClusterError(f"{name} names no installation; tools/clusters sets it")
    return found


def _clean(environment):
    """Nothing of whoever starts a cluster is to change its Spark."""
    return {name: value for name, value in environment.items()
            if not name.startswith(("SPARK_", "PYSPARK_", "HADOOP_", "YARN_"))}
