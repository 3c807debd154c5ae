#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long it takes to open a session of each kind, from POST to idle: without and with the
class-data archive, in turns with plain Python that makes a SparkSession.

Usage: tools/bench session [--rounds N] [--spark 3.5|4] [--quick] [--json FILE]
Goals: at most 1.1 times plain Python's getOrCreate(), with the archive 0.7 times. A session of kind
spark has none: it is idle when Scala's compiler is there, too. Kind sparkr is measured where there
is an R, which its first statement starts.
"""

import collections
import os
import select
import subprocess
import sys
import tempfile
import time

from session_bench import CONF, KINDS, MASTER, PATIENCE, Bench, Server, Session, fail, median

GOALS = {"cold": 1.1, "archive": 0.7}

PLAIN = f"""
from pyspark.sql import SparkSession
builder = SparkSession.builder.master({MASTER!r})
for name, value in {CONF!r}.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
print("up", flush=True)
"""


def plain_python(bench):
    """Seconds from the start of a fresh interpreter until its SparkSession is there."""
    environment = dict(os.environ, SPARK_HOME=bench.spark, PYSPARK_PYTHON=bench.python,
                       SPARK_LOCAL_IP="127.0.0.1")
    with tempfile.TemporaryDirectory(prefix="sparkhost-bench-") as folder:
        began = time.perf_counter()
        process = subprocess.Popen([bench.python, "-c", PLAIN], env=environment, cwd=folder,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        ready = select.select([process.stdout], [], [], PATIENCE)[0]
        said = process.stdout.readline() if ready else b""
        took = time.perf_counter() - began
        process.stdout.close()
        process.wait(PATIENCE)
    if said != b"up\n":
        fail("plain Python could not make a SparkSession")
    return took


def open_session(server, kind):
    with Session(server, kind=kind) as session:
        return session.start


def main():
    bench = Bench("session", __doc__)
    plain, samples = [], collections.defaultdict(list)
    with (Server(bench, kinds=KINDS) as cold,
          Server(bench, "auto", KINDS) as archived):
        if not bench.options.quick:
            bench.progress("the first session, after which the archive is made")
            open_session(archived, "spark")  # and what it compiles of the agent's own
            archived.wait_for_archive()
        bench.progress("the first session of kind spark, which compiles part of the agent")
        bench.add("POST -> idle, cold, the host's first of kind spark",
                  open_session(cold, "spark"), "s")
        for number in range(rounds := bench.rounds(5, 1)):
            bench.progress(f"round {number + 1} of {rounds}")
            plain.append(plain_python(bench))
            for kind in KINDS:
                samples["cold", kind].append(open_session(cold, kind))
                if not bench.options.quick:
                    samples["archive", kind].append(open_session(archived, kind))
    report(bench, median(plain), samples)
    return bench.finish()


def report(bench, plain, samples):
    bench.add("plain Python, start -> getOrCreate() returns", plain, "s")
    for (way, kind), found in samples.items():
        what, took = f"POST -> idle, {way}, {kind}", median(found)
        bench.add(what, took, "s", baseline="plain Python", beside=plain)
        goal = GOALS[way] if kind != "spark" else None
        bench.add(what + ", beside plain Python", took / plain, "x", at_most=goal)


if __name__ == "__main__":
    sys.exit(main())
