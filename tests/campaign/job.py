# SPDX-License-Identifier: Apache-2.0
"""What the stub java does, on a real Spark: job.py label=NAME evidence=FILE [ms=N] [exit=N]."""

import os
import sys
import threading
import time

from pyspark.sql import SparkSession

words = dict(word.split("=", 1) for word in sys.argv[1:])


def testify(what):
    file = os.open(words["evidence"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    ticket = os.environ["SPARKHOST_TICKET"]
    os.write(file, f"{words['label']} {ticket} {what} {time.monotonic_ns()}\n".encode())
    os.close(file)


testify("begin")
spark = SparkSession.builder.getOrCreate()
assert spark.range(100).count() == 100
print(f"{words['label']} was here", flush=True)
threading.Event().wait(int(words.get("ms", 0)) / 1000)
testify("end")
spark.stop()
sys.exit(int(words.get("exit", 0)))
