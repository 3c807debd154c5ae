# SPDX-License-Identifier: Apache-2.0
"""Livy's own Java client, the newest on Maven Central (0.7.1), unmodified: a session without a
kind, binary jobs, files, cancel, stop. It knows nine fields of a session and breaks on others:
the server shows what Livy 0.7 did."""

import os
import pathlib
import subprocess

import pytest

from conftest import HERE, blackbox

SOURCES = HERE / "java"
DEADLINE = 900  # seconds for the whole walk


def java_tool(name):
    return os.path.join(os.environ["JAVA_HOME"], "bin", name)


def livy_jars():
    found = sorted(pathlib.Path(os.environ["SPARKHOST_TEST_LIVY_JARS"]).glob("*.jar"))
    assert found, "there are no jars of Livy"
    return [str(path) for path in found]


@pytest.fixture(scope="module")
def built(module_folder):
    """The walk, and a jar with its jobs."""
    spark, _ = blackbox.installation("35")
    classes = module_folder / "classes"
    classes.mkdir()
    path = os.pathsep.join([*livy_jars(), os.path.join(spark, "jars", "*")])
    subprocess.run([java_tool("javac"), "-d", str(classes), "-cp", path, "-Xlint:all,-path,-serial", "-Werror",
                    "-proc:none", *map(str, SOURCES.rglob("*.java"))], check=True)
    jar = module_folder / "jobs.jar"
    subprocess.run([java_tool("jar"), "cf", str(jar), "-C", str(classes), "jobs"], check=True)
    return classes, jar, path


@pytest.fixture(scope="module")
def server(module_folder):
    with blackbox.starter(module_folder) as begin:
        needed = [jar for jar in livy_jars() if "client-http" not in jar]
        options = [word for jar in needed for word in ("--job-jars", jar)]
        yield begin("--livy-compatibility", "0.7", *options)


def walk(built, gate, url, *words):
    """Gives what it said, by name."""
    classes, jar, path = built
    done = subprocess.run(
        [java_tool("java"), "-cp", os.pathsep.join([str(classes), path]), "Walk", url, str(jar),
         *map(str, words), gate("begun").path],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr[-4000:])
    said = [line.split("=", 1) for line in done.stdout.splitlines() if "=" in line]
    return [tuple(one) for one in said]


@pytest.fixture
def files(module_folder):
    for name in ("uploaded", "added"):
        (module_folder / f"{name}.txt").write_text(f"{name} é", encoding="utf-8")
    return module_folder / "uploaded.txt", module_folder / "added.txt"


SEEN = [("squares", "385"), ("run", "10"), ("first", "1"), ("second", "2"), ("failed", "true"),
        ("state", "FAILED"), ("cancelled", "true"), ("cancellation", "true"),
        ("state", "CANCELLED"), ("after", "14"), ("uploaded", "uploaded é"), ("added", "added é"),
        ("stopped", "true")]


def test_the_java_client_opens_a_session_works_in_it_and_stops_it(server, built, gate, files):
    assert walk(built, gate, server.url, *files) == SEEN
    assert server.client.get("/sessions").json()["total"] == 0


def test_the_java_client_joins_a_session_that_others_use(server, built, gate, files):
    session = server.open_session("shared").until_idle()
    assert set(session.get()) == {"id", "name", "appId", "owner", "proxyUser", "state", "kind",
                                  "appInfo", "log"}
    assert session.text("'before'", "pyspark") == "'before'"
    assert walk(built, gate, server.url + session.path, *files) == SEEN
    assert server.client.get(session.path).status_code == 404
