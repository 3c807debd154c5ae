# SPDX-License-Identifier: Apache-2.0
import os

import pyspark


class SQLContext:
    def __init__(self, context, session):
        self.session = session


class _Builder:
    def getOrCreate(self):
        if "FAKE_SPARK_GATE" in os.environ:
            with open(os.environ["FAKE_SPARK_GATE"]) as file:
                file.read()
        if "FAKE_SPARK_FAILS" in os.environ:
            raise RuntimeError(os.environ["FAKE_SPARK_FAILS"])
        pyspark.journal("start")
        return SparkSession()


class SparkSession:
    builder = _Builder()

    def __init__(self):
        pyspark.SparkContext._active_spark_context = self.sparkContext = pyspark.SparkContext()

    def sql(self, code):
        if code.startswith("wrong"):
            raise ValueError("[PARSE_SYNTAX_ERROR] wrong")
        raise NotImplementedError(code)

    def stop(self):
        pyspark.journal("stop")
        pyspark.SparkContext._active_spark_context = None
