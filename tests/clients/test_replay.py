# SPDX-License-Identifier: Apache-2.0
"""The recorded exchanges of a real Livy server, asked of this one with real Spark. What differs is
in docs/livy_differences.md with its reason: each difference that is found must be there, and each
that is there must be found. `run tools test_replay.py --rewrite` writes what was found into the
table and keeps the reasons; those of new rows are to be filled in."""

import json
import pathlib

import pytest

import replay
from conftest import blackbox

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "livy_differences.md"
HEAD = "| Exchanges | Where | Livy | sparkhost | Why |\n|---|---|---|---|---|\n"
WIDTH = 90


def cell(value):
    """A value as the table shows it."""
    if value is replay.ABSENT:
        return "absent"
    text = json.dumps(value, ensure_ascii=False)
    text = text if len(text) <= WIDTH else text[:WIDTH] + "…"
    return "`" + text.replace("|", "¦").replace("`", "´") + "`"


def rows(found):
    """Exchanges that differ in the same way share a row: (where, theirs, ours) -> labels."""
    grouped = {}
    for label, differences in found.items():
        for where, theirs, ours in differences:
            labels = grouped.setdefault((where, cell(theirs), cell(ours)), [])
            if label not in labels:
                labels.append(label)
    return grouped


def listed():
    """The rows of the document and their reasons."""
    text = DOCUMENT.read_text(encoding="utf-8")
    grouped, reasons = {}, {}
    for line in text[text.index(HEAD) + len(HEAD):].splitlines():
        labels, where, theirs, ours, reason = line.strip("|").split("|")
        row = tuple(word.strip() for word in (where, theirs, ours))
        assert row not in grouped, f"twice: {line}"
        grouped[row] = labels.replace("`", "").replace(",", " ").split()
        reasons[row] = reason.strip()
    return grouped, reasons


def rewrite(grouped, reasons):
    text = DOCUMENT.read_text(encoding="utf-8")
    lines = [f"| {', '.join(f'`{label}`' for label in labels)} | {' | '.join(row)} "
             f"| {reasons.get(row, '')} |\n" for row, labels in grouped.items()]
    DOCUMENT.write_text(text[:text.index(HEAD)] + HEAD + "".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def found(module_folder):
    """What differs, by exchange. An own server: the recorded one was empty, too."""
    applications = replay.make_applications(module_folder / "apps")
    with blackbox.starter(module_folder) as begin:
        one = replay.Replay(begin(), applications)
        differences = {exchange["label"]: one.differences(exchange)
                       for exchange in replay.recording()}
        assert not one.before, f"these are not in the recording: {list(one.before)}"
        yield differences


def test_what_differs_from_livy_is_what_the_document_lists(found, pytestconfig):
    grouped, reasons = listed()
    if pytestconfig.getoption("--rewrite"):
        rewrite(rows(found), reasons)
        grouped, reasons = listed()
    assert rows(found) == grouped


def test_each_difference_has_its_reason():
    _, reasons = listed()
    assert [row for row, reason in reasons.items() if not reason] == []
