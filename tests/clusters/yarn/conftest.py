# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests on YARN, in place of those of tests/clusters, which are about Kubernetes."""

import functools
import pathlib
import sys
import tempfile

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1])]

from asking import compile_jar  # noqa: E402
from blackbox_fixtures import blackbox  # noqa: E402
import backend_client  # noqa: E402
import daemon as daemons  # noqa: E402
import served  # noqa: E402

pytest_configure = blackbox.pytest_configure
folder = blackbox.folder
gate = blackbox.gate


@pytest.fixture(scope="session")
def daemon():
    return daemons.Daemon()


@pytest.fixture(scope="session")
def jars(tmp_path_factory):
    """Of jobs/, by the names of their classes."""
    folder = tmp_path_factory.mktemp("jars")
    return {name: compile_jar(f"{name}.java", folder) for name in ("Driver", "Pi")}


@pytest.fixture(scope="session")
def jar(jars):
    """Drivers that do little."""
    return jars["Driver"]


def servers(path, daemon):
    return backend_client.servers(blackbox.starter(path), served.clean(daemon),
                                  functools.partial(served.options, daemon))


@pytest.fixture
def start(folder, daemon):
    with servers(folder, daemon) as begin:
        yield begin


@pytest.fixture(scope="module")
def server(daemon):
    """For the tests of a module that do not end it."""
    with tempfile.TemporaryDirectory(prefix="sparkhost-yarn-") as path:
        with servers(pathlib.Path(path), daemon) as begin:
            yield begin()


@pytest.fixture
def client(server, daemon, jar):
    """The module's server, asked for Spark 3.5."""
    return served.Client(server, daemon, jar)


@pytest.fixture
def started(start, daemon, jar):
    """A server of the test's own, asked for Spark 3.5."""
    return served.Client(start(), daemon, jar)
