#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What clients that are too many do to the others: the latency of POST /batches of those that are
admitted, unloaded and beside idle connections, clients that do not read, bodies that are refused
and a full queue that refuses; what an idle connection costs.

Batches are posted and deleted while the only slot is taken, so nothing but the server works. The
crowd lives in a process of its own."""

import json
import multiprocessing
import os
import pathlib
import resource
import socket
import sys
import time

from session_bench import Bench, Server, Wire, fail, percentile

GOAL = 3  # times the unloaded

def post(body):
    return (f"POST /batches HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


def get(path):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


class Figures:
    """Of the server's process."""

    def __init__(self, server):
        self.path = pathlib.Path(f"/proc/{server.process.pid}")

    def resident(self):
        for line in (self.path / "status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return fail("no VmRSS")

    def descriptors(self):
        return len(os.listdir(self.path / "fd"))


def allow_descriptors(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        fail(f"{count} open files are needed, {hard} are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))


def latencies(wire, held, rounds):
    """Milliseconds of each POST that is accepted. Each begins with a place in the queue: where
    somebody else has taken it the POST is refused, and not counted."""
    samples = []
    while len(samples) < rounds:
        wire.call("DELETE", f"/batches/{held.pop()}")
        began = time.perf_counter()
        status, _, content = wire.exchange("POST", "/batches", {"file": "/jobs/x.py"})
        if status == 201:
            samples.append(1000 * (time.perf_counter() - began))
            held.append(json.loads(content)["id"])
    return samples


def connect(address, said=b"", buffer=None):
    one = socket.socket()
    if buffer:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    one.connect(address)
    one.sendall(said)
    return one


def idle(address, count, control):
    """Opens connections and keeps them."""
    allow_descriptors(count + 100)
    kept = [connect(address) for _ in range(count)]
    control.send(len(kept))
    control.recv()
    control.send(None)


def press(address, slow, control):
    """Does not read what it has asked for; sends bodies that are too large, and batches that are
    one too many."""
    kept = [connect(address, get("/batches?size=10000"), 4096) for _ in range(slow)]
    control.send(len(kept))
    refused = {413: 0, 400: 0, 201: 0}
    while not control.poll():
        with connect(address, post("").replace(b": 0\r\n", b": 104857600\r\n")) as one:
            refused[int(one.recv(4096).split(b" ")[1])] += 1
        with Wire(address) as wire:
            for _ in range(10):
                status, _, content = wire.exchange("POST", "/batches", {"file": "/jobs/y.py"})
                refused[status] += 1
                if status == 201:  # it has taken the place of one that was deleted
                    wire.call("DELETE", f"/batches/{json.loads(content)['id']}")
        time.sleep(0.002)  # a crowd of hundreds a second; more would measure who gets the cores
    control.send(refused)


class Crowd:
    """A function in a process of its own; it has begun when this is made."""

    def __init__(self, work, *arguments):
        self.control, far = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=work, args=(*arguments, far), daemon=True)
        self.process.start()
        far.close()
        self.control.recv()

    def end(self):
        self.control.send("end")
        told = self.control.recv()
        self.process.join()
        return told


def fill(server, wire, queued):
    """Takes the slot, with a batch that waits for a FIFO, and the whole queue; gives the numbers
    of those that wait."""
    script = server.folder / "slot.py"
    script.write_text("import sys\nopen(sys.argv[1], 'rb').read()\n")
    wire.call("POST", "/batches", {"file": str(script), "args": [str(server.folder / "slot")]})
    wire.get("/batches/0/state?wait=300&state=starting")
    held = []
    for number in range(queued):
        held.append(wire.call("POST", "/batches", {"file": "/jobs/held.py"})[1]["id"])
        if number % 5000 == 4999:
            server.bench.progress(f"{number + 1} batches wait")
    return held


def measure(bench, server, wire, queued):
    rounds = bench.rounds(2000, 50)
    connections, slow = (500, 20) if bench.options.quick else (5000, 200)
    held = fill(server, wire, queued)
    figures = Figures(server)
    bench.progress("unloaded")
    latencies(wire, held, rounds // 4)
    plain = latencies(wire, held, rounds)
    before, open_before = figures.resident(), figures.descriptors()
    crowd = Crowd(idle, server.address, connections)
    bench.progress(f"beside {connections} idle connections")
    beside_idle = latencies(wire, held, rounds)
    each = (figures.resident() - before) * 1024 / connections
    opened = figures.descriptors() - open_before
    pressing = Crowd(press, server.address, slow)
    bench.progress(f"and {slow} slow readers, and what is refused")
    beside_all = latencies(wire, held, rounds)
    resident = figures.resident()
    refused = pressing.end()
    crowd.end()
    bench.progress(f"bodies refused meanwhile: {refused[413]}, batches: {refused[400]}")
    tell(bench, plain, beside_idle, beside_all)
    bench.add("resident, for each idle connection", each, "KiB")
    bench.add("descriptors, for each idle connection", opened / connections, "")
    bench.add("resident with all of them", resident, "MiB")


def main():
    bench = Bench("overload", __doc__)
    queued = 200 if bench.options.quick else 20_000
    server = Server(bench, options=("--max-running", "1", "--max-queued", str(queued)))
    os.mkfifo(server.folder / "slot")
    slot = os.open(server.folder / "slot", os.O_RDWR)
    try:
        with server, Wire(server.address) as wire:
            measure(bench, server, wire, queued)
    finally:
        os.close(slot)  # the batch ends: nobody can write any more
    return bench.finish()


def tell(bench, plain, beside_idle, beside_all):
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        alone = percentile(plain, share)
        bench.add(f"accept, unloaded, {name}", alone, "ms")
        bench.add(f"beside idle connections, {name}", percentile(beside_idle, share), "ms",
                  baseline="unloaded", beside=alone)
        loaded = percentile(beside_all, share)
        bench.add(f"beside slow readers and refusals, too, {name}", loaded, "ms",
                  baseline="unloaded", beside=alone)
        bench.add(f"times the unloaded, {name}", loaded / alone, "x", at_most=GOAL)


if __name__ == "__main__":
    sys.exit(main())
