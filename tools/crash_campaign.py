#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the server thousands of times while clients work with it, and then asks: is anything
lost, was anything run twice, does anything hang, is any end wrong?

The real server, local backend, supervisor and session agent run; Spark is a stub. CONTRIBUTING.md
says how to repeat a failure.
"""

import argparse
import collections
import json
import os
import pathlib
import platform
import signal
import sys
import time

from campaign import points
from campaign.epoch import REAL, Epoch
from campaign.ledger import COUNTED, FAULTS
from campaign.server import dice_of

Programs = collections.namedtuple("Programs", "server java")
REAL_LIMITS = {**REAL, "job": str(points.ROOT / "tests/campaign/job.py")}
SHARES = (("any time", 0.6), ("point", 0.35), ("victim", 0.05))


class State:
    """What has been done so far, also by earlier runs: a JSON file."""

    def __init__(self, path):
        self.path = path and pathlib.Path(path)
        self.runs = []
        self.epochs = 0
        self.kills = collections.Counter()
        self.counts = collections.Counter()
        self.faults = collections.Counter()
        if self.path and self.path.exists():
            saved = json.loads(self.path.read_text())
            self.runs, self.epochs = saved["runs"], saved["epochs"]
            for name in ("kills", "counts", "faults"):
                getattr(self, name).update(saved[name])

    def add(self, epoch):
        self.epochs += 1
        self.kills.update(epoch.kills)
        self.counts.update(epoch.ledger.counts)
        self.faults.update(what for what, _ in epoch.ledger.faults)
        self.save()

    def save(self):
        if self.path:
            new = self.path.with_name(self.path.name + ".new")
            new.write_text(json.dumps({
                "runs": self.runs, "epochs": self.epochs, "kills": dict(self.kills),
                "counts": dict(self.counts), "faults": dict(self.faults)}, indent=1) + "\n")
            new.replace(self.path)


def say(text, end="\n"):
    print(text, end=end, file=sys.stderr, flush=True)


def real_spark():
    """What tools/lib.sh says; with the cache that the tests share, where there is one."""
    cache = os.environ.get("SPARKHOST_TEST_CACHE")
    shared = cache and pathlib.Path(cache, "ready").exists()
    return [*(("--cache-dir", cache) if shared else ("--class-data-archive", "off")),
            "--spark-home", os.environ["SPARKHOST_TEST_SPARK35"],
            "--python", os.environ["SPARKHOST_TEST_PYTHON35"], "--master", "local[1]"]


def make_plan(seed, number, size, names):
    """What an epoch's kills are."""
    dice = dice_of(seed, number, "plan")
    plan = []
    for kind in dice.choices(*zip(*SHARES), k=size):
        if kind == "any time":
            plan.append(None)
        elif kind == "victim":
            plan.append("victim")
        else:
            plan.append((dice.choice(names), dice.choice((1, 1, 1, 2, 3))))
    return plan


class Campaign:
    def __init__(self, options):
        self.options = options
        self.programs = Programs(pathlib.Path(options.program), pathlib.Path(options.java))
        self.state = State(options.resume)
        self.began = time.monotonic()
        self.killed = 0      # by this run
        self.failed = []     # epochs that found faults
        self.missed = collections.Counter()
        self.told = 0
        self.seconds = collections.Counter()
        self.starts = []
        self.unreached = []  # points
        self.longest = (0, "")

    def out_of_time(self):
        minutes = self.options.minutes
        return minutes is not None and time.monotonic() - self.began > minutes * 60

    def run(self):
        self.state.runs.append({"command": " ".join(sys.argv[1:]), "machine": platform.node(),
                                "cores": os.cpu_count(), "began": time.strftime("%F %T")})
        if self.options.points:
            self.run_points()
        number = self.options.epoch if self.options.epoch is not None else self.state.epochs
        while self.killed < self.options.kills and not self.out_of_time():
            size = min(self.options.epoch_size, self.options.kills - self.killed)
            names = [self.options.point] if self.options.point else points.in_sources()
            self.run_epoch(str(number), make_plan(self.options.seed, number, size, names))
            number += 1
            if self.failed and not self.options.keep_going:
                break
        if self.options.spark:
            self.run_epoch("spark", [None] * self.options.spark, REAL_LIMITS, real_spark())
        return self.report()

    def run_points(self):
        """Each point once, some at a time, so that a folder that is kept is small. What is passed
        rarely, or not in time on a busy machine, gets more time."""
        names = [self.options.point] if self.options.point else points.in_sources()
        for patience in (5, 20, 60, 180):
            for begin in range(0, len(names), 25):
                plan = [(name, 1) for name in names[begin:begin + 25]]
                self.run_epoch(f"points-{patience}-{begin}", plan,
                               {"reached": patience, "ballast": 8000})
            names = [name for name in names if name not in self.state.kills]
            if not names:
                return
            say(f"   not reached in {patience} s: {', '.join(names)}")
        self.unreached = names

    def run_epoch(self, name, plan, limits=None, spark=()):
        before = self.killed

        def progress(epoch):
            self.killed = before + sum(epoch.kills.values())
            if time.monotonic() - self.told > 5:
                self.told = time.monotonic()
                elapsed = time.monotonic() - self.began
                say(f"   {self.killed} kills in {elapsed:.0f} s, "
                    f"{len(self.failed)} epochs with faults")

        epoch = Epoch(name, self.options.seed, plan, self.programs, spark, limits)
        try:
            epoch.run(progress)
        except (KeyboardInterrupt, SystemExit):
            epoch.remove()
            sys.exit(130)
        except BaseException:
            say(f"   its folder is {epoch.folder}")
            raise
        self.killed = before + sum(epoch.kills.values())
        self.seconds.update(epoch.seconds)
        self.starts += epoch.server.start_times
        self.missed.update(epoch.missed)
        self.longest = max(self.longest, *(one.client.longest for one in epoch.workers))
        self.state.add(epoch)
        if epoch.ledger.faults:
            self.failed.append(name)
            self.tell_faults(epoch)
        elif self.options.keep_folders:
            say(f"   epoch {name}: {epoch.folder}")
        else:
            epoch.remove()

    def tell_faults(self, epoch):
        say(f"-- epoch {epoch.name} found {len(epoch.ledger.faults)} faults; "
            f"its folder is {epoch.folder}")
        for what, text in epoch.ledger.faults[:20]:
            say(f"   {what}: {text[:1000]}")
        again = "--points --kills 0" if epoch.name.startswith("points") else \
            f"--kills 0 --spark {len(epoch.plan)}" if epoch.name == "spark" else \
            f"--kills {len(epoch.plan)} --epoch {epoch.name} --epoch-size {len(epoch.plan)}"
        say(f"   again: tools/crash-campaign --seed {self.options.seed} {again}")

    def report(self):
        elapsed = time.monotonic() - self.began
        self.state.runs[-1].update(seconds=round(elapsed), kills=self.killed)
        self.state.save()
        state = self.state
        print(f"seed {self.options.seed}, {self.killed} kills in {elapsed:.0f} s "
              f"({self.killed / max(elapsed, 0.1):.1f} per second)"
              + (f"; {sum(state.kills.values())} in {len(state.runs)} runs" if state.path else ""))
        width = max(map(len, [*state.kills, *FAULTS]))
        if self.options.verbose:
            middle = sorted(self.starts)[len(self.starts) // 2] if self.starts else 0
            print(f"a start until ready: {middle:.3f} s; not passed in time: {dict(self.missed)}")
            print(f"the longest answer took {self.longest[0]:.2f} s: {self.longest[1]}")
            print("seconds: " + ", ".join(f"{name} {spent:.1f}"
                                          for name, spent in self.seconds.items()))
        for title, rows in (("kills", sorted(state.kills.items())),
                            ("asked for", [(name, state.counts[name]) for name in COUNTED]),
                            ("found", [(name, state.faults[name]) for name in FAULTS])):
            print(f"\n{title}")
            for name, number in rows:
                print(f"  {name:<{width}}  {number:>8}")
        for name in self.unreached:
            print(f"\nnot reached: {name}")
        return 1 if sum(state.faults.values()) or self.unreached else 0


def read_options(words):
    parser = argparse.ArgumentParser(prog="crash-campaign", description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=1000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--minutes", type=float, metavar="M", help="end earlier")
    parser.add_argument("--resume", metavar="FILE", help="go on from this state and add to it")
    parser.add_argument("--points", action="store_true", help="first each named point once")
    parser.add_argument("--point", metavar="NAME", help="no point but this one")
    parser.add_argument("--list-points", action="store_true")
    parser.add_argument("--spark", type=int, default=0, metavar="N",
                        help="at the end so many kills with a real Spark")
    parser.add_argument("--epoch", type=int, metavar="N", help="begin with this epoch")
    parser.add_argument("--epoch-size", type=int, default=100, metavar="N",
                        help="kills between two accounts")
    build = points.ROOT / "build/campaign"
    parser.add_argument("--program", default=str(build / "examples/server/sparkhost-server"))
    parser.add_argument("--java", default=str(build / "tests/campaign/stub_java"))
    parser.add_argument("--keep-going", action="store_true", help="also after a fault")
    parser.add_argument("--keep-folders", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args(words)
    if options.point and options.point not in points.in_sources():
        parser.error(f"there is no point {options.point}; see --list-points")
    return options


def main(words):
    options = read_options(words)
    if options.list_points:
        print("\n".join(points.in_sources()))
        return 0
    for program in (options.program, options.java):
        if not os.access(program, os.X_OK):
            say(f"error: {program} is not there; use tools/crash-campaign, which builds it")
            return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return Campaign(options).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
