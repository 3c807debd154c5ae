# SPDX-License-Identifier: Apache-2.0
"""Runs statements of kind spark in Scala's own interpreter, inside Spark's JVM.

Spark brings the interpreter along, and PySpark's gateway reaches it: nothing is shipped as a jar.
What has to happen in the JVM itself is in sparkhost_scala*.scala, which the interpreter compiles.
"""

import hashlib
import os
import queue
import shutil
import tempfile
import threading
import time

from sparkhost_text import OWN_FOLDER, cut_text, describe_exception, plain_text



def read_helper(name):
    with open(os.path.join(OWN_FOLDER, name), encoding="utf-8") as file:
        return file.read()


# now: a newer host may put other ones there
HELPERS = tuple(map(read_helper, ("sparkhost_scala_text.scala", "sparkhost_scala.scala")))

IMPORTS = """\
import org.apache.spark.SparkContext._
import org.apache.spark.sql.functions._
"""
NAMES = """\
@transient val spark = _root_.sparkhost.Bound.spark
@transient val sc = spark.sparkContext
import spark.implicits._
import spark.sql
"""

# A SIGINT raises in no frame of the agent: so the one that waits is none.
WAIT = eval(compile("lambda acquire: acquire()", "<waiting for Scala>", "eval"))


class ScalaError(Exception):
    """What a statement shows when it has failed."""

    def __init__(self, name, value, lines=()):
        super().__init__(value)
        self.name, self.lines = name, list(lines)


def lines_of(text):
    """With their ends, and none but line feeds end them."""
    lines = [line + "\n" for line in text.split("\n")]
    return lines[:-1] + ([lines[-1][:-1]] if lines[-1] != "\n" else [])


class Call:
    """Something that the thread of the interpreter does, and what has become of it."""

    def __init__(self, function, *arguments):
        self._function, self._arguments = function, arguments
        self._finished = threading.Lock()
        self._finished.acquire()
        self._is_over = False
        self._outcome = None, None
        self.is_unwanted = False
        self.cancelled_at = None

    def perform(self):
        try:
            self._outcome = self._function(*self._arguments), None
        except BaseException as error:
            self._outcome = None, error
        self._is_over = True
        self._finished.release()

    def result(self):
        """Waits for the end, also while it is interrupted: it is not over before."""
        while not self._is_over:
            try:
                WAIT(self._finished.acquire)
            except KeyboardInterrupt:
                self.is_unwanted = True
        value, error = self._outcome
        if error is not None:
            raise error
        return value


class Interpreter:
    """Scala's interpreter. All but interrupt() and complete() belong to one thread."""

    def __init__(self, classes, cache_folder, max_size):
        from pyspark import SparkContext, __version__
        self._gateway, self._jvm = SparkContext._gateway, SparkContext._jvm
        self._is_new = self._scala_version().startswith("2.13")
        self._loader = self._jvm.java.lang.Thread.currentThread().getContextClassLoader()
        self._written = self._jvm.java.io.StringWriter()
        compiled = Compiled(cache_folder, self._scala_version(), __version__)
        paths = user_jars(self._gateway, self._loader)
        self._main = self._make(classes, paths + compiled.paths())
        if not compiled.paths():
            for helper in HELPERS:
                if not self._main.compileString(helper):
                    raise RuntimeError(self._written.toString())
            compiled.keep(os.path.join(classes, "sparkhost"))
        self._repl = self._make_repl(max_size)
        self._bound = None
        self._prepare(IMPORTS)

    def _scala_version(self):
        return self._jvm.scala.util.Properties.versionNumberString()

    def _list(self, *items):
        items = self._jvm.java.util.Arrays.asList(self._array(*items))
        if self._is_new:
            return self._jvm.scala.jdk.javaapi.CollectionConverters.asScala(items).toList()
        return self._jvm.scala.collection.JavaConverters.asScalaBufferConverter(
            items).asScala().toList()

    def _array(self, *items):
        array = self._gateway.new_array(self._jvm.java.lang.Object, len(items))
        for at, item in enumerate(items):
            array[at] = item
        return array

    def _make(self, classes, paths):
        nsc = self._jvm.scala.tools.nsc
        settings = nsc.Settings()
        settings.embeddedDefaults(self._loader)
        arguments = ["-Yrepl-class-based", "-Yrepl-outdir", classes, "-usejavacp"]
        if self._is_new:  # notices of what was good Scala in 2.12, such as df.collect.head
            arguments.append("-Wconf:cat=deprecation&msg=Auto-application:s")
        if paths:
            arguments += ["-classpath", ":".join(paths)]
        settings.processArguments(self._list(*arguments), True)
        writer = self._jvm.java.io.PrintWriter(self._written, True)
        if self._is_new:
            main = nsc.interpreter.IMain(
                settings, nsc.interpreter.shell.ReplReporterImpl(settings, writer))
            main.initializeCompiler()
        else:
            main = nsc.interpreter.IMain(settings, writer)
            main.initializeSynchronous()
        return main

    def _make_repl(self, max_size):
        load = self._main.classLoader().loadClass
        self._bound_object = load("sparkhost.Bound$").getField("MODULE$").get(None)
        streams = [f"/proc/{os.getpid()}/fd/{number}" for number in (1, 2)]
        return load("sparkhost.Repl").getConstructors()[0].newInstance(
            self._array(self._main, self._written, *streams, max_size))

    def _prepare(self, code):
        complaint = self._repl.prepare(code)
        if complaint:
            raise RuntimeError(complaint)

    def bind(self, session):
        """The names mean this session, from now on."""
        if session is not self._bound:
            getattr(self._bound_object, "spark_$eq")(session._jsparkSession)
            self._prepare(NAMES)
            self._bound = session

    def run(self, code, group, description):
        status, kind, text = self._repl.run(plain_text(code), group, description).split("\n", 2)
        return status, kind, text

    def interrupt(self, by_force):
        self._repl.interrupt(by_force)

    def add_jar(self, path):
        add_to_loader(self._gateway, self._loader, path)
        self._main.addUrlsToClassPath(self._list(self._jvm.java.io.File(path).toURI().toURL()))

    def complete(self, before):
        """Nothing while the compiler is at work: it cannot do two things at a time."""
        lock = self._repl.compiler()
        if not lock.tryLock():
            return [], 0
        try:
            return self._complete(before)
        finally:
            lock.unlock()

    def _complete(self, before):
        nsc = self._jvm.scala.tools.nsc
        if self._is_new:
            completion = nsc.interpreter.shell.ReplCompletion(
                self._main, nsc.interpreter.shell.Accumulator())
        else:
            completion = nsc.interpreter.PresentationCompilerCompleter(self._main)
        length = len(before.encode("utf-16-le")) // 2
        found = completion.complete(before, length)
        candidates = found.candidates().take(200)
        names = [candidates.apply(at) for at in range(candidates.size())]
        if self._is_new:
            names = [name.name() for name in names]
        return sorted({name.strip() for name in names if name.strip()}), length - found.cursor()


class Compiled:
    """The helper's classes, compiled by an earlier session of this host."""

    def __init__(self, folder, scala_version, spark_version):
        key = hashlib.sha256("\n".join((*HELPERS, scala_version, spark_version)).encode())
        usable = bool(folder) and self._is_own(folder)
        self._folder = os.path.join(folder, f"scala-{key.hexdigest()[:24]}") if usable else ""

    @staticmethod
    def _is_own(folder):
        """Whoever else could write there could have code run as this user."""
        try:
            there = os.stat(folder)
        except OSError:
            return False
        return there.st_uid == os.getuid() and not there.st_mode & 0o022

    def paths(self):
        return [self._folder] if self._folder and os.path.isdir(self._folder) else []

    def keep(self, package):
        if not self._folder:
            return
        try:
            made = tempfile.mkdtemp(prefix=".scala-", dir=os.path.dirname(self._folder))
            try:
                shutil.copytree(package, os.path.join(made, os.path.basename(package)))
                os.rename(made, self._folder)  # fails where another session was faster
            finally:
                shutil.rmtree(made, ignore_errors=True)
        except OSError:
            pass  # the next session compiles it again


def user_jars(gateway, loader):
    """What the application has brought along. The JVM's own class path is not part of it."""
    from py4j.java_gateway import is_instance_of
    paths = []
    while loader is not None:
        if is_instance_of(gateway, loader, "java.net.URLClassLoader"):
            paths += [url.getPath() for url in loader.getURLs() if url.getProtocol() == "file"]
        loader = loader.getParent()
    return paths


def add_to_loader(gateway, loader, path):
    """Spark's own loader takes jars, and then all of the driver sees them."""
    from py4j.java_gateway import is_instance_of
    while loader is not None:
        if is_instance_of(gateway, loader, "org.apache.spark.util.MutableURLClassLoader"):
            loader.addURL(gateway.jvm.java.io.File(path).toURI().toURL())
            return
        loader = loader.getParent()


class ScalaCode:
    """Runs statements of kind spark. The interpreter starts with the first one, or earlier."""

    HEEDS_WITHIN = 0.5  # seconds, else what runs is stopped by force

    def __init__(self, spark, max_size, cache_folder=""):
        self._spark = spark
        self._max_size = max_size
        self._cache_folder = cache_folder
        self._classes = None
        self._interpreter = None
        self._running = None  # (statement's id, call)
        self._calls = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="sparkhost-scala", daemon=True).start()

    def _serve(self):
        while True:
            self._calls.get().perform()

    def _call(self, function, *arguments):
        call = Call(function, *arguments)
        self._calls.put(call)
        return call

    def prepare(self, early):
        """Before there is a SparkContext: executors load classes from where it says. `early`: the
        interpreter starts now, while Spark does."""
        from pyspark import SparkContext
        SparkContext._ensure_initialized()
        jvm = SparkContext._jvm
        utils, system = jvm.org.apache.spark.util.Utils, jvm.java.lang.System
        conf = jvm.org.apache.spark.SparkConf()
        # gone when the JVM ends, as all of Spark's temporary folders
        self._classes = utils.createTempDir(utils.getLocalDir(conf), "repl").getAbsolutePath()
        system.setProperty("spark.repl.class.outputDir", self._classes)
        if not conf.contains("spark.sql.artifact.isolation.enabled"):
            # Spark 4 would look for classes in the session's artifacts only
            system.setProperty("spark.sql.artifact.isolation.enabled", "false")
        if early:
            self._call(self._start)

    def wait_until_ready(self):
        """After prepare(early=True), once there is a SparkSession."""
        self._call(self._bind).result()

    def _start(self):
        if self._interpreter is None:
            try:
                self._interpreter = Interpreter(self._classes, self._cache_folder, self._max_size)
            except Exception as error:
                name, value, lines = describe_exception(error, self._max_size)
                raise ScalaError("InterpreterError", f"Fail to start interpreter: {name}: {value}",
                                 lines) from error

    def _bind(self):
        self._start()
        self._interpreter.bind(self._spark.session())

    def run(self, statement):
        call = Call(self._interpret, statement)
        self._running = statement.id, call
        self._calls.put(call)
        try:
            return self._shown(*call.result())
        finally:
            self._running = None

    def _interpret(self, statement):
        _, call = self._running
        self._bind()
        if call.is_unwanted:
            raise KeyboardInterrupt
        return self._interpreter.run(statement.code, self._spark.group(statement.id),
                                     f"statement {statement.id}")

    def _shown(self, status, kind, text):
        if status == "incomplete":
            raise ScalaError("Error", "incomplete statement")
        if status == "error" and kind != "Error":
            raise ScalaError(kind, text)
        if status == "error":
            lines = lines_of(text)
            raise ScalaError("Error", "".join(lines[:1]).strip(), lines[1:])
        if kind == "text/plain":
            return {kind: cut_text(text, self._max_size)} if text else {}, []
        return {kind: text}, []

    def cancel(self, statement_id):
        """Spark's jobs have been cancelled. May come again and again."""
        running = self._running
        if running is None or running[0] != statement_id or self._interpreter is None:
            return
        _, call = running
        now = time.monotonic()
        if call.cancelled_at is None:
            call.cancelled_at = now
        self._interpreter.interrupt(now >= call.cancelled_at + self.HEEDS_WITHIN)

    def add_jar(self, path):
        """Statements that come from now on see the classes of this jar. Any thread; the call
        returns before it is done. Raises FileNotFoundError."""
        if not os.path.isfile(path):
            raise FileNotFoundError(path)
        self._call(self._add_jar, os.path.abspath(path))

    def _add_jar(self, path):
        if self._interpreter is not None:
            self._interpreter.add_jar(path)
        else:
            from pyspark import SparkContext
            thread = SparkContext._jvm.java.lang.Thread.currentThread()
            add_to_loader(SparkContext._gateway, thread.getContextClassLoader(), path)

    @staticmethod
    def describe(error, cut):
        if not isinstance(error, ScalaError):
            return describe_exception(error, cut)
        lines = error.lines
        if sum(map(len, lines)) > cut:
            lines = lines_of(cut_text("".join(lines), cut))
        return error.name, cut_text(str(error), cut), lines

    def complete(self, before):
        """Words that continue the text before the cursor, and how long their beginning is."""
        interpreter = self._interpreter
        return ([], 0) if interpreter is None else interpreter.complete(before)
