# SPDX-License-Identifier: Apache-2.0
"""A server whose backends are the clusters of both lines of Spark."""

import contextlib

from sessions import Session

from daemon import JOBS, Daemon, until

LINES = {"spark35": "35", "spark4": "4"}
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
# of a driver that uses Spark, and its one executor
SMALL = {"spark.executor.memory": "512m", "spark.cores.max": "1", "spark.ui.enabled": "false",
         "spark.sql.shuffle.partitions": "1", "spark.driver.extraJavaOptions": QUICK,
         "spark.executor.extraJavaOptions": QUICK}
BACKEND = "Sparkhost-Backend"


def option(daemon, **keys):
    """--standalone for a cluster; a keyword is a key of it."""
    keys = {"name": f"spark{daemon.line}", "master": daemon.master, "rest-url": daemon.rest,
            "web-url": daemon.web, "shortest-interval": "100ms", "longest-interval": "1s",
            **{name.replace("_", "-"): value for name, value in keys.items()}}
    return ["--standalone", ",".join(f"{name}={value}" for name, value in keys.items())]


def options(daemons, **keys):
    told = [word for daemon in daemons for word in option(daemon, **keys)]
    return ["--no-local-backend", "--agent-address", "tcp:127.0.0.1:0", *told]


@contextlib.contextmanager
def clean(daemons):
    """At the end no cluster may have a driver any more."""
    yield
    for daemon in daemons:
        until(lambda daemon=daemon: daemon.state()["activedrivers"], lambda left: not left,
              "the end of all drivers")


class Client:
    """A server, asked for one of its backends."""

    def __init__(self, server, daemon, jar):
        self.server, self.daemon, self.jar = server, daemon, jar
        self.backend = {"backend": f"spark{daemon.line}"}

    def submit(self, file, *args, headers=None, **fields):
        body = {"file": str(file), "args": [str(word) for word in args], **fields}
        response = self.server.client.post("/batches", params=self.backend, json=body,
                                           headers=headers)
        assert response.status_code == 201, response.text
        assert response.headers[BACKEND] == self.backend["backend"]
        return response.json()

    def driver(self, *words, conf=(), **fields):
        """A batch of jobs/Driver.java."""
        fields = {"className": "Driver", "driverMemory": "256m", **fields}
        return self.submit(self.jar, *words, conf={
            "spark.driver.extraJavaOptions": QUICK, **dict(conf)}, **fields)

    def pi(self, *words, **fields):
        return self.submit(JOBS / "pi.py", *words, conf=SMALL, driverMemory="512m", **fields)

    def drivers(self):
        """Those that the master says run or wait, by their ids."""
        return {one["id"]: one["state"] for one in self.daemon.state()["activedrivers"]}

    def open_session(self):
        response = self.server.client.post("/sessions", params=self.backend, json={
            "kind": "pyspark", "conf": SMALL, "driverMemory": "512m"})
        assert response.status_code == 201, response.text
        assert response.headers[BACKEND] == self.backend["backend"]
        return Session(self.server, response.json())


def both():
    return [Daemon(line) for line in LINES.values()]
