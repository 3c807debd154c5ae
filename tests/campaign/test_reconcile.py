# SPDX-License-Identifier: Apache-2.0
"""The account can fail: each kind of fault is made, and found. The clients' own books, too."""

import pathlib
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from campaign import reconcile  # noqa: E402
from campaign.ledger import Batch, Ledger, Session, Statement  # noqa: E402
from campaign.reconcile import Evidence  # noqa: E402


def evidence_of(label, *words, ticket="u-batch-1-1"):
    return [Evidence(label, ticket, word, at) for at, word in enumerate(words)]


class Account(unittest.TestCase):
    def setUp(self):
        self.ledger = Ledger()

    def found(self):
        return sorted({what for what, _ in self.ledger.faults})


class OfABatch(Account):
    def check(self, end, *words, log=("b was here",), **facts):
        batch = Batch("b", facts.pop("words", {}), "evidence", "file")
        batch.id = 1
        status = facts.pop("status", batch.exit_code)
        for name, value in facts.items():
            setattr(batch, name, value)
        answer = end and {"name": "b", "state": end,
                          "exitCode": status}
        evidence = {"b": evidence_of("b", *words)}
        reconcile.Batches(self.ledger, evidence).check(batch, answer, list(log))
        return self.found()

    def test_a_good_one(self):
        self.assertEqual(self.check("success", "begin", "end"), [])

    def test_one_that_fails_as_it_should(self):
        self.assertEqual(self.check("dead", "begin", "end", words={"exit": 3}), [])

    def test_lost(self):
        self.assertEqual(self.check(None), ["lost"])

    def test_deleted(self):
        self.assertEqual(self.check(None, delete_asked=True, gone_at=9), [])

    def test_there_after_its_deletion(self):
        self.assertEqual(self.check("success", "begin", "end", delete_asked=True, gone_at=9),
                         ["wrong answer"])

    def test_duplicated(self):
        self.assertIn("duplicated", self.check("success", "begin", "end", "begin", "end"))

    def test_never_run(self):
        self.assertEqual(self.check("success"), ["wrong end"])

    def test_stuck(self):
        self.assertEqual(self.check("starting"), ["stuck"])

    def test_wrong_end(self):
        self.assertEqual(self.check("dead", "begin", "end"), ["wrong end"])

    def test_a_wrong_status(self):
        self.assertEqual(self.check("dead", "begin", "end", words={"signal": 9}, status=9),
                         ["wrong end"])

    def test_an_end_that_is_the_campaigns_own_doing(self):
        self.ledger.victims["u-batch-1-1"] = "supervisor"
        self.assertEqual(self.check("dead", "begin"), [])

    def test_a_victim_of_another_number(self):
        self.ledger.victims["u-batch-11-1"] = "supervisor"
        self.assertEqual(self.check("dead", "begin"), ["wrong end"])

    def test_ran_after_its_kill(self):
        self.assertEqual(self.check(None, "begin", delete_asked=True, gone_at=-1),
                         ["ran after its kill"])

    def test_lost_output(self):
        self.assertEqual(self.check("success", "begin", "end", log=()),
                         ["output lost or reordered"])

    def test_a_state_that_goes_back(self):
        self.assertEqual(self.check("success", "begin", "end", state="killed"),
                         ["state went back"])


class OfASession(Account):
    def check(self, state, *statements, begun=1, **facts):
        """`statements` are (state, lines, words of evidence, facts)."""
        session = Session("s", "evidence")
        session.id = 2
        evidence = {"session": evidence_of("session", *["begin"] * begun, ticket="u-session-2-1")}
        listed = []
        for number, (what, lines, words, more) in enumerate(statements):
            statement = Statement(f"t-0-{number}", "evidence", 3, 0)
            statement.id = more.pop("id", number)
            statement.session = session
            for name, value in more.items():
                setattr(statement, name, value)
            session.statements.append(statement)
            evidence[statement.label] = [
                Evidence(statement.label, "statement", word, at) for word, at in words]
            if what:
                text = "\n".join(statement.lines[line] for line in lines)
                output = {"status": "ok", "data": {"text/plain": text}}
                listed.append({"id": number, "code": statement.body["code"], "state": what,
                               "output": output if what == "available" else None})
        for name, value in facts.items():
            setattr(session, name, value)
        answer = state and {"name": "s", "state": state}
        reconcile.Sessions(self.ledger, evidence).check(session, answer, listed)
        return self.found()

    ALL = (0, 1, 2)
    RUN = (("begin", 1), ("end", 2))

    def test_a_good_one(self):
        self.assertEqual(self.check("idle", ("available", self.ALL, self.RUN, {})), [])

    def test_lost(self):
        self.assertEqual(self.check(None), ["lost"])

    def test_dead_by_itself(self):
        self.assertEqual(self.check("dead"), ["wrong end"])

    def test_stuck(self):
        self.assertEqual(self.check("starting"), ["stuck"])

    def test_does_not_end(self):
        self.assertEqual(self.check("shutting_down", end_asked="stop"), ["stuck"])

    def test_started_twice(self):
        self.assertEqual(self.check("idle", begun=2), ["duplicated"])

    def test_a_statement_is_lost(self):
        self.assertEqual(self.check("idle", (None, (), (), {})), ["lost"])

    def test_a_statement_runs_twice(self):
        self.assertIn("duplicated", self.check(
            "idle", ("available", self.ALL, (*self.RUN, *self.RUN), {})))

    def test_output_is_lost(self):
        self.assertEqual(self.check("idle", ("available", (0, 2), self.RUN, {})),
                         ["output lost or reordered"])

    def test_output_is_reordered(self):
        self.assertEqual(self.check("idle", ("available", (1, 0, 2), self.RUN, {})),
                         ["output lost or reordered"])

    def test_a_statement_is_stuck(self):
        self.assertEqual(self.check("idle", ("waiting", (), (), {})), ["stuck"])

    def test_cancelled_by_nobody(self):
        self.assertEqual(self.check("idle", ("cancelled", (), (), {})), ["wrong end"])

    def test_cancelled(self):
        self.assertEqual(self.check("idle", ("cancelled", (), (), {"cancel_asked": True})), [])

    def test_out_of_order(self):
        later = (("begin", 0), ("end", 0))
        self.assertEqual(self.check("idle", ("available", self.ALL, self.RUN, {}),
                                    ("available", self.ALL, later, {})),
                         ["output lost or reordered"])

    def test_refused_by_a_session_that_lives(self):
        self.assertEqual(self.check("idle", (None, (), (), {"id": None, "refused": "500"})),
                         ["wrong answer"])

    def test_refused_when_repeated_after_its_session_was_deleted(self):
        ran = {"id": None, "refused": "404", "asked": 2}
        self.assertEqual(self.check(None, (None, (), self.RUN, ran), end_asked="delete"), [])
        for wrong in ({"asked": 1}, {"asked": 2}):
            ended = "delete" if wrong["asked"] == 1 else "stop"
            self.assertEqual(self.check(None, (None, (), self.RUN, {**ran, **wrong}),
                                        end_asked=ended)[-1:], ["wrong answer"], wrong)

    def test_no_answer_to_the_acceptance(self):
        self.assertEqual(self.check("idle", (None, (), (), {"id": None, "unknown": True})), [])


class OfTheStore(Account):
    def check(self, *events, records=()):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "data").mkdir()
            store = sqlite3.connect(f"{folder}/data/sparkhost.db")
            store.execute("CREATE TABLE events (sequence, row, type, body)")
            store.execute("CREATE TABLE records (row)")
            store.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", [
                (number, (1 << reconcile.KIND_SHIFT) + row, kind, f'{{"version": {version}}}')
                for number, row, kind, version in events])
            store.executemany("INSERT INTO records VALUES (?)",
                              [((1 << reconcile.KIND_SHIFT) + row,) for row in records])
            store.commit()
            store.close()
            reconcile.check_store(pathlib.Path(folder), self.ledger)
        return self.found()

    def test_a_good_one(self):
        self.assertEqual(self.check((1, 7, "batch.accepted", 1), (2, 7, "batch.ended", 2),
                                    (3, 8, "batch.accepted", 1)), [])

    def test_a_gap(self):
        self.assertEqual(self.check((1, 7, "batch.accepted", 1), (3, 7, "batch.ended", 2)),
                         ["event log"])

    def test_back(self):
        self.assertEqual(self.check((1, 7, "batch.running", 1), (2, 7, "batch.submitted", 2)),
                         ["event log"])

    def test_twice(self):
        self.assertEqual(self.check((1, 7, "batch.ended", 1), (2, 7, "batch.ended", 2)),
                         ["event log"])

    def test_a_record_is_lost(self):
        batch = Batch("b", {}, "evidence", "file")
        batch.id = 7
        self.ledger.batches.append(batch)
        self.assertEqual(self.check(records=(8,)), ["lost"])
        self.ledger.faults.clear()
        self.assertEqual(self.check(records=(7,)), [])


if __name__ == "__main__":
    unittest.main()
