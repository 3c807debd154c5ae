# SPDX-License-Identifier: Apache-2.0
"""Runs binary jobs of kind pyspark: functions that a client of Livy has pickled."""

import base64
import binascii
import collections
import importlib
import io
import pickle
import tempfile
import threading

from sparkhost_text import cut_text, describe_exception

RESULT = "application/octet-stream"


class JobError(Exception):
    """A job that cannot be run."""


def job_bytes(code):
    try:
        return base64.b64decode(code, validate=True)
    except (binascii.Error, ValueError) as error:
        raise JobError(f"the job is not base64: {error}") from None


class JobContext:
    """What a job is given, with the names that Livy's API for Python has."""

    MOST_SHARED = 100

    def __init__(self, spark):
        self._spark = spark
        self._lock = threading.RLock()
        self._shared = collections.OrderedDict()
        self._streaming = None
        self._folder = None

    @property
    def sc(self):
        return self.spark_session.sparkContext

    @property
    def spark_session(self):
        return self._spark.session()

    @property
    def sql_ctx(self):
        return self._spark.sql_context()

    sqlctx = sql_ctx

    @property
    def hive_ctx(self):
        return self._spark.hive_context()

    @property
    def streaming_ctx(self):
        with self._lock:
            if self._streaming is None:
                raise ValueError("create_streaming_ctx function should be called first")
            return self._streaming

    def create_streaming_ctx(self, batch_duration):
        from pyspark.streaming import StreamingContext
        with self._lock:
            if self._streaming is not None:
                raise ValueError("Streaming context already exists")
            self._streaming = StreamingContext(self.sc, batch_duration)

    def stop_streaming_ctx(self):
        with self._lock:
            if self._streaming is None:
                raise ValueError("Cannot stop streaming context. Streaming context is None")
            self._streaming.stop(stopSparkContext=False)  # the session lives on
            self._streaming = None

    @property
    def local_tmp_dir_path(self):
        with self._lock:
            if self._folder is None:  # Spark's own is removed with it
                self._folder = tempfile.mkdtemp(dir=getattr(self.sc, "_temp_dir", None))
            return self._folder

    def get_local_tmp_dir_path(self):
        return self.local_tmp_dir_path

    def get_shared_object(self, name):
        with self._lock:
            if name in self._shared:
                self._shared.move_to_end(name)
            return self._shared.get(name)

    def set_shared_object(self, name, object):
        with self._lock:
            self._shared[name] = object
            self._shared.move_to_end(name)
            while len(self._shared) > self.MOST_SHARED:
                self._shared.popitem(last=False)

    def remove_shared_object(self, name):
        with self._lock:
            self._shared.pop(name, None)


def cloudpickle():
    """A client's own one where the driver has it, else the one that PySpark brings."""
    for name in ("cloudpickle", "pyspark.cloudpickle"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise JobError("jobs need cloudpickle, which this driver has neither of its own nor in PySpark")


class JobUnpickler(pickle.Unpickler):
    """Finds what a client's cloudpickle refers to also where only PySpark's is there."""

    def find_class(self, module, name):
        package, dot, rest = module.partition(".")
        if package == "cloudpickle":
            module = cloudpickle().__name__ + dot + rest
        return super().find_class(module, name)


class PythonJobs:
    def __init__(self, spark):
        self._context = JobContext(spark)

    def run(self, statement):
        """Gives (data, notes). Raises what the job raises."""
        pickler = cloudpickle()
        function = JobUnpickler(io.BytesIO(job_bytes(statement.code)), encoding="bytes").load()
        if not callable(function):
            raise JobError(f"the job is not a function, but of type {type(function).__name__}")
        result = base64.b64encode(pickler.dumps(function(self._context)))
        # clients decode twice: the answer, and the bytes that it has
        return {RESULT: base64.b64encode(result).decode("ascii")}, []

    @staticmethod
    def describe(error, cut):
        """Livy's clients show the value only."""
        name, value, lines = describe_exception(error, cut)
        if isinstance(error, (KeyboardInterrupt, JobError)):
            return name, value, lines
        return name, cut_text("Client job error:" + "".join(lines), cut), lines
