# SPDX-License-Identifier: Apache-2.0
"""One folder's worth of kills, and the account that is taken at its end."""

import collections
import contextlib
import pathlib
import shutil
import sqlite3
import tempfile
import time

from campaign import reconcile, victims
from campaign.client import Client, Unanswered
from campaign.ledger import ENDED, OVER, Ledger
from campaign.server import Server, dice_of, free_port, make_stub_installation
from campaign.worker import Worker

OPTIONS = ["--kill-grace", "200ms", "--session-close-grace", "2s", "--max-running", "6",
           "--max-sessions", "1000", "--max-queued", "100000", "--session-idle-timeout", "0"]
REACHED_WITHIN = 1   # second: a point that may be passed
# pause, lives, reached, settle, follow: seconds; batches, sessions: that a client has at a time;
# ballast: bytes that fill the store
LIMITS = {"pause": 0.01, "settle": 300, "session_ends": 0.3, "reached": REACHED_WITHIN,
          "lives": (0.03, 0.1, 0.1, 0.2, 0.4), "clients": 4, "batches": 6, "sessions": 1,
          "stub": True, "ballast": 0, "follow": 0.2}
REAL = {"pause": 0.3, "settle": 300, "session_ends": 0.05, "lives": (1, 4, 4, 8), "clients": 1,
        "batches": 1, "stub": False}


class Readers:
    """Somebody else who reads the store all the time, each reader beginning before the one before
    it ends. The log cannot begin anew then, so it grows until the writer moves it itself, however
    fast the machine is."""

    def __init__(self, folder):
        self.path = folder / "data" / "sparkhost.db"
        self.now = None

    def next(self):
        before, self.now = self.now, None
        try:
            self.now = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=0)
            self.now.execute("BEGIN")
            self.now.execute("SELECT count(*) FROM records").fetchone()
        except sqlite3.OperationalError:
            self.close()  # there is no store yet, or it is being opened
        if before:
            before.close()

    def close(self):
        if self.now:
            self.now.close()
        self.now = None


class Epoch:
    """`plan` has one entry for each kill: None (any time), "victim", or (point, passage);
    `programs` are the server and the stub java."""

    def __init__(self, name, seed, plan, programs, spark=(), limits=None):
        self.name = name
        self.plan = plan
        self.dice = dice_of(seed, name)
        shared = pathlib.Path("/dev/shm")  # where fsync costs nothing; a SIGKILL spares the disk
        place = shared if shared.is_dir() and shutil.disk_usage(shared).free > 1 << 30 else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sparkhost-campaign-", dir=place))
        self.limits = {**LIMITS, "job": str(programs.java), **(limits or {})}
        installation = spark or make_stub_installation(self.folder, programs.java)
        self.server = Server(self.folder, programs.server, [*OPTIONS, *installation],
                             free_port(self.dice))
        self.ledger = Ledger()
        self.workers = [Worker(number, self.server, self.ledger,
                               dice_of(seed, name, "client", number), self.limits)
                        for number in range(self.limits["clients"])]
        self.client = Client(self.server)
        self.kills = collections.Counter()   # by point, "any time", "driver or supervisor"
        self.missed = []                     # points that were not passed in time
        self.seconds = collections.Counter()

    def run(self, progress):
        try:
            self.server.start()
            for worker in self.workers:
                worker.start()
            for number, kill in enumerate(self.plan):
                self.one_kill(kill)
                if number % 10 == 9:
                    self.look_at_store()
                progress(self)
                if any(worker.failure for worker in self.workers):
                    break
            self.restart()
            self.take_account()
        finally:
            for worker in self.workers:
                worker.stopping.set()
            if self.server.process and self.server.process.poll() is None:
                self.server.kill()
            victims.end_all(self.folder)  # where that was cut short, or found something
        for worker in self.workers:
            if worker.failure:
                self.ledger.fault("wrong answer", f"{worker.name}: {worker.failure!r}")

    # -- kills --

    def one_kill(self, kill):
        """The server runs. Afterwards it runs again."""
        if kill == "victim":
            self.server.wait_dead(self.dice.uniform(0, 0.1))
            if victims.kill_one(self.folder, self.dice, self.ledger):
                self.kills["driver or supervisor"] += 1
                return
            kill = None
        if kill is None:
            if self.dice.random() < 0.6:  # the others meet its start, too
                self.server.wait_ready()
            self.server.wait_dead(self.dice.choice(self.limits["lives"]) * self.dice.random())
            if self.dice.random() < 0.1:  # in the middle of an orderly stop, or just after it
                self.server.process.terminate()
                self.server.wait_dead(0.1 * self.dice.random())
            self.bury("any time", self.server.kill)
            self.server.start()
            return
        self.at_point(*kill)

    def at_point(self, point, passage):
        self.bury("any time", self.server.kill)
        self.server.start(point, passage)
        began = time.monotonic()
        deadline = began + self.limits["reached"]
        readers = Readers(self.folder) if point.startswith("sqlite.checkpoint") else None
        while not self.server.wait_dead(0.05):
            if readers:
                readers.next()
            if point.startswith("local.abandoned"):  # passed only where a supervisor is gone
                victims.kill_one(self.folder, self.dice, self.ledger)
            if self.server.token_is_taken() or time.monotonic() > deadline:
                break
        if readers:
            readers.close()
        if not self.server.wait_dead(0):
            if not self.server.token_is_taken():
                self.missed.append(point)
                self.bury("any time", self.server.kill)
                self.server.start()
                return
            # a supervisor or a driver was ended there; the host sees that, and dies later
            self.server.wait_dead(self.dice.choice((0, 0.05)))
            self.kills["any time"] += 1
        self.bury(point, self.server.kill)
        self.server.start()

    def bury(self, what, end):
        pid = self.server.process.pid
        victims.note_token(end(), self.ledger, pid)
        self.kills[what] += 1

    def restart(self):
        self.bury("any time", self.server.kill)
        reconcile.check_store(self.folder, self.ledger)
        self.server.start()
        if not self.server.wait_ready():
            raise AssertionError("the server died while nobody killed it")

    def look_at_store(self):
        self.bury("any time", self.server.kill)
        began = time.monotonic()
        reconcile.check_store(self.folder, self.ledger)
        self.seconds["store"] += time.monotonic() - began
        self.server.start()

    # -- the account --

    def take_account(self):
        began = time.monotonic()
        for worker in self.workers:
            worker.stopping.set()
        for worker in self.workers:
            worker.join()
        self.seconds["settle"] += time.monotonic() - began
        evidence_file = self.folder / "evidence"
        batches = [(batch, self.last_of_batch(batch)) for batch in self.ledger.batches]
        sessions = [(session, self.last_of_session(session)) for session in self.ledger.sessions]
        self.seconds["over"] += time.monotonic() - began
        evidence = reconcile.read_evidence(evidence_file)
        check = reconcile.Batches(self.ledger, evidence)
        for batch, (answer, log) in batches:
            check.check(batch, answer, log)
        check = reconcile.Sessions(self.ledger, evidence)
        for session, (answer, statements) in sessions:
            check.check(session, answer, statements)
        self.end_all()
        self.look_for_leftovers()
        self.server.kill()
        reconcile.check_store(self.folder, self.ledger)
        self.seconds["account"] += time.monotonic() - began

    def get(self, path):
        status, answer = self.client.ask("GET", path)
        if status not in (200, 404):
            self.ledger.fault("wrong answer", f"GET {path}: {status} {answer}")
        return answer if status == 200 else None

    def until(self, path, over, states):
        """What is there, as soon as it is over; as it is, when it does not come to that."""
        deadline = time.monotonic() + self.limits["settle"]
        answer = self.get(path)
        while answer is not None and not over(answer) and time.monotonic() < deadline:
            state = answer["state"] if answer["state"] in states else states[0]
            answer = self.get(f"{path}?wait=5&state={state}")
        return answer

    def last_of_batch(self, batch):
        path = f"/batches/{batch.id}"
        answer = self.until(path, lambda seen: seen["state"] in ENDED, ("starting", "running"))
        log = self.get(path + "/log?from=0&size=-1") if answer else None
        if answer:
            answer["exitCode"] = (self.get("/api/v1" + path) or {}).get("exitCode")
        return answer, log["log"] if log else []

    def last_of_session(self, session):
        path = f"/sessions/{session.id}"
        victim = self.ledger.victim_of("session", session.id)
        expected = ENDED if session.end_asked or victim else ("idle", *ENDED)
        answer = self.until(path, lambda seen: seen["state"] in expected,
                            ("starting", "busy", "shutting_down", "idle"))
        listed = (self.get(path + "/statements") or {}).get("statements", []) if answer else []
        for one in listed:
            self.until(f"{path}/statements/{one['id']}", lambda seen: seen["state"] in OVER,
                       ("waiting", "running", "cancelling"))
        listed = (self.get(path + "/statements") or {}).get("statements", []) if answer else []
        return answer, listed

    def end_all(self):
        """Sessions go on for ever; then nothing may be left."""
        for session in self.ledger.sessions:
            if not session.is_gone:
                with contextlib.suppress(Unanswered):
                    session.end_asked = "delete"
                    self.client.ask("DELETE", f"/sessions/{session.id}")

    def look_for_leftovers(self):
        deadline = time.monotonic() + self.limits["settle"] / 2
        while True:
            processes = victims.left_over(self.folder, (self.server.process.pid,))
            folders = [str(path) for pattern in ("local/tickets/*", "sessions/claims/*",
                                                 "sessions/agents/*.json")
                       for path in (self.server.data).glob(pattern)]
            if not processes and not folders:
                return
            if time.monotonic() > deadline:
                break
            self.server.wait_dead(0.05)
        for one in [*processes, *folders]:
            self.ledger.fault("left over", str(one))

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
