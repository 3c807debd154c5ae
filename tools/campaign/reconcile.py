# SPDX-License-Identifier: Apache-2.0
"""Compares what the clients know with the store, the event log, and what the applications left
behind."""

import collections
import json
import re
import shutil
import sqlite3
import tempfile

from campaign import points
from campaign.ledger import ENDED, OVER

KIND_SHIFT = 48
KINDS = {1: "batch", 2: "session", 3: "statement"}
PHASES = ("accepted", "reserved", "submitted", "running", "ended", "released", "erased")
ANY_TIME = ("kill_requested", "updated", "claimed", "ready", "cancel_requested")

Evidence = collections.namedtuple("Evidence", "label ticket what at")


def read_evidence(path):
    """By label, in order."""
    found = collections.defaultdict(list)
    if path.exists():
        for line in path.read_text().splitlines():
            label, ticket, what, at = line.split()
            found[label].append(Evidence(label, ticket, what, int(at)))
    return found


def words(evidence, what):
    return [one for one in evidence if one.what == what]


class Batches:
    def __init__(self, ledger, evidence):
        self.ledger = ledger
        self.evidence = evidence

    def check(self, batch, answer, log):
        """`answer` is what a GET shows, None where there is nothing; `log` the lines of its log."""
        seen = self.evidence.get(batch.label, [])
        begun, done = words(seen, "begin"), words(seen, "end")
        if len(begun) > 1:
            self.ledger.fault("duplicated", f"{batch} ran {len(begun)} times: {seen}")
        if batch.gone_at is not None:
            late = [one for one in seen if one.what == "begin" and one.at > batch.gone_at]
            if late:
                self.ledger.fault("ran after its kill", f"{batch} began after its DELETE")
        if answer is None:
            if not batch.delete_asked:
                self.ledger.fault("lost", f"{batch} is not there")
            return
        if batch.gone_at is not None:
            self.ledger.fault("wrong answer", f"{batch} is there after its DELETE was answered")
            return
        if answer.get("name") != batch.label:
            self.ledger.fault("lost", f"{batch} is called {answer.get('name')}")
        batch.saw(self.ledger, answer["state"])
        self.check_end(batch, answer, begun, done, log)

    def check_end(self, batch, answer, begun, done, log):
        victim = self.ledger.victim_of("batch", batch.id)
        state = answer["state"]
        if state not in ENDED:
            self.ledger.fault("stuck", f"{batch} is {state}")
        elif state != batch.natural_end:
            if not victim:
                self.ledger.fault("wrong end", f"{batch} {batch.words}: {state}, log {log}")
            elif state != "dead":
                self.ledger.fault("wrong end", f"{batch}, whose {victim} was killed: {state}")
        elif not victim and (len(begun) != 1 or len(done) != 1):
            self.ledger.fault("wrong end", f"{batch} is {state}, its evidence {begun + done}")
        elif not victim and answer["exitCode"] != batch.exit_code:
            self.ledger.fault("wrong end", f"{batch} {batch.words}: status {answer['exitCode']}")
        elif not victim and log.count(f"{batch.label} was here") != 1:
            self.ledger.fault("output lost or reordered", f"{batch}: its log is {log}")


class Sessions:
    def __init__(self, ledger, evidence):
        self.ledger = ledger
        self.evidence = evidence

    def check(self, session, answer, statements):
        """`answer` as of batches; `statements` those that the server lists."""
        ticket = re.compile(rf"-session-{session.id}-\d+$")
        begun = [one for one in self.evidence.get("session", []) if ticket.search(one.ticket)]
        if len(begun) > 1:
            self.ledger.fault("duplicated", f"{session} was started {len(begun)} times")
        if session.ended_at is not None and any(one.at > session.ended_at for one in begun):
            self.ledger.fault("ran after its kill", f"{session} began after its end")
        if answer is None:
            if session.end_asked != "delete":
                self.ledger.fault("lost", f"{session} is not there")
        else:
            session.saw(self.ledger, answer["state"])
            self.check_end(session, answer["state"])
        self.check_statements(session, answer is not None, statements)

    def check_end(self, session, state):
        if self.ledger.victim_of("session", session.id):
            if state not in ENDED:
                self.ledger.fault("stuck", f"{session}, whose driver was killed, is {state}")
        elif session.end_asked and state not in ("killed", "success"):
            what = "wrong end" if state in ENDED else "stuck"
            self.ledger.fault(what, f"{session} was asked to end and is {state}")
        elif not session.end_asked and state in ENDED:
            self.ledger.fault("wrong end", f"{session} is {state} and was not asked to end")
        elif not session.end_asked and state != "idle":
            self.ledger.fault("stuck", f"{session} is {state}")

    def check_statements(self, session, is_there, listed):
        by_label = collections.defaultdict(list)
        for one in listed:
            label = re.search(r"(t-\d+-\d+) statement", one["code"])
            by_label[label[1] if label else None].append(one)
        cut = session.end_asked or self.ledger.victim_of("session", session.id)
        starts = []
        for statement in session.statements:
            there = by_label.pop(statement.label, [])
            seen = self.evidence.get(statement.label, [])
            begun = words(seen, "begin")
            if len(begun) > 1 or len(there) > 1:
                self.ledger.fault("duplicated", f"{statement} of {session}: {seen}, {there}")
            if begun and session.ended_at is not None and begun[0].at > session.ended_at:
                self.ledger.fault("ran after its kill", f"{statement} of {session}")
            # A key goes with its session: who repeats a POST after that hears nothing of the first.
            repeated = statement.asked > 1 and session.end_asked == "delete"
            if statement.refused and (there or (begun and not repeated) or not cut):
                self.ledger.fault("wrong answer", f"{statement} of {session}: {statement.refused}")
            if begun and there:
                starts.append((there[0]["id"], begun[0].at))
            if not is_there:
                continue
            if there:
                self.check_statement(statement, there[0], seen, cut)
            elif statement.id is not None:
                self.ledger.fault("lost", f"{statement} of {session} is not there")
            elif begun:
                self.ledger.fault("lost", f"{statement} of {session} ran and is not there")
        if by_label:
            self.ledger.fault("wrong answer", f"{session} has what nobody asked for: {by_label}")
        order = [at for _, at in sorted(starts)]
        if order != sorted(order):
            self.ledger.fault("output lost or reordered", f"{session} ran out of order: {starts}")

    def check_statement(self, statement, answer, seen, cut):
        if statement.id is not None:
            if statement.id != answer["id"]:
                self.ledger.fault("lost", f"{statement} is now {answer['id']}")
            statement.saw(self.ledger, answer["state"])
        output = answer["output"] or {}
        text = output.get("data", {}).get("text/plain", "")
        lines = text.split("\n") if text else []
        if answer["state"] not in OVER:
            self.ledger.fault("stuck", f"{statement} of {statement.session} is {answer['state']}")
        elif output.get("status") == "ok" and answer["state"] == "available":
            if lines != statement.lines:
                self.ledger.fault("output lost or reordered", f"{statement}: {lines}")
            if len(words(seen, "begin")) != 1 or len(words(seen, "end")) != 1:
                self.ledger.fault("wrong end", f"{statement} is done, its evidence {seen}")
        elif not cut and not statement.cancel_asked:
            self.ledger.fault("wrong end", f"{statement} of {statement.session}: {answer}")
        elif output.get("ename") == "ResultForgotten":
            self.ledger.fault("lost", f"the result of {statement} of {statement.session}")
        elif lines != statement.lines[:len(lines)]:
            self.ledger.fault("output lost or reordered", f"{statement}, cancelled: {lines}")


def read_store(folder):
    """A copy of the store, so that the server finds its own as it left it. While it is down."""
    copies = tempfile.mkdtemp(prefix="store-", dir=folder)
    try:
        for name in ("sparkhost.db", "sparkhost.db-wal"):
            if (folder / "data" / name).exists():
                shutil.copy(folder / "data" / name, copies)
        store = sqlite3.connect(f"{copies}/sparkhost.db")
        try:
            events = store.execute("SELECT sequence, row, type, body FROM events ORDER BY sequence")
            records = store.execute("SELECT row FROM records")
            return events.fetchall(), {row for (row,) in records}
        except sqlite3.OperationalError:
            return [], set()  # killed before there was a store
        finally:
            store.close()
    finally:
        shutil.rmtree(copies)


def subject_of(row):
    return f"{KINDS[row >> KIND_SHIFT]} {row & ((1 << KIND_SHIFT) - 1)}"


def check_store(folder, ledger):
    """While the server is down: every accepted record is there, the event log is dense, and no
    record's events go back."""
    events, records = read_store(folder)
    with ledger.lock:
        acknowledged = [(1, one) for one in ledger.batches if not one.delete_asked]
        acknowledged += [(2, one) for one in ledger.sessions if one.end_asked != "delete"]
    for kind, one in acknowledged:
        if (kind << KIND_SHIFT) + one.id not in records:
            ledger.fault("lost", f"{one} was accepted and is not in the store")
    known = set(points.kinds_of_events())
    reached = {}
    for expected, (sequence, row, kind, body) in enumerate(events, 1):
        if sequence != expected:
            ledger.fault("event log", f"number {expected} is missing, {sequence} comes")
            break
        if kind not in known:
            ledger.fault("event log", f"commits of {kind} have no crash points")
        noun, word = kind.split(".")
        where = PHASES.index(word) if word in PHASES else None
        if noun != KINDS[row >> KIND_SHIFT] or (where is None and word not in ANY_TIME):
            ledger.fault("event log", f"{kind} of {subject_of(row)}")
            continue
        version, phase = reached.get(row, (0, -1))
        now = json.loads(body)["version"]
        if now < version or (where is not None and where <= phase):
            ledger.fault("event log", f"{subject_of(row)}: {kind}, version {now} after {version}")
        reached[row] = now, max(phase, -1 if where is None else where)
