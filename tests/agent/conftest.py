# SPDX-License-Identifier: Apache-2.0
import pathlib
import shutil
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).parent
AGENT = HERE.parents[1] / "src" / "runtimes" / "spark" / "sparkhost_agent.py"
sys.path[:0] = [str(HERE), str(HERE.parent / "blackbox"), str(AGENT.parent)]

import processes  # noqa: E402
import session as sessions  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "spark: needs a real PySpark")
    processes.become_subreaper()


@pytest.fixture
def folder():
    """An empty folder with a short name: the paths of Unix sockets in it are limited."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="sparkhost-agent-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def launch(folder):
    """Starts agents, not yet claimed: launch(**settings). None of them, nor anything that they
    started, may be left over."""
    started = []

    def begin(**settings):
        started.append(sessions.Session(AGENT, folder, **settings))
        return started[-1]

    yield begin
    for one in started:
        one.end()
    left_over = processes.end_descendants()
    assert not left_over, f"still running: {left_over}"


@pytest.fixture
def session(launch):
    """An agent that has been granted its claim and is idle."""
    return launch().ready()
