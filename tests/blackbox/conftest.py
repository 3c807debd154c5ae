# SPDX-License-Identifier: Apache-2.0
import contextlib
import os
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import processes  # noqa: E402
import server as servers  # noqa: E402

SCRIPTS = pathlib.Path(__file__).parent / "scripts"
SPARK_SCRIPTS = pathlib.Path(__file__).parents[2] / "examples" / "spark"


def pytest_configure():
    processes.become_subreaper()


def installation(line):
    """Spark's folder and the interpreter that goes with it."""
    try:
        return os.environ[f"SPARKHOST_TEST_SPARK{line}"], os.environ[f"SPARKHOST_TEST_PYTHON{line}"]
    except KeyError as missing:
        pytest.fail(f"{missing.args[0]} is not set; tools/test sets it")


@contextlib.contextmanager
def empty_folder():
    """With a short name: the paths of Unix sockets in it are limited."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="sparkhost-bb-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def starter(folder):
    """Gives start(*options, data="data", line="35", wrapper=(), passed=()). At the end what the servers run
    is deleted, they are stopped, and nothing they started may be left over."""
    started = []

    def begin(*options, data="data", line="35", **wrapping):
        one = servers.Server(folder / data, *installation(line), *options, **wrapping)
        started.append(one)
        return one

    try:
        yield begin
    finally:
        for one in started:
            if one.process.poll() is None:
                with contextlib.suppress(Exception):
                    one.delete_all()
                one.stop()
        left_over = processes.end_descendants()
    assert not left_over, f"still running: {left_over}"


@pytest.fixture
def folder():
    """An empty folder."""
    with empty_folder() as path:
        yield path


@pytest.fixture
def start(folder):
    """Starts servers for one test. Not beside `module_server`: at its end no process may be left."""
    with starter(folder) as begin:
        yield begin


@pytest.fixture(scope="module", params=["35", "4"])
def line(request):
    """Each line of Spark in its turn."""
    return request.param


@pytest.fixture(scope="module")
def module_server(line):
    """A server that the tests of a module share, for each line of Spark."""
    with empty_folder() as path, starter(path) as begin:
        yield begin(line=line)


@pytest.fixture
def server(start):
    """A server on an empty folder with Spark 3.5."""
    return start()


@pytest.fixture
def gate(folder):
    """Makes FIFOs: gate("name")."""
    made = []

    def make(name):
        made.append(processes.Gate(folder / name))
        return made[-1]

    yield make
    for one in made:
        one.close()


def held_python(path, gate, line="35"):
    """Settings of a driver whose Python does not begin before the gate opens."""
    python = installation(line)[1]
    path.write_text(f"#!/bin/sh\nhead -c 1 '{gate.path}' >/dev/null && exec '{python}' \"$@\"\n")
    path.chmod(0o755)
    return {"spark.pyspark.driver.python": str(path), "spark.pyspark.python": python}


class Gated:
    """A batch that records each run in a file, says that it has begun, and ends when told."""

    def __init__(self, folder, gate, name):
        self.runs = folder / f"{name}.runs"
        self.begun = gate(f"{name}.begun")
        self.end = gate(f"{name}.end")
        self.file = SCRIPTS / "gated.py"
        self.args = (self.runs, self.begun.path, self.end.path)

    def submit(self, server, **fields):
        return server.submit(self.file, *self.args, **fields)

    def wait_begun(self):
        """Gives the pid of the driver's Python."""
        return int(self.begun.wait())

    def run_count(self):
        return len(self.runs.read_text().splitlines()) if self.runs.exists() else 0


@pytest.fixture
def gated(folder, gate):
    """Makes gated batches: gated("name")."""
    return lambda name="gated": Gated(folder, gate, name)
