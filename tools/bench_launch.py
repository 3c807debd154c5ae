#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a local Python batch takes from the request to its SparkContext, and what CPU time:
`spark-submit`, then sparkhost without and with the class-data archive, in turns.

Usage: tools/bench launch [--rounds N] [--spark 3.5|4] [--json FILE]
Goal: the wait with the archive is at most 0.6 times spark-submit's.
"""

import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVER = ROOT / "build/release/examples/server/sparkhost-server"
PROBE = ROOT / "benchmarks/launch_probe.py"
GOAL = 0.6
PATIENCE = 300


class Server:
    """A release server in a folder of its own."""

    def __init__(self, folder, spark, python, archive):
        self.folder = pathlib.Path(folder)
        self.process = subprocess.Popen(
            [SERVER, "--listen", "127.0.0.1:0", "--data-dir", folder, "--spark-home", spark,
             "--python", python, "--master", "local[2]", "--log-level", "error",
             "--class-data-archive", archive],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if "listening on " not in line:
            raise SystemExit("bench: the server did not start")
        self.url = line.rsplit(" ", 1)[1].strip()

    def run(self, result):
        body = json.dumps({"file": str(PROBE), "args": [str(result)]}).encode()
        request = urllib.request.Request(self.url + "/batches", body,
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            batch = json.load(answer)["id"]
        state = "starting"
        while state in ("starting", "running"):
            url = f"{self.url}/batches/{batch}/state?wait=60&state={state}"
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                state = json.load(answer)["state"]
        if state != "success":
            raise SystemExit(f"bench: the probe ended as {state}")

    def wait_for_archive(self):
        deadline = time.monotonic() + PATIENCE
        while not list(self.folder.rglob("*.jsa")):
            if time.monotonic() > deadline:
                raise SystemExit("bench: no class-data archive was made")
            time.sleep(0.2)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def spark_submit(spark, python):
    environment = dict(os.environ, SPARK_HOME=spark, PYSPARK_PYTHON=python, SPARK_LOCAL_IP="127.0.0.1")

    def run(result):
        subprocess.run([f"{spark}/bin/spark-submit", "--master", "local[2]", PROBE, result],
                       env=environment, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    return run


def measure(run, folder):
    result = pathlib.Path(folder) / "probe.json"
    result.unlink(missing_ok=True)
    begin = time.time()
    run(result)
    probe = json.loads(result.read_text())
    return probe["context_up"] - begin, probe["cpu"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--spark", choices=("3.5", "4"), default="3.5")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    suffix = arguments.spark.replace(".", "")
    spark = os.environ[f"SPARKHOST_TEST_SPARK{suffix}"]
    python = os.environ[f"SPARKHOST_TEST_PYTHON{suffix}"]

    with tempfile.TemporaryDirectory() as folder:
        plain = Server(f"{folder}/plain", spark, python, "off")
        archived = Server(f"{folder}/archived", spark, python, "auto")
        try:
            print("launch: first launch, which makes the archive", file=sys.stderr)
            measure(archived.run, folder)
            archived.wait_for_archive()
            ways = {"spark-submit": spark_submit(spark, python), "sparkhost": plain.run,
                    "sparkhost, class-data archive": archived.run}
            samples = {way: [] for way in ways}
            for round_number in range(arguments.rounds):
                print(f"launch: round {round_number + 1} of {arguments.rounds}", file=sys.stderr)
                for way, run in ways.items():
                    samples[way].append(measure(run, folder))
        finally:
            plain.stop()
            archived.stop()
    report(arguments, samples)


def report(arguments, samples):
    rows = []
    base_wait = statistics.median(wait for wait, _ in samples["spark-submit"])
    base_cpu = statistics.median(cpu for _, cpu in samples["spark-submit"])
    print(f"\nlaunch, Spark {arguments.spark}, local[2], medians of {arguments.rounds}")
    print(f"{'':32}{'wait s':>8}{'ratio':>8}{'CPU s':>8}{'ratio':>8}  goal")
    for way, measured in samples.items():
        wait = statistics.median(w for w, _ in measured)
        cpu = statistics.median(c for _, c in measured)
        verdict = ""
        if "archive" in way:
            verdict = f"<= {GOAL} " + ("met" if wait / base_wait <= GOAL else "MISSED")
        print(f"{way:32}{wait:8.2f}{wait / base_wait:8.2f}{cpu:8.2f}{cpu / base_cpu:8.2f}  {verdict}")
        rows.append({"what": way, "wait_s": wait, "wait_ratio": wait / base_wait,
                     "cpu_s": cpu, "cpu_ratio": cpu / base_cpu, "goal": verdict})
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps({"benchmark": "launch", "figures": rows}) + "\n")


if __name__ == "__main__":
    main()
