# SPDX-License-Identifier: Apache-2.0
"""flaky.py RUNS GOOD: adds a line to RUNS; ends well from the GOOD-th run on."""
import os
import sys

runs, good = sys.argv[1], int(sys.argv[2])
with open(runs, "a") as file:
    file.write(f"{os.getpid()}\n")
    file.flush()
    os.fsync(file.fileno())
with open(runs) as file:
    count = len(file.readlines())
print(f"run {count}", flush=True)
sys.exit(0 if count >= good else 3)
