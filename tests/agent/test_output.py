# SPDX-License-Identifier: Apache-2.0
"""Output of statements: whose it is, what it is made of, how much of it."""

import sparkhost_agent as agent
import sparkhost_text as texts
import pytest

from session import text



@pytest.mark.parametrize("code, stdout, stderr", [
    ("print('a'); print('b', end='')", b"a\nb", b""),
    ("import sys; print('e', file=sys.stderr)", b"", b"e\n"),
    ("import os; os.system('echo from a shell; echo and >&2')", b"from a shell\n", b"and\n"),
    ("import ctypes; ctypes.CDLL(None).printf(b'from C, not flushed')", b"from C, not flushed", b""),
    ("import os; os.write(1, bytes(range(256)))", bytes(range(256)), b""),
    ("print('é😀\\u2028\\0')", "é😀\u2028\0\n".encode(), b""),
    ("print('\\udc80\\udcff')", b"\x80\xff\n", b""),
    ("import sys; print('\\ud800', file=sys.stderr)", b"", b"\\ud800\n"),
    ("import sys; sys.__stdout__.write('under'); sys.stdout.write(' and over')",
     b"under and over", b""),
    ("import logging; logging.warning('w')", b"", b"WARNING:root:w\n"),
    ("import os\nfor i in range(3): os.write(1, '😀'.encode()[i:i+1])\nos.write(1, b'\\x80')",
     "😀".encode(), b""),
])
def test_all_that_is_written_arrives_byte_by_byte(session, code, stdout, stderr):
    session.run(0, code)
    assert session.output(0) == stdout
    assert session.output(0, "stderr") == stderr


def test_valid_text_travels_as_text_and_other_bytes_in_base64(session):
    session.run(0, "import os; os.write(1, b'plain')")
    session.run(1, "import os; os.write(1, b'\\xff')")
    texts = [one["text"] for one in session.seen if one["type"] == "output"]
    assert texts == ["plain", {"base64": "/w=="}]


def test_output_is_never_of_another_statement(session):
    for number in range(30):
        session.execute(number, f"import os; os.system('echo {number}'); print('x' * {number})")
    for number in range(30):
        session.result(number)
    for number in range(30):
        assert session.output(number) == f"{number}\n{'x' * number}\n".encode()


def test_the_result_comes_after_all_the_output(session):
    session.run(0, "import os; [os.write(1, b'0123456789' * 1000) for _ in range(200)]")
    assert len(session.output(0)) == 2000000
    assert session.seen[-1]["type"] == "result"


def test_output_comes_while_the_statement_runs(session, folder):
    session.execute(0, f"import os; os.mkfifo('{folder}/gate'); print('early')\n"
                       f"open('{folder}/gate').read()")
    session.running(0, b"early\n")
    with open(folder / "gate", "w"):
        pass
    assert session.result(0)["status"] == "ok"


def test_what_a_thread_writes_between_statements_is_of_none(session, folder):
    session.run(0, f"import os, threading; os.mkfifo('{folder}/gate')\n"
                   f"def late():\n    open('{folder}/gate').read(); print('late')\n"
                   "threading.Thread(target=late).start()")
    with open(folder / "gate", "w"):
        pass
    while b"late\n" not in session.output(None):
        session.read()
    session.run(1, "1")
    assert session.output(0) == session.output(1) == b""


def test_too_much_output_is_cut_with_two_notes(launch):
    session = launch(max_output=5000).ready()
    session.run(0, "import os\nfor _ in range(100): _ = os.write(1, b'y' * 100)")
    assert session.output(0) == b"y" * 5000
    assert b"more than 5000 bytes of output" in session.output(0, "stderr")
    assert b"5000 bytes of output were cut" in session.output(0, "stderr")
    session.run(1, "print('again')")
    assert session.output(1) == b"again\n" and session.output(1, "stderr") == b""


@pytest.mark.parametrize("harm", [
    "import sys; sys.stdout.close(); sys.stderr.close()",
    "import sys; sys.stdout = None",
    "import os; os.close(1); os.close(2)",
    "import os; os.dup2(os.open('/dev/null', os.O_WRONLY), 1)",
    "import sys; sys.stdout.detach()",
])
def test_a_statement_that_breaks_its_output_breaks_no_other(session, harm):
    session.run(0, harm)
    session.run(1, "print('whole'); import os; os.system('echo and a child')")
    assert session.output(1) == b"whole\nand a child\n"


def test_a_forked_child_that_runs_to_the_end_of_the_statement_ends_there(session):
    result = session.run(0, "import os\npid = os.fork()\nprint('child' if pid == 0 else 'parent')\n"
                            "if pid: os.waitpid(pid, 0)\npid == 0")
    assert result["data"] == {"text/plain": "False"}
    assert sorted(session.output(0).split()) == [b"child", b"parent"]
    assert session.echo(1, "1") == b"1"
    assert "stop" not in session.journal.read_text() and "error" not in session.log()


def test_a_signal_to_a_forked_child_is_not_ours(session):
    shown = session.echo(0, "import os, signal, time\nready, write = os.pipe()\npid = os.fork()\n"
                            "if pid == 0:\n    os.write(write, b'x')\n    time.sleep(600)\n"
                            "os.read(ready, 1)\nos.kill(pid, signal.SIGTERM)\n"
                            "os.WTERMSIG(os.waitpid(pid, 0)[1])")
    assert shown == b"15"
    assert session.echo(1, "'alive'") == b"'alive'"


def chunks(meter, *pieces):
    return [one for piece in pieces for one in meter.feed("stdout", piece)]


@pytest.mark.parametrize("data, tail", [
    (b"", 0), (b"a", 0), ("é".encode(), 0), (b"\xc3", 1), (b"a\xe2\x82", 2), (b"\xf0\x9f\x98", 3),
    ("😀".encode(), 0), (b"\x80", 0), (b"\xff", 0), (b"\x80\x80\x80\x80", 0), (b"\xc3\xc3", 1),
])
def test_an_unfinished_character_is_seen(data, tail):
    assert texts.unfinished_tail(data) == tail


def test_a_character_in_two_pieces_is_one_chunk():
    meter = agent.OutputMeter(100)
    assert chunks(meter, b"a\xc3", b"\xa9b") == [("stdout", b"a"), ("stdout", "éb".encode())]
    assert meter.finish() == []


def test_an_unfinished_character_is_given_at_the_end():
    meter = agent.OutputMeter(100)
    assert chunks(meter, b"\xf0\x9f") == []
    assert meter.finish() == [("stdout", b"\xf0\x9f")]


def test_the_meter_counts_what_it_drops():
    meter = agent.OutputMeter(4)
    first, note = chunks(meter, b"abcdef")
    assert first == ("stdout", b"abcd") and note[0] == "stderr"
    assert chunks(meter, b"ghi") == []
    assert b"5 bytes" in meter.finish()[0][1]


@pytest.mark.parametrize("value, limit, shown", [
    ("short", 5, "short"),
    ("é" * 3, 6, "éééé"[:3]),
    ("é" * 3, 5, "éé\n[sparkhost: cut after 5 of 6 bytes]"),
    ("\ud800" * 2, 3, "\ud800\n[sparkhost: cut after 3 of 6 bytes]"),
])
def test_a_text_is_cut_between_characters(value, limit, shown):
    assert texts.cut_text(value, limit) == shown


@pytest.mark.parametrize("value, wire", [
    ("é", "é"), (b"\xc3\xa9", "é"), (b"\xff", {"base64": "/w=="}), ("\udc80", {"base64": "7bKA"}),
    (b"\xed\xb2\x80", {"base64": "7bKA"}),
])
def test_a_text_travels_as_it_is(value, wire):
    assert texts.wire_text(value) == wire
    assert text(texts.wire_text(value)) == (
        value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass"))
