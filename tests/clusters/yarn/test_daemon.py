# SPDX-License-Identifier: Apache-2.0
"""Real daemons by plain HTTP: what the backend, and the fake that stands in for them, take for
granted."""

import concurrent.futures

from asking import ask, until
from daemon import as_user, ask_once

LOST = "application_1000000000000_0001"  # of a ResourceManager of long ago


def test_applications_come_to_their_ends(daemon):
    applications = {"quick": daemon.submit("exit 0"), "fails": daemon.submit("exit 3"),
                    "no queue": daemon.submit("exit 0", queue="nope")}
    over = {name: daemon.until_over(one) for name, one in applications.items()}
    assert {name: (one["state"], one["finalStatus"]) for name, one in over.items()} == {
        name: ("FAILED", "FAILED") for name in applications}, "none has said that it succeeded"
    assert "exitCode: 0" in over["quick"]["diagnostics"]
    assert "exitCode: 3" in over["fails"]["diagnostics"]
    assert "unknown queue: nope" in over["no queue"]["diagnostics"]
    assert daemon.application(LOST) is None


def test_what_is_wrong_is_refused(daemon):
    context = daemon.context(daemon.new_id(), "exit 0")
    assert daemon.post({**context, "resource": {"memory": 1 << 24, "vCores": 1}}).status == 400
    assert daemon.post({**context, "application-id": "application_x"}).status == 400
    assert daemon.post("{no").status == 400
    assert daemon.kill_application(LOST).status == 404
    assert daemon.application(context["application-id"]) is None


def test_an_id_runs_once_however_often_it_is_posted(daemon, gate):
    begun, end = gate("begun"), gate("end")
    application = daemon.new_id()
    context = daemon.context(application, f"echo x > {begun.path}; head -c 1 {end.path} >&2; exit 4")
    other = daemon.context(application, "exit 5", **{"application-name": "other"})
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = list(pool.map(daemon.post, [context, context]))
    assert 202 in [answer.status for answer in answers]
    assert all(answer.status == 202 or "Cannot add a duplicate" in answer.text
               for answer in answers), "no refusal, where two come at the same moment"
    begun.wait()
    assert daemon.post(other).status == 202, "heard, and ignored"
    assert daemon.application(application)["name"] == "shell"
    end.open()
    assert "exitCode: 4" in daemon.until_over(application)["diagnostics"]
    assert daemon.post(other).status == 202
    assert daemon.application(application)["name"] == "shell"
    assert "exitCode: 4" in daemon.application(application)["diagnostics"]


def test_an_application_is_killed_while_it_runs_and_while_it_waits(daemon, gate):
    begun, end = gate("begun"), gate("end")
    running = daemon.submit(f"echo x > {begun.path}; head -c 1 {end.path} >&2")
    begun.wait()
    filling = daemon.submit(f"head -c 1 {end.path} >&2", resource={"memory": 8064, "vCores": 1})
    waiting = daemon.submit("exit 0", resource={"memory": 8064, "vCores": 1})
    daemon.until_state(waiting, "ACCEPTED")
    for application in (running, waiting, filling):
        assert daemon.kill_application(application).status in (200, 202)
        over = daemon.until_over(application)
        assert (over["state"], over["finalStatus"]) == ("KILLED", "KILLED")
        assert daemon.kill_application(application).json() == {"state": "KILLED"}


def test_a_resource_manager_that_is_killed_comes_back_with_its_applications(daemon, gate):
    """One that runs, one that is over; an id that was given but not used is good afterwards."""
    begun, end = gate("begun"), gate("end")
    over = daemon.submit("exit 3")
    daemon.until_over(over)
    running = daemon.submit(f"echo x > {begun.path}; head -c 1 {end.path} >&2; exit 4")
    begun.wait()
    unused, before = daemon.new_id(), daemon.info()
    daemon.kill("rm")
    daemon.restart("rm")
    after = daemon.info()
    assert (after["state"], after["haState"]) == ("STARTED", "ACTIVE")
    assert after["startedOn"] > before["startedOn"]
    assert daemon.application(over)["state"] == "FAILED"
    assert daemon.application(running)["state"] in ("ACCEPTED", "RUNNING")
    assert daemon.post(daemon.context(unused, "exit 5")).status == 202
    assert "exitCode: 5" in daemon.until_over(unused)["diagnostics"]
    end.open()
    assert "exitCode: 4" in daemon.until_over(running)["diagnostics"], "it ran on"


def test_a_node_that_is_lost_takes_its_containers_along(daemon, gate):
    begun, end = gate("begun"), gate("end")
    lost = daemon.submit(f"echo x > {begun.path}; head -c 1 {end.path} >&2")
    begun.wait()
    daemon.kill("nm")
    daemon.restart("nm")
    over = daemon.until_over(lost)
    assert over["state"] == "FAILED"
    assert "exitCode: -100" in over["diagnostics"], over["diagnostics"]


def test_logs_move_from_the_node_to_the_log_server(daemon, gate):
    begun, end = gate("begun"), gate("end")
    application = daemon.submit(f"echo one; echo x > {begun.path}; head -c 1 {end.path} >&2; echo two")
    begun.wait()
    seen = daemon.application(application)
    container = daemon.container(seen)
    at_node = (f"http://{seen['amHostHttpAddress']}/ws/v1/node/containers/{container}/logs/"
               "stdout")
    running = ask_once("GET", at_node)
    assert running.status == 200
    assert "\nLogLength:4\nLogContents:\none\nEnd of LogType:stdout.This log file" in running.text
    assert "\nLogContents:\nne\nEnd" in ask_once("GET", f"{at_node}?size=-3").text
    # it may answer 200, and that it cannot find one
    assert "LogContents" not in daemon.aggregated(container).text
    end.open()
    daemon.until_over(application)
    moved = until(lambda: daemon.aggregated(container), lambda seen: "LogContents" in seen.text,
                  "the log")
    assert moved.status == 200
    assert "\nLogLength:8\nLogContents:\none\ntwo\n\nEnd of LogType:stdout\n" in moved.text
    assert "\nLogLength:8\nLogContents:\nwo\n\n" in \
        daemon.aggregated(container, query="?size=-3").text
    # between the two it may have lost the file and not the application
    left = until(lambda: ask_once("GET", at_node), lambda seen: seen.status == 307, "the node")
    assert left.headers["Location"].startswith(f"{daemon.log_server}/ws/v1/history/containers/")


def test_files_are_made_by_webhdfs(daemon):
    path = "/tests/webhdfs"
    assert daemon.file("PUT", path, "MKDIRS&permission=700").json() == {"boolean": True}
    assert daemon.file("GET", path, "GETFILESTATUS").json()["FileStatus"]["permission"] == "700"
    url = as_user(f"{daemon.webhdfs}/webhdfs/v1{path}/file?op=CREATE&permission=644")
    place = ask_once("PUT", url)
    assert place.status == 307
    assert place.headers["Location"].startswith("http://127.0.0.1:")
    assert ask("PUT", url + "&noredirect=true").json()["Location"].startswith("http://127.0.0.1:")
    made = ask_once("PUT", place.headers["Location"], b"abc")
    assert made.status == 201
    status = daemon.file("GET", f"{path}/file", "GETFILESTATUS").json()["FileStatus"]
    assert (status["length"], status["type"], status["permission"]) == (3, "FILE", "644")
    assert status["modificationTime"] > 1_600_000_000_000
    again = ask_once("PUT", ask_once("PUT", url).headers["Location"], b"abc")
    assert again.status == 403, "it is there, and overwrite is not said"
    assert "FileAlreadyExistsException" in again.text
    assert daemon.file("DELETE", path, "DELETE&recursive=true").json() == {"boolean": True}
    assert daemon.file("DELETE", path, "DELETE&recursive=true").json() == {"boolean": False}
    assert daemon.file("GET", path, "GETFILESTATUS").status == 404
