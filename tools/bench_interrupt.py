#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long it takes from POST …/cancel until a client that waits sees the statement cancelled,
for code of several sorts; after each the session must still work.

Usage: tools/bench interrupt [--rounds N] [--spark 3.5|4] [--quick] [--json FILE]
Goal: p50 < 100 ms for `while True: pass`.
"""

import sys
import time

from session_bench import Bench, Server, Session, Wire, echo_round_trips, fail, percentile

# what, code, the usual number of rounds, goal of p50 in ms
CASES = (
    ("while True: pass", "while True: pass", 50, 100),
    ("time.sleep(600)", "time.sleep(600)", 50, None),
    ("a Spark job in the JVM", "spark.range(10 ** 15).selectExpr('sum(id * 2)').collect()", 20, None),
    ("Python tasks that sleep",
     "sc.parallelize(range(2), 2).foreach(lambda _: __import__('time').sleep(600))", 10, None),
    ("C code of some 50 ms a call",
     "while True: _ = hashlib.pbkdf2_hmac('sha256', b'secret', b'salt', 100_000)", 20, None),
    ("code that swallows one interrupt",
     "try: time.sleep(600)\nexcept KeyboardInterrupt: pass\nwhile True: pass", 5, None),
)
SETTLE = 0.2  # seconds that a job gets to be under way


def interrupt_once(session, code):
    path = session.post("import time, hashlib\nprint('go', flush=True)\n" + code)
    with Wire(session.server.address) as wire:
        for event, _ in wire.events(path):
            if event == b"output":
                break
        else:
            fail(f"{code!r} ended by itself")
    time.sleep(SETTLE)
    began = time.perf_counter()
    session.wire.call("POST", path + "/cancel")
    seen = session.over(path)
    took = time.perf_counter() - began
    if seen["state"] != "cancelled":
        fail(f"{code!r} has come to {seen}")
    if session.run("6 * 7") != "42":
        fail("the session does not work any more")
    return 1e3 * took


def main():
    bench = Bench("interrupt", __doc__)
    with Server(bench) as server, Session(server) as session:
        session.run("spark.range(10).count()")
        echo = percentile([1e3 * one for one in echo_round_trips(1000)], 0.5)
        for what, code, usual, goal in CASES:
            rounds = bench.rounds(usual, 1)
            bench.progress(f"{what}, {rounds} times")
            samples = [interrupt_once(session, code) for _ in range(rounds)]
            bench.add(f"{what}, p50", percentile(samples, 0.5), "ms", at_most=goal,
                      baseline="TCP echo", beside=echo)
            bench.add(f"{what}, p99", percentile(samples, 0.99), "ms")
    return bench.finish()


if __name__ == "__main__":
    sys.exit(main())
