# SPDX-License-Identifier: Apache-2.0
"""As much of PySpark as the agent touches, without a JVM. What it is asked for is written to the
file that FAKE_SPARK_JOURNAL names; FAKE_SPARK_FAILS makes the session's creation fail, and
FAKE_SPARK_GATE makes it wait for the end of a FIFO."""

import importlib
import os
import shutil
import sys
import urllib.parse


def journal(*words):
    with open(os.environ["FAKE_SPARK_JOURNAL"], "a") as file:
        print(*words, file=file)


class StatusTracker:
    def getJobIdsForGroup(self, group):
        return SparkContext.jobs.get(group, {})

    def getJobInfo(self, job):
        return Info(stageIds=[job], status="RUNNING")

    def getStageInfo(self, stage):
        for jobs in SparkContext.jobs.values():
            if stage in jobs:
                return Info(numTasks=jobs[stage][1], numCompletedTasks=jobs[stage][0])
        return None


class Info:
    def __init__(self, **fields):
        self.__dict__.update(fields)


class SparkFiles:
    """Files are added by name only: they are copied below a folder beside the journal."""

    @staticmethod
    def getRootDirectory():
        folder = os.path.join(os.path.dirname(os.environ["FAKE_SPARK_JOURNAL"]), "files")
        os.makedirs(folder, exist_ok=True)
        return folder

    @classmethod
    def get(cls, name):
        return os.path.join(cls.getRootDirectory(), name)


class Jvm:
    """Has every class and every method; what they do is nothing."""

    def __getattr__(self, _name):
        return self

    def __call__(self, *_arguments):
        return self


class SparkContext:
    _active_spark_context = None
    _jvm = Jvm()
    jobs = {}  # group: {job: (completed, all)}
    cancelled = set()

    applicationId = "fake-1"
    uiWebUrl = "http://127.0.0.1:4040"
    version = "0.0.0"

    @classmethod
    def _ensure_initialized(cls):
        pass

    def setJobGroup(self, group, description, interrupt_on_cancel=False):
        self.group = group
        journal("group", group)

    def cancelJobGroup(self, group):
        self.cancelled.add(group)

    def addFile(self, path):
        if path.startswith("file://"):
            path = urllib.parse.unquote(path[len("file://"):])
        shutil.copy(path, SparkFiles.getRootDirectory())

    def addPyFile(self, path):
        self.addFile(path)
        sys.path.insert(1, SparkFiles.getRootDirectory())
        importlib.invalidate_caches()

    def statusTracker(self):
        return StatusTracker()
