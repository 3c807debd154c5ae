# SPDX-License-Identifier: Apache-2.0
"""The server under test: started again and again on one folder and one port."""

import os
import random
import select
import signal
import socket
import subprocess
import threading
import time

READY_WITHIN = 180  # seconds


def free_port(dice):
    """One that no outgoing connection is given meanwhile: below those."""
    while True:
        port = dice.randrange(10000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def make_stub_installation(folder, program):
    """Folders that look like Spark and Java, and are not."""
    for name in ("spark/jars", "java/bin"):
        (folder / name).mkdir(parents=True)
    (folder / "spark/jars/spark-core_2.12-3.5.6.jar").touch()
    (folder / "java/release").write_text('JAVA_VERSION="17.0.1"\n')
    (folder / "java/bin/java").symlink_to(program)
    return ["--spark-home", str(folder / "spark"), "--java-home", str(folder / "java"),
            "--python", "/usr/bin/python3", "--class-data-archive", "off"]


class Server:
    """Its life is the main thread's business; clients only need its address."""

    def __init__(self, folder, program, options, port):
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.address = ("127.0.0.1", port)
        self.command = ["setpriv", "--pdeathsig", "KILL", str(program), "--listen",
                        f"127.0.0.1:{port}", "--data-dir", str(self.data),
                        "--log-level", "debug", *options]
        self.process = None
        self.handle = None
        self.token = None
        self.starts = 0
        self.changed = threading.Condition()
        self.start_times = []

    def start(self, point=None, passage=1):
        """Does not wait until it is ready."""
        environment = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR")
                       if name in os.environ}
        self.token = None
        if point:
            self.token = self.folder / f"token.{self.starts}"
            self.token.touch()
            environment.update(SPARKHOST_CRASH_AT=f"{point}:{passage}",
                               SPARKHOST_CRASH_TOKEN=str(self.token))
        self.starts += 1
        self.began = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log, env=environment)
        self.handle = os.pidfd_open(self.process.pid)
        with self.changed:
            self.changed.notify_all()

    def wait_ready(self):
        """False where it has died before."""
        if not select.select([self.process.stdout], [], [], READY_WITHIN)[0]:
            raise AssertionError(f"the server was not ready after {READY_WITHIN} s")
        ready = bool(self.process.stdout.readline())
        if ready:
            self.start_times.append(time.monotonic() - self.began)
        return ready

    def wait_dead(self, seconds):
        """Whether it has died within this time."""
        return bool(select.select([self.handle], [], [], max(0, seconds))[0])

    def kill(self):
        """kill -9, where it has not ended already; gives the point's victim if there was one."""
        self.process.kill()
        return self.bury()

    def bury(self):
        status = self.process.wait()
        self.process.stdout.close()
        os.close(self.handle)
        if status not in (-signal.SIGKILL, -signal.SIGTERM, 0):
            raise AssertionError(f"the server ended by itself, with {status}")
        return self.take_token()

    def take_token(self):
        """(pid, folder) of the process that has died at the armed point, or None. Nobody will any
        more."""
        if self.token is None:
            return None
        token, self.token = self.token, None
        try:
            token.unlink()
            return None
        except FileNotFoundError:
            taken = token.with_name(token.name + ".taken")
            pid, _, folder = taken.read_text().strip().partition(" ")
            return int(pid or 0), folder

    def token_is_taken(self):
        return self.token is not None and not self.token.exists()

    def wait_for_change(self, seconds):
        """For clients that found nobody there."""
        with self.changed:
            self.changed.wait(seconds)


def dice_of(*words):
    return random.Random("/".join(map(str, words)))
