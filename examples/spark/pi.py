# SPDX-License-Identifier: Apache-2.0
"""Estimates pi by throwing darts: pi.py [PARTITIONS]"""

import random
import sys

from pyspark.sql import SparkSession

DARTS = 100_000  # per partition


def hits(partition):
    dice = random.Random(partition)
    return sum(dice.random() ** 2 + dice.random() ** 2 <= 1 for _ in range(DARTS))


def main():
    partitions = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    spark = SparkSession.builder.appName("pi").getOrCreate()
    print(f"Throwing {partitions * DARTS} darts in {partitions} partitions", flush=True)
    total = spark.sparkContext.parallelize(range(partitions), partitions).map(hits).sum()
    print(f"Pi is roughly {4 * total / (partitions * DARTS):.6f}", flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
