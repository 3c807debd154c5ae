# SPDX-License-Identifier: Apache-2.0
"""ResourceManager, node, NameNode or host go and come back, or there is no HDFS: nothing is lost,
doubled or flapping."""

from asking import until
from backend_client import Counted, away
from served import Client


def test_the_resource_manager_goes_and_comes_back(started, daemon, folder, gate):
    """With one batch that runs on, one that ends and one that is given meanwhile."""
    server = started.server
    stays, ends, comes = (Counted(started, folder, gate, name) for name in ("stays", "ends", "comes"))
    first, second = stays.submit(), ends.submit()
    for one, batch in ((stays, first), (ends, second)):
        one.begun.wait()
        server.until_running(batch)
    with away(daemon, "rm"):
        ends.end.open()
        third = comes.submit()
        assert server.native(first)["state"] == "running"
    comes.begun.wait()
    assert server.native(first)["state"] == "running"
    steps = [step["what"] for step in server.native(first)["timeline"]
             if step["what"] != "waiting"]
    assert len(steps) == len(set(steps)), f"flapping: {steps}"
    ends.assert_succeeds(second)
    for one, batch in ((stays, first), (comes, third)):
        one.end.open()
        one.assert_succeeds(batch)


def test_the_node_goes_and_comes_back(started, daemon, folder, gate):
    """With one batch that is lost, one that is killed while it waits and one that then runs."""
    server = started.server
    lost, killed, runs = (Counted(started, folder, gate, name) for name in ("lost", "killed", "runs"))
    first = lost.submit()
    lost.begun.wait()
    with away(daemon, "nm"):
        # the ResourceManager learns of it by and by
        assert server.until_over(first)["state"] == "dead"
        assert "lost" in server.native(first)["reason"], server.native(first)
        second, third = killed.submit(), runs.submit()
        until(started.drivers, lambda seen: list(seen.values()) == ["ACCEPTED"] * 2, "the drivers")
        assert server.delete(second).status_code == 200
        until(started.drivers, lambda seen: list(seen.values()) == ["ACCEPTED"], "the kill")
    runs.begun.wait()
    runs.end.open()
    runs.assert_succeeds(third)
    assert (lost.starts(), killed.starts()) == (1, 0)


def test_nothing_is_submitted_before_its_files_are_there(started, daemon, folder, gate):
    one = Counted(started, folder, gate)
    with away(daemon, "namenode"):
        batch = one.submit()
        until(lambda: [step["what"] for step in started.server.native(batch)["timeline"]],
              lambda steps: "admitted" in steps, "its turn")
        assert not started.drivers()
    one.begun.wait()
    one.end.open()
    one.assert_succeeds(batch)


def test_the_host_is_killed_and_finds_its_driver_again(started, folder, gate):
    one = Counted(started, folder, gate)
    batch = one.submit()
    one.begun.wait()
    started.server.kill()
    one.end.open()
    started.server.start()
    one.assert_succeeds(batch)


def test_the_host_is_away_while_its_driver_starts(started, daemon, folder, gate):
    """The guard waits, and user code with it."""
    one = Counted(started, folder, gate)
    with away(daemon, "nm"):  # no driver can start before its host has gone
        batch = one.submit()
        application, = until(started.drivers, bool, "the driver")
        started.server.kill()
    until(lambda: daemon.application(application), lambda seen: "amContainerLogs" in seen,
          "its container")
    assert one.starts() == 0
    started.server.start()
    one.begun.wait()
    one.end.open()
    one.assert_succeeds(batch)


def test_files_are_handed_over_by_a_folder_that_all_share(start, daemon, jar, folder):
    staging = folder / "staging"
    client = Client(start(staging=f"file://{staging}"), daemon, jar)
    batch = client.driver("print", "done")
    assert client.server.until_over(batch)["state"] == "success", str(client.server.native(batch))
    assert "done" in client.server.whole_log(batch)
    until(lambda: list(staging.iterdir()), lambda left: not left, "the end of what was staged")
