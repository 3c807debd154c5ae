# SPDX-License-Identifier: Apache-2.0
"""Sleeps for a while without a SparkContext: sleep.py [SECONDS]"""

import sys
import time

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
print(f"Sleeping for {seconds:g} s", flush=True)
time.sleep(seconds)
print("Awake again", flush=True)
