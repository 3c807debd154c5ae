# SPDX-License-Identifier: Apache-2.0
import importlib.util
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).parent
BLACKBOX = HERE.parent / "blackbox"
SPARK_SCRIPTS = HERE.parents[1] / "examples" / "spark"
sys.path[:0] = [str(HERE), str(BLACKBOX)]


def load_blackbox():
    """The fixtures of the black-box tests, whose module has this one's name."""
    spec = importlib.util.spec_from_file_location("blackbox", BLACKBOX / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


blackbox = load_blackbox()
pytest_configure = blackbox.pytest_configure
folder = blackbox.folder
start = blackbox.start
gate = blackbox.gate
gated = blackbox.gated


@pytest.fixture(scope="module")
def module_folder():
    """An empty folder that the tests of a module share."""
    with blackbox.empty_folder() as path:
        yield path


@pytest.fixture(scope="module")
def server(module_folder):
    """A server with Spark 3.5 that the tests of a module share: Spark's line does not matter to
    clients. At its end nothing that it started may be left."""
    with blackbox.starter(module_folder) as begin:
        yield begin()


def pytest_addoption(parser):
    parser.addoption("--rewrite", action="store_true",
                     help="write the differences that are found into docs/livy_differences.md")
