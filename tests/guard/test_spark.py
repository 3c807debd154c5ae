# SPDX-License-Identifier: Apache-2.0
"""The guard before real Sparks: what it sees of their contexts, and that they do not notice it."""

import glob
import json
import os
import subprocess

import pytest

import guarded
import processes
from guarded import grant

pytestmark = pytest.mark.spark
PATIENCE = 120

# what SparkSubmit adds for Java 17
OPENS = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in (
    "java.lang", "java.lang.invoke", "java.io", "java.net", "java.nio", "java.util",
    "java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.ref", "sun.nio.ch",
    "sun.nio.cs", "sun.security.action", "sun.util.calendar")]
CONF = ["--master", "local[1]", "--name", "guarded", "--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.ui.port=0"]

HELPER = b"def word(number):\n    return 'word-%d' % number\n"
PROGRAM = b"""
import sys
from pyspark import SparkContext
import helper
sc = SparkContext()
print(sc.applicationId, sc.uiWebUrl)
print(sc.parallelize([7], 1).map(helper.word).collect(), sys.argv[1:])
open(sys.argv[2]).read(1)
sc.stop()
sys.exit(int(sys.argv[3]))
"""
JAVA = """
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

public class Count {
    public static void main(String[] arguments) throws Exception {
        JavaSparkContext spark = new JavaSparkContext(new SparkConf());
        System.out.println(spark.sc().applicationId() + " " + spark.sc().uiWebUrl().get());
        System.out.println(spark.parallelize(java.util.Arrays.asList(1, 2, 3)).count());
        new java.io.FileInputStream(arguments[0]).read();
        throw new IllegalStateException("enough");
    }
}
"""


@pytest.fixture
def gate(folder):
    one = processes.Gate(folder / "gate")
    yield one
    one.close()


@pytest.fixture
def spark(folder, desk):
    """Starts a driver of this line as a cluster would: spark("35", main, arguments…)."""
    started = []

    def begin(line, *words, class_path=(), options=(), variables=()):
        home = os.environ[f"SPARKHOST_TEST_SPARK{line}"]
        place = folder / "driver-20261122063000-0007"
        place.mkdir()
        started.append(guarded.Driver(
            place, [guarded.jar(), *class_path, f"{home}/jars/*"], words, desk,
            options=["-Xmx512m", "-Xshare:auto", "-XX:+IgnoreUnrecognizedVMOptions", *OPENS, *options],
            variables={"SPARK_HOME": home, "SPARK_LOCAL_IP": "127.0.0.1", "PYTHONPATH": "",
                       "PYSPARK_PYTHON": os.environ[f"SPARKHOST_TEST_PYTHON{line}"],
                       **dict(variables)}))
        return started[-1]

    yield begin
    for one in started:
        one.end()
    left_over = processes.end_descendants()
    assert not left_over, f"still running: {left_over}"


def hears_of_the_application(driver, peer):
    said = guarded.report(peer, PATIENCE)
    processes.eventually(lambda: driver.out().count("\n") >= 2, PATIENCE)
    assert said == {"type": "report", "application_id": driver.out().split()[0],
                    "ui_url": driver.out().split()[1]}
    assert said["application_id"].startswith("local-") and said["ui_url"].startswith("http://")
    return said


@pytest.mark.parametrize("line, code", [("35", 0), ("4", 3)])
def test_a_python_driver_with_granted_files(spark, desk, gate, line, code):
    driver = spark(line, "org.apache.spark.deploy.SparkSubmit", *CONF, "--py-files",
                   "{{sparkhost}}/helper.py", "{{sparkhost}}/app.py", "a b", gate.path, code)
    peer, greeting = desk.accept(PATIENCE)
    assert greeting["driver"] == "driver-20261122063000-0007"
    peer.send(grant(app__py=PROGRAM, helper__py=HELPER))
    said = hears_of_the_application(driver, peer)
    assert f"['word-7'] ['a b', '{gate.path}', '{code}']\n" in driver.out()
    gate.open()
    reports = guarded.attend(peer)
    assert driver.wait(PATIENCE) == code, driver.err()
    # SparkSubmit exits with the code of a Python that fails, and main never returns
    assert reports == ([{**said, "ended": True}] if code == 0 else [])
    assert "sparkhost guard" not in driver.err()
    assert guarded.SECRET not in driver.err() + driver.out()


@pytest.mark.parametrize("line, code", [("35", 3), ("4", 0)])
def test_a_python_driver_whose_words_come_with_the_grant(spark, desk, gate, folder, line, code):
    """As in an ApplicationMaster: no spark-submit, what there is to know is in system properties."""
    properties = ["-Dspark.master=local[1]", "-Dspark.app.name=guarded", "-Dspark.driver.host=127.0.0.1",
                  "-Dspark.ui.port=0"]
    driver = spark(line, "@granted", options=properties, variables={
        "CONTAINER_ID": "container_1795204894999_0007_01_000001", "LOCAL_DIRS": str(folder),
        "PYTHONPATH": str(folder / "driver-20261122063000-0007" / "sparkhost")})
    peer, _ = desk.accept(PATIENCE)
    words = ["org.apache.spark.deploy.PythonRunner", "{{sparkhost}}/app.py", "", "a 'b'\n$c", gate.path, str(code)]
    peer.send(grant(app__py=PROGRAM, helper__py=HELPER, arguments__json=json.dumps(words).encode()))
    said = hears_of_the_application(driver, peer)
    assert f"['word-7'] {words[3:]}\n" in driver.out()
    gate.open()
    reports = guarded.attend(peer)
    thrown = {"error": f"org.apache.spark.SparkUserAppException: User application exited with {code}"} if code else {}
    assert reports == [{**said, "ended": True, **thrown}]
    assert driver.wait(PATIENCE) == (1 if code else 0), driver.err()


@pytest.fixture
def count_jar(folder):
    (folder / "Count.java").write_text(JAVA)
    home = os.environ["SPARKHOST_TEST_SPARK4"]
    jars = [jar for name in ("spark-core", "spark-common", "scala-library")
            for jar in glob.glob(f"{home}/jars/{name}*.jar")]
    for command in (
            [guarded.java("javac"), "--release", "8", "-nowarn", "-cp", ":".join(jars), "-d", ".", "Count.java"],
            [guarded.java("jar"), "--create", "--file", "count.jar", "Count.class"]):
        subprocess.run(command, cwd=folder, check=True, timeout=PATIENCE)
    return folder / "count.jar"


def test_a_jvm_driver_by_spark_submit(spark, desk, gate, count_jar):
    driver = spark("4", "org.apache.spark.deploy.SparkSubmit", *CONF, "--class", "Count",
                   count_jar, gate.path)
    peer, _ = desk.accept(PATIENCE)
    peer.send(grant())
    said = hears_of_the_application(driver, peer)
    peer.close()
    peer = desk.granted()  # the next host hears of it, too
    assert guarded.report(peer) == said
    gate.open()
    assert guarded.attend(peer) == [
        {**said, "ended": True, "error": "java.lang.IllegalStateException: enough"}]
    assert driver.wait(PATIENCE) == 1
    assert 'Exception in thread "main" java.lang.IllegalStateException: enough' in driver.err()
