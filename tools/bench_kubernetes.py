#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Applications on Kubernetes: submissions to a fake and to a real API server, beside `spark-submit
--deploy-mode cluster` to the same one; the way of an event to a long-poll; memory, idle CPU and
re-adoption of 10 000 active applications.

Usage: tools/bench kubernetes [--quick] [--rounds N] [--fake-only] [--json FILE]
Goals: at least 300 submissions a second with less than 5 ms CPU each; an event visible within
20 ms (p99); 10 000 active with less than 100 MB, taken up again within 2 s.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/benchmarks/kubernetes"


def spark_submit(address, number):
    """Seconds until spark-submit has made the driver, and the CPU seconds it took for that."""
    home = os.environ["SPARKHOST_TEST_SPARK35"]
    conf = {"spark.kubernetes.namespace": "jobs",
            "spark.kubernetes.container.image": "spark:3.5.9",
            "spark.kubernetes.driver.pod.name": f"bench-{number}",
            "spark.kubernetes.driver.node.selector.sparkhost-bench": "none",
            "spark.kubernetes.submission.waitAppCompletion": "false"}
    options = [text for key, value in conf.items() for text in ("--conf", f"{key}={value}")]
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [f"{home}/bin/spark-submit", "--master", f"k8s://{address}", "--deploy-mode", "cluster",
         "--name", "bench", *options, "--class", "Report", "local:///opt/spark/jobs/report.jar"],
        env={**os.environ, "SPARK_HOME": home}, capture_output=True, text=True, timeout=300,
        check=False)
    wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit("bench: spark-submit failed:\n" + done.stderr[-2000:])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu


def address_of(kubeconfig):
    """The API server's URL."""
    for line in pathlib.Path(kubeconfig).read_text(encoding="utf-8").splitlines():
        for part in line.replace(",", "\n").replace("{", "\n").splitlines():
            key, _, value = part.strip().partition(":")
            if key.strip('" ') == "server":
                return value.strip('"} ')
    raise SystemExit(f"bench: {kubeconfig} names no server")


def measure_spark_submit(rounds):
    """The figures of spark-submit against the cluster of KUBECONFIG."""
    address = address_of(os.environ["KUBECONFIG"])
    samples = [spark_submit(address, number) for number in range(rounds)]
    return [{"what": "spark-submit --deploy-mode cluster, each",
             "value": statistics.median(wall for wall, _ in samples), "unit": "s"},
            {"what": "spark-submit --deploy-mode cluster, CPU of each",
             "value": statistics.median(cpu for _, cpu in samples) * 1000, "unit": "ms"}]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--fake-only", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    if not arguments.fake_only and "SPARKHOST_TEST_KUBERNETES" not in os.environ:
        # once more, with a cluster around it
        os.execv(ROOT / "tools/clusters", ["clusters", "run", "kubernetes", "--", sys.executable,
                                           __file__, *sys.argv[1:]])
    with tempfile.TemporaryDirectory() as folder:
        results = pathlib.Path(folder) / "figures.json"
        environment = dict(os.environ)
        if arguments.fake_only:
            environment.pop("KUBECONFIG", None)
        subprocess.run([PROGRAM, "--json", results, *(["--quick"] if arguments.quick else [])],
                       env=environment, check=True)
        figures = json.loads(results.read_text(encoding="utf-8"))
    submitted = [] if arguments.fake_only else measure_spark_submit(arguments.rounds)
    for figure in submitted:
        print(f"{figure['what']}: {figure['value']:.1f} {figure['unit']}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"program": figures, "spark_submit": submitted},
                                             indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
