# SPDX-License-Identifier: Apache-2.0
"""chatty.py N: prints N numbered lines and ends."""
import sys

for number in range(int(sys.argv[1])):
    print(f"line {number}")
