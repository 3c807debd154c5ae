# SPDX-License-Identifier: Apache-2.0
"""A server whose backends are the YARN cluster, with each line of Spark."""

import contextlib
import os

from asking import until
from backend_client import SMALL, BackendClient

LINES = ("35", "4")


def option(daemon, line, **keys):
    """--yarn for the cluster and a line of Spark; a keyword is a key of it."""
    keys = {"name": f"yarn{line}", "rm-url": daemon.rm, "log-server": daemon.log_server,
            "staging": f"{daemon.hdfs}/sparkhost", "webhdfs": daemon.webhdfs,
            "hadoop-conf-dir": daemon.conf_dir,
            "spark-home": os.environ[f"SPARKHOST_TEST_SPARK{line}"],
            "python": os.environ[f"SPARKHOST_TEST_PYTHON{line}"],
            "shortest-interval": "100ms", "longest-interval": "1s",
            **{name.replace("_", "-"): value for name, value in keys.items()}}
    return ["--yarn", ",".join(f"{name}={value}" for name, value in keys.items())]


def options(daemon, **keys):
    told = [word for line in LINES for word in option(daemon, line, **keys)]
    return ["--no-local-backend", "--agent-address", "tcp:127.0.0.1:0", *told]


@contextlib.contextmanager
def clean(daemon):
    """At the end the cluster may have no application any more, and nobody's files."""
    yield
    until(daemon.active, lambda left: not left, "the end of all applications")
    until(lambda: staged(daemon), lambda left: not left, "the end of what was staged")


def staged(daemon):
    """The names of the folders that applications have."""
    answer = daemon.file("GET", "/sparkhost", "LISTSTATUS")
    found = answer.json()["FileStatuses"]["FileStatus"] if answer.status == 200 else []
    return [one["pathSuffix"] for one in found]


class Client(BackendClient):
    """A server, asked for the backend of a line of Spark."""

    small = {**SMALL, "spark.executor.instances": "1"}
    quick = {**BackendClient.quick, "spark.executor.instances": "0", "spark.ui.enabled": "false"}
    # without one a program has failed, whatever it does; spark.yarn.am.waitTime
    first_words = ("context", "driver")
    memory = "512m"  # the least that takes one

    def __init__(self, server, daemon, jar, line="35"):
        super().__init__(server, daemon, f"yarn{line}", jar)

    def drivers(self):
        return self.daemon.active()
