# SPDX-License-Identifier: Apache-2.0
"""Whether user code runs: the host's decision, and all that keeps it from being heard."""

import json
import socket

import pytest

import guarded
import processes
from guarded import Desk, grant, refusal

SAY = "Drivers$Say"


def end_well(driver, peer):
    guarded.attend(peer)
    assert driver.wait() == 0, driver.err()
    assert driver.ran()


def test_a_claim_names_ticket_process_and_driver(launch, desk):
    driver = launch(SAY, place="driver-20261122063000-0001")
    peer, greeting = desk.accept()
    nonce = greeting.pop("nonce")
    assert greeting == {"type": "guard", "versions": [1], "ticket": "t-1", "secret": guarded.SECRET,
                        "driver": "driver-20261122063000-0001", "pid": driver.process.pid}
    assert len(nonce) == 32 and int(nonce, 16) >= 0
    assert not driver.ran()
    peer.send(grant())
    end_well(driver, peer)


@pytest.mark.parametrize("container, driver", [
    ("container_1795204894999_0007_01_000001", "application_1795204894999_0007"),
    ("container_e08_1795204894999_12345_02_000001", "application_1795204894999_12345"),
    ("container_e08_1795204894999_0007_01", ""),
    ("xcontainer_1795204894999_0007_01_000001", ""),
])
def test_a_driver_in_a_container_of_yarn_is_its_application(launch, desk, container, driver):
    launch(SAY, variables={"CONTAINER_ID": container})
    assert desk.accept()[1]["driver"] == driver


def test_processes_have_nonces_of_their_own(launch, desk):
    for _ in range(2):
        launch(SAY)
    greetings = [desk.accept()[1] for _ in range(2)]
    assert greetings[0]["nonce"] != greetings[1]["nonce"]
    assert greetings[0]["driver"] == ""


def test_a_refused_driver_loads_no_user_code(launch):
    """Several at a time: a JVM takes long to start on a busy machine."""
    drivers = {}
    for code in ("claimed", "unknown", "ended", "version", "a-new-one"):
        drivers[code] = (desk := Desk()), launch(SAY, at=desk)
    for code, (desk, driver) in drivers.items():
        peer, _ = desk.accept()
        peer.send(refusal(code, "words of the host"))
        assert driver.wait() == 11
        assert driver.err() == (f"sparkhost guard: the host refuses ticket t-1: {code}: words of the host; "
                                "user code is not run\n")
        assert driver.out() == "" and not driver.ran()
        desk.close()


def test_a_host_that_says_later_is_asked_again(launch, desk):
    driver = launch(SAY)
    for _ in range(2):
        peer, first = desk.accept()
        peer.send(refusal("later", "still starting", retry=True))
        with pytest.raises(guarded.Gone):
            peer.read()
    peer, last = desk.accept()
    assert last == first
    peer.send(grant())
    end_well(driver, peer)
    assert driver.err().count("still starting") == 1


def test_a_host_that_is_not_there_yet_is_waited_for(launch, desk):
    port = desk.port
    desk.close()
    driver = launch(SAY, at=f"tcp:127.0.0.1:{port}")
    processes.eventually(lambda: f"waiting for 127.0.0.1 port {port}: Connection refused" in driver.err())
    with Desk(port=port) as back:
        end_well(driver, back.granted())


def test_patience_ends(launch):
    with Desk() as silent, Desk() as busy:
        closed = Desk()
        closed.close()
        drivers = [launch(SAY, at=desk, PATIENCE=10) for desk in (silent, busy, closed)]
        peer, _ = busy.accept()
        peer.send(refusal("later", "draining", retry=True))
        for driver, trouble in zip(drivers, ("", "draining", "Connection refused")):
            assert driver.wait() == 11
            assert "within 10 s" in driver.err() and trouble in driver.err()
            assert not driver.ran()


@pytest.mark.parametrize("says", [b"", b'{"type":"gra'])
def test_an_answer_that_is_lost_is_asked_for_again_with_the_same_nonce(launch, desk, says):
    driver = launch(SAY)
    peer, first = desk.accept()
    peer.send_bytes(says)  # the host may have granted it, and stored that
    peer.close()
    peer, again = desk.accept()
    assert again == first
    assert not driver.ran()
    peer.send(grant())
    end_well(driver, peer)
    assert (driver.folder / "loaded").read_text() == "x"


def file_named(name, content="eA=="):
    return json.dumps({"type": "grant", "version": 1, "files": [{"name": name, "base64": content}]}).encode()


GARBAGE = [
    b"HTTP/1.1 400 Bad Request\r\n\r\n", b'["grant"]', b'{"type":"grant"}', b"\xff\xfe",
    b'{"type":"grant","version":2,"files":[]}', b'{"type":"grant","version":1,"files":{}}',
    b'{"type":"grant","version":1,"files":[7]}', b'{"type":"grant","version":1} {}',
    b'{"type":"grant","version":01}', b'{"type":"grant","version":1,"version":1}',
    b'{"type":"refuse","code":"claimed"}', b'{"type":"refuse","retry":false}', b"[" * 100000,
    file_named("../app.py"), file_named(""), file_named(".."), file_named("a\0b"), file_named("x", "!"),
]


def test_a_host_that_talks_nonsense_is_asked_again(launch):
    """Each driver hears some of it, then a grant."""
    many = 6
    desks = [Desk() for _ in range(many)]
    drivers = [launch(SAY, at=desk) for desk in desks]
    for number, nonsense in enumerate(GARBAGE):
        peer, _ = desks[number % many].accept()
        peer.send_bytes(nonsense + b"\n")
        with pytest.raises((guarded.Gone, ConnectionError)):
            peer.read()
        assert not drivers[number % many].ran(), nonsense
    for desk, driver in zip(desks, drivers):
        end_well(driver, desk.granted())
        desk.close()


def test_what_a_host_may_add_is_ignored(launch, desk):
    driver = launch(SAY)
    peer, _ = desk.accept()
    peer.send({"type": "news", "more": [None, True, -1.5e3, {"a": "\\u0041\n"}]})
    peer.send({"type": "ping", "id": 9007199254740992})
    assert peer.read() == {"type": "pong", "id": 9007199254740992}
    peer.send_bytes(b' { "type" : "\\u0067rant", "version":1, "files":null, "for":"later" } \r\n')
    end_well(driver, peer)


def test_an_address_of_ipv6(launch):
    try:
        desk = Desk("::1")
    except OSError:
        desk = Desk("127.0.0.1")  # a machine without IPv6
        desk.name = "localhost"
    with desk:
        driver = launch(SAY, at=desk)
        end_well(driver, desk.granted())


WRONG = [
    (dict(at="unix:/run/host.sock"), "a JVM cannot dial Unix sockets"),
    (dict(at="127.0.0.1:4711"), "SPARKHOST_GUARD_ADDRESS is 127.0.0.1:4711: tcp:HOST:PORT expected"),
    (dict(at="tcp:host:65536"), "tcp:HOST:PORT expected"),
    (dict(at=""), "SPARKHOST_GUARD_ADDRESS is not set"),
    (dict(TICKET=None), "SPARKHOST_GUARD_TICKET is not set"),
    (dict(SECRET=None), "SPARKHOST_GUARD_SECRET is not set"),
    (dict(PATIENCE="-1"), "SPARKHOST_GUARD_PATIENCE is -1: a number of seconds above 0 expected"),
    (dict(PING_EVERY="0"), "SPARKHOST_GUARD_PING_EVERY is 0"),
]


def test_settings_that_cannot_be_used_are_named(launch):
    drivers = [(launch(SAY, **settings), words) for settings, words in WRONG]
    drivers.append((launch(), "the first argument is the driver's main class"))
    for driver, words in drivers:
        assert driver.wait() == 10
        assert driver.err().startswith("sparkhost guard: ") and words in driver.err()
        assert driver.err().count("\n") == 1 and not driver.ran()


def test_the_secret_is_shown_nowhere(launch):
    with Desk() as refusing, Desk() as granting:
        refused, driver = launch(SAY, at=refusing), launch(SAY, at=granting)
        peer, _ = refusing.accept()
        peer.send_bytes(b"nonsense\n")
        peer, _ = refusing.accept()
        peer.send(refusal("unknown"))
        assert refused.wait() == 11
        peer, _ = granting.accept()
        assert guarded.SECRET not in processes.command_line(driver.process.pid)
        peer.send(grant())
        end_well(driver, peer)
        for one in (refused, driver):
            assert guarded.SECRET not in one.out() + one.err()


def test_a_name_with_several_addresses_is_tried_at_each(launch):
    """`localhost` is ::1 and 127.0.0.1 on most machines, and one of the two here."""
    with Desk() as desk:
        assert socket.getaddrinfo("localhost", desk.port)
        driver = launch(SAY, at=f"tcp:localhost:{desk.port}")
        end_well(driver, desk.granted())
