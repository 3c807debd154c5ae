# SPDX-License-Identifier: Apache-2.0
"""What the agent does with Java classes inside the driver: makes jars visible, runs binary jobs of
kind spark, which are objects of org.apache.livy.Job that a client of Livy has serialized."""

import base64
import contextlib
import os

from sparkhost_jobs import RESULT, JobError, job_bytes
from sparkhost_text import cut_text, describe_exception


def add_to_driver(context, path):
    """Makes a jar's classes visible in the driver, where Spark itself looks for the user's."""
    jvm = context._jvm
    user_loader(jvm).addURL(jvm.java.io.File(path).toURI().toURL())


def user_loader(jvm):
    """The class loader that spark-submit has made for the user's jars. A statement may have put
    others before it."""
    mutable = jvm.java.lang.Class.forName("org.apache.spark.util.MutableURLClassLoader")
    loader, found = jvm.java.lang.Thread.currentThread().getContextClassLoader(), None
    while loader is not None:
        found = loader if mutable.isInstance(loader) else found
        loader = loader.getParent()
    if found is None:
        raise RuntimeError("the driver has no class loader that jars could be added to")
    return found


def stack_trace(jvm, throwable):
    text = jvm.java.io.StringWriter()
    throwable.printStackTrace(jvm.java.io.PrintWriter(text))
    return text.toString()


class LivyClasses:
    """Livy's own classes for jobs, from its published jars. They are added to the jars of the
    session, as Livy does itself: a job's class names them, here and on the executors."""

    DRIVER = "org.apache.livy.rsc.driver."

    def __init__(self, session, jars):
        self.context = session.sparkContext
        self._gateway, self._jvm = self.context._gateway, self.context._jvm
        for jar in jars:
            self.context._jsc.addJar(jar)
            add_to_driver(self.context, jar)
        self._loader = user_loader(self._jvm)
        self._constructors = {}
        self._no_classes = self._gateway.new_array(self._jvm.java.lang.Class, 0)
        self._job_context = self._make_context(session)

    def call(self, payload):
        """The bytes of the job's result, or None where it has none."""
        # a new one: it keeps the class loader that it first saw
        serializer = self._new("org.apache.livy.client.common.Serializer", self._no_classes)
        job = self._new(self.DRIVER + "BypassJob", serializer, payload)
        thread = self._jvm.java.lang.Thread.currentThread()
        try:
            return job.call(self._job_context)
        except KeyboardInterrupt:
            with contextlib.suppress(Exception):  # it runs on in the driver unless it listens
                thread.interrupt()
            raise

    def _make_context(self, session):
        """Livy's context over the session there is. Its own way to one does not exist in Spark 4:
        there, SQLContext is abstract."""
        jvm, java_session = self._jvm, session._jsparkSession
        conf = self.context._jsc.sc().conf()
        entries = self._new(self.DRIVER + "SparkEntries", conf)
        for name, value in (("sc", self.context._jsc), ("sparksession", java_session),
                            ("sqlctx", java_session.sqlContext())):
            self._field(self.DRIVER + "SparkEntries", name).set(entries, value)
        driver = self._new(self.DRIVER + "RSCDriver", conf,
                           self._new("org.apache.livy.rsc.RSCConf"))
        folder = self._field(self.DRIVER + "RSCDriver", "localTmpDir").get(driver)
        jvm.org.apache.spark.util.ShutdownHookManager.registerShutdownDeleteDir(folder)
        return self._new(self.DRIVER + "JobContextImpl", entries, folder, driver)

    def _new(self, name, *arguments):
        if name not in self._constructors:
            self._constructors[name] = self._constructor(name, len(arguments))
        values = self._gateway.new_array(self._jvm.java.lang.Object, len(arguments))
        for at, value in enumerate(arguments):
            values[at] = value
        return self._constructors[name].newInstance(values)

    def _constructor(self, name, count):
        """Not all that is needed is public."""
        for constructor in self._loader.loadClass(name).getDeclaredConstructors():
            if len(constructor.getParameterTypes()) == count:
                constructor.setAccessible(True)
                return constructor
        raise JobError(f"{name} of the jars in job_jars is not that of a Livy that is known")

    def _field(self, name, field):
        found = self._loader.loadClass(name).getDeclaredField(field)
        found.setAccessible(True)
        return found


class JavaJobs:
    def __init__(self, spark, jars):
        self._spark = spark
        self._jars = [jar for jar in jars.split(":") if jar]
        self._classes = None

    def run(self, statement):
        """Gives (data, notes). Data is empty where the job's result is null."""
        payload = job_bytes(statement.code)
        session = self._spark.session()
        if self._classes is None or self._classes.context is not session.sparkContext:
            self._classes = LivyClasses(session, self._checked_jars())
        result = self._classes.call(payload)
        return {} if result is None else {RESULT: base64.b64encode(result).decode("ascii")}, []

    def _checked_jars(self):
        if not self._jars:
            raise JobError("jobs in Java and Scala need Livy's jars livy-api and livy-rsc: "
                           "the server's option --job-jars names them")
        for jar in self._jars:
            if not os.path.isfile(jar):
                raise JobError(f"{jar}, which the server's option --job-jars names, does not exist")
        return self._jars

    def describe(self, error, cut):
        """Livy's clients show the value only: Java's stack trace."""
        throwable = getattr(error, "java_exception", None)
        if throwable is None or isinstance(error, KeyboardInterrupt):
            return describe_exception(error, cut)
        text = stack_trace(self._spark.session().sparkContext._jvm, throwable)
        return throwable.getClass().getName(), cut_text(text, cut), []
