# SPDX-License-Identifier: Apache-2.0
"""Makes a SparkContext and writes when it was up, and the CPU time it took, as JSON to argv[1]."""

import json
import os
import sys
import time

from pyspark.sql import SparkSession


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    # utime, stime, and those of children that are over: the launcher's JVM, where there was one
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


session = SparkSession.builder.getOrCreate()
up = time.time()
cpu = cpu_seconds(os.getppid()) + cpu_seconds(os.getpid())
with open(sys.argv[1] + ".new", "w") as result:
    json.dump({"context_up": up, "cpu": cpu}, result)
os.rename(sys.argv[1] + ".new", sys.argv[1])
session.stop()
