# SPDX-License-Identifier: Apache-2.0
"""Frames, and a host that does not keep to them."""

import json
import random

import pytest
import sparkhost_agent as agent


@pytest.mark.parametrize("message", [
    {"type": "a"}, {"type": "output", "text": "é\u2028😀\0\n\r\"\\"},
    {"type": "x", "seq": 1, "list": [None, True, 1.5]}])
def test_a_frame_is_one_line_and_comes_back_as_it_was(message):
    frame = agent.encode_frame(message)
    assert frame.count(b"\n") == 1 and frame.endswith(b"\n")
    assert agent.FrameDecoder(1000).feed(frame) == [message]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_frames_may_come_in_any_pieces(size):
    messages = [{"type": "t" * n, "seq": n, "text": "é😀" * n} for n in range(1, 20)]
    data = b"".join(map(agent.encode_frame, messages))
    decoder = agent.FrameDecoder(1000)
    pieces = [data[at:at + size] for at in range(0, len(data), size)]
    assert [one for piece in pieces for one in decoder.feed(piece)] == messages


@pytest.mark.parametrize("line", [
    b"", b"null", b"[]", b"1", b'"type"', b"{}", b'{"type":1}', b'{"type":null}', b"{'type':'a'}",
    b'{"type":"a"', b'{"type":"a"}x', b"\xff", b'{"type":"\xff"}', b'{"type":"a","n":NaN}',
    b'{"type":"a","n":-Infinity}', b'{"type":"a","seq":0}', b'{"type":"a","seq":"1"}',
    b'{"type":"a","seq":true}', b'{"type":"a","seq":1.5}', b'{"type":"a","seq":null}',
    b'{"type":"a","seq":99999999999999999999}', b'{"type":"a","n":' + b"9" * 900 + b"}",
    b'{"type":"a","n":' + b"[" * 100000 + b"]" * 100000 + b"}", b"x" * 300000,
])
def test_a_line_that_is_no_frame_is_refused(line):
    with pytest.raises(agent.FramingError):
        agent.FrameDecoder(250000).feed(line + b"\n")


def test_a_line_is_refused_before_its_end_has_come():
    decoder = agent.FrameDecoder(100)
    decoder.feed(b"x" * 99)
    with pytest.raises(agent.FramingError, match="longer than 100 bytes"):
        decoder.feed(b"x")


def test_the_longest_line_is_taken():
    frame = agent.encode_frame({"type": "x" * 87})
    assert len(frame) == 99 and agent.FrameDecoder(100).feed(frame)
    assert len(agent.FrameDecoder(99).feed(frame)) == 1
    with pytest.raises(agent.FramingError):
        agent.FrameDecoder(98).feed(frame)


@pytest.mark.parametrize("value", [5, None, ["a"], {}, {"base64": 1}, {"base64": "a"},
                                   {"base64": "=="}, {"base64": "/w=="}])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(ValueError):
        agent.read_wire_text(value)


def garbage(generator):
    """Something that a mad host might send."""
    kind = generator.randrange(5)
    if kind == 0:
        return generator.randbytes(generator.randrange(1, 3000))
    if kind == 1:
        return b"x" * generator.randrange(1, 90000)
    words = ["execute", "interrupt", "close?", "complete", "ack", "ping", "grant", "refuse", "pong",
             "", "status"]
    values = [None, True, -1, 0, 1, 2 ** 53, 2 ** 70, 1.5, "", "x", [], {}, {"base64": "??"},
              "pyspark", [[[]]]]
    message = {name: generator.choice(values) for name in generator.sample(
        ["seq", "statement", "kind", "code", "received", "id", "request", "cursor", "version",
         "resume_key", "end_session_after"], generator.randrange(11))}
    message["type"] = generator.choice(words) if kind < 4 else generator.choice(values)
    if message.get("type") in ("execute",):
        message["kind"] = "perl"
    return json.dumps(message).encode() + b"\n"


def test_garbage_ends_the_connection_and_never_the_session(launch):
    session = launch(max_line=65536, max_result=4096, max_chunk=4096, back_off=0.02,
                     ping_every=5).ready()
    session.run(0, "kept = 'kept'")
    for seed in range(60):
        generator = random.Random(seed)
        before_greeting = seed % 3 == 0
        session.peer.close()
        if before_greeting:
            session.accept()
        else:
            session.resume(received=session.peer.last)
        try:
            for _ in range(generator.randrange(1, 20)):
                session.peer.send_bytes(garbage(generator))
        except OSError:
            continue  # it has left already
    session.peer.close()
    greeting = session.accept()
    while greeting["type"] != "resume":
        greeting = session.accept()
    session.seq = greeting["received"]
    session.grant(received=greeting["oldest"] - 1)
    number = session.peer.last
    session.execute(100, "kept")
    assert session.result(100)["data"] == {"text/plain": "'kept'"}
    assert number <= session.peer.last
    assert session.close() == 0


def test_a_host_that_asks_and_does_not_listen_does_not_fill_the_memory(launch):
    session = launch(back_off=0.02).ready()
    try:
        for number in range(200000):
            session.peer.send_bytes(b'{"type":"ping","id":%d}\n' % number * 20)
    except OSError:
        pass
    else:
        raise AssertionError("it still listens")
    session.peer.close()
    session.resume(received=session.peer.last)
    assert session.echo(0, "1") == b"1"


def test_a_host_that_asks_and_does_not_acknowledge_does_not_fill_the_memory(launch):
    session = launch(back_off=0.02, memory=65536, max_chunk=4096, spool=0).ready()
    session.peer.acknowledges = False
    with pytest.raises(AssertionError, match="Gone|Broken|reset"):
        for _ in range(5000):
            session.say("execute")
            session.until("rejected")
    session.resume(received=session.peer.last)
    assert session.echo(0, "1") == b"1"
