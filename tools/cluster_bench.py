# SPDX-License-Identifier: Apache-2.0
"""What `tools/bench standalone` and `tools/bench yarn` measure alike: submissions, what they cost the
host, when a driver is seen to run, and what it costs to follow many; beside `spark-submit
--deploy-mode cluster` to the same daemons."""

import os
import pathlib
import resource
import subprocess
import sys
import time

from session_bench import Bench, Server, Wire, fail, median

ROOT = pathlib.Path(__file__).resolve().parent.parent
TICK = os.sysconf("SC_CLK_TCK")
GOAL_RATE, GOAL_CPU = 300, 5


def inside(kind, arguments=()):
    """Runs the benchmark once more with a cluster around it, unless there is one."""
    if f"SPARKHOST_BENCH_{kind.upper()}" in os.environ or "-h" in sys.argv or "--help" in sys.argv:
        return
    os.environ[f"SPARKHOST_BENCH_{kind.upper()}"] = "1"
    os.execv(ROOT / "tools/clusters", ["clusters", "run", kind, *arguments, "--", sys.executable,
                                       "-B", *sys.argv])


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def until(holds, what, patience=300, every=0.02):
    deadline = time.monotonic() + patience
    while not holds():
        if time.monotonic() > deadline:
            fail(f"{what}: not within {patience} s")
        time.sleep(every)


class ClusterBench:
    """One run. `cluster` has what differs: ways(), by name what the server is given for each way to
    hand over files; body() of a batch, the words and the environment() of spark_submit(); count()
    of applications that are not over, any_runs(), end_all(); list_all(), what the cluster says of
    all of them, in bytes; hold() and go_on(), between which no driver starts."""

    def __init__(self, name, description, cluster):
        self.bench = Bench(name, description, crowd=(1000, 20))
        self.cluster = cluster(self.bench)

    def run(self):
        ways = self.cluster.ways()
        for number, (way, options) in enumerate(ways.items()):
            options = ["--no-local-backend", "--agent-address", "tcp:127.0.0.1:0", "--max-running",
                       "100000", "--max-queued", "100000", *options]
            with Server(self.bench, options=options) as server:
                self.cluster.hold()
                first = number == 0
                crowd = self.bench.crowd if first else self.bench.rounds(100, 10)
                self.submissions(server, way, crowd)
                if first:
                    self.following(server, crowd + 1)
                self.remove_all(server)
                self.cluster.go_on()
                if number == len(ways) - 1:
                    self.latency(server)
        return self.bench.finish()

    # drivers that cannot start, so nothing but submitting happens
    def submissions(self, server, way, number):
        way = way and f", {way}"
        self.bench.progress(f"{number} submissions{way}")
        with Wire(server.address) as wire:
            self.post(wire, 1)  # connections, classes of the daemon
            before, began = cpu_seconds(server.process.pid), time.monotonic()
            self.post(wire, number, already=1)
            seconds = time.monotonic() - began
            cpu = 1000 * (cpu_seconds(server.process.pid) - before) / number
        if not hasattr(self, "samples"):
            self.bench.progress("spark-submit to the same daemon")
            rounds = 1 if self.bench.options.quick else 3
            self.samples = [self.spark_submit() for _ in range(rounds)]
            self.bench.add("spark-submit, each", self.middle(0), "s")
            self.cluster.end_all()
            until(lambda: self.cluster.count() <= number + 1, "the end of spark-submit's")
        self.bench.add(f"submissions, each second{way}", number / seconds, "/s",
                       at_least=GOAL_RATE, baseline="spark-submit", beside=1 / self.middle(0))
        self.bench.add(f"CPU of the host for each{way}", cpu, "ms", at_most=GOAL_CPU,
                       baseline="spark-submit", beside=1000 * self.middle(1))

    def middle(self, which):
        return median([sample[which] for sample in self.samples])

    def post(self, wire, number, already=0):
        """Until the cluster has them."""
        for _ in range(number):
            wire.call("POST", "/batches", self.cluster.body())
        wanted = number + already
        until(lambda: self.cluster.count() >= wanted, f"{wanted} applications on the cluster",
              patience=600, every=0.1)

    def spark_submit(self):
        """Seconds until it has ended, and the CPU seconds that took."""
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(self.cluster.spark_submit(), capture_output=True, text=True,
                              timeout=300, check=False,
                              env={**os.environ, **self.cluster.environment()})
        wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0:
            fail("spark-submit failed:\n" + done.stderr[-2000:])
        return wall, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    def following(self, server, number):
        seconds = 2 if self.bench.options.quick else 30
        self.bench.progress(f"following {number} for {seconds} s")
        before = cpu_seconds(server.process.pid)
        time.sleep(seconds)
        share = 100 * (cpu_seconds(server.process.pid) - before) / seconds
        self.bench.add(f"CPU of the host while it follows {number} that wait", share, "%")
        took = []
        for _ in range(3):
            began = time.monotonic()
            size = self.cluster.list_all()
            took.append(time.monotonic() - began)
        self.bench.add(f"one list of {number}, from the daemon", 1000 * median(took), "ms")
        self.bench.add(f"one list of {number}, its size", size / 1e6, "MB")

    def remove_all(self, server):
        with Wire(server.address) as wire:
            while found := wire.get("/batches?size=1000")[1]["sessions"]:
                self.bench.progress(f"removing {len(found)}")
                for one in found:
                    wire.call("DELETE", f"/batches/{one['id']}")
        until(lambda: self.cluster.count() == 0, "the end of all", patience=600)

    def latency(self, server):
        """From the request until somebody who waits is told that the driver runs."""
        rounds = 1 if self.bench.options.quick else 3
        ours, theirs = [], []
        for number in range(rounds):
            self.bench.progress(f"a driver, {number + 1} of {rounds}")
            with Wire(server.address) as wire:
                began = time.monotonic()
                path = f"/batches/{wire.call('POST', '/batches', self.cluster.body())[1]['id']}"
                state = wire.get(path + "/state?wait=120&state=starting")[1]["state"]
                ours.append(time.monotonic() - began)
                if state not in ("running", "success"):
                    log = wire.get(path + "/log")[1]
                    fail(f"the batch is {state}: {log}")
                wire.call("DELETE", path)
            until(lambda: self.cluster.count() == 0, "the end of the driver")
            began = time.monotonic()
            self.spark_submit()
            until(self.cluster.any_runs, "a driver of spark-submit")
            theirs.append(time.monotonic() - began)
            self.cluster.end_all()
            until(lambda: self.cluster.count() == 0, "the end of the driver")
        self.bench.add("from POST until a long-poll says running", median(ours), "s",
                       baseline="spark-submit", beside=median(theirs))
