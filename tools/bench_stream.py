#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast and how soon what a statement prints comes to a client that streams it
(GET …/statements/N?stream=1), beside bare TCP over loopback.

Usage: tools/bench stream [--rounds N] [--spark 3.5|4] [--quick] [--json FILE]
"""

import json
import sys
import threading
import time

from session_bench import (Bench, Server, Session, Wire, fail, loopback_pair, median, percentile)

MEGABYTE = 1_000_000
OUTPUT = 15 * MEGABYTE  # less than what is kept of a statement
LINES = 50


def streamed(session, code, on_text):
    """Runs the code and hands each piece of its output on, when it is there."""
    path = session.post(code)
    with Wire(session.server.address) as wire:
        for event, data in wire.events(path):
            if event == b"output":
                on_text(json.loads(data)["text"])
            elif event == b"statement":
                return
    fail("the stream ended before its statement")


def rate(session, size):
    """MB/s from POST to the last piece: of lines of 100 characters."""
    lengths = []
    began = time.perf_counter()
    streamed(session, f"import os\nfor _ in range({size // MEGABYTE}): "
             "_ = os.write(1, (b'x' * 99 + b'\\n') * 10_000)",
             lambda text: lengths.append(len(text)))
    took = time.perf_counter() - began
    if sum(lengths) != size:
        fail(f"{sum(lengths)} bytes have come, {size} were printed")
    return size / MEGABYTE / took


def delays(session, lines):
    """Milliseconds from each print to its arrival. One clock: it is one machine."""
    found = []
    streamed(session, f"import time\nfor _ in range({lines}):\n"
             "    print(time.time_ns(), flush=True)\n    time.sleep(0.02)",
             lambda text: found.extend((time.time_ns() - int(line)) / 1e6
                                       for line in text.split()))
    if len(found) != lines:
        fail(f"{len(found)} lines have come, {lines} were printed")
    return found


def bare_rate(size):
    """MB/s over loopback in pieces of 64 KiB."""
    near, far = loopback_pair()

    def send():
        with far:
            for _ in range(size // (1 << 16)):
                far.sendall(bytes(1 << 16))

    thread = threading.Thread(target=send)
    began = time.perf_counter()
    thread.start()
    total = 0
    with near:
        while piece := near.recv(1 << 18):
            total += len(piece)
    thread.join()
    return total / MEGABYTE / (time.perf_counter() - began)


def main():
    bench = Bench("stream", __doc__)
    rounds = bench.rounds(10, 1)
    size = MEGABYTE if bench.options.quick else OUTPUT
    with Server(bench) as server, Session(server) as session:
        bench.progress("bare TCP")
        bare = median([bare_rate(64 * size) for _ in range(rounds)])
        bench.progress(f"{rounds} times {size // MEGABYTE} MB")
        rates = [rate(session, size) for _ in range(rounds)]
        bench.progress("delays")
        late = [one for _ in range(rounds) for one in delays(session, LINES)]
    bench.add("bare TCP over loopback", bare, "MB/s")
    bench.add("printed output through stream=1", median(rates), "MB/s",
              baseline="bare TCP", beside=bare)
    bench.add("print -> at the client, p50", percentile(late, 0.5), "ms")
    bench.add("print -> at the client, p99", percentile(late, 0.99), "ms")
    return bench.finish()


if __name__ == "__main__":
    sys.exit(main())
