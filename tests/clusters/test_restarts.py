# SPDX-License-Identifier: Apache-2.0
"""The API server, or the host, goes and comes back: nothing is lost, doubled or flapping."""

import os
import re
import signal

import pytest

import attached
from attached import said, submit

QUICK_COMPACTION = ("--watch-cache=false", "--etcd-compaction-interval=3s")


class Counted:
    """A program that writes down that it has begun, and ends when it is told."""

    def __init__(self, folder, program, gate, name):
        self.marks = folder / f"{name}.marks"
        self.begun, self.end = gate(f"{name}.begun"), gate(f"{name}.end")
        self.file = program(f"echo $$ >> {self.marks}; echo up > {self.begun.path}; "
                            f"head -c 1 {self.end.path} >/dev/null; echo done")

    def starts(self):
        return len(self.marks.read_text().splitlines()) if self.marks.exists() else 0


@pytest.fixture
def counted(folder, program, gate):
    return lambda name="counted": Counted(folder, program, gate, name)


def test_the_api_server_is_killed_under_a_batch_that_runs(cluster, start, counted):
    server, one = start(), counted()
    batch = submit(server, one.file)
    one.begun.wait()
    server.until_running(batch)
    cluster.kill("kube-apiserver")
    assert server.native(batch)["state"] == "running"
    cluster.restart("kube-apiserver")
    assert server.native(batch)["state"] == "running"
    one.end.open()
    assert server.until_over(batch)["state"] == "success", str(server.native(batch))
    assert one.starts() == 1
    assert server.whole_log(batch) == said("done")


def test_a_batch_that_ends_while_the_api_server_is_away_is_seen_to_end(cluster, start, counted):
    server, one = start(), counted()
    batch = submit(server, one.file)
    one.begun.wait()
    cluster.kill("kube-apiserver")
    one.end.open()
    cluster.restart("kube-apiserver")
    assert server.until_over(batch)["state"] == "success", str(server.native(batch))
    assert one.starts() == 1


def test_a_batch_that_is_given_while_the_api_server_is_away_runs_once(cluster, start, counted):
    server, one = start(), counted()
    cluster.kill("kube-apiserver")
    batch = submit(server, one.file)
    cluster.restart("kube-apiserver")
    one.begun.wait()
    one.end.open()
    assert server.until_over(batch)["state"] == "success", str(server.native(batch))
    assert one.starts() == 1


def test_the_host_is_killed_and_finds_its_drivers_again(start, counted):
    server, one = start(), counted()
    batch = submit(server, one.file)
    one.begun.wait()
    server.kill()
    one.end.open()
    server.start()
    assert server.until_over(batch)["state"] == "success", str(server.native(batch))
    assert one.starts() == 1
    assert server.whole_log(batch) == said("done")


def expired(server):
    """Where the server's log says that its watch of drivers got a 410."""
    return re.findall(r"watching the drivers in namespace 'jobs': version \d+ has expired \(410\): "
                      r"listing again", server.log.read_text())


def test_what_a_watch_missed_is_listed_after_a_410(cluster, start, counted):
    """Versions that are older than some seconds are gone, and the watch cache with them."""
    cluster.restart("kube-apiserver", *QUICK_COMPACTION)
    try:
        server, one, other = start(), counted(), counted("other")
        batches = [submit(server, each.file) for each in (one, other)]
        one.begun.wait()
        other.begun.wait()
        for batch in batches:
            server.until_running(batch)
        before = len(expired(server))  # a slow host may be too late even now
        os.kill(server.process.pid, signal.SIGSTOP)  # its watch goes on without it
        try:
            cluster.kill("kube-apiserver")
            cluster.restart("kube-apiserver", *QUICK_COMPACTION)
            newest = cluster.version("pods")  # no watch that was cut has seen more
            one.end.open()
            other.end.open()
            attached.until(lambda: cluster.has_expired("pods", newest), bool, "the compaction")
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        for batch in batches:
            assert server.until_over(batch)["state"] == "success", str(server.native(batch))
        assert (one.starts(), other.starts()) == (1, 1)
        assert len(expired(server)) > before, server.log.read_text()
    finally:
        cluster.restart("kube-apiserver")
