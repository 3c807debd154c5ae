#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a translation unit that uses sparkhost::Host takes to compile, beside one that only
spawns a coroutine on an io_context. Goal: at most 1.5 times as long.

Usage: tools/bench compile [--json FILE] [--rounds N] [--compiler CXX]
"""

import argparse
import json
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOAL = 1.5

BARE = """
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstdio>

boost::asio::awaitable<void> work(int number) {
    auto executor = co_await boost::asio::this_coro::executor;
    (void)executor;
    std::printf("%d\\n", number);
}

int main() {
    boost::asio::io_context io;
    boost::asio::co_spawn(io, work(1), boost::asio::detached);
    io.run();
}
"""

HOST = """
#include <sparkhost/backends/local.hpp>
#include <sparkhost/host.hpp>
#include <sparkhost/storages/sqlite.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <utility>

boost::asio::awaitable<void> work(sparkhost::Host& host) {
    sparkhost::BatchSpec spec{.file = "/jobs/report.py", .args = {"2026-11-20"}};
    auto batch = (co_await host.submit(std::move(spec))).value();
    auto end = (co_await host.wait(batch.id)).value();
    std::printf("%s\\n", to_string(end.state()).data());
    host.stop();
}

int main() {
    boost::asio::io_context io;
    sparkhost::HostPlugins plugins;
    plugins.storage = sparkhost::make_sqlite_storage({.path = "jobs.db"});
    plugins.backends.push_back(
        sparkhost::make_local_backend(io.get_executor(), {.work_dir = "/var/lib/jobs"}));
    sparkhost::Host host(io.get_executor(), {.max_running = 8}, std::move(plugins));
    boost::asio::co_spawn(io, host.run(), boost::asio::detached);
    boost::asio::co_spawn(io, work(host), boost::asio::detached);
    io.run();
}
"""


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def compile_once(compiler, level, source):
    """CPU seconds of one compilation: the machine's other work does not count."""
    before = cpu_seconds()
    subprocess.run([compiler, "-std=c++20", level, f"-I{ROOT / 'include'}", "-c", str(source),
                    "-o", "/dev/null"], check=True)
    return cpu_seconds() - before


def measure(compiler, level, rounds, folder):
    sources = {"bare": folder / "bare.cpp", "host": folder / "host.cpp"}
    sources["bare"].write_text(BARE)
    sources["host"].write_text(HOST)
    times = {name: [] for name in sources}
    for _ in range(rounds + 1):  # taking turns; the first round warms the page cache
        for name, source in sources.items():
            times[name].append(compile_once(compiler, level, source))
    return {name: statistics.median(taken[1:]) for name, taken in times.items()}


def main():
    parser = argparse.ArgumentParser(prog="tools/bench compile", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compiler", default="g++")
    options = parser.parse_args()
    if shutil.which(options.compiler) is None:
        parser.error(f"there is no compiler {options.compiler}")
    results = []
    print(f"{'':6}{'bare co_spawn':>16}{'with Host':>12}{'ratio':>8}   goal <= {GOAL}")
    with tempfile.TemporaryDirectory() as folder:
        for level in ("-O0", "-O2"):
            medians = measure(options.compiler, level, options.rounds, pathlib.Path(folder))
            ratio = medians["host"] / medians["bare"]
            met = "met" if ratio <= GOAL else "missed"
            print(f"{level:6}{medians['bare']:14.2f} s{medians['host']:10.2f} s{ratio:8.2f}   {met}")
            results.append({"optimisation": level, "bare_cpu_s": medians["bare"],
                            "host_cpu_s": medians["host"], "ratio": ratio, "goal": GOAL})
    if options.json:
        report = {"benchmark": "compile", "compiler": options.compiler, "results": results}
        pathlib.Path(options.json).write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
