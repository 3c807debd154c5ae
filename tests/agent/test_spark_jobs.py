# SPDX-License-Identifier: Apache-2.0
"""Binary jobs, and jars and files that are added, in real drivers of Spark 3.5 and 4."""

import base64
import functools
import http.server
import itertools
import os
import pathlib
import pickle
import select
import shutil
import subprocess
import tempfile
import threading
import time
import zipfile

import livy_jobs
import pytest
from session import text
from spark_driver import PATIENCE, driver

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def java():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sparkhost-jobs-"))
    yield livy_jobs.build(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def served(java):
    """A server that has a jar, for as long as executors may ask for it."""
    folder = java[0].parent / "served"
    folder.mkdir()
    with zipfile.ZipFile(folder / "other.jar", "w") as jar:
        jar.write(java[0], "inner.jar")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module", params=["35", "4"])
def spark(request):
    with driver(request.param, job_jars=livy_jobs.livy_jars()) as one:
        one.line = request.param
        one.numbers = itertools.count()
        yield one


def run(spark, payload, kind):
    return spark.job(next(spark.numbers), payload, kind, PATIENCE)


def echo(spark, code):
    number = next(spark.numbers)
    spark.execute(number, code)
    result = spark.result(number, PATIENCE)
    assert result["status"] == "ok", result
    return text(result["data"]["text/plain"]).decode()


def until(spark, code, shown):
    """Repeats the code until this is what it shows."""
    deadline = time.monotonic() + PATIENCE
    while echo(spark, code) != shown:
        assert time.monotonic() < deadline, f"{code} has not become {shown}"


def value(result):
    """The bytes of a job's result."""
    assert result["status"] == "ok", result
    return base64.b64decode(result["data"]["application/octet-stream"], validate=True)


def pickled(spark, code, package):
    """The function `job` of this code, pickled by another Python, as a client does it."""
    python = os.environ[f"SPARKHOST_TEST_PYTHON{spark.line}"]
    program = f"import sys\nfrom {package} import dumps\n{code}\nsys.stdout.buffer.write(dumps(job))"
    return subprocess.run([python, "-c", program], check=True, stdout=subprocess.PIPE,
                          env={**os.environ, "PYTHONPATH": str(spark.folder)}).stdout


# ---- Python ----------------------------------------------------------------------------------

JOB = """
factor = 10
def job(context):
    numbers = context.sc.parallelize(range(5)).map(lambda n: n * factor)
    context.spark_session.range(3).createOrReplaceTempView("three")
    return numbers.sum(), context.sql_ctx.sql("SELECT count(*) AS c FROM three").first().c, \\
        context.hive_ctx
"""


def test_a_function_of_a_client_is_called(spark):
    result = value(run(spark, pickled(spark, JOB, "pyspark.cloudpickle"), "pyspark"))
    assert pickle.loads(base64.b64decode(result)) == (100, 3, None)


def test_a_function_of_a_client_with_a_cloudpickle_of_its_own(spark):
    """The driver has no module of that name."""
    source = pathlib.Path(os.environ[f"SPARKHOST_TEST_SPARK{spark.line}"]) / "cloudpickle"
    package = spark.folder / "cloudpickle"
    package.mkdir()
    for file in source.glob("*.py"):
        (package / file.name).write_text(file.read_text().replace("pyspark.cloudpickle",
                                                                  "cloudpickle"))
    payload = pickled(spark, JOB, "cloudpickle")
    assert b"pyspark" not in payload and b"cloudpickle" in payload
    result = value(run(spark, payload, "pyspark"))
    assert pickle.loads(base64.b64decode(result)) == (100, 3, None)


def test_a_python_job_uses_streaming_and_a_folder(spark):
    payload = pickled(spark, """
def job(context):
    import os
    context.create_streaming_ctx(1)
    made = type(context.streaming_ctx).__name__
    context.stop_streaming_ctx()
    return made, os.path.isdir(context.local_tmp_dir_path), context.sc.parallelize([1]).count()
""", "pyspark.cloudpickle")
    result = value(run(spark, payload, "pyspark"))
    assert pickle.loads(base64.b64decode(result)) == ("StreamingContext", True, 1)


def test_a_failure_on_executors_is_an_error_of_the_job(spark):
    result = run(spark, pickled(spark, """
def job(context):
    return context.sc.parallelize([0]).map(lambda n: 1 / n).collect()
""", "pyspark.cloudpickle"), "pyspark")
    assert result["status"] == "error"
    evalue = text(result["evalue"]).decode()
    assert evalue.startswith("Client job error:Traceback") and "ZeroDivisionError" in evalue


def test_a_python_job_on_executors_is_cancelled(spark):
    payload = pickled(spark, """
def job(context):
    print("go")
    return context.sc.parallelize([600]).map(lambda n: __import__("time").sleep(n)).collect()
""", "pyspark.cloudpickle")
    number = begin(spark, payload, "pyspark")
    spark.running(number)
    spark.interrupt(number)
    assert spark.result(number, PATIENCE)["status"] == "cancelled"
    assert echo(spark, "spark.range(3).count()") == "3"


def begin(spark, payload, kind):
    number = next(spark.numbers)
    spark.say("execute", statement=number, kind=kind, job=True,
              code=base64.b64encode(payload).decode())
    return number


# ---- Java ------------------------------------------------------------------------------------

def test_jobs_in_java(spark, java):
    jar, jobs = java
    unknown = run(spark, jobs["Sum"], "spark")
    assert unknown["status"] == "error"
    assert "Unable to find class: jobs.Jobs$Sum" in text(unknown["evalue"]).decode()

    assert spark.add(1, "jar", jar, PATIENCE) is None
    assert value(run(spark, jobs["Sum"], "spark")) == jobs["100"]
    nothing = run(spark, jobs["Nothing"], "spark")
    assert (nothing["status"], nothing["data"]) == ("ok", {})

    found = value(run(spark, jobs["Context"], "spark"))
    ready = next(one for one in spark.seen if one["type"] == "ready")
    for word in (ready["application_id"][:-1].encode(), b"tru", b"nul"):
        assert word in found  # Kryo marks the last character
    assert b"fals" not in found
    assert value(run(spark, jobs["Shared"], "spark")) == jobs["kept"]


def test_errors_of_jobs_in_java_are_stack_traces(spark, java):
    jar, jobs = java
    assert spark.add(2, "jar", jar, PATIENCE) is None  # again: no harm
    result = run(spark, jobs["Fails"], "spark")
    assert (result["status"], result["ename"]) == ("error", "java.lang.IllegalStateException")
    assert text(result["evalue"]).decode().startswith(
        "java.lang.IllegalStateException: this job fails\n\tat jobs.Jobs$Fails.call(Jobs.java:")
    for junk in (b"", b"\x01\xffjunk", b"\x00"):
        assert run(spark, junk, "spark")["status"] == "error"
        assert echo(spark, "1") == "1"


def test_a_job_in_java_on_executors_is_cancelled(spark, java):
    number = begin(spark, java[1]["SleepsOnExecutor"], "spark")
    spark.until("progress", PATIENCE, statement=number)
    spark.interrupt(number)
    assert spark.result(number, PATIENCE)["status"] == "cancelled"
    until(spark, "len(sc.statusTracker().getActiveJobsIds())", "0")


def test_a_job_in_the_driver_is_cancelled_and_its_thread_interrupted(spark, java):
    sleeps = "sc._jvm.System.getProperty('jobs.sleeps')"
    gate = spark.folder / "gate"
    os.mkfifo(gate)
    reader = os.open(gate, os.O_RDONLY | os.O_NONBLOCK)
    echo(spark, f"sc._jvm.System.setProperty('jobs.gate', {str(gate)!r}); 1")
    number = begin(spark, java[1]["SleepsInDriver"], "spark")
    assert select.select([reader], [], [], PATIENCE)[0], "the job has not begun"
    os.close(reader)
    spark.interrupt(number)
    assert spark.result(number, PATIENCE)["status"] == "cancelled"
    until(spark, sleeps, "'interrupted'")
    assert value(run(spark, java[1]["Sum"], "spark")) == java[1]["100"]


def test_classes_of_an_added_jar_are_seen_by_statements(spark, java):
    assert spark.add(3, "jar", java[0].as_uri(), PATIENCE) is None
    assert echo(spark, "sc._jvm.jobs.Jobs.Sum(3).getClass().getName()") == "'jobs.Jobs$Sum'"


def test_a_jar_elsewhere_is_fetched(spark, served):
    assert spark.add(20, "jar", f"{served}/other.jar", PATIENCE) is None
    assert echo(spark, "sc._jvm.java.lang.Thread.currentThread().getContextClassLoader()"
                       ".getResource('inner.jar') is not None") == "True"
    assert "missing.jar" in spark.add(21, "jar", f"{served}/missing.jar", PATIENCE)


# ---- files -----------------------------------------------------------------------------------

def test_files_are_in_the_working_directory_and_on_executors(spark):
    path = spark.folder / "some data.txt"
    path.write_text("content")
    assert spark.add(4, "file", path, PATIENCE) is None
    assert spark.add(5, "file", path.as_uri(), PATIENCE) is None
    assert echo(spark, "import pyspark, os\n(open('some data.txt').read(), "
                       "open(pyspark.SparkFiles.get('some data.txt')).read(), "
                       "os.getcwd() == os.path.realpath(pyspark.SparkFiles.getRootDirectory()))") \
        == "('content', 'content', True)"
    assert echo(spark, "sc.parallelize([0]).map(lambda _: "
                       "open(pyspark.SparkFiles.get('some data.txt')).read()).collect()") \
        == "['content']"


def test_modules_are_imported_in_the_driver_and_on_executors(spark):
    path = spark.folder / "added_module.py"
    path.write_text("value = 5")
    assert spark.add(6, "pyfile", path, PATIENCE) is None
    assert echo(spark, "import added_module; added_module.value") == "5"
    assert echo(spark, "sc.parallelize([0]).map(lambda _: "
                       "__import__('added_module').value).collect()") == "[5]"
    package = spark.folder / "zipped" / "added_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("value = 6")
    archive = shutil.make_archive(spark.folder / "added", "zip", package.parent)
    assert spark.add(7, "pyfile", archive, PATIENCE) is None
    assert echo(spark, "import added_package; added_package.value") == "6"


def test_files_that_do_not_match_are_errors(spark):
    other = spark.folder / "other"
    other.mkdir()
    (other / "some data.txt").write_text("another content")
    assert "some data.txt" in spark.add(8, "file", other / "some data.txt", PATIENCE)
    assert "does not exist" in spark.add(9, "jar", "/nowhere.jar", PATIENCE)
    assert spark.add(10, "file", "nowhere://host/x", PATIENCE)
    assert spark.add(11, "jar", "nowhere://host/x", PATIENCE)
    assert echo(spark, "open('some data.txt').read()") == "'content'"


# the last one: the session's context is another then
def test_a_new_context_has_its_own_folder_and_jobs(spark, java):
    assert echo(spark, "old = os.getcwd()\nspark.stop()\nfrom pyspark.sql import SparkSession\n"
                       "spark = SparkSession.builder.getOrCreate(); sc = spark.sparkContext\n"
                       "spark.range(4).count()") == "4"
    assert echo(spark, "(os.getcwd() == os.path.realpath(pyspark.SparkFiles.getRootDirectory()), "
                       "os.getcwd() != old)") == "(True, True)"
    assert spark.add(12, "jar", java[0], PATIENCE) is None
    assert value(run(spark, java[1]["Sum"], "spark")) == java[1]["100"]
    result = value(run(spark, pickled(spark, JOB, "pyspark.cloudpickle"), "pyspark"))
    assert pickle.loads(base64.b64decode(result)) == (100, 3, None)
