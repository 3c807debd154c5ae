# SPDX-License-Identifier: Apache-2.0
"""Servers share what can be made again (--cache-dir). The tests after this one run on it, too."""

import os
import pathlib

import pytest

from processes import command_line, eventually

PATIENCE = 600  # seconds; a training runs at the lowest priority


@pytest.fixture
def cache(folder):
    """The user's, so that what it has is there the next time."""
    path = pathlib.Path(os.environ.get("SPARKHOST_TEST_CACHE") or folder / "cache")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def test_a_server_uses_what_another_has_made(start, cache):
    for line in ("35", "4"):
        options = ("--cache-dir", str(cache))
        first = start(*options, data=f"first-{line}", line=line)
        if not uses_archive(first):
            eventually(lambda: "class-data archive made: " in first.log.read_text(), PATIENCE)
        first.stop()

        second = start(*options, data=f"second-{line}", line=line)
        compiled = set(cache.glob("agents/scala-*"))
        assert compiled and uses_archive(second)
        assert set(cache.glob("agents/scala-*")) == compiled
        assert "class-data archive made: " not in second.log.read_text()
        second.stop()
    (cache / "ready").touch()


def uses_archive(server):
    session = server.open_session("spark").until_idle()
    assert session.text("1+1", "spark") == "res0: Int = 2\n"
    used = any("-XX:SharedArchiveFile=" in command_line(pid) for pid in session.driver("pyspark"))
    session.delete()
    return used
