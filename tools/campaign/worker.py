# SPDX-License-Identifier: Apache-2.0
"""A client with batches and sessions of its own: what it sees of them comes one after the other,
so that a state that goes back is the server's doing."""

import threading
import time

from campaign import ledger as ledgers
from campaign.client import PATIENCE, Client, Unanswered
from campaign.ledger import ENDED, Batch, Session, Statement

MOST_STATEMENTS = 6  # of a session that are not over


class Worker(threading.Thread):
    def __init__(self, number, server, ledger, dice, limits):
        super().__init__(name=f"client {number}", daemon=True)
        self.number = number
        self.server = server
        self.ledger = ledger
        self.dice = dice
        self.limits = limits
        self.client = Client(server)
        self.evidence = str(server.folder / "evidence")
        self.stopping = threading.Event()
        self.batches = []   # those that it still looks at
        self.sessions = []
        self.pending = []   # what has to be asked again until it is answered
        self.made = 0
        self.failure = None

    def run(self):
        try:
            while not self.stopping.is_set():
                self.step()
            self.settle()
        except Exception as problem:  # a mistake of this program, or an answer nobody expected
            self.failure = problem

    def step(self):
        """One thing that a client does."""
        try:
            if self.pending and self.dice.random() < 0.7:
                self.finish_pending()
            else:
                self.dice.choices(*zip(*self.choices()))[0]()
        except Unanswered:
            self.ledger.count("unanswered")
            self.server.wait_for_change(0.02)
        self.stopping.wait(self.dice.uniform(0, self.limits["pause"]))

    def choices(self):
        open_batches = [one for one in self.batches if one.state not in ENDED]
        statements = [one for session in self.sessions for one in session.statements]
        yield self.look_around, 1
        if len(open_batches) < self.limits["batches"]:
            yield self.submit, 6
        if self.batches:
            yield self.look_at_batch, 6
            yield self.repeat_submit, 1
            yield self.delete_batch, 2
        if len(self.sessions) < self.limits["sessions"]:
            yield self.open_session, 1
        if self.sessions:
            yield self.look_at_session, 2
            yield self.execute, 4
            yield self.end_session, self.limits["session_ends"]
        if statements:
            yield self.look_at_statement, 4
            yield self.cancel, 0.7
            yield self.follow, 2

    def finish_pending(self):
        call = self.pending[0]
        call()
        self.pending.remove(call)

    def insist(self, call):
        """Asks now, and where there was no answer later again."""
        self.pending.append(call)
        call()
        self.pending.remove(call)

    def settle(self):
        """No more is asked for, but what has begun is brought to an answer."""
        deadline = time.monotonic() + self.limits["settle"]
        while self.pending:
            try:
                self.finish_pending()
            except Unanswered as problem:
                if time.monotonic() > deadline:
                    self.ledger.fault("stuck", f"no answer at all: {problem}")
                    return
                self.server.wait_for_change(0.05)

    def ask(self, *words, **more):
        self.ledger.count("requests")
        return self.client.ask(*words, **more)

    def label(self, kind):
        self.made += 1
        return f"{kind}-{self.number}-{self.made}"

    def wrong(self, what, answer):
        self.ledger.fault("wrong answer", f"{what}: {answer}")

    # -- batches --

    def submit(self):
        batch = Batch(self.label("b"), self.random_words(), self.evidence,
                      self.limits["job"], self.limits["ballast"])
        self.insist(lambda: self.post_batch(batch))

    def random_words(self):
        """What the application does: mostly short, sometimes failing, slow or unwilling to end."""
        words = {"ms": self.dice.randrange(0, 40)}
        roll = self.dice.random()
        if roll < 0.2:
            words["exit"] = self.dice.choice((1, 3, 137))
        elif not self.limits["stub"]:
            pass  # the rest is the stub's
        elif roll < 0.3:
            words["signal"] = self.dice.choice((6, 9, 15))
        elif roll < 0.4:
            words["context"] = 0
        elif roll < 0.5:
            words["ms"] = self.dice.randrange(300, 900)
        elif roll < 0.55:
            words.update(ms=2000, stubborn=1)
        return words

    def post_batch(self, batch):
        # sometimes too impatient to hear the answer: then it asks again beside its own request
        patience = 0.002 if self.dice.random() < 0.05 else PATIENCE
        status, answer = self.ask("POST", "/batches", batch.body, batch.label, patience)
        if status != 201:
            return self.wrong(f"POST of {batch}", (status, answer))
        if batch.id is None:
            batch.id = answer["id"]
            with self.ledger.lock:
                self.ledger.batches.append(batch)
                self.ledger.counts["batches"] += 1
            self.batches.append(batch)
        elif batch.id != answer["id"]:
            self.ledger.fault("duplicated", f"{batch}: the same key made {answer['id']}")
        self.saw(batch, answer)

    def saw(self, one, answer):
        if answer.get("name", one.label) != one.label:
            self.ledger.fault("lost", f"{one} is now called {answer['name']}")
        one.saw(self.ledger, answer["state"])

    def repeat_submit(self):
        batch = self.dice.choice(self.batches)
        if self.dice.random() < 0.3:
            other = dict(batch.body, args=["label=another"])
            status, answer = self.ask("POST", "/batches", other, batch.label)
            if status != 422:
                self.wrong(f"POST of another request with the key of {batch}", (status, answer))
            return
        self.post_batch(batch)

    def look_at_batch(self):
        batch = self.dice.choice(self.batches)
        path = f"/batches/{batch.id}" + self.dice.choice(
            ("", "", "/state", "/log", "?wait=1&state=starting"))
        status, answer = self.ask("GET", path)
        if status == 404:
            return self.ledger.fault("lost", f"{batch} is not there any more")
        if status != 200:
            return self.wrong(f"GET {path}", (status, answer))
        if "state" in answer:
            self.saw(batch, answer)
        if batch.state in ENDED and self.dice.random() < 0.5:
            self.batches.remove(batch)  # looked at again when all is over
        return None

    def delete_batch(self):
        batch = self.dice.choice(self.batches)
        self.batches.remove(batch)
        batch.delete_asked = True
        self.insist(lambda: self.delete(batch, f"/batches/{batch.id}"))

    def delete(self, one, path):
        """404 is an answer, too: to an earlier request whose answer was lost."""
        self.ledger.count("deletes")
        status, answer = self.ask("DELETE", path)
        if status not in (200, 404):
            return self.wrong(f"DELETE {path}", (status, answer))
        now = time.monotonic_ns()
        if isinstance(one, Batch):
            one.gone_at = now
        else:
            one.ended_at = now
        return None

    def look_around(self):
        path = self.dice.choice(("/batches?size=20", "/sessions?size=20", "/readyz", "/version"))
        status, answer = self.ask("GET", path)
        if status != 200:
            self.wrong(f"GET {path}", (status, answer))

    # -- sessions --

    def open_session(self):
        session = Session(self.label("s"), self.evidence)
        self.sessions.append(session)
        self.insist(lambda: self.post_session(session))

    def post_session(self, session):
        status, answer = self.ask("POST", "/sessions", session.body, session.label)
        if status != 201:
            return self.wrong(f"POST of {session}", (status, answer))
        if session.id is None:
            session.id = answer["id"]
            with self.ledger.lock:
                self.ledger.sessions.append(session)
                self.ledger.counts["sessions"] += 1
        elif session.id != answer["id"]:
            self.ledger.fault("duplicated", f"{session}: the same key made {answer['id']}")
        return self.saw(session, answer)

    def some_session(self):
        known = [one for one in self.sessions if one.id is not None]
        return self.dice.choice(known) if known else None

    def look_at_session(self):
        session = self.some_session()
        if session is None:
            return
        status, answer = self.ask("GET", f"/sessions/{session.id}")
        if status == 404:
            self.ledger.fault("lost", f"{session} is not there any more")
        elif status != 200:
            self.wrong(f"GET of {session}", (status, answer))
        else:
            self.saw(session, answer)
            if session.state in ENDED:
                self.sessions.remove(session)  # its driver or supervisor was killed

    def end_session(self):
        session = self.some_session()
        if session is None:
            return
        self.sessions.remove(session)
        session.end_asked = self.dice.choice(("stop", "delete"))
        if session.end_asked == "delete":
            self.insist(lambda: self.delete(session, f"/sessions/{session.id}"))
        else:
            self.insist(lambda: self.stop(session))

    def stop(self, session):
        status, answer = self.ask("POST", f"/sessions/{session.id}/stop")
        if status != 204:
            return self.wrong(f"stop of {session}", (status, answer))
        session.ended_at = time.monotonic_ns()
        return None

    # -- statements --

    def execute(self):
        session = self.some_session()
        if session is None or session.state in (None, *ENDED):
            return
        still_open = [one for one in session.statements if one.state not in ledgers.OVER]
        if len(still_open) >= MOST_STATEMENTS:
            return
        slow = self.dice.random() < 0.2
        statement = Statement(self.label("t"), self.evidence, self.dice.randrange(1, 40),
                              0.02 if slow else 0)
        statement.session = session
        session.statements.append(statement)
        self.ledger.count("statements")
        if ledgers.STATEMENTS_HAVE_KEYS:
            self.insist(lambda: self.post_statement(statement))
            return
        try:
            self.post_statement(statement)
        except Unanswered:
            statement.unknown = True
            raise

    def post_statement(self, statement):
        session = statement.session
        path = f"/sessions/{session.id}/statements"
        statement.asked += 1
        status, answer = self.ask("POST", path, statement.body, statement.label)
        if status == 201:
            if statement.id is not None and statement.id != answer["id"]:
                self.ledger.fault("duplicated", f"{statement} is also {answer['id']}")
            statement.id = answer["id"]
            statement.saw(self.ledger, answer["state"])
            return
        if status in (400, 404, 500):
            statement.refused = f"{status} {answer}"  # as of a session that is over: judged later
        else:
            self.wrong(f"POST of {statement} to {session}", (status, answer))

    def some_statement(self):
        known = [one for session in self.sessions for one in session.statements
                 if one.id is not None and one.state not in ledgers.OVER]
        return self.dice.choice(known) if known else None

    def look_at_statement(self):
        statement = self.some_statement()
        if statement is None:
            return
        path = f"/sessions/{statement.session.id}/statements/{statement.id}"
        status, answer = self.ask("GET", path)
        if status == 404:
            self.ledger.fault("lost", f"{statement} of {statement.session} is not there any more")
        elif status != 200:
            self.wrong(f"GET {path}", (status, answer))
        else:
            statement.saw(self.ledger, answer["state"])

    def follow(self):
        """Takes up its output where the last connection to whatever server has left it."""
        statement = self.some_statement()
        if statement is None:
            return
        path = f"/sessions/{statement.session.id}/statements/{statement.id}?stream=1"
        written = "".join(line + "\n" for line in statement.lines).encode()
        self.ledger.count("requests")
        for number, event, seen in self.client.follow(
                f"{path}&position={len(statement.followed)}", self.limits["follow"]):
            if event == "output":
                statement.followed += seen["text"].encode()
                right = int(number) == len(statement.followed)
                if not right or not written.startswith(statement.followed):
                    self.ledger.fault("output lost or reordered", f"{statement}: byte {number} of "
                                      f"{statement.followed.decode(errors='replace')}")
                    return
            elif event == "statement":
                statement.saw(self.ledger, seen["state"])
                whole = (seen["output"] or {}).get("status") == "ok" and not statement.cancel_asked
                if whole and statement.followed != written:
                    self.ledger.fault("output lost or reordered",
                                      f"{statement}: followed to {len(statement.followed)}")

    def cancel(self):
        statement = self.some_statement()
        if statement is None:
            return
        statement.cancel_asked = True
        self.ledger.count("cancels")
        self.insist(lambda: self.post_cancel(statement))

    def post_cancel(self, statement):
        path = f"/sessions/{statement.session.id}/statements/{statement.id}/cancel"
        status, answer = self.ask("POST", path)
        deleted = status == 404 and statement.session.end_asked == "delete"
        if status != 200 and not deleted:
            self.wrong(f"POST {path}", (status, answer))
