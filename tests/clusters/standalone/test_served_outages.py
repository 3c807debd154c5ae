# SPDX-License-Identifier: Apache-2.0
"""Master, worker or host go and come back: nothing is lost, doubled or flapping."""

from asking import until
from backend_client import Counted, away


def test_the_master_goes_and_comes_back(started, daemon, folder, gate):
    """With one batch that runs on, one that ends and one that is given meanwhile."""
    server = started.server
    stays, ends, comes = (Counted(started, folder, gate, name) for name in ("stays", "ends", "comes"))
    first = begun(stays)
    driver, = started.drivers()
    second = begun(ends)
    with away(daemon, "master"):
        ends.end.open()
        third = comes.submit()
        assert server.native(first)["state"] == "running"
    comes.begun.wait()
    assert server.native(first)["state"] == "running" or daemon.has_dropped(driver)
    steps = [step["what"] for step in server.native(first)["timeline"]]
    assert len(steps) == len(set(steps)), f"flapping: {steps}"
    ends.assert_succeeds(second)
    stays.end.open()
    if server.until_over(first)["state"] == "success" or not daemon.has_dropped(driver):
        stays.assert_succeeds(first)
    assert stays.starts() == 1
    comes.end.open()
    comes.assert_succeeds(third)


def begun(one):
    """Its batch, which runs."""
    batch = one.submit()
    one.begun.wait()
    one.client.server.until_running(batch)
    return batch


def test_the_worker_goes_and_comes_back(started, daemon, folder, gate):
    """With one batch that is lost, one that is killed while it waits and one that then runs."""
    server = started.server
    lost, killed, runs = (Counted(started, folder, gate, name) for name in ("lost", "killed", "runs"))
    first = lost.submit()
    lost.begun.wait()
    with away(daemon, "worker"):
        assert server.until_over(first)["state"] == "dead"
        assert "worker" in server.native(first)["reason"], server.native(first)
        second, third = killed.submit(), runs.submit()
        until(started.drivers, lambda seen: len(seen) == 2, "the drivers")
        assert server.delete(second).status_code == 200
        until(started.drivers, lambda seen: list(seen.values()) == ["SUBMITTED"], "the kill")
    runs.begun.wait()
    runs.end.open()
    runs.assert_succeeds(third)
    assert (lost.starts(), killed.starts()) == (1, 0)


def test_the_host_is_killed_and_finds_its_driver_again(started, folder, gate):
    one = Counted(started, folder, gate)
    batch = one.submit()
    one.begun.wait()
    started.server.kill()
    one.end.open()
    started.server.start()
    one.assert_succeeds(batch)
