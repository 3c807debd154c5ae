# SPDX-License-Identifier: Apache-2.0
"""The host ends by SIGKILL before and after each step of submit, claim, kill and release on a real
master, and starts again: one run each, by the drivers' own evidence, and nothing left over. Only the
campaign's build has these points."""

import contextlib
import itertools

import httpx
import pytest

from daemon import until

OF_A_RUN = [
    "standalone.submit.posts", "standalone.submit.answered", "standalone.submit.remembered",
    "guarded.claim.asked", "guarded.claim.decided",
    "standalone.release.log_kept", "standalone.release.folder_gone"]
OF_A_KILL = [f"standalone.{point}" for point in ("kill.taken", "kill.asks", "kill.answered")]


class Life:
    """A batch that writes down that it has begun, on a host that dies at a point."""

    def __init__(self, client, marks, point, passage):
        self.client, self.server, self.marks = client, client.server, marks
        self.name = f"{point}-{passage}".replace(".", "-").replace("_", "-")
        self.server.stop()
        immortal = self.server.command
        self.server.command = ["env", f"SPARKHOST_CRASH_AT={point}:{passage}", *immortal]
        self.server.start()
        self.server.command = immortal

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
        if until(look, bool, "the host's death, or an end without", 120) == "over":
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

    def phase(self):
        found = self.server.client.get(f"/api/v1/batches/{self.name}")
        return found.json()["phase"] if found.status_code == 200 else None

    def wait_cleared(self):
        """A twin that came too late has to see that it may not run."""
        until(self.client.drivers, lambda left: not left, "the end of all drivers", 120)


@pytest.fixture
def lives(started, folder):
    """lives(point) begins a life for each passage of it, until told to end."""
    def begin(point):
        for passage in itertools.count(1):
            yield Life(started, folder / f"{point}-{passage}.marks", point, passage)
    return begin


@pytest.mark.parametrize("point", OF_A_RUN)
def test_a_batch_runs_once_whenever_its_host_dies(lives, point):
    deaths = 0
    for life in lives(point):
        post = lambda: life.client.driver(  # noqa: E731
            "mark", life.marks, "print", "done", name=life.name,
            headers={"Idempotency-Key": life.name})
        life.attempt(post)
        died = life.died(lambda: life.phase() == "released")
        batch = post()
        assert life.server.until_over(batch)["state"] == "success", str(life.server.native(batch))
        assert "done" in life.server.whole_log(batch)
        life.wait_cleared()
        assert life.starts() == 1
        if not died:
            break
        deaths += 1
    assert deaths >= 1


@pytest.mark.parametrize("point", OF_A_KILL)
def test_a_kill_is_carried_out_whenever_its_host_dies(lives, gate, point):
    deaths = 0
    for life in lives(point):
        begun, end = gate(f"{life.name}.begun"), gate(f"{life.name}.end")
        batch = life.client.driver("mark", life.marks, "open", begun.path, "wait", end.path,
                                   name=life.name)
        begun.wait()
        life.attempt(lambda: life.server.delete(batch))
        died = life.died(lambda: life.phase() is None)
        until(life.phase, lambda phase: phase is None, "the end of what was deleted")
        life.wait_cleared()
        assert life.starts() == 1
        if not died:
            break
        deaths += 1
    assert deaths >= 1
