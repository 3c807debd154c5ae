# SPDX-License-Identifier: Apache-2.0
"""Runs statements of kind sparkr: in a process of R, which is a child of the driver's Python and is
connected to the same JVM. Its side is sparkhost_r.R.

R inherits descriptors 1 and 2, so what it prints is the statement's output without any doing of
ours. It is told what to run, and tells how that went, through two pipes of its own.
"""

import _thread
import atexit
import base64
import contextlib
import ctypes
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from sparkhost_text import OWN_FOLDER, cut_text, describe_exception

PACKAGE_DIR = "spark.sparkhost.sparkrPackageDir"
HOW_TO_GET_SPARKR = (
    "Distributions of Spark carry SparkR in R/lib; PySpark from PyPI does not.\n",
    f"To provide it, name the folder that has SparkR in it with {PACKAGE_DIR}, or with "
    "SPARKR_PACKAGE_DIR in the driver's environment, or send it along: "
    "spark.archives=/path/to/sparkr.zip#sparkr\n")


class RError(Exception):
    """What R reports of a statement, and that R has died."""


class InterpreterError(Exception):
    """R cannot be had. `lines` say where it was looked for."""

    def __init__(self, reason, lines=()):
        super().__init__(f"Fail to start interpreter: {reason}")
        self.lines = list(lines)


def end_with_parent():
    """In a child before it becomes another program: it is killed when this process is."""
    _prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


_prctl = ctypes.CDLL(None).prctl  # looked up here, because a forked child should load nothing


def family(pid):
    """A process and all that it has started."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{thread}/children", "rb") as file:
                    found += map(int, file.read().split())
    return found


def utf8_locale(environment):
    """What to add, so that R reads and writes UTF-8 where nobody has chosen a locale."""
    chosen = next((environment[name] for name in ("LC_ALL", "LC_CTYPE", "LANG")
                   if environment.get(name)), "C")
    return {"LC_ALL": "C.UTF-8"} if chosen in ("C", "POSIX") else {}


class Backend:
    """Spark's side of SparkR: a server inside the JVM that calls methods for R."""

    def __init__(self, jvm):
        self._backend = jvm.org.apache.spark.api.r.RBackend()
        try:
            made = self._backend.init()
            self.port, self.secret = made._1(), made._2().secret()
        except BaseException:
            self.close()
            raise

    def close(self):
        with contextlib.suppress(Exception):  # the JVM may be gone
            self._backend.close()


class Process:
    """R, from its start to its end."""

    CLOSE_PATIENCE = 5

    def __init__(self, command, folder, backend, environment):
        self._backend = backend
        self.folder = folder
        requests, self._requests = os.pipe()
        self._replies, replies = os.pipe()
        self._ended, self._alive = os.pipe()  # closed when R has ended
        self._unread = b""
        self._tidied = threading.Event()
        try:
            self._process = subprocess.Popen(
                [*command, "--slave", "--no-restore", "--no-save", "-e",
                 "eval(parse(Sys.getenv('SPARKHOST_R_PROGRAM'),encoding='UTF-8'),"
                 "new.env(parent=baseenv()))"],
                stdin=subprocess.DEVNULL, pass_fds=(requests, replies),
                preexec_fn=end_with_parent, env={
                    **environment, "TMPDIR": folder,
                    "SPARKHOST_R_PROGRAM": os.path.join(OWN_FOLDER, "sparkhost_r.R"),
                    "SPARKHOST_R_REQUESTS": f"/proc/self/fd/{requests}",
                    "SPARKHOST_R_REPLIES": f"/proc/self/fd/{replies}",
                    "SPARKHOST_R_FOLDER": folder})
        except BaseException:
            for descriptor in (self._requests, self._replies, self._ended, self._alive):
                os.close(descriptor)
            raise
        finally:
            os.close(requests)
            os.close(replies)
        # not a threading.Thread: an interrupt could be raised in its start, and R be left behind
        _thread.start_new_thread(self._watch, ())

    def _watch(self):
        # what R has started may hold the pipes open, so their end would not tell
        self._process.wait()
        os.close(self._alive)
        self._backend.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._tidied.set()

    def request(self, line):
        with contextlib.suppress(BrokenPipeError):  # it has died, which wait() finds
            os.write(self._requests, line.encode() + b"\n")

    def wait(self, timeout=None):
        """(status, text) of a reply; None when the time is over; ("died", how) of a dead R.
        Interruptible: a KeyboardInterrupt loses nothing, and it can be called again."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self._replies, selectors.EVENT_READ)
            selector.register(self._ended, selectors.EVENT_READ)
            while True:
                reply = self._take()
                if reply is not None:
                    return reply
                pause = None if deadline is None else max(0, deadline - time.monotonic())
                # a Python function, so that an interrupt can be raised in it
                ready = [key.fd for key, _ in selector.select(pause)]
                data = os.read(self._replies, 1 << 16) if self._replies in ready else b""
                self._unread += data
                if data:
                    continue
                if self._ended in ready:
                    return "died", self.how_it_ended()
                if not ready:
                    return None
                selector.unregister(self._replies)  # at its end: R is about to die

    def _take(self):
        head, end, rest = self._unread.partition(b"\n")
        if not end:
            return None
        status, size = head.split()
        size = int(size)
        if len(rest) < size:
            return None
        self._unread = rest[size:]
        return status.decode(), rest[:size].decode("utf-8", "replace")

    def how_it_ended(self):
        status = self._process.wait()
        if status < 0:
            names = {number.value: number.name for number in signal.Signals}
            return f"R was ended by {names.get(-status, -status)}"
        return f"R has ended with exit status {status}"

    def is_alive(self):
        # not poll(): until the thread that watches has noticed, it takes a dead R for a living one
        try:
            return os.waitid(os.P_PID, self._process.pid,
                             os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:  # that thread has
            return False

    def interrupt(self):
        if self.is_alive():
            for pid in family(self._process.pid):  # as Ctrl-C at a terminal reaches them all
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGINT)

    def end(self, patience=0.0):
        """Once. Lets R end by itself for so long; afterwards nothing of it is left."""
        os.close(self._requests)
        if patience:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        if self._process.returncode is None:
            with contextlib.suppress(OSError):  # before anything in which we can be interrupted
                os.kill(self._process.pid, signal.SIGKILL)
        self._tidied.wait(self.CLOSE_PATIENCE)
        os.close(self._replies)
        os.close(self._ended)


class RCode:
    """Runs statements of kind sparkr."""

    START_PATIENCE = 60
    END_PATIENCE = 2  # SparkR sleeps a second when R ends

    def __init__(self, spark, max_size, log):
        self._spark = spark
        self._max_size = max_size
        self._log = log
        self._process = None
        self._context = None         # that R is attached to
        self._connection = "keep"    # what R shall do about it before the next statement
        self._lock = threading.Lock()
        self._running = None         # statement that R is at; under the lock, as is _signalled
        self._signalled = False

    def run(self, statement):
        """Gives (data, notes). Raises RError, InterpreterError or KeyboardInterrupt."""
        notes = self._prepare()
        self._write_code(statement.code)
        group = self._spark.group(statement.id)
        status, text, interrupted = self._let_run(statement.id, f"{group} {self._connection}")
        self._connection = "renew" if self._signalled else "keep"
        if status == "died":
            self._drop()
            raise RError(f"Interpreter died:\n{text}")
        if status == "interrupted" or (interrupted and status == "error"):
            raise KeyboardInterrupt
        if status == "error":
            raise RError(text)
        return self._plot(text, notes), notes

    def cancel(self, statement_id):
        """Any thread. Spark's jobs are cancelled elsewhere."""
        with self._lock:
            if self._running == statement_id:
                self._signalled = True
                self._process.interrupt()

    @staticmethod
    def describe(error, cut):
        if isinstance(error, RError):
            return "Error", cut_text(str(error), cut), []
        if isinstance(error, InterpreterError):
            return "InterpreterError", cut_text(str(error), cut), error.lines
        return describe_exception(error, cut)

    def close(self):
        if self._process is not None:
            self._drop(self.END_PATIENCE)

    # -- a statement --

    def _write_code(self, code):
        try:
            content = code.replace("\r\n", "\n").encode("utf-8")  # R takes a "\r" for an error
        except UnicodeEncodeError as error:
            raise RError(f"the code is not Unicode: {error.reason}") from None
        with open(os.path.join(self._process.folder, "code"), "wb") as file:
            file.write(content)

    def _let_run(self, statement_id, request):
        """(status, text, whether it was interrupted)."""
        with self._lock:
            self._running, self._signalled = statement_id, False
        interrupted = False
        try:
            self._process.request(request)
            while True:
                try:
                    return (*self._process.wait(), interrupted)
                except KeyboardInterrupt:  # R gets its own; it ends the statement
                    interrupted = True
        finally:
            with self._lock:
                self._running = None

    def _plot(self, path, notes):
        if not path:
            return {}
        with open(path, "rb") as file:
            image = base64.b64encode(file.read()).decode("ascii")
        for name in os.listdir(self._process.folder):
            if name.startswith("plot-"):
                os.unlink(os.path.join(self._process.folder, name))
        if len(image) > self._max_size:
            notes.append(f"the plot is left out: its {len(image)} bytes are more than "
                         f"{self._max_size}")
            return {}
        return {"image/png": image, "text/plain": ""}  # beside what it has written

    # -- R --

    def _prepare(self):
        """Sees to it that R is there and knows the session's context. Gives notes."""
        context = self._spark.session().sparkContext
        notes = []
        if self._process is not None and not self._process.is_alive():
            how = self._process.how_it_ended()
            notes.append(f"{how} since the last statement; this is a new one")
            self._drop()
        if self._process is None:
            self._process = self._start(context)
            self._connection = "keep"
            atexit.register(self.close)
        elif self._context is not context:
            self._connection = "attach"
        self._context = context
        return notes

    def _drop(self, patience=0.0):
        process, self._process = self._process, None
        atexit.unregister(self.close)
        process.end(patience)

    def _start(self, context):
        command = self._command(context)
        libraries = self._libraries(context)
        process = self._launch(command, libraries, context)
        try:
            status, text = process.wait(self.START_PATIENCE) or (
                "late", f"R did not get ready within {self.START_PATIENCE} s")
            if status != "ready":
                raise InterpreterError(text, self._where(command, libraries))
        except BaseException:
            process.end()
            raise
        if text:
            self._log(f"SparkR says: {text}")
        return process

    def _launch(self, command, libraries, context):
        # where Spark keeps what its JVM removes at its end, should we not come to it
        folder = tempfile.mkdtemp(prefix="sparkhost-r-", dir=context._temp_dir)
        backend = None
        try:
            backend = Backend(context._jvm)
            environment = dict(os.environ, **utf8_locale(os.environ))
            environment.setdefault("SPARK_HOME", ".")
            environment.update(
                EXISTING_SPARKR_BACKEND_PORT=str(backend.port),
                SPARKR_BACKEND_AUTH_SECRET=backend.secret,
                SPARKR_BACKEND_CONNECTION_TIMEOUT=context.getConf().get(
                    "spark.r.backendConnectionTimeout", "6000"),
                SPARKHOST_R_LIBRARIES="\n".join(libraries))
            return Process([command], folder, backend, environment)
        except BaseException as error:
            if backend is not None:
                backend.close()
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, Exception):
                raise InterpreterError(str(error), self._where(command, libraries)) from error
            raise

    @staticmethod
    def _command(context):
        wanted = context.getConf().get("spark.r.shell.command") or \
            os.environ.get("SPARKR_DRIVER_R") or "R"
        found = shutil.which(wanted)
        if found is None:
            raise InterpreterError(f"there is no program {wanted}", [
                "R is started as spark.r.shell.command says, else the environment variable "
                "SPARKR_DRIVER_R, else as R on PATH, where the driver runs.\n"])
        return found

    @staticmethod
    def _libraries(context):
        """Folders, of those that have SparkR by custom, that are there."""
        from pyspark import SparkFiles
        named = context.getConf().get(PACKAGE_DIR) or os.environ.get("SPARKR_PACKAGE_DIR", "")
        archives = ["sparkr", os.path.join(SparkFiles.getRootDirectory(), "sparkr")]
        home = os.path.join(os.environ.get("SPARK_HOME", "."), "R", "lib")
        return [os.path.abspath(folder) for folder in (*named.split(","), *archives, home)
                if folder and os.path.isdir(folder)]

    @staticmethod
    def _where(command, libraries):
        places = ", ".join([*libraries, "R's own libraries"])
        return [f"R is {command}. SparkR was looked for in {places}.\n", *HOW_TO_GET_SPARKR]
