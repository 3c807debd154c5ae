# SPDX-License-Identifier: Apache-2.0
"""An agent that shares no files with its host: what it needs is mounted, read-only and behind links
that the cluster may move, as a projected volume is; the host is dialled over TCP, by a name."""

import json
import shutil
import socket
import threading

import processes
import pytest
import session as sessions
import sparkhost_agent as agent

from conftest import AGENT


def mount(folder, files):
    """Files in a folder as Kubernetes projects them: NAME -> ..data/NAME -> ..ROUND/NAME."""
    folder.mkdir(exist_ok=True)
    older = sorted(folder.glob("..[0-9]*"))
    content = folder / f"..{len(older)}"
    content.mkdir()
    for name, data in files.items():
        (content / name).write_bytes(data)
        (content / name).chmod(0o444)
        link = folder / name
        if not link.is_symlink():
            link.symlink_to(f"..data/{name}")
    content.chmod(0o555)
    made = folder / "..data_tmp"
    made.symlink_to(content.name)
    made.rename(folder / "..data")
    for gone in older:
        gone.chmod(0o755)
        shutil.rmtree(gone)


class Elsewhere(sessions.Session):
    """The driver of a cluster."""

    def endpoint(self):
        return f"tcp:localhost:{self.address[1]}"

    def place(self, agent, settings):
        self.mounted = self.folder / "mounted"
        self.files = {path.name: path.read_bytes() for path in AGENT.parent.glob("sparkhost_*")}
        self.files["7.claim"] = settings.pop("secret").encode()
        del settings["spool_folder"]
        self.files["session-7-1.json"] = json.dumps(dict(settings, secret_file="7.claim")).encode()
        mount(self.mounted, self.files)
        return self.mounted / agent.name, self.mounted / "session-7-1.json"

    def remount(self):
        """What a kubelet does when an object behind the volume has changed."""
        mount(self.mounted, {name: data for name, data in self.files.items() if name != "7.claim"})

    def listen(self):
        if self.address is None:
            self.kept = processes.keep_port(socket.AF_INET, "127.0.0.1")
            self.address = self.kept.getsockname()
        self.listener = socket.create_server(self.address)

    def vanish(self):
        self.listener.close()
        self.peer.close()

    def end(self):
        super().end()
        self.kept.close()


@pytest.fixture
def elsewhere(launch, folder):
    started = []

    def begin(**settings):
        started.append(Elsewhere(AGENT, folder, **settings))
        return started[-1]

    yield begin
    for one in started:
        one.end()


def test_it_works_from_a_folder_that_it_can_only_read(elsewhere):
    session = elsewhere()
    greeting = session.accept()
    assert greeting["type"] == "claim" and greeting["secret"] == "s3cret"
    session.grant()
    session.until("status", state="idle")
    assert session.echo(0, "1 + 1") == b"2"
    listing = {path.name for path in session.mounted.iterdir()}
    assert listing == {*session.files, "..data", "..0"}, "nothing was written there"
    assert session.close() == 0


def test_a_volume_that_is_mounted_anew_does_not_disturb_it(elsewhere):
    session = elsewhere().ready()
    session.remount()
    assert session.complete(1, "pri")[0], "modules that are loaded late are found"
    assert session.echo(0, "import sparkhost_text as m, os; os.path.exists(m.__file__)") == b"True"
    assert session.close() == 0


def test_a_host_that_comes_back_is_found_by_its_name(elsewhere):
    session = elsewhere(back_off=0.1).ready()
    session.run(0, "x = 41")
    session.vanish()
    session.listen()
    session.resume(received=session.peer.last)
    assert session.echo(1, "x + 1") == b"42"
    assert session.close() == 0


def test_all_files_fit_into_a_config_map():
    size = sum(path.stat().st_size for path in AGENT.parent.glob("sparkhost_*"))
    assert size < 512 << 10, size


def test_names_are_relative_to_the_settings(folder):
    path = folder / "settings"
    (folder / "claim").write_text("s")
    (folder / "claim").chmod(0o440)
    values = {"endpoint": "unix:/x", "ticket": "t", "secret_file": "claim", "cache_folder": "c",
              "spool_folder": "/tmp"}
    path.write_text(json.dumps(values))
    settings = agent.Settings.load(path)
    assert settings.secret == "s"
    assert settings.cache_folder == str(folder / "c") and settings.spool_folder == "/tmp"
    values["secret_file"] = str(folder / "claim")
    path.write_text(json.dumps(values))
    with pytest.raises(agent.SettingsError, match="chmod 600"):
        agent.Settings.load(path)


# ---- addresses -------------------------------------------------------------------------------

class Names:
    """A resolver of names."""

    def __init__(self, monkeypatch):
        self.answers = []
        self.asked = []
        self.woken = threading.Event()
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._ask)

    def _ask(self, host, port, type=0, flags=0):
        if flags & socket.AI_NUMERICHOST:
            return self._real(host, port, type=type, flags=flags)
        self.asked.append(host)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return [(family, type, 0, "", (address, port)) for family, address in answer]

    def addresses(self, text="tcp:host.example:80"):
        return agent.Addresses(agent.parse_endpoint(text), self.woken.set)

    def take(self, addresses):
        """Waits for the resolver where there is none yet."""
        self.woken.clear()
        taken = addresses.take()
        if taken is None:
            assert self.woken.wait(sessions.PATIENCE)
            taken = addresses.take()
        return taken


@pytest.fixture
def names(monkeypatch):
    return Names(monkeypatch)


def test_all_addresses_of_a_name_are_tried_and_then_it_is_resolved_anew(names):
    names.answers = [[(socket.AF_INET6, "::7"), (socket.AF_INET, "10.0.0.1")],
                     [(socket.AF_INET, "10.0.0.2")]]
    addresses = names.addresses()
    assert names.take(addresses) == (socket.AF_INET6, ("::7", 80))
    assert addresses.has_more()
    assert names.take(addresses) == (socket.AF_INET, ("10.0.0.1", 80))
    assert not addresses.has_more()
    assert names.take(addresses) == (socket.AF_INET, ("10.0.0.2", 80))


def test_a_name_that_is_not_known_is_asked_for_again(names):
    names.answers = [socket.gaierror("no such name"), [(socket.AF_INET, "10.0.0.1")]]
    addresses = names.addresses()
    with pytest.raises(OSError, match="no such name"):
        names.take(addresses)
    assert names.take(addresses) == (socket.AF_INET, ("10.0.0.1", 80))


def test_a_host_that_was_reached_is_looked_for_anew(names):
    names.answers = [[(socket.AF_INET, "10.0.0.1"), (socket.AF_INET, "10.0.0.2")],
                     [(socket.AF_INET, "10.0.0.3")]]
    addresses = names.addresses()
    names.take(addresses)
    addresses.start_anew()
    assert names.take(addresses) == (socket.AF_INET, ("10.0.0.3", 80))


@pytest.mark.parametrize("text, target", [
    ("unix:/run/x", (socket.AF_UNIX, "/run/x")),
    ("tcp:127.0.0.1:80", (socket.AF_INET, ("127.0.0.1", 80))),
])
def test_what_is_no_name_needs_no_resolver(names, text, target):
    assert names.addresses(text).take() == target
    assert names.asked == []
    assert names.addresses("tcp:[::1]:80").take()[1][:2] == ("::1", 80)


def test_a_name_that_nobody_could_have_is_an_error_like_others(names):
    names.answers = [UnicodeError("label too long")]
    with pytest.raises(OSError, match="label too long"):
        names.take(names.addresses("tcp:" + "x" * 70 + ":80"))
