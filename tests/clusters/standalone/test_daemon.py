# SPDX-License-Identifier: Apache-2.0
"""Real masters and workers by plain HTTP: what the backend, and the fake that stands in for them, take
for granted."""

from asking import ask, until
from daemon import OVER


def test_drivers_come_to_their_ends(daemon, jar):
    drivers = {
        "finished": daemon.create(daemon.body(jar, "print", "hello", "exit", 0)),
        "failed": daemon.create(daemon.body(jar, "error", "so bad", "exit", 3)),
        "no jar": daemon.create(daemon.body("/no/such.jar")),
        "no class": daemon.create({**daemon.body(jar), "mainClass": "no.such.Main"})}
    states = {name: daemon.until_over(driver) for name, driver in drivers.items()}
    assert states == {"finished": "FINISHED", "failed": "FAILED", "no jar": "ERROR",
                      "no class": "FAILED"}
    assert "NoSuchFileException: /no/such.jar" in daemon.status(drivers["no jar"])["message"]
    assert "message" not in daemon.status(drivers["failed"])
    # what a driver has said last may come into its log after its end
    until(lambda: daemon.log(drivers["finished"]), lambda text: text == "hello\n", "its log")
    assert daemon.log(drivers["finished"], offset=2, size=3) == "llo"
    until(lambda: daemon.log(drivers["failed"], "stderr"), lambda text: "so bad" in text, "its log")
    listed = {one["id"]: one["state"] for one in daemon.state()["completeddrivers"]}
    assert [listed[driver] for driver in drivers.values()] == list(states.values())


def test_what_is_wrong_is_refused(daemon, jar):
    good, create = daemon.body(jar), f"{daemon.rest}/v1/submissions/create"
    assert ask("POST", create, "{no").status == 400
    assert ask("POST", create, {**good, "mainClass": None}).status == 400
    assert ask("POST", create, daemon.body(jar, driver_memory="much")).status == 400
    wrong = ask("POST", f"{daemon.rest}/v9/submissions/create", good)
    assert wrong.status == 468 and wrong.json()["highestProtocolVersion"] == "v1"
    unknown = daemon.status("driver-20000101000000-0000")
    assert not unknown["success"] and "message" not in unknown
    assert not daemon.kill_driver("driver-20000101000000-0000")["success"]


def test_a_driver_is_killed_while_it_runs_and_while_it_waits(daemon, jar, gate):
    begun, end = gate("begun"), gate("end")
    running = daemon.create(daemon.body(jar, "open", begun.path, "wait", end.path))
    begun.wait()
    waiting = daemon.create(daemon.body(jar, driver_memory="90g"))
    assert daemon.status(waiting)["driverState"] == "SUBMITTED"
    for driver in (running, waiting):
        assert daemon.kill_driver(driver)["success"]
        assert daemon.until_over(driver) == "KILLED"
    assert daemon.has_dropped(running) and not daemon.has_dropped(waiting)


def test_a_master_that_is_killed_comes_back_with_the_drivers_that_run(daemon, jar, gate):
    begun, end = gate("begun"), gate("end")
    over = daemon.create(daemon.body(jar, "exit", 0))
    driver = daemon.create(daemon.body(jar, "open", begun.path, "wait", end.path))
    begun.wait()
    daemon.until_over(over)
    daemon.kill("master")
    daemon.restart("master")
    daemon.until_state(driver, "RUNNING", *OVER)
    assert not daemon.status(over)["success"], "what had ended is forgotten"
    end.open()
    assert daemon.until_over(driver) == "FINISHED" or daemon.has_dropped(driver)


def test_a_worker_that_is_lost_takes_its_drivers_along(daemon, jar, gate):
    begun, end = gate("begun"), gate("end")
    lost = daemon.create(daemon.body(jar, "open", begun.path, "wait", end.path))
    begun.wait()
    daemon.kill("worker")
    assert daemon.until_over(lost) == "ERROR"
    waiting = daemon.create(daemon.body(jar, "exit", 0))
    assert daemon.status(waiting)["driverState"] == "SUBMITTED"
    daemon.restart("worker")
    assert daemon.until_over(waiting) == "FINISHED"
    until(lambda: daemon.state()["aliveworkers"], lambda count: count == 1, "one worker")
