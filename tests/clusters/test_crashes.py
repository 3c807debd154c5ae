# SPDX-License-Identifier: Apache-2.0
"""The host ends by SIGKILL before and after each request of submit, kill and release to a real API
server, and starts again: one driver each, by the drivers' own evidence, and nothing left over. Only
the campaign's build has these points."""

import contextlib
import itertools

import httpx
import pytest

from attached import said, submit, until

KINDS = ("pods", "configmaps", "secrets", "services")


class Life:
    """A batch that writes down that it has begun, on a host that dies at a point."""

    def __init__(self, cluster, server, marks, point, passage):
        self.cluster, self.server, self.marks = cluster, server, marks
        self.name = f"{point}-{passage}".replace(".", "-")
        server.stop()
        mortal = ["env", f"SPARKHOST_CRASH_AT={point}:{passage}"]
        immortal, server.command = server.command, [*mortal, *server.command]
        server.start()
        server.command = immortal

    def attempt(self, request):
        """What a client sees of a host that may die meanwhile: perhaps nothing."""
        with contextlib.suppress(httpx.TransportError):
            request()

    def died(self, over):
        """Whether the host dies, before the course of things is over without that."""
        def look():
            if self.server.process.poll() is not None:
                return "died"
            with contextlib.suppress(httpx.TransportError):
                return "over" if over() else None
            return None
        seen = until(look, bool, "the host's death, or an end without")
        if seen == "over":
            self.server.stop()  # it would die of what follows
            self.server.start()
            return False
        assert self.server.process.wait(timeout=10) == -9
        self.server.process.stdout.close()
        self.server.client.close()
        self.server.start()
        return True

    def starts(self):
        return len(self.marks.read_text().splitlines()) if self.marks.exists() else 0

    def is_cleared(self):
        return not any(self.cluster.items(kind, "sparkhost.io%2Fstore") for kind in KINDS)

    def wait_cleared(self):
        until(self.is_cleared, bool, "an empty cluster")

    def phase(self):
        found = self.server.client.get(f"/api/v1/batches/{self.name}")
        return found.json()["phase"] if found.status_code == 200 else None


@pytest.fixture
def lives(cluster, start, folder):
    """lives(point) begins a life for each passage of it, until told to end."""
    server = start()

    def begin(point):
        for passage in itertools.count(1):
            yield Life(cluster, server, folder / f"{point}-{passage}.marks", point, passage)
    return begin


@pytest.mark.parametrize("point, at_least", [
    ("kubernetes.submit.asks", 3), ("kubernetes.submit.answered", 3),
    ("kubernetes.release.log_kept", 1), ("kubernetes.release.asks", 5),
    ("kubernetes.release.answered", 5)])
def test_a_batch_runs_once_whenever_its_host_dies(lives, program, point, at_least):
    deaths = 0
    for life in lives(point):
        file = program(f"echo $$ >> {life.marks}; echo done")
        post = lambda: submit(life.server, file, name=life.name,  # noqa: E731
                              headers={"Idempotency-Key": life.name})
        life.attempt(post)
        died = life.died(lambda: life.phase() == "released")
        batch = post()
        assert life.server.until_over(batch)["state"] == "success"
        assert life.server.whole_log(batch) == said("done")
        life.wait_cleared()
        assert life.starts() == 1
        if not died:
            break
        deaths += 1
    assert deaths >= at_least


@pytest.mark.parametrize("point, at_least", [
    ("kubernetes.kill.asks", 2), ("kubernetes.kill.answered", 2)])
def test_a_kill_is_carried_out_whenever_its_host_dies(lives, program, gate, point, at_least):
    deaths = 0
    for life in lives(point):
        begun = gate(f"{life.name}.begun")
        file = program(f"echo $$ >> {life.marks}; echo up > {begun.path}; sleep 600")
        batch = submit(life.server, file, name=life.name)
        begun.wait()
        life.attempt(lambda: life.server.delete(batch))
        died = life.died(lambda: life.phase() is None)
        until(life.phase, lambda phase: phase is None, "the end of what was deleted")
        life.wait_cleared()
        assert life.starts() == 1
        if not died:
            break
        deaths += 1
    assert deaths >= at_least
