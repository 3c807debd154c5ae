# SPDX-License-Identifier: Apache-2.0
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "agent"), str(HERE.parent / "blackbox")]

import guarded  # noqa: E402
import processes  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "spark: needs a real PySpark")
    processes.become_subreaper()


@pytest.fixture(scope="session")
def classes(tmp_path_factory):
    """The user's classes."""
    folder = tmp_path_factory.mktemp("classes")
    subprocess.run([guarded.java("javac"), "-d", str(folder), *map(str, HERE.glob("drivers/*.java"))],
                   check=True, timeout=120)
    return folder


@pytest.fixture
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="sparkhost-guard-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def desk():
    with guarded.Desk() as one:
        yield one


@pytest.fixture
def launch(folder, classes, desk):
    """Starts guarded drivers: launch("Drivers$Say", "a"). None of them may be left over."""
    started = []

    def begin(*words, at=desk, **options):
        place = folder / options.pop("place", f"work-{len(started)}")
        place.mkdir()
        started.append(guarded.Driver(place, [guarded.jar(), classes], words, at, **options))
        return started[-1]

    yield begin
    for one in started:
        one.end()
    left_over = processes.end_descendants()
    assert not left_over, f"still running: {left_over}"
