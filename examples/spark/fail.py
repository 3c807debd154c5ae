# SPDX-License-Identifier: Apache-2.0
"""Fails after its SparkContext is up."""

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("fail").getOrCreate()
print("Looking for yesterday's orders", flush=True)
orders = {"2026-11-21": 117}
raise KeyError(f"no orders of 2026-11-20; there are those of {', '.join(orders)}")
