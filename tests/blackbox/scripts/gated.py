# SPDX-License-Identifier: Apache-2.0
"""gated.py RUNS BEGUN END [STATUS]: adds a line to RUNS, writes its pid to the FIFO BEGUN, and
ends with STATUS when something can be read from the FIFO END."""
import os
import sys

runs, begun, end = sys.argv[1:4]
with open(runs, "a") as file:
    file.write(f"{os.getpid()}\n")
    file.flush()
    os.fsync(file.fileno())
print("begun", flush=True)
with open(begun, "w") as fifo:
    fifo.write(str(os.getpid()))
with open(end, "rb", buffering=0) as fifo:
    fifo.read(1)
print("ending", flush=True)
sys.exit(int(sys.argv[4]) if len(sys.argv) > 4 else 0)
