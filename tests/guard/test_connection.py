# SPDX-License-Identifier: Apache-2.0
"""The guard's connection after the grant, which may break as often as it likes."""

import time

import pytest

import guarded
import processes
from guarded import Desk, grant, refusal


@pytest.fixture
def gate(folder):
    one = processes.Gate(folder / "gate")
    yield one
    one.close()


def finish(driver, gate, peer=None):
    """The driver goes on to its end, as it is."""
    gate.open()
    reports = guarded.attend(peer) if peer else []
    assert driver.wait() == 0, driver.err()
    assert driver.err() == ""
    return reports


def test_a_connection_that_breaks_is_made_again(launch, desk, gate):
    driver = launch("Drivers$Gated", gate.path)
    peer, first = desk.accept()
    peer.send(grant(a=b"1"))
    for _ in range(2):
        processes.eventually(driver.ran)
        peer.close()
        peer, again = desk.accept()
        assert again == first
        peer.send(grant(a=b"2", b=b"3"))
        peer.send({"type": "ping", "id": 1})
        assert peer.read() == {"type": "pong", "id": 1}
    assert finish(driver, gate, peer) == [{"type": "report", "ended": True}]
    assert driver.out() == "passed\n"
    files = driver.folder / "sparkhost"
    assert [path.name for path in driver.folder.glob("sparkhost*/*")] == ["a"]
    assert (files / "a").read_bytes() == b"1"


def test_a_host_that_comes_back_is_told_again(launch, folder, desk):
    gates = [processes.Gate(folder / f"gate-{number}") for number in range(3)]
    driver = launch("Drivers$WithSpark", *(gate.path for gate in gates), PING_EVERY=2)
    peer = desk.granted()
    guarded.answer(peer, peer.read())  # time for some looks; they initialise nothing
    gates[0].open()
    first = {"type": "report", "application_id": "app-1"}
    assert guarded.report(peer) == first
    peer.close()
    peer = desk.granted()
    assert guarded.report(peer) == first
    gates[1].open()  # another context takes its place
    second = {"type": "report", "application_id": "app-2", "ui_url": "http://driver:4040"}
    assert guarded.report(peer) == second
    desk.close()
    with Desk(port=desk.port) as back:
        peer = back.granted()
        assert guarded.report(peer) == second
        gates[2].open()
        assert guarded.attend(peer) == [{**second, "ended": True}]
    assert driver.wait() == 0 and driver.err() == ""
    assert driver.out() == "Spark is initialised by main\n"
    for gate in gates:
        gate.close()


@pytest.mark.parametrize("words, error", [
    ([], {}), (["enough"], {"error": "java.lang.IllegalStateException: enough"})])
def test_a_context_is_told_of_though_main_ends_at_once(launch, desk, words, error):
    driver = launch("Drivers$BriefWithSpark", *words)
    reports = guarded.attend(desk.granted())
    assert reports[-1] == {"type": "report", "application_id": "app-1", "ended": True, **error}
    driver.wait()


def test_after_a_final_refusal_the_driver_goes_on_alone(launch, desk, gate):
    driver = launch("Drivers$Alone", gate.path)
    desk.granted().close()
    peer, _ = desk.accept()
    peer.send(refusal("ended", "killed"))
    with pytest.raises(guarded.Gone):
        peer.read()
    finish(driver, gate)
    assert driver.out() == "true\n"


def test_later_is_no_end_after_the_grant_either(launch, desk, gate):
    driver = launch("Drivers$Gated", gate.path)
    desk.granted().close()
    peer, _ = desk.accept()
    peer.send(refusal("later", "starting", retry=True))
    assert finish(driver, gate, desk.granted()) == [{"type": "report", "ended": True}]


def test_nonsense_after_the_grant_breaks_the_connection_and_nothing_else(launch, desk, gate):
    driver = launch("Drivers$Gated", gate.path)
    peer = desk.granted()
    peer.send_bytes(b"nonsense\n")
    with pytest.raises((guarded.Gone, ConnectionError)):
        peer.read()
    finish(driver, gate, desk.granted())


def test_the_guard_pings_and_stays_with_a_host_that_answers(launch, desk, gate):
    driver = launch("Drivers$Gated", gate.path, PING_EVERY=1)
    peer = desk.granted()
    for number in range(1, 6):  # longer than it would bear silence
        assert peer.read() == {"type": "ping", "id": number}
        peer.send({"type": "pong", "id": number})
    finish(driver, gate, peer)


def test_the_guard_leaves_a_host_that_is_silent(launch, desk, gate):
    driver = launch("Drivers$Gated", gate.path, PING_EVERY=0.1)
    peer = desk.granted()
    with pytest.raises(guarded.Gone):
        while True:
            assert peer.read()["type"] == "ping"
    finish(driver, gate, desk.granted())


@pytest.mark.parametrize("way", ["gone", "silent"])
def test_a_driver_ends_soon_without_its_host(launch, desk, gate, way):
    driver = launch("Drivers$Gated", gate.path, PATIENCE=3600, PING_EVERY=3600)
    peer = desk.granted()
    processes.eventually(driver.ran)
    if way == "gone":
        desk.close()
    begin = time.monotonic()
    finish(driver, gate)
    if way == "silent":
        assert time.monotonic() - begin > 1.9  # it has given the host its moment
        assert guarded.report(peer) == {"type": "report", "ended": True}


def test_user_code_that_interrupts_all_threads_does_not_harm_the_guard(launch, desk, gate):
    driver = launch("Drivers$Rude", gate.path)
    peer = desk.granted()
    processes.eventually(lambda: "\n" in driver.out())
    assert driver.out() == "true\n"  # a thread that stays interrupted never waits again
    peer.send({"type": "ping", "id": 1})
    assert peer.read() == {"type": "pong", "id": 1}
    peer.close()
    finish(driver, gate, desk.granted())
