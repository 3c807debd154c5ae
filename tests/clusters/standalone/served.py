# SPDX-License-Identifier: Apache-2.0
"""A server whose backends are the clusters of both lines of Spark."""

import contextlib

from asking import until
from backend_client import SMALL, BackendClient
from daemon import Daemon

LINES = {"spark35": "35", "spark4": "4"}


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


class Client(BackendClient):
    """A server, asked for the backend of a cluster."""

    small = {**SMALL, "spark.cores.max": "1"}

    def __init__(self, server, daemon, jar):
        super().__init__(server, daemon, f"spark{daemon.line}", jar)

    def drivers(self):
        return {one["id"]: one["state"] for one in self.daemon.state()["activedrivers"]}


def both():
    return [Daemon(line) for line in LINES.values()]
