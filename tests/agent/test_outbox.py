# SPDX-License-Identifier: Apache-2.0
"""What is kept until it is acknowledged."""

import errno
import itertools
import json
import random

import pytest
import sparkhost_agent as agent


def outbox(memory=4000, spool=10000, **options):
    return agent.Outbox(memory, agent.Spool(spool, **options))


def add(box, size=10):
    return box.add({"type": "output", "text": "x" * size})


def sent(box):
    return [json.loads(frame)["seq"] for frame in iter(box.next_frame, None)]


def test_messages_are_numbered_from_one_and_sent_once():
    box = outbox()
    assert not box.waits() and box.next_frame() is None
    add(box)
    add(box)
    assert box.waits() and sent(box) == [1, 2] and sent(box) == [] and not box.waits()


@pytest.mark.parametrize("received, again", [(0, [1, 2, 3]), (1, [2, 3]), (3, [])])
def test_a_new_connection_gets_what_its_host_has_not(received, again):
    box = outbox()
    for _ in range(3):
        add(box)
    sent(box)
    box.rewind(received)
    assert sent(box) == again


def test_what_was_acknowledged_is_gone_for_good():
    box = outbox()
    for _ in range(3):
        add(box)
    box.acknowledge(2)
    box.rewind(0)
    assert box.acknowledged == 2 and sent(box) == [3]


def test_an_acknowledgement_before_the_message_was_sent_again_is_taken():
    box = outbox()
    for _ in range(3):
        add(box)
    sent(box)
    box.rewind(0)
    box.acknowledge(2)
    assert sent(box) == [3]


@pytest.mark.parametrize("call", ["acknowledge", "rewind"])
def test_a_number_that_was_never_sent_is_refused(call):
    box = outbox()
    add(box)
    with pytest.raises(agent.FramingError):
        getattr(box, call)(2)


def test_it_goes_on_in_the_spool_and_then_has_no_room():
    box = outbox()
    count = 0
    while box.has_room(100):
        add(box, 100)
        count += 1
        assert count < 1000
    assert box._memory_used <= 2 * 4000 and 0 < box._spool.used <= 10000
    assert sent(box) == list(range(1, count + 1))
    box.acknowledge(count // 2)
    assert box.has_room(100)
    box.acknowledge(count)
    assert box._memory_used == box._spool.used == 0


def test_entries_of_the_spool_count_in_memory_too():
    box = outbox(memory=4000, spool=1 << 30)
    count = 0
    while box.has_room(1):
        add(box, 1)
        count += 1
    assert count * agent.Outbox.OVERHEAD < 2 * 4000 + 500


def test_a_message_that_must_be_kept_is_kept_without_room():
    box = outbox(memory=1000, spool=0)
    for _ in range(10):
        add(box, 500)
    assert not box.has_room(1) and sent(box) == list(range(1, 11))


def test_a_disk_that_refuses_is_no_room_and_loses_nothing():
    def refuse(**_):
        raise OSError(errno.ENOSPC, "no space")

    box = outbox(memory=1000, spool=10000, open_file=refuse)
    for _ in range(5):
        add(box, 300)
    assert not box.has_room(100) and sent(box) == [1, 2, 3, 4, 5]
    box.acknowledge(5)
    assert box.has_room(100)


def test_a_full_disk_amid_the_spool_loses_nothing(monkeypatch):
    box = outbox(memory=1000, spool=100000)
    for _ in range(10):
        add(box, 300)
    monkeypatch.setattr(agent.os, "pwrite", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    add(box, 300)
    monkeypatch.undo()
    add(box, 300)
    assert sent(box) == list(range(1, 13))


def test_the_spool_is_a_ring(folder):
    spool = agent.Spool(1000, str(folder))
    generator = random.Random(7)
    kept = []
    for number in itertools.count():
        data = generator.randbytes(generator.randrange(1, 300))
        place = spool.put(data)
        if place is None:
            assert spool.used + len(data) > 1000
            place, data = kept.pop(0)
            assert spool.get(place, len(data)) == data
            spool.drop(len(data))
        else:
            kept.append((place, data))
        if number > 500:
            break
    assert all(spool.get(place, len(data)) == data for place, data in kept)
    assert list(folder.iterdir()) == []  # the file has no name
    assert spool._file.seek(0, 2) <= 1000
    spool.close()


def test_any_order_of_adding_sending_and_acknowledging_keeps_the_order():
    for seed in range(30):
        generator = random.Random(seed)
        box = outbox(memory=generator.choice([500, 3000]), spool=generator.choice([0, 900, 9000]))
        received, connection = 0, 1
        for _ in range(300):
            step = generator.randrange(10)
            if step < 5:
                if box.has_room(50):
                    add(box, generator.randrange(1, 50))
            elif step < 8:
                frame = box.next_frame()
                if frame is not None:
                    number = json.loads(frame)["seq"]
                    assert number in (received + 1, connection)
                    connection = number + 1
                    received = max(received, number)
            elif step < 9:
                box.acknowledge(generator.randint(box.acknowledged, received))
            else:
                box.rewind(received)
                connection = received + 1
        assert box.acknowledged <= received <= box.latest
