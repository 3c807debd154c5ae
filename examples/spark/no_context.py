# SPDX-License-Identifier: Apache-2.0
"""A batch that needs no SparkContext is a batch like any other: no_context.py [ARGUMENT]..."""

import sys

print("Hello from a plain Python script", flush=True)
for number, argument in enumerate(sys.argv[1:], 1):
    print(f"argument {number}: {argument}", flush=True)
