# SPDX-License-Identifier: Apache-2.0
"""Pi on executors: pi.py SLICES [fail | wait FIFO]. Says on which hosts its tasks ran."""
import random
import socket
import sys

from pyspark.sql import SparkSession


def inside(_):
    x, y = random.random(), random.random()
    return 1 if x * x + y * y <= 1 else 0


spark = SparkSession.builder.appName("pi").getOrCreate()
context = spark.sparkContext
slices = int(sys.argv[1])
count = context.parallelize(range(1000 * slices), slices).map(inside).sum()
hosts = set(context.parallelize(range(slices), slices).map(lambda _: socket.gethostname()).collect())
print(f"Pi is roughly {4.0 * count / (1000 * slices)}, says {socket.gethostname()}", flush=True)
print(f"tasks ran on {sorted(hosts)}", flush=True)
if sys.argv[2:] == ["fail"]:
    raise RuntimeError("failed on purpose")
if sys.argv[2:3] == ["wait"]:
    open(sys.argv[3], encoding="utf-8").read()
spark.stop()
