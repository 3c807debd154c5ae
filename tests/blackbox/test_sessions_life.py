# SPDX-License-Identifier: Apache-2.0
"""How sessions on real Spark end: by failure, by request, by themselves."""

import os
import signal

import pytest

from processes import alive, command_line, descendants, eventually, wait_gone
from sessions import ENDED


@pytest.fixture
def busy(module_server, gate):
    """A session whose statement has begun and does not end; it has started a child that ignores
    SIGTERM and one that has left its process group."""
    begun = gate("begun")
    session = module_server.open_session()
    session.statement = session.post(
        "import os, subprocess\n"
        "one = subprocess.Popen(['sh', '-c', 'trap \"\" TERM; echo set; while :; do sleep 600; done'],"
        " stdout=subprocess.PIPE)\n"
        "one.stdout.readline()\n"
        "two = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        f"open({begun.path!r}, 'w').write(f'{{os.getpid()}} {{os.getppid()}} {{one.pid}} {{two.pid}}')\n"
        "while True: pass")
    session.pids = [int(word) for word in begun.wait().split()]
    session.statement.until_begun()
    session.until("busy")
    yield session


@pytest.mark.parametrize("conf, reason", [
    ({"spark.driver.memory": "1k"}, "heap"),
    ({"spark.serializer": "no.such.Class"}, "no.such.Class"),
])
def test_a_driver_that_cannot_start_is_dead_with_its_reason(module_server, conf, reason):
    session = module_server.open_session(conf=conf)
    statement = session.post("print('never')")
    assert session.until_over() == "dead"
    assert any(reason in entry for entry in session.log()), session.log()
    seen = statement.until_over()
    assert seen["state"] == "cancelled" and seen["started"] == 0
    refused = session.client.post(session.path + "/statements", json={"code": "1"})
    assert refused.status_code == 500 and "Session is in state dead" in refused.text
    session.delete()


@pytest.mark.parametrize("victim", ["python", "java"])
def test_a_driver_that_is_killed_is_dead_and_so_are_its_statements(module_server, victim):
    session = module_server.open_session()
    session.text("print('kept')")
    pids = dict(zip(("python", "java"), session.driver()))
    running = session.post("print('last words', flush=True)\nwhile True: pass")
    waiting = session.post("print('never')")
    with running.stream() as stream:
        stream.until("last words\n")
        os.kill(pids[victim], signal.SIGKILL)
        end = stream.rest()
    assert end["state"] == "cancelled"
    assert end["output"]["status"] == "error", end
    # an agent that sees its JVM go still interrupts the code, which shows as that
    assert end["output"]["evalue"] if victim == "python" else end["output"]["ename"], end
    assert waiting.until_over()["state"] == "cancelled"
    assert session.until_over() == "dead"
    assert wait_gone(pids.values()) == []
    assert running.output().text["stdout"] == "last words\n"
    assert session.statements()["statements"][0]["output"]["data"] == {"text/plain": "kept"}
    session.delete()


def test_a_session_ends_when_it_has_been_idle_for_its_time(module_server):
    session = module_server.open_session(idleTimeout="1s")
    # posted while it starts: it has work from then on
    driver = session.post("import os\nprint(os.getpid(), os.getppid())")
    work = session.post("import time; time.sleep(2.5)\n'done'")  # longer: that is not idle
    pids = [int(word) for word in driver.until_over()["output"]["data"]["text/plain"].split()]
    assert work.until_over()["output"]["data"] == {"text/plain": "'done'"}
    assert session.until_over() in ENDED
    assert wait_gone(pids) == []
    assert session.get()["idleTimeout"] == "1s"
    session.delete()


def test_deleting_ends_the_driver_its_children_and_what_runs(busy):
    assert alive(busy.pids) == busy.pids
    busy.delete()
    assert alive(busy.pids) == []
    assert busy.client.get(busy.path).status_code == 404
    assert busy.client.get(busy.statement.path).status_code == 404
    assert busy.client.get(busy.path + "/log").status_code == 404
    assert busy.client.delete(busy.path).status_code == 404


def test_deleting_an_idle_session_lets_its_driver_end_in_order(module_server, folder):
    session = module_server.open_session(name="for a while")
    pids = session.driver()
    mark = folder / "ended"
    session.run("import atexit, pathlib\n"
                f"atexit.register(lambda: pathlib.Path({str(mark)!r}).write_text('in order'))")
    assert module_server.client.get("/sessions/for%20a%20while").json()["id"] == session.id
    session.delete()
    assert alive(pids) == []
    assert mark.read_text() == "in order"
    assert module_server.client.get("/sessions/for%20a%20while").status_code == 404


def test_deleting_while_it_starts_leaves_nothing(module_server):
    before = set(descendants())
    session = module_server.open_session(name="too soon")
    waiting = session.post("print('never')")
    session.delete()
    assert module_server.client.get(waiting.path).status_code == 404
    left_over = wait_gone(set(descendants()) - before)
    assert left_over == []


def jvms(pids):
    return [pid for pid in pids if command_line(pid).split(" ")[0].endswith("/java")]


def test_deleting_while_its_jvm_starts_leaves_nothing(module_server):
    before = set(descendants())
    session = module_server.open_session()
    [jvm] = eventually(lambda: jvms(set(descendants()) - before))
    session.delete()
    assert alive([jvm]) == []
    assert wait_gone(set(descendants()) - before) == []


def test_a_stream_ends_when_its_session_is_deleted(module_server):
    session = module_server.open_session()
    statement = session.post("print('go', flush=True)\nwhile True: pass")
    with statement.stream() as stream:
        stream.until("go\n")
        session.delete()
        while stream.next():
            pass
    assert stream.statement is None or stream.statement["state"] == "cancelled"
