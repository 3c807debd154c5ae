# SPDX-License-Identifier: Apache-2.0
"""What the clients know: everything that was asked, and every answer."""

import threading

# Whether the server takes an Idempotency-Key of a statement. Without, a statement whose answer was
# lost may be there or not, and is asked for only once.
STATEMENTS_HAVE_KEYS = True

COUNTED = ("batches", "sessions", "statements", "requests", "unanswered", "cancels", "deletes")
FAULTS = ("lost", "duplicated", "stuck", "wrong end", "state went back", "ran after its kill",
          "output lost or reordered", "wrong answer", "event log", "left over")

ENDED = ("success", "dead", "killed")
OVER = ("available", "cancelled")
BATCH_ORDER = {"starting": 0, "running": 1, "success": 2, "dead": 2, "killed": 2}
SESSION_ORDER = {"starting": 0, "idle": 1, "busy": 1, "shutting_down": 2,
                 "success": 3, "dead": 3, "killed": 3}
STATEMENT_ORDER = {"waiting": 0, "running": 1, "cancelling": 2, "cancelled": 3, "available": 3}


class Ledger:
    """Shared by the clients of an epoch."""

    def __init__(self):
        self.lock = threading.Lock()
        self.batches = []
        self.sessions = []
        self.faults = []  # (what, text)
        self.counts = dict.fromkeys(COUNTED, 0)
        self.victims = {}  # ticket: "driver" or "supervisor"

    def fault(self, what, text):
        assert what in FAULTS, what
        with self.lock:
            self.faults.append((what, text))

    def count(self, what, number=1):
        with self.lock:
            self.counts[what] += number

    def victim_of(self, kind, number):
        """How its application was killed, if it was: by the end of its ticket's name."""
        with self.lock:
            for ticket, who in self.victims.items():
                if f"-{kind}-{number}-" in ticket:
                    return who
        return None


class Followed:
    """Something whose states a client has seen: they never go back, and an end stays."""

    ORDER = BATCH_ORDER

    def __init__(self, label):
        self.label = label
        self.id = None
        self.state = None

    def saw(self, ledger, state):
        if state not in self.ORDER:
            ledger.fault("wrong answer", f"{self}: unknown state {state}")
            return
        before, self.state = self.state, state
        if before is None:
            return
        last, now = self.ORDER[before], self.ORDER[state]
        if now < last or (now == last == max(self.ORDER.values()) and before != state):
            ledger.fault("state went back", f"{self}: {before}, then {state}")

    def __str__(self):
        return f"{type(self).__name__.lower()} {self.id} ({self.label})"


class Batch(Followed):
    def __init__(self, label, words, evidence, file, ballast=0):
        super().__init__(label)
        self.words = words  # what it does
        self.body = {"file": file, "name": label,
                     "args": [f"label={label}", f"evidence={evidence}",
                              *(f"{word}={value}" for word, value in words.items())],
                     "conf": {"spark.campaign.evidence": evidence}}
        if ballast:
            self.body["conf"]["spark.campaign.ballast"] = "x" * ballast
        self.delete_asked = False
        self.gone_at = None  # when the DELETE was answered, in nanoseconds

    @property
    def exit_code(self):
        signal = self.words.get("signal")
        return 128 + signal if signal else self.words.get("exit", 0)

    @property
    def natural_end(self):
        return "dead" if self.words.get("exit") or self.words.get("signal") else "success"


class Session(Followed):
    ORDER = SESSION_ORDER

    def __init__(self, label, evidence):
        super().__init__(label)
        self.body = {"kind": "pyspark", "name": label,
                     "conf": {"spark.campaign.evidence": evidence}}
        self.statements = []
        self.end_asked = None  # "stop" or "delete"
        self.ended_at = None   # when it was answered

    @property
    def is_gone(self):
        return self.end_asked == "delete" and self.ended_at is not None


CODE = """import os, time
def testify(what):
    file = os.open({evidence!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, f"{label} statement {{what}} {{time.monotonic_ns()}}\\n".encode())
    os.close(file)
testify("begin")
for number in range({lines}):
    print(f"{label} line {{number}}", flush=True)
    time.sleep({pause})
testify("end")
"""


class Statement(Followed):
    ORDER = STATEMENT_ORDER

    def __init__(self, label, evidence, lines, pause):
        super().__init__(label)
        self.lines = [f"{label} line {number}" for number in range(lines)]
        self.body = {"code": CODE.format(evidence=evidence, label=label, lines=lines, pause=pause)}
        self.followed = b""  # what has come of its output so far, over many connections
        self.cancel_asked = False
        self.unknown = False  # its POST was not answered, and it must not be asked again
        self.asked = 0  # how often its POST was sent
        self.refused = None
