# SPDX-License-Identifier: Apache-2.0
"""The session agent: runs a session's statements inside a Spark driver and talks to its host.

    spark-submit … sparkhost_agent.py SETTINGS

SETTINGS is a JSON file (see Settings). The protocol is docs/agent_protocol.md. User code runs in
the main thread; one other thread does all input and output; a third one asks Spark for progress
and cancels its jobs. Needs CPython 3.8 and the PySpark it runs in.

Reading order: values and codecs, the pure machines (Outbox, StatementTable, InterruptMachine …),
Spark, the agent's threads. What captures output and what runs the code of each kind is in the
modules beside this file.
"""

import atexit
import collections
import contextlib
import errno
import json
import logging
import math
import os
import queue
import random
import secrets
import select
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
import warnings

if __name__ == "__main__":
    # by the name that was given, not where a link leads: a cluster may change that
    sys.path[0] = os.path.dirname(os.path.abspath(__file__))
_writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # the folder is the host's
from sparkhost_files import KINDS_OF_FILES, Files, add_error  # noqa: E402
from sparkhost_java import JavaJobs  # noqa: E402
from sparkhost_jobs import PythonJobs  # noqa: E402
from sparkhost_output import Capture, OutputMeter  # noqa: E402
from sparkhost_processes import become_subreaper, end_descendants  # noqa: E402
from sparkhost_python import PythonCode  # noqa: E402
from sparkhost_r import RCode  # noqa: E402
from sparkhost_scala import ScalaCode  # noqa: E402
from sparkhost_sql import SqlCode  # noqa: E402
from sparkhost_text import (cut_text, describe_exception, is_own_file, read_wire_text,  # noqa: E402
                            wire_text)
sys.dont_write_bytecode = _writes_bytecode

PROTOCOL_VERSIONS = [1]
KINDS = ("pyspark", "spark", "sparkr", "sql")
JOB_KINDS = ("pyspark", "spark")

EXIT_CLOSED = 0
EXIT_INTERNAL = 1
EXIT_BAD_SETTINGS = 10
EXIT_REFUSED = 11
EXIT_HOST_VANISHED = 12
EXIT_SPARK_FAILED = 13
EXIT_DRIVER_LOST = 14
EXIT_INTERRUPT_UNHEEDED = 15
EXIT_TERMINATED = 143


# ---- settings --------------------------------------------------------------------------------

class SettingsError(Exception):
    pass


class Settings:
    """What the host wrote for this agent. Sizes are bytes, times seconds."""

    # name: (default, smallest, largest)
    LIMITS = {
        "max_line": (8 << 20, 64 << 10, 64 << 20),       # of a frame, with its line end
        "max_chunk": (64 << 10, 1 << 10, 1 << 20),       # of an output frame, before its encoding
        "max_output": (16 << 20, 1 << 10, 1 << 40),      # of one statement; the rest is cut
        "max_result": (1 << 20, 1 << 10, 16 << 20),      # of a result; the rest is cut
        "max_rows": (1000, 1, 1 << 31),                  # of an sql result
        "memory": (4 << 20, 64 << 10, 1 << 30),          # kept unacknowledged in memory
        "spool": (64 << 20, 0, 1 << 40),                 # … then in a file
        "max_waiting": (16 << 20, 1 << 10, 1 << 30),     # code of statements that wait
        "connect_for": (120, 0.1, 86400),                # until the claim is granted
        "host_vanished_after": (900, 0.1, 30 * 86400),   # without a host, once it was granted
        "back_off": (2, 0.01, 60),                       # longest pause between two dials
        "ping_every": (15, 0.1, 3600),                   # of silence; dead after three of them
        "interrupt_repeat": (1, 0.05, 60),               # between SIGINTs that were delivered
        "interrupt_attempts": (5, 1, 1000),              # then the host is told
        "close_grace": (5, 0, 600),                      # for a running statement to be interrupted
        "stop_grace": (10, 0, 600),                      # for Spark to stop
        "bye_grace": (3, 0, 600),                        # for the host to acknowledge the end
        "progress_every": (0.5, 0.05, 3600),
        "rich": (0, 0, 1),                               # 1: other forms of an echo beside its text
    }
    TEXTS = ("endpoint", "ticket", "secret", "secret_file", "spool_folder", "kind", "cache_folder",
             "job_jars")  # paths, joined by colons
    PATHS = ("secret_file", "spool_folder", "cache_folder")  # relative to the settings' folder

    def __init__(self, values):
        if not isinstance(values, dict):
            raise SettingsError("not a JSON object")
        for name in values:
            if name not in self.LIMITS and name not in self.TEXTS:
                raise SettingsError(f"{name}: there is no such setting")
        for name in self.TEXTS:
            value = values.get(name, "")
            if not isinstance(value, str):
                raise SettingsError(f"{name}: must be a text")
            setattr(self, name, value)
        for name, (default, smallest, largest) in self.LIMITS.items():
            value = values.get(name, default)
            if isinstance(value, bool) or not isinstance(value, (int, float)) \
                    or not smallest <= value <= largest:
                raise SettingsError(f"{name}: must be a number from {smallest} to {largest}")
            setattr(self, name, value)
        # a byte can take six in JSON
        if max(self.max_result, self.max_chunk) * 8 > self.max_line:
            raise SettingsError("max_line: must be eight times max_result and max_chunk")
        if self.memory < 4 * self.max_chunk:
            raise SettingsError("memory: must be four times max_chunk")
        if not self.ticket:
            raise SettingsError("ticket: must be given")
        if self.kind and self.kind not in KINDS:
            raise SettingsError("kind: must be one of " + ", ".join(KINDS))
        if bool(self.secret) == bool(self.secret_file):
            raise SettingsError("secret: must be given, or secret_file, and not both")
        self.address = parse_endpoint(self.endpoint)

    @classmethod
    def load(cls, path):
        settings = cls(cls._parse(cls._read(path)))
        is_handed_over = bool(settings.secret_file) and not os.path.isabs(settings.secret_file)
        folder = os.path.dirname(os.path.abspath(path))
        for name in cls.PATHS:
            value = getattr(settings, name)
            setattr(settings, name, value and os.path.join(folder, value))
        if settings.secret:
            cls._refuse_shared(path)
        else:
            if not is_handed_over:  # else a cluster has mounted it, and says who may read it
                cls._refuse_shared(settings.secret_file)
            settings.secret = cls._read(settings.secret_file).strip()
            if not settings.secret:
                raise SettingsError(f"secret_file: {settings.secret_file} is empty")
        return settings

    @staticmethod
    def _parse(text):
        try:
            return json.loads(text)
        except ValueError as error:
            raise SettingsError(f"not JSON: {error}")

    @staticmethod
    def _read(path):
        try:
            with open(path, encoding="utf-8") as file:
                return file.read()
        except (OSError, ValueError) as error:
            raise SettingsError(f"cannot be read: {error}")

    @staticmethod
    def _refuse_shared(path):
        if os.stat(path).st_mode & 0o077:
            raise SettingsError(f"{path}: holds a secret and can be read by others; chmod 600")


def parse_endpoint(text):
    """(family, address) of "unix:/path" or "tcp:host:port"."""
    scheme, _, rest = text.partition(":")
    if scheme == "unix" and rest.startswith("/"):
        return socket.AF_UNIX, rest
    host, _, port = rest.rpartition(":")
    if scheme == "tcp" and host and port.isdigit() and 0 < int(port) < 65536:
        return socket.AF_INET, (host.strip("[]"), int(port))
    raise SettingsError("endpoint: must be unix:/path or tcp:host:port")


# ---- frames ----------------------------------------------------------------------------------

class FramingError(Exception):
    """The other side does not speak this protocol; the connection is of no more use."""


def encode_frame(message):
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8") + b"\n"


def _small_int(digits):
    if len(digits) > 18:  # long ones take quadratic time, and nothing here counts that far
        raise ValueError("number out of range")
    return int(digits)


def _no_constant(name):
    raise ValueError(f"{name} is not JSON")


class FrameDecoder:
    """Bytes in, JSON objects out. Raises FramingError."""

    def __init__(self, max_line):
        self._max_line = max_line
        self._pieces = []
        self._size = 0

    def feed(self, data):
        messages = []
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._keep(line)
            messages.append(self._parse(b"".join(self._pieces)))
            self._pieces, self._size = [], 0
        self._keep(rest)
        return messages

    def _keep(self, piece):
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= self._max_line:
            raise FramingError(f"a line is longer than {self._max_line} bytes")

    @staticmethod
    def _parse(line):
        try:
            message = json.loads(line.decode("utf-8"), parse_int=_small_int,
                                 parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise FramingError(f"a line is not JSON: {error}")
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise FramingError("a line is not an object with a type")
        if "seq" in message and not is_count(message["seq"], 1):
            raise FramingError("seq is not a positive integer")
        return message


def is_count(value, smallest=0):
    return isinstance(value, int) and not isinstance(value, bool) and smallest <= value <= 1 << 53


class Inbox:
    """What was received: says which messages are new."""

    NUMBERED = ("execute", "interrupt", "close")

    def __init__(self):
        self.received = 0

    def accept(self, message):
        """Whether to act on the message. Raises FramingError where one is missing before it."""
        seq = message.get("seq")
        if seq is None:
            if message["type"] in self.NUMBERED:
                raise FramingError(f"{message['type']} without seq")
            return True
        if seq > self.received + 1:
            raise FramingError(f"message {seq} came after {self.received}")
        if seq <= self.received:
            return False
        self.received = seq
        return True


# ---- what is kept until it is acknowledged ---------------------------------------------------

class Spool:
    """A ring of bytes in a file without a name. First in, first out."""

    def __init__(self, capacity, folder=None, open_file=tempfile.TemporaryFile):
        self.capacity = capacity
        self.used = 0
        self._folder = folder or None
        self._open = open_file
        self._file = None
        self._head = 0  # where the next byte goes

    def put(self, data):
        """Where data is kept, or None: there is no room, or the disk refuses."""
        if self.used + len(data) > self.capacity:
            return None
        try:
            if self._file is None:
                self._file = self._open(dir=self._folder, prefix="sparkhost-", buffering=0)
            place = self._head
            first = min(len(data), self.capacity - place)
            self._write(place, data[:first])
            self._write(0, data[first:])
        except OSError:
            self.capacity = 0 if self.used == 0 else self.capacity
            return None
        self._head = (place + len(data)) % self.capacity
        self.used += len(data)
        return place

    def get(self, place, size):
        first = min(size, self.capacity - place)
        return self._read(place, first) + self._read(0, size - first)

    def drop(self, size):
        self.used -= size

    def close(self):
        if self._file is not None:
            self._file.close()

    def _write(self, place, data):
        data = memoryview(data)
        while data:
            written = os.pwrite(self._file.fileno(), data, place)
            place, data = place + written, data[written:]

    def _read(self, place, size):
        pieces = []
        while size:
            piece = os.pread(self._file.fileno(), size, place)
            if not piece:
                raise OSError(errno.EIO, "the spool file is shorter than it was")
            pieces.append(piece)
            place, size = place + len(piece), size - len(piece)
        return b"".join(pieces)


class Outbox:
    """Numbers the agent's messages and keeps them until they are acknowledged: in memory, then in
    the spool. has_room() says when whoever makes more has to wait; messages that are few and
    small against the limits are added all the same."""

    OVERHEAD = 200  # of an entry, also where its bytes are in the spool

    def __init__(self, memory, spool):
        self._capacity = memory
        self._spool = spool
        self._entries = collections.deque()  # (frame or None, size, place in the spool)
        self._memory_used = 0
        self.acknowledged = 0
        self.latest = 0
        self._next = 1  # to be sent

    def add(self, message):
        self.latest += 1
        frame = encode_frame(dict(message, seq=self.latest))
        place = None
        if self._memory_used + len(frame) + self.OVERHEAD > self._capacity:
            place = self._spool.put(frame)
        kept = frame if place is None else None
        self._memory_used += self._cost(kept)
        self._entries.append((kept, len(frame), place))
        return len(frame)

    def waits(self):
        """Whether there is something to send."""
        return self._next <= self.latest

    def has_room(self, size=0):
        size += self.OVERHEAD
        if self._memory_used + size <= self._capacity:
            return True
        return self._memory_used + self.OVERHEAD <= 2 * self._capacity \
            and self._spool.used + size <= self._spool.capacity

    def is_flooded(self):
        """Whether answers have piled up far beyond the limits."""
        return self._memory_used > 4 * self._capacity

    def acknowledge(self, received):
        """The host keeps everything up to this number. Raises FramingError for one never sent."""
        if received > self.latest:
            raise FramingError(f"message {received} is acknowledged and was never sent")
        while self.acknowledged < received:
            frame, size, place = self._entries.popleft()
            self.acknowledged += 1
            self._memory_used -= self._cost(frame)
            if place is not None:
                self._spool.drop(size)
        self._next = max(self._next, self.acknowledged + 1)

    def rewind(self, received):
        """A new connection, whose host has everything up to this number."""
        self.acknowledge(max(received, self.acknowledged))
        self._next = self.acknowledged + 1

    def next_frame(self):
        """The next frame to be sent, or None."""
        if not self.waits():
            return None
        frame, size, place = self._entries[self._next - self.acknowledged - 1]
        self._next += 1
        return frame if place is None else self._spool.get(place, size)

    def _cost(self, frame):
        return self.OVERHEAD + (len(frame) if frame is not None else 0)


# ---- statements ------------------------------------------------------------------------------

# `job`: the code is a binary job of the kind's language
Statement = collections.namedtuple("Statement", "id kind code job", defaults=[False])


class StatementTable:
    """Which statements wait, run and are over. Ids come in rising order; a known one never runs
    again."""

    KEEP_RESULTS = 1 << 20  # bytes of results that can be sent again
    OVERHEAD = 200          # of a statement, beside its code

    def __init__(self, max_waiting):
        self._max_waiting = max_waiting
        self._waiting = collections.OrderedDict()
        self._waiting_size = 0
        self._results = collections.OrderedDict()  # id: (message, size)
        self._results_size = 0
        self._highest = -1
        self._unwanted = -1  # to be cancelled when it comes
        self.running = None

    def execute(self, statement):
        """"queued", "known" (its result is to come), "over" (see result), "forgotten" or "full"."""
        if statement.id in self._waiting or (self.running and self.running.id == statement.id):
            return "known"
        if statement.id in self._results:
            return "over"
        if statement.id <= self._highest:
            return "forgotten"
        if self._waiting and self._waiting_size + self._cost(statement) > self._max_waiting:
            return "full"
        self._highest = statement.id
        self._waiting[statement.id] = statement
        self._waiting_size += self._cost(statement)
        return "queued"

    def refuse(self, statement_id):
        """One that has not come yet shall not run when it does. The last one named counts."""
        if statement_id > self._highest:
            self._unwanted = statement_id

    def is_unwanted(self, statement_id):
        return statement_id == self._unwanted

    def has_waiting(self):
        return bool(self._waiting)

    def start(self):
        _, self.running = self._waiting.popitem(last=False)
        self._waiting_size -= self._cost(self.running)
        return self.running

    def cancel_waiting(self, statement_id=None):
        """Takes this one, or all, from those that wait; gives their ids."""
        wanted = [statement_id] if statement_id is not None else list(self._waiting)
        taken = [one for one in wanted if one in self._waiting]
        for one in taken:
            self._waiting_size -= self._cost(self._waiting.pop(one))
        return taken

    def finish(self, statement_id, result, size):
        if self.running and self.running.id == statement_id:
            self.running = None
        self._results[statement_id] = (result, size)
        self._results_size += size
        while self._results_size > self.KEEP_RESULTS and len(self._results) > 1:
            _, (_, size) = self._results.popitem(last=False)
            self._results_size -= size

    def result(self, statement_id):
        return self._results[statement_id][0]

    def _cost(self, statement):
        return self.OVERHEAD + len(statement.code)


class InterruptMachine:
    """When to send SIGINT to the code that runs, and when to give up. One statement at a time.
    tick() gives any of "signal", "unheeded", "end_session"."""

    FIRST_RETRY = 0.05

    def __init__(self, repeat, attempts):
        self._repeat = repeat
        self._attempts = attempts
        self.statement = None

    def request(self, statement_id, now, end_session_after=None):
        if self.statement != statement_id:
            self.statement = statement_id
            self.delivered = 0
            self._due = now
            self._retry = self.FIRST_RETRY
            self._told = False
            self._end_at = None
        if end_session_after is not None:
            end_at = now + end_session_after
            self._end_at = end_at if self._end_at is None else min(self._end_at, end_at)

    def tick(self, now, delivered):
        """`delivered`: how many KeyboardInterrupts have been raised in this statement so far."""
        if self.statement is None:
            return []
        actions = []
        if delivered > self.delivered:
            # the code gets time to clean up before the next one
            self.delivered = delivered
            self._due = now + self._repeat
        elif now >= self._due:
            actions.append("signal")
            # a signal can fall between two instructions: repeat until one has been delivered
            self._due = now + (self._retry if self.delivered == 0 else self._repeat)
            self._retry = min(self._retry * 2, self._repeat)
            if self.delivered >= self._attempts and not self._told:
                self._told = True
                actions.append("unheeded")
        if self._end_at is not None and now >= self._end_at:
            self._end_at = None
            actions.append("end_session")
        return actions

    def deadline(self):
        if self.statement is None:
            return None
        return self._due if self._end_at is None else min(self._due, self._end_at)

    def over(self, statement_id):
        """The statement has ended; gives whether it was being interrupted."""
        if self.statement != statement_id:
            return False
        self.statement = None
        return True


class BackOff:
    """Pauses between two dials: doubled up to a limit, with up to half of it taken off by chance
    so that a host's many agents do not return at once."""

    def __init__(self, longest, first=0.02, chance=random.random):
        self._first, self._longest, self._chance = first, longest, chance
        self.reset()

    def reset(self):
        self._pause = self._first

    def pause(self):
        pause = self._pause
        self._pause = min(self._pause * 2, self._longest)
        return pause * (1 - self._chance() / 2)


# ---- interrupting ----------------------------------------------------------------------------

class Gate:
    """Decides where a SIGINT may raise. It is open while user code runs; and even then no
    KeyboardInterrupt begins in a frame of the agent, so none is ever raised between the end of a
    statement and the moment it is known to be over."""

    def __init__(self):
        self.current = None   # statement that runs; the main thread's
        self.target = None    # statement to be interrupted; the I/O thread's
        self.open = False
        self.raised = 0

    def on_sigint(self, _number, frame):
        if self.open and self.target is not None and self.target == self.current \
                and frame is not None and not is_own_file(frame.f_code.co_filename):
            self.raised += 1
            raise KeyboardInterrupt

    def call(self, function, *arguments):
        """function(*arguments), interruptible: (value, None) or (None, exception)."""
        try:
            try:
                self.open = True
                return function(*arguments), None
            finally:
                self.open = False
        except BaseException as error:  # SystemExit ends a statement, not the session
            self.open = False
            return None, error


# ---- Spark -----------------------------------------------------------------------------------

class Spark:
    """The session's SparkSession, its context, and what is asked of them."""

    # py4j logs each interrupt that reaches it, with a traceback, and what it meets on the
    # connection that this has cut. What it raises is shown as any error of the code.
    NOISE = ("KeyboardInterrupt while sending command", "Exception while sending command",
             "Exception occurred while shutting down connection")

    def __init__(self):
        self._session = None
        self._sql_context = None, None  # a session and its SQLContext
        self._files = None, None        # a context and its folder of files
        self._ended_jobs = {}  # of the current group: (completed tasks, tasks)

    @staticmethod
    def load():
        import pyspark.sql  # takes a while; meanwhile the claim is on its way

    def start(self):
        """Gives the names that statements begin with."""
        from pyspark.sql import SparkSession
        self._session = SparkSession.builder.getOrCreate()
        names = {"spark": self._session, "sc": self._session.sparkContext,
                 "sqlContext": self.sql_context()}
        sys.path[:] = [os.path.abspath(folder) for folder in sys.path]
        self._enter_files()
        for name in ("", "py4j.clientserver", "py4j.java_gateway"):
            logging.getLogger(name).addFilter(
                lambda record: not str(record.msg).startswith(self.NOISE))
        return names

    def facts(self):
        context = self._session.sparkContext
        return {"application_id": context.applicationId, "ui": context.uiWebUrl,
                "spark_version": context.version,
                "python_version": ".".join(map(str, sys.version_info[:3])), "pid": os.getpid()}

    def session(self):
        """A session of the context there is, also after a statement has made another one."""
        if self._context() is not self._session.sparkContext:
            from pyspark.sql import SparkSession
            self._session = SparkSession.builder.getOrCreate()
        return self._session

    def context(self):
        """The context there is. Unlike session(), makes none where a statement has stopped it."""
        context = self._context()
        if context is None:
            raise RuntimeError("the session's code has stopped Spark")
        return context

    def sql_context(self):
        session = self.session()
        if self._sql_context[0] is not session:
            from pyspark.sql import SQLContext
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it is deprecated, and old notebooks use it
                self._sql_context = session, SQLContext(session.sparkContext, session)
        return self._sql_context[1]

    def hive_context(self):
        """None where the session has no Hive, as with Livy."""
        catalog = self.session().conf.get("spark.sql.catalogImplementation", "in-memory")
        return self.sql_context() if catalog == "hive" else None

    def _enter_files(self):
        """Code runs in the folder of the session's files, as Livy's does: sc.addFile puts them
        there. It may go elsewhere, and stays there; a context that it makes anew has another."""
        context = self._context()
        if context is self._files[0]:
            return
        from pyspark import SparkFiles
        folder = SparkFiles.getRootDirectory()
        try:
            here = os.getcwd()
        except FileNotFoundError:  # removed with its context
            here = self._files[1]
        if here == self._files[1] or self._files[1] is None:
            os.chdir(folder)
        self._files = context, os.getcwd()

    def begin(self, statement_id):
        """Main thread: its jobs belong to the statement from now on."""
        self._ended_jobs = {}
        context = self._context()
        if context is not None:
            with contextlib.suppress(Exception):  # stopped; the code will hear of it itself
                self._enter_files()
                context.setJobGroup(self.group(statement_id),
                                    f"statement {statement_id}", True)

    def cancel_jobs(self, statement_id):
        context = self._context()
        if context is not None:
            context.cancelJobGroup(self.group(statement_id))

    def cancel_future_jobs(self, statement_id):
        """The same for jobs that are still to begin, where Spark can do that: from 4.0 on."""
        context = self._context()
        if context is not None and int(context.version.split(".")[0]) >= 4:
            context._jsc.sc().cancelJobGroupAndFutureJobs(self.group(statement_id))
        else:
            self.cancel_jobs(statement_id)

    def progress(self, statement_id):
        """(completed tasks, tasks) of the statement's jobs so far."""
        context, ended = self._context(), self._ended_jobs
        if context is None:
            return 0, 0
        tracker = context.statusTracker()
        completed = total = 0
        for job in tracker.getJobIdsForGroup(self.group(statement_id)):
            counts = ended.get(job)
            if counts is None:
                info = tracker.getJobInfo(job)
                stages = [tracker.getStageInfo(stage) for stage in (info.stageIds if info else ())]
                counts = (sum(stage.numCompletedTasks for stage in stages if stage),
                          sum(stage.numTasks for stage in stages if stage))
                if info and info.status != "RUNNING":
                    ended[job] = counts
            completed, total = completed + counts[0], total + counts[1]
        return completed, total

    def stop(self):
        if self._session is not None:
            self._session.stop()

    @staticmethod
    def _context():
        context = sys.modules["pyspark"].SparkContext
        return context._active_spark_context

    @staticmethod
    def group(statement_id):
        return f"sparkhost-{statement_id}"


class Worker(threading.Thread):
    """Calls what may wait for Spark's JVM, one after the other."""

    def __init__(self, name, log):
        super().__init__(name=name, daemon=True)
        self._log = log
        self._calls = queue.SimpleQueue()
        self.start()

    def call(self, function, *arguments):
        self._calls.put((function, arguments))

    def run(self):
        while True:
            function, arguments = self._calls.get()
            try:
                function(*arguments)
            except BaseException as error:
                self._log(f"{self.name}: {error!r}")


# ---- the connection --------------------------------------------------------------------------

class Connection:
    """One dial and what becomes of it: "connecting", "greeting", "open". I/O thread only."""

    SEND_AHEAD = 256 << 10
    MAX_CONTROL = 10000
    GREETING_TIMEOUT = 10

    def __init__(self, settings, target, now):
        family, address = target
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self.socket.setblocking(False)
            if family != socket.AF_UNIX:
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = self.socket.connect_ex(address)
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))
        except BaseException:
            self.socket.close()
            raise
        self.state = "connecting"
        self.decoder = FrameDecoder(settings.max_line)
        self.control = collections.deque()  # messages without a number
        self.heard = self.spoke = now
        self.acknowledged = 0  # of the host's messages, on this connection
        self._unsent = memoryview(b"")
        self._since = now
        self._silence = settings.ping_every

    def events(self, outbox_waits):
        writes = self.state == "connecting" or self._unsent or self.control or \
            (self.state == "open" and outbox_waits)
        return select.POLLIN | (select.POLLOUT if writes else 0)

    def check_connected(self):
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))

    def queue(self, message):
        if len(self.control) >= self.MAX_CONTROL:
            raise FramingError("the host asks and does not listen")
        self.control.append(encode_frame(message))

    def send(self, next_frame, now):
        """Sends what there is, as far as the other side takes it."""
        while True:
            if not self._unsent:
                frames, size = [], 0
                while size < self.SEND_AHEAD:
                    frame = self.control.popleft() if self.control else \
                        next_frame() if self.state == "open" else None
                    if frame is None:
                        break
                    frames.append(frame)
                    size += len(frame)
                if not frames:
                    return
                self._unsent = memoryview(b"".join(frames))
            try:
                sent = self.socket.send(self._unsent)
            except BlockingIOError:
                return
            self._unsent = self._unsent[sent:]
            self.spoke = now

    def receive(self, now):
        """Messages that came. Raises ConnectionError at the end of the stream."""
        try:
            data = self.socket.recv(256 << 10)
        except BlockingIOError:
            return []
        if not data:
            raise ConnectionResetError("the host closed the connection")
        self.heard = now
        return self.decoder.feed(data)

    def tick(self, now):
        """Raises where the other side is taken for gone; gives when to look again."""
        if self.state != "open":
            if now >= self._since + self.GREETING_TIMEOUT:
                raise TimeoutError("the host does not answer")
            return self._since + self.GREETING_TIMEOUT
        if now >= self.heard + 3 * self._silence:
            raise TimeoutError("the host is silent")
        quiet = max(self.heard, self.spoke)
        if now >= quiet + self._silence:
            self.queue({"type": "ping", "id": int(now)})
            self.spoke = quiet = now
        return min(quiet + self._silence, self.heard + 3 * self._silence)

    def close(self):
        self.socket.close()


class Addresses:
    """Where the host may be dialled, one after the other. I/O thread only.

    Names are resolved in a thread of their own, since that may take long, and anew when all that
    they led to has been tried: a host that has been restarted may be somewhere else.
    """

    def __init__(self, address, wake):
        self._family, self._address = address
        self._wake = wake
        self._found = collections.deque()
        self._resolver = None
        self._answer = None

    def take(self):
        """(family, address), or None: ask again when woken. Raises OSError."""
        if self._family == socket.AF_UNIX:
            return self._family, self._address
        if not self._found:
            self._look_up()
        return self._found.popleft() if self._found else None

    def has_more(self):
        return bool(self._found)

    def start_anew(self):
        self._found.clear()

    def _look_up(self):
        if self._resolver is None:
            with contextlib.suppress(socket.gaierror, UnicodeError):
                return self._keep(self._resolve(socket.AI_NUMERICHOST))
            self._answer = None
            self._resolver = threading.Thread(target=self._resolve_name, daemon=True,
                                              name="sparkhost-resolver")
            self._resolver.start()
        elif self._answer is not None:
            self._resolver = None
            if isinstance(self._answer, OSError):
                raise self._answer
            self._keep(self._answer)

    def _keep(self, answer):
        self._found.extend(dict.fromkeys((family, address) for family, _, _, _, address in answer))

    def _resolve(self, flags=0):
        return socket.getaddrinfo(*self._address, type=socket.SOCK_STREAM, flags=flags)

    def _resolve_name(self):
        try:
            self._answer = self._resolve()
        except OSError as error:
            self._answer = error
        except Exception as error:  # a name that cannot be encoded
            self._answer = OSError(str(error))
        self._wake()


class Link(threading.Thread):
    """Dials, greets, resumes; pumps output and messages; keeps the agent's time."""

    def __init__(self, agent):
        super().__init__(name="sparkhost-link", daemon=True)
        self._agent = agent
        self._settings = agent.settings
        self._inbox = Inbox()
        self._nonce = secrets.token_hex(16)
        self._resume_key = None
        self._connection = None
        self._back_off = BackOff(self._settings.back_off)
        self._dial_at = 0.0
        self._last_error = None
        self.lost_at = time.monotonic()
        self.granted = False
        self._woken, self.waker = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self.waker, False)
        self._parent = self._watch_parent()
        self._addresses = Addresses(self._settings.address, self.wake)

    def wake(self):
        if threading.current_thread() is self:
            return
        with contextlib.suppress(BlockingIOError):
            os.write(self.waker, b"\0")

    def connected(self):
        return self._connection is not None and self._connection.state == "open"

    def say_soon(self, message):
        """A message that may be lost. Any thread; the lock is held."""
        if self.connected():
            with contextlib.suppress(FramingError):
                self._connection.queue(message)
            self.wake()

    def forget(self):
        """In a forked child: leaves the parent's conversation alone."""
        for descriptor in (self._woken, self.waker):
            os.close(descriptor)
        if self._connection is not None:
            self._connection.close()

    def run(self):
        try:
            while True:
                self._turn()
        except BaseException:
            self._agent.log("internal error\n" + traceback.format_exc())
            os._exit(EXIT_INTERNAL)

    @staticmethod
    def _watch_parent():
        """A descriptor that tells the end of the JVM that started us, where there is such a one."""
        if "PYSPARK_GATEWAY_PORT" in os.environ and hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                return os.pidfd_open(os.getppid())
        return None

    def _turn(self):
        agent = self._agent
        with agent.lock:
            now = time.monotonic()
            deadlines = [self._tick(now), agent.tick(now)]
            watched = agent.readable(now, deadlines)
            poll = select.poll()
            poll.register(self._woken, select.POLLIN)
            for descriptor in watched:
                poll.register(descriptor, select.POLLIN)
            if self._parent is not None:
                poll.register(self._parent, select.POLLIN)
            connection = self._connection
            if connection is not None:
                poll.register(connection.socket, connection.events(agent.outbox.waits()))
        due = [at for at in deadlines if at is not None]
        pause = max(0, min(due) - now) * 1000 if due else None
        ready = dict(poll.poll(pause if pause is None else math.ceil(pause)))
        with agent.lock:
            now = time.monotonic()
            if self._woken in ready:
                self._read_wakes()
            if self._parent in ready:
                os.close(self._parent)
                self._parent = None
                agent.end("driver_lost", "Spark's JVM has ended", EXIT_DRIVER_LOST)
            for descriptor, stream in watched.items():
                if descriptor in ready:
                    agent.pump(stream, now)
            if connection is not None:
                self._serve(connection, ready.get(connection.socket.fileno(), 0), now)

    def _read_wakes(self):
        signals = os.read(self._woken, 4096)
        if bytes([signal.SIGTERM]) in signals:
            self._agent.end("terminated", "SIGTERM", EXIT_TERMINATED)

    def _tick(self, now):
        """Dials and times out; gives when to come again. The lock is held, as below."""
        if self._connection is None and now >= self._dial_at:
            try:
                target = self._addresses.take()
                if target is None:
                    return None  # the resolver wakes us
                self._connection = Connection(self._settings, target, now)
            except OSError as error:
                self._lose(error, now)
        if self._connection is None:
            return self._dial_at
        try:
            return self._connection.tick(now)
        except (OSError, FramingError) as error:
            self._lose(error, now)
            return self._dial_at

    def _serve(self, connection, events, now):
        try:
            if connection.state == "connecting":
                if not events:
                    return
                connection.check_connected()
                connection.state = "greeting"
                connection.queue(self._greeting())
            elif events & ~select.POLLOUT:
                for message in connection.receive(now):
                    self._receive(connection, message)
                if connection.acknowledged < self._inbox.received:
                    connection.acknowledged = self._inbox.received
                    connection.queue({"type": "ack", "received": self._inbox.received})
            connection.send(self._agent.next_frame, now)
        except (OSError, FramingError) as error:
            self._lose(error, now)

    def _lose(self, error, now):
        text = str(error)
        if text != self._last_error:  # not the same line for every dial
            self._agent.log(f"no conversation with {self._settings.endpoint}: {text}")
            self._last_error = text
        if self._connection is not None:
            if self._connection.state == "open":
                self.lost_at = now
                self._addresses.start_anew()
            self._connection.close()
            self._connection = None
        if self._addresses.has_more():
            self._dial_at = now
        else:
            self._dial_at = now + self._back_off.pause()

    def _greeting(self):
        greeting = {"type": "claim", "versions": PROTOCOL_VERSIONS,
                    "ticket": self._settings.ticket, "nonce": self._nonce, "kinds": list(KINDS),
                    "pid": os.getpid()}
        if self._resume_key is None:
            return dict(greeting, secret=self._settings.secret)
        outbox = self._agent.outbox
        return dict(greeting, type="resume", resume_key=self._resume_key,
                    received=self._inbox.received, oldest=outbox.acknowledged + 1,
                    latest=outbox.latest)

    def _receive(self, connection, message):
        kind = message["type"]
        if connection.state == "greeting":
            self._greeted(connection, message)
        elif kind == "ack":
            if not is_count(message.get("received")):
                raise FramingError("ack without a number")
            self._agent.acknowledged(message["received"])
        elif kind == "ping":
            connection.queue({"type": "pong", "id": message.get("id")})
        elif kind == "pong":
            pass
        elif self._agent.outbox.is_flooded():
            raise FramingError("the host asks and does not acknowledge")
        elif self._inbox.accept(message):
            self._agent.receive(message)

    def _greeted(self, connection, message):
        if message["type"] == "refuse":
            detail = f"{message.get('code')}: {message.get('detail')}"
            if message.get("retry") is True:
                raise ConnectionRefusedError("the host asks to come back: " + detail)
            self._agent.log("the host refuses this agent: " + detail)
            self._agent.end("refused", detail, EXIT_REFUSED)
            raise ConnectionRefusedError("refused")
        if message["type"] != "grant" or not is_count(message.get("received")) \
                or message.get("version") not in PROTOCOL_VERSIONS:
            raise FramingError("the host answers neither grant nor refuse")
        if self._resume_key is None:
            if not isinstance(message.get("resume_key"), str) or not message["resume_key"]:
                raise FramingError("the grant has no resume key")
            self._resume_key = message["resume_key"]
        self._agent.outbox.rewind(message["received"])
        connection.state = "open"
        self._settings.secret = ""
        self._back_off.reset()
        self._last_error = None
        self.granted = True
        self._agent.log(f"in conversation with {self._settings.endpoint}")
        self._agent.changed.notify_all()


# ---- the agent -------------------------------------------------------------------------------

class Agent:
    """What both threads share. Methods say which thread calls them; `lock` guards the rest."""

    HOLD_OUTPUT = 0.02  # after a small piece, so that the next ones travel together
    LEFTOVERS = (0.1, 0.3, 1, 3, 10, 30)  # seconds after an interrupted statement's end

    def __init__(self, settings, log):
        self.settings = settings
        self.log = log
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.outbox = Outbox(settings.memory, Spool(settings.spool, settings.spool_folder))
        self.gate = Gate()
        self.spark = Spark()
        self._table = StatementTable(settings.max_waiting)
        self._interrupts = InterruptMachine(settings.interrupt_repeat,
                                            settings.interrupt_attempts)
        # by kind, once Spark is there: run(), describe(), maybe complete(), cancel(), add_jar()
        self._codes = {}
        self._jobs = {}  # the same for binary jobs
        self._files = None
        self._capture = None
        self._read = {"stdout": 0, "stderr": 0}
        self._meter = OutputMeter(settings.max_output)
        self._hold_until = 0.0
        self._ending = None         # (reason, detail, exit status)
        self._force_at = None
        self._main_is_done = False
        self._final_at = None
        self._progress_at = None
        self._progress_told = None
        self._leftovers = {}  # statement: when to cancel its jobs again
        self._cut = min(settings.max_result // 2, 64 << 10)
        self._main = threading.main_thread().ident
        self._pid = os.getpid()
        self._link = Link(self)
        self._spark_worker = Worker("sparkhost-spark", log)
        self._completion_worker = Worker("sparkhost-completion", log)
        self._files_worker = Worker("sparkhost-files", log)

    # -- main thread --

    def run(self):
        become_subreaper()
        self._restore_signals()
        os.register_at_fork(after_in_child=self._after_fork)
        with self.lock:
            self._post({"type": "status", "state": "starting"})
        self._link.start()
        try:
            if self._start():
                self._serve()
        except BaseException:
            self.log("internal error\n" + traceback.format_exc())
            self._end_from_main("internal_error", traceback.format_exc(limit=-3), EXIT_INTERNAL)
        self._tear_down()
        while True:
            self._link.join()  # it ends the process

    def _start(self):
        try:
            self.spark.load()
            with self.changed:
                while not self._link.granted and self._ending is None:
                    self.changed.wait()
                if self._ending is not None:
                    return False
            scala = ScalaCode(self.spark, self.settings.max_result, self.settings.cache_folder)
            scala.prepare(early=self.settings.kind == "spark")
            names = self.spark.start()
            if self.settings.kind == "spark":
                self._start_early(scala)
        except BaseException as error:
            name, value, lines = describe_exception(error, self._cut)
            self.log("Spark could not be started\n" + "".join(lines))
            with self.lock:
                self._post({"type": "failed", "ename": name, "evalue": wire_text(value),
                            "traceback": [wire_text(line) for line in lines]})
            self._end_from_main("spark_failed", "Spark could not be started", EXIT_SPARK_FAILED)
            return False
        os.environ.setdefault("MPLBACKEND", "agg")  # there is no screen
        python = PythonCode(self.settings.max_result, bool(self.settings.rich))
        python.names.update(names)
        self._codes = {"pyspark": python, "spark": scala,
                       "sql": SqlCode(self.spark, self.settings.max_rows,
                                      self.settings.max_result),
                       "sparkr": RCode(self.spark, self.settings.max_result, self.log)}
        self._jobs = {"pyspark": PythonJobs(self.spark),
                      "spark": JavaJobs(self.spark, self.settings.job_jars)}
        self._files = Files(self.spark, self._codes)
        sys.argv[:] = [""]
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        facts = self.spark.facts()
        with self.lock:
            self._capture = Capture()
            self._post(dict(facts, type="ready"))
            if not self._table.has_waiting():
                self._post({"type": "status", "state": "idle"})
        return True

    def _start_early(self, scala):
        try:
            scala.wait_until_ready()
        except Exception as error:  # a statement will try again, and tell its client
            self.log(f"Scala's interpreter could not be started: {error}")

    def _serve(self):
        while True:
            statement = self._next_statement()
            if statement is None:
                return
            self._restore_signals()
            try:
                fields = self._execute(statement)
            except KeyboardInterrupt as stray:  # of a handler that the code has installed
                self._restore_signals()
                fields = self._failure(statement, stray)
            self._finish(statement, fields)

    def _next_statement(self):
        with self.changed:
            while self._ending is None:
                if self._table.has_waiting() and self.outbox.has_room(self.settings.max_chunk):
                    self._drain()
                    if not self._table.has_waiting():  # cancelled meanwhile
                        continue
                    statement = self._table.start()
                    self._meter = OutputMeter(self.settings.max_output)
                    self.gate.current, self.gate.raised = statement.id, 0
                    self._progress_at = time.monotonic() + self.settings.progress_every
                    self._progress_told = None
                    self._hold_until = 0.0  # its first output is on its way at once
                    self._post({"type": "status", "state": "busy", "statement": statement.id})
                    return statement
                self.changed.wait()
            return None

    def _execute(self, statement):
        """Gives the result's fields."""
        self._capture.attach()
        value, error = self.gate.call(self._run, statement)
        if os.getpid() != self._pid:  # the code has forked, and this is the child
            self._capture.flush()
            os._exit(0 if error is None else 1)
        self._restore_signals()
        if error is not None:
            return self._failure(statement, error)
        if sys.stdout is not sys.__stdout__:
            self.gate.call(getattr(sys.stdout, "flush", str))
        data, notes = value
        fields = {"status": "ok", "notes": notes,
                  "data": {kind: wire_text(content) for kind, content in data.items()}}
        # a byte can take six in JSON
        is_small = sum(map(len, data.values())) * 6 + 65536 < self.settings.max_line
        return fields if is_small else self._fitting(fields)

    def _fitting(self, fields):
        """What is neither cut nor fits into a message is an error."""
        limit = self.settings.max_line - 1024  # for what is added to the fields
        size = len(encode_frame(fields))
        if size <= limit:
            return fields
        return {"status": "error", "ename": "ResultTooLarge", "traceback": [],
                "evalue": f"the result takes {size} bytes in a message, and it may take {limit}"}

    def _run(self, statement):
        self.spark.begin(statement.id)
        return self._runner(statement).run(statement)

    def _runner(self, statement):
        return (self._jobs if statement.job else self._codes)[statement.kind]

    def _failure(self, statement, error):
        # runs the exception's own code, so it can be interrupted too
        described, _ = self.gate.call(self._runner(statement).describe, error, self._cut)
        name, value, lines = described or (type(error).__name__, "", [])
        return {"status": "error", "ename": name, "evalue": wire_text(value),
                "traceback": [wire_text(line) for line in lines]}

    def _finish(self, statement, fields):
        with self.lock:
            interrupted = self._interrupts.over(statement.id)
            if interrupted:  # the JVM goes on where Python was cut short, and may begin a job yet
                self._spark_worker.call(self.spark.cancel_future_jobs, statement.id)
                now = time.monotonic()
                self._leftovers[statement.id] = [now + after for after in self.LEFTOVERS]
        self._capture.flush()
        with self.changed:
            self._drain()
            self._interrupts.over(statement.id)
            self.gate.target = None
            if interrupted:
                fields["interrupted"] = True
                if fields["status"] == "error":
                    fields["status"] = "cancelled"
            self._meter = OutputMeter(self.settings.max_output)
            self._progress_at = None
            self._post_result(statement.id, fields)
            if not self._table.has_waiting() and self._ending is None:
                self._post({"type": "status", "state": "idle"})

    def _drain(self):
        """Takes over all that has been written until now; waits while there is no room for it.
        The lock is held, and let go while waiting."""
        wanted = {stream: self._read[stream] + self._capture.pending(stream)
                  for stream in self._read}
        for stream, until in wanted.items():
            while self._read[stream] < until:
                if self.outbox.has_room(self.settings.max_chunk):
                    self._pump(stream, until - self._read[stream])
                else:
                    self.changed.wait()
        self._post_chunks(self._meter.finish())

    def _tear_down(self):
        self._restore_signals()
        with self.lock:
            self._force_at = time.monotonic() + self.settings.stop_grace
        for step in (atexit._run_exitfuncs, self.spark.stop):
            try:
                step()
            except BaseException as error:
                self.log(f"at the end: {error!r}")
        if self._capture is not None:
            self._capture.flush()
        with self.lock:
            self._main_is_done = True
        self._link.wake()

    def _restore_signals(self):
        while True:
            try:
                signal.signal(signal.SIGINT, self.gate.on_sigint)
                signal.signal(signal.SIGTERM, lambda *_: None)  # the link reads of it
                signal.set_wakeup_fd(self._link.waker, warn_on_full_buffer=False)
                return
            except KeyboardInterrupt:  # a late one, by a handler that the code has installed
                continue

    def _after_fork(self):
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._link.forget()

    def _end_from_main(self, *reason):
        with self.lock:
            self.end(*reason)

    # -- link; the lock is held --

    def receive(self, message):
        handler = {"execute": self._on_execute, "interrupt": self._on_interrupt,
                   "complete": self._on_complete, "add": self._on_add,
                   "close": self._on_close}.get(message["type"])
        if handler is None:
            self.log(f"a message of unknown type is ignored: {message['type'][:100]!r}")
            return
        try:
            handler(message)
        except ValueError as error:
            self._reject(message, "bad_message", str(error))

    def acknowledged(self, received):
        self.outbox.acknowledge(received)
        self.changed.notify_all()

    def next_frame(self):
        try:
            return self.outbox.next_frame()
        except OSError as error:
            self.log(f"internal error: the spool cannot be read: {error}")
            os._exit(EXIT_INTERNAL)

    def _on_execute(self, message):
        job = message.get("job", False)
        if not isinstance(job, bool):
            raise ValueError("job: must be true or false")
        statement = Statement(statement_id(message), message.get("kind"),
                              read_wire_text(message.get("code")), job)
        kinds = JOB_KINDS if job else KINDS
        if statement.kind not in kinds:
            raise ValueError("kind: must be one of " + ", ".join(kinds))
        if self._ending is not None:
            self._reject(message, "ending", "the session is ending")
            return
        outcome = self._table.execute(statement)
        if outcome == "queued":
            if self._table.is_unwanted(statement.id):
                self._cancel_waiting(statement.id)
            self.changed.notify_all()
        elif outcome == "over":
            self._post(self._table.result(statement.id))
        elif outcome == "forgotten":
            self._post({"type": "result", "statement": statement.id, "status": "forgotten"})
        elif outcome == "full":
            self._reject(message, "queue_full", "too much code waits; send it again later")

    def _on_interrupt(self, message):
        target = statement_id(message)
        after = message.get("end_session_after")
        if after is not None and (isinstance(after, bool) or not isinstance(after, (int, float))
                                  or not 0 <= after <= 86400):
            raise ValueError("end_session_after: must be null or seconds from 0 to 86400")
        if self._table.running and self._table.running.id == target:
            self._interrupts.request(target, time.monotonic(), after)
        else:
            self._table.refuse(target)
            self._cancel_waiting(target)

    def _on_complete(self, message):
        request, cursor = message.get("request"), message.get("cursor")
        if not is_count(request):
            raise ValueError("request: must be a number")
        if not is_count(cursor):
            raise ValueError("cursor: must be a number of bytes")
        code = read_wire_text(message.get("code")).encode("utf-8", "surrogatepass")[:cursor]
        before = code.decode("utf-8", "ignore")
        code = self._codes.get(message.get("kind"))
        if hasattr(code, "complete"):
            self._completion_worker.call(self._complete, code, request, before)
        else:
            self._link.say_soon({"type": "completion", "request": request, "candidates": [],
                                 "replaces": 0})

    def _complete(self, code, request, before):
        try:
            candidates, length = code.complete(before)
        except Exception:
            candidates, length = [], 0
        with self.lock:
            self._link.say_soon({"type": "completion", "request": request,
                                 "candidates": [wire_text(one) for one in candidates],
                                 "replaces": length})

    def _on_add(self, message):
        request, what = message.get("request"), message.get("what")
        if not is_count(request):
            raise ValueError("request: must be a number")
        try:
            uri = read_wire_text(message.get("uri"))
        except ValueError:
            uri = ""
        if what not in KINDS_OF_FILES:
            self._added(request, "what: must be one of " + ", ".join(KINDS_OF_FILES))
        elif not uri:
            self._added(request, "uri: must be a text of UTF-8")
        elif self._ending is not None:
            self._added(request, "the session is ending")
        elif self._files is None:
            self._added(request, "the session has not started yet")
        else:
            self._files_worker.call(self._add, request, what, uri)

    def _add(self, request, what, uri):
        error = None
        try:
            self._files.add(what, uri)
        except Exception as failure:
            error = cut_text(add_error(failure), self._cut)
        with self.lock:
            self._added(request, error)

    def _added(self, request, error):
        self._link.say_soon({"type": "added", "request": request,
                             "error": None if error is None else wire_text(error)})

    def _on_close(self, _message):
        self.end("closed", "", EXIT_CLOSED)

    def _cancel_waiting(self, statement_id=None):
        for one in self._table.cancel_waiting(statement_id):
            self._post_result(one, {"status": "cancelled", "ename": "KeyboardInterrupt",
                                    "evalue": "cancelled before it ran", "traceback": [],
                                    "interrupted": True})

    def end(self, reason, detail, status):
        """The session is over for this reason, unless it is already for another."""
        if self._ending is not None:
            return
        self._ending = (reason, detail, status)
        self._cancel_waiting()
        now = time.monotonic()
        self._force_at = now + self.settings.close_grace
        if self._table.running:
            self._interrupts.request(self._table.running.id, now)
        self.changed.notify_all()
        self._link.wake()

    def readable(self, now, deadlines):
        """Which descriptors to read output from, {descriptor: stream}; when later is meant, the
        time of it is added to the deadlines."""
        if self._capture is None or not self.outbox.has_room(self.settings.max_chunk):
            return {}
        if now < self._hold_until:
            deadlines.append(self._hold_until)
            return {}
        return {descriptor: stream for stream, descriptor in self._capture.readers.items()}

    def pump(self, stream, now):
        if self._pump(stream, self.settings.max_chunk) < self.settings.max_chunk:
            self._hold_until = now + self.HOLD_OUTPUT

    def tick(self, now):
        """Does what is due and gives when to come again."""
        deadlines = [self._tick_interrupt(now), self._tick_progress(now),
                     self._tick_leftovers(now)]
        if self._ending is None and not self._link.connected():
            granted = self._link.granted
            limit = self.settings.host_vanished_after if granted else self.settings.connect_for
            if now >= self._link.lost_at + limit:
                self.log(f"no host at {self.settings.endpoint} for {limit} s: ending")
                self.end("host_vanished", f"no host for {limit} s", EXIT_HOST_VANISHED)
            deadlines.append(self._link.lost_at + limit)
        if self._ending is not None:
            deadlines.append(self._tick_end(now))
        return min((at for at in deadlines if at is not None), default=None)

    def _tick_interrupt(self, now):
        running = self._table.running
        for action in self._interrupts.tick(now, self.gate.raised):
            if action == "signal" and running and running.id == self._interrupts.statement:
                self.gate.target = running.id
                signal.pthread_kill(self._main, signal.SIGINT)
                self._spark_worker.call(self._cancel, running)
            elif action == "unheeded":
                self._post({"type": "unheeded", "statement": self._interrupts.statement,
                            "attempts": self.gate.raised})
            elif action == "end_session":
                detail = f"statement {self._interrupts.statement} did not end when interrupted"
                self.end("interrupt_unheeded", detail, EXIT_INTERRUPT_UNHEEDED)
                self._force_at = now  # its grace is over
        return self._interrupts.deadline()

    def _cancel(self, statement):
        code = self._runner(statement)
        try:
            self.spark.cancel_jobs(statement.id)
        finally:  # code is stopped also where Spark cannot be reached
            if hasattr(code, "cancel"):
                code.cancel(statement.id)

    def _tick_progress(self, now):
        if self._progress_at is None or self._table.running is None:
            return None
        if now >= self._progress_at:
            self._progress_at = now + self.settings.progress_every
            self._spark_worker.call(self._tell_progress, self._table.running.id)
        return self._progress_at

    def _tick_leftovers(self, now):
        """Jobs of interrupted statements that have begun when these were over."""
        for statement_id, times in list(self._leftovers.items()):
            if now >= times[0]:
                self._spark_worker.call(self.spark.cancel_jobs, statement_id)
                del times[0]
            if not times:
                del self._leftovers[statement_id]
        return min((times[0] for times in self._leftovers.values()), default=None)

    def _tell_progress(self, statement_id):
        running = self._table.running
        if running is None or running.id != statement_id:
            return
        counts = self.spark.progress(statement_id)
        with self.lock:
            if counts[1] and counts != self._progress_told:
                self._progress_told = counts
                self._link.say_soon({"type": "progress", "statement": statement_id,
                                     "completed_tasks": counts[0], "tasks": counts[1]})

    def _tick_end(self, now):
        reason, detail, status = self._ending
        if self._final_at is None:
            if not self._main_is_done and now < self._force_at:
                return self._force_at
            if not self._main_is_done:
                self.log("ends by force")
            end_descendants()
            self._last_output()
            self._post({"type": "bye", "reason": reason, "detail": wire_text(detail)})
            self._final_at = time.monotonic() + self.settings.bye_grace
        all_said = self.outbox.acknowledged == self.outbox.latest
        if all_said or now >= self._final_at or reason in ("host_vanished", "refused"):
            self.log(f"ended: {reason}: {detail}" if detail else f"ended: {reason}")
            os._exit(status)
        return self._final_at

    def _last_output(self):
        running = self._table.running
        if self._capture is not None:
            for stream in self._read:
                while self.outbox.has_room(self.settings.max_chunk) and self._pump(
                        stream, self.settings.max_chunk):
                    pass
                self._meter.dropped += self._capture.pending(stream)
            self._post_chunks(self._meter.finish())
        if running:
            self._post_result(running.id, {
                "status": "cancelled", "ename": "SessionEnded", "traceback": [],
                "evalue": "the session ended while the statement ran", "interrupted": True})

    def _pump(self, stream, size):
        data = self._capture.read(stream, min(size, self.settings.max_chunk))
        self._read[stream] += len(data)
        if data:
            self._post_chunks(self._meter.feed(stream, data))
        return len(data)

    def _post_chunks(self, chunks):
        running = self._table.running
        for stream, data in chunks:
            self._post({"type": "output", "statement": running.id if running else None,
                        "stream": stream, "text": wire_text(data)})

    def _post_result(self, statement_id, fields):
        message = dict(fields, type="result", statement=statement_id)
        self._table.finish(statement_id, message, self._post(message))

    def _reject(self, message, code, detail):
        rejected = {"type": "rejected", "message": message.get("seq"), "code": code,
                    "detail": detail}
        if is_count(message.get("statement")):
            rejected["statement"] = message["statement"]
        self._post(rejected)

    def _post(self, message):
        if self._final_at is not None:  # bye was the last one
            return 0
        size = self.outbox.add(message)
        self._link.wake()
        return size


def statement_id(message):
    if not is_count(message.get("statement")):
        raise ValueError("statement: must be a number")
    return message["statement"]


def make_log():
    """Lines for the driver's log, also when descriptor 2 is captured."""
    descriptor = os.dup(2)

    def log(text):
        with contextlib.suppress(OSError):
            os.write(descriptor, f"sparkhost agent: {text}\n".encode(
                "utf-8", "backslashreplace"))
    return log


def main(arguments):
    log = make_log()
    if len(arguments) != 1:
        log("usage: sparkhost_agent.py SETTINGS")
        return EXIT_BAD_SETTINGS
    try:
        settings = Settings.load(arguments[0])
    except (SettingsError, OSError) as error:
        log(f"settings {arguments[0]}: {error}")
        return EXIT_BAD_SETTINGS
    Agent(settings, log).run()
    return EXIT_INTERNAL


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
