#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long `1+1` takes, from POST until the client has its result, over one keep-alive connection:
by long-poll and by asking every 50 ms as Livy's clients do, beside a bare TCP echo on loopback. Then
in the same session the other kinds by long-poll: the first statement, which starts Scala's compiler
or R, and those after it. SparkR is that of $SPARKR_PACKAGE_DIR, else the tests' stand-in.

Usage: tools/bench statement [--rounds N] [--spark 3.5|4] [--quick] [--json FILE]
Goal: p50 < 3 ms by long-poll.
"""

import sys
import time

from session_bench import KINDS, OVER, Bench, Server, Session, echo_round_trips, fail, percentile

POLL_EVERY = 0.05


OTHERS = {"spark": "1+1", "sql": "SELECT 2", "sparkr": "1+1"}  # those of KINDS


def by_long_poll(session, code="1+1", kind=""):
    return session.over(session.post(code, kind))


def by_polling(session):
    path = session.post("1+1")
    while (seen := session.wire.get(path)[1])["state"] not in OVER:
        time.sleep(POLL_EVERY)
    return seen


def measure(session, way, rounds):
    samples = []
    for _ in range(rounds):
        began = time.perf_counter()
        seen = way(session)
        samples.append(time.perf_counter() - began)
        if seen["output"]["data"] != {"text/plain": "2"}:
            fail(f"1+1 is {seen}")
    return [1e3 * sample for sample in samples]


def measure_other(session, kind, rounds):
    """Milliseconds of the first statement, and of each after some that warm it up."""
    samples = []
    for _ in range(rounds * 2):
        began = time.perf_counter()
        seen = by_long_poll(session, OTHERS[kind], kind)
        samples.append(1e3 * (time.perf_counter() - began))
        if seen["state"] != "available" or seen["output"]["status"] != "ok":
            fail(f"{OTHERS[kind]} is {seen}")
    return samples[0], samples[rounds:]


def main():
    bench = Bench("statement", __doc__)
    rounds = bench.rounds(2000, 20)
    with Server(bench, kinds=KINDS) as server, Session(server) as session:
        measure(session, by_long_poll, min(rounds, 200))
        bench.progress("echo on loopback")
        echo = [1e3 * sample for sample in echo_round_trips(rounds)]
        bench.progress("by long-poll")
        waited = measure(session, by_long_poll, rounds)
        bench.progress("every 50 ms")
        polled = measure(session, by_polling, max(10, rounds // 20))
        bench.progress("the other kinds")
        others = {kind: measure_other(session, kind, max(10, rounds // 20)) for kind in OTHERS if kind in KINDS}
    middle = percentile(echo, 0.5)
    bench.add("TCP echo on loopback, p50", middle, "ms")
    bench.add("TCP echo on loopback, p99", percentile(echo, 0.99), "ms")
    bench.add("POST -> result, long-poll, p50", percentile(waited, 0.5), "ms", at_most=3,
              baseline="TCP echo", beside=middle)
    bench.add("POST -> result, long-poll, p99", percentile(waited, 0.99), "ms",
              baseline="TCP echo", beside=percentile(echo, 0.99))
    bench.add("POST -> result, asked every 50 ms, p50", percentile(polled, 0.5), "ms")
    bench.add("POST -> result, asked every 50 ms, p99", percentile(polled, 0.99), "ms")
    for kind, (first, later) in others.items():
        bench.add(f"kind {kind}, long-poll, the first one", first, "ms")
        bench.add(f"kind {kind}, long-poll, p50", percentile(later, 0.5), "ms",
                  baseline="kind pyspark", beside=percentile(waited, 0.5))
        bench.add(f"kind {kind}, long-poll, p99", percentile(later, 0.99), "ms")
    return bench.finish()


if __name__ == "__main__":
    sys.exit(main())
