# SPDX-License-Identifier: Apache-2.0
"""Makes a SparkContext, says so, and goes on until it is killed."""

import threading

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("endless").getOrCreate()
print("Working until somebody stops me", flush=True)
threading.Event().wait()
