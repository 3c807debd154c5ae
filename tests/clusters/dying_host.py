# SPDX-License-Identifier: Apache-2.0
"""A host that ends by SIGKILL before or after a step of a batch, and starts again. Only the campaign's
build has these points."""

import contextlib
import itertools

import httpx

from asking import until


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
        if until(look, bool, "the host's death, or an end without") == "over":
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
        until(self.client.drivers, lambda left: not left, "the end of all drivers")

    # ---- what is to come out -------------------------------------------------------------------

    def run(self):
        """A batch from its submission to its release; gives whether the host has died."""
        post = lambda: self.client.driver(  # noqa: E731
            "mark", self.marks, "print", "done", name=self.name,
            headers={"Idempotency-Key": self.name})
        self.attempt(post)
        died = self.died(lambda: self.phase() == "released")
        batch = post()
        assert self.server.until_over(batch)["state"] == "success", str(self.server.native(batch))
        assert "done" in self.server.whole_log(batch)
        self.wait_cleared()
        assert self.starts() == 1
        return died

    def kill(self, gate):
        """A batch that is deleted while it runs; gives whether the host has died."""
        begun, end = gate(f"{self.name}.begun"), gate(f"{self.name}.end")
        batch = self.client.driver("mark", self.marks, "open", begun.path, "wait", end.path,
                                   name=self.name)
        begun.wait()
        self.attempt(lambda: self.server.delete(batch))
        died = self.died(lambda: self.phase() is None)
        until(self.phase, lambda phase: phase is None, "the end of what was deleted")
        self.wait_cleared()
        assert self.starts() == 1
        return died


def passages(client, folder, point, live):
    """One life for each time that a host passes the point; gives how often it has died."""
    for passage in itertools.count(1):
        if not live(Life(client, folder / f"{point}-{passage}.marks", point, passage)):
            return passage - 1
    return None
