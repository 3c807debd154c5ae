#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the arrows of docs/architecture.md: who may include whom, and where third parties may
appear. Arrows point down only; two plug-ins never include each other.

Usage: check_layering.py [--self-test]
"""

import re
import sys

import cpp_text

TIER_0 = {"error", "batch", "session", "event", "log", "clock", "retry", "version"}
TIER_1 = {"backend", "storage", "session_runtime"}
TIER_2 = {"host", "sessions", "agent_endpoint"}

# Third parties: pattern of the include, where it may stand, and as what it is reported.
CONTAINED = [
    (r"boost/beast", r"^(include/sparkhost|src)/rest/|^src/http/|^tests/kubernetes/|^tests/support/fake_cluster/", "Beast belongs under rest/ and http/"),
    (r"boost/asio/ssl", r"^src/http/|^tests/kubernetes/", "TLS belongs under http/"),
    (r"(SQLiteCpp/|sqlite3\.h)", r"^src/storages/sqlite", "SQLite belongs in storages/sqlite*"),
    (r"boost/process", r"^src/backends/local/", "Boost.Process belongs in backends/local"),
    (r"boost/json", r"^src/", "Boost.JSON is no part of the public headers"),
    (r"boost/url", r"^src/(rest|http)/", "Boost.URL belongs under rest/ and http/"),
    (r"prometheus/", r"^src/rest/", "prometheus-cpp belongs under rest/"),
    (r"yaml-cpp/", r"^src/backends/kubernetes/", "yaml-cpp belongs in backends/kubernetes"),
    (r"^zip\.h$", r"^src/backends/yarn/|^tests/(yarn|support/fake_yarn)/", "libzip belongs in backends/yarn"),
    (r"(spdlog/|boost/program_options)", r"^$", "only the example server uses this"),
    (r"boost/asio\.hpp$|boost/beast\.hpp$|boost/json\.hpp$", r"^$", "include the narrow header"),
    (r"boost/(asio|beast|json)/.*src\.hpp$", r"^$", "a library must not carry Boost's bodies"),
]

# What code may say, by place: pattern, the places it concerns, the places excepted, and why.
WORDS = [
    (r"\basio\b|\bnow\s*\(|#\s*include\s*<(thread|mutex|fstream|iostream)>",
     r"_machine\.[ch]pp$", r"^$", "a machine is pure: no Asio, no clock, no I/O"),
    (r"\bmake_\w+_(?:backend|storage|runtime)\b|\b(?:Local|Fake)Backend\b|\b(?:Sqlite|Memory)Storage\b",
     r"^(src/core/|include/sparkhost/host\.hpp)", r"^$", "the host names no concrete plug-in"),
    (r"\bBOOST_(?:ASIO|BEAST)_SEPARATE_COMPILATION\b|\bSPARKHOST_HEADER_ONLY\b",
     r"", r"^$", "a library does not choose this for its host"),
    (r"(?m)^using\s+namespace\b(?!\s+std::(?:\w+::)*\w*literals)", r"^(src|include)/", r"^$", "names must stay apart when sources are one unit"),
    # guest, not landlord; the supervisor is a program of its own
    (r"\bstd::(?:cout|cerr|clog)\b|\bv?f?printf\s*\(|\b(?:quick_)?exit\s*\(|\bstd::(?:abort|terminate)\s*\(",
     r"^(src|include)/", r"^src/supervisor/", "the library prints nothing and ends no process"),
    # process_start.cpp: in the child, between fork and exec
    (r"\bsigaction\s*\(|\bsignal_set\b|\bsigprocmask\s*\(|\bsignal\s*\(\w+,|\bpthread_sigmask\s*\(",
     r"^(src|include)/", r"^src/(supervisor/|backends/local/process_start\.cpp$)",
     "the library leaves signals alone"),
    (r"\bstd::(?:jthread|thread|async)\b|\bthread_pool\b",
     r"^(src|include)/", r"^src/core/host_life\.cpp$|^src/core/host_impl\.hpp$|^src/testing/",
     "the only threads are the pool of run()"),
    (r"\bsleep_for\b|\bthis_thread::sleep|(?<!\w)::sleep\s*\(|\b(?:u|nano)sleep\s*\(", r"", r"^tests/support/fault_vfs\.cpp$",
     "nothing sleeps (but a disk that is slow on purpose)"),
]

# Executor changes happen in src/hop.hpp. What else starts or posts work, and why it may.
HOPS = r"\bco_spawn\b|\basio::(?:post|dispatch|defer)\b"
HOPS_ALLOWED = {
    "src/hop.hpp": "this is the place",
    "src/waiter.hpp": "resumes a waiting coroutine where it waits",
    "src/core/agent_endpoint.cpp": "starts one greeting per connection where run() runs",
    "src/core/host.cpp": "hands the calls of any thread to the host's strand",
    "src/core/host_calls.hpp": "hands the calls of any thread to the host's strand",
    "src/core/host_life.cpp": "starts the host's own tasks on its strand",
    "src/backends/local/application_watch.cpp": "starts one follower per application where watch runs",
    "src/backends/local/folder_events.cpp": "starts the reader of inotify where it was made",
    "src/backends/local/class_data_archive.cpp": "makes archives in the background of open()",
    "src/backends/kubernetes/log_keeper.cpp": "starts the worker of a log on the strand of the logs",
    "src/backends/guarded/claims.cpp": "hands what a driver reports to the blocking executor",
    "src/backends/guarded/watching.cpp": "starts the sleep between two looks where watch runs",
    "src/http/blocking.hpp": "waits for blocking work no longer than a deadline",
    "src/backends/kubernetes/tracker.cpp": "starts the loops of a watch where watch runs",
    "src/runtimes/spark/conversation.cpp": "starts the writer beside the reader",
    "src/rest/serve.cpp": "starts the accept loop's connections",
    "src/rest/connection.cpp": "starts a connection on a strand of its own",
    "src/storages/sqlite/engine.cpp": "hands the queue to the blocking executor",
}


def unit(path):
    """(tier, name): what a file of include/ or src/ is a part of. Tier 3 names its plug-in."""
    parts = path.split("/")
    public = parts[0] == "include"
    inner = parts[2:] if public else parts[1:]
    if len(inner) == 1:
        stem = inner[0].rsplit(".", 1)[0]
        if not public:
            return (1, "shared")  # src/hop.hpp and the like: helpers for everybody
        for tier, names in ((0, TIER_0), (1, TIER_1), (2, TIER_2)):
            if stem in names:
                if stem == "agent_endpoint":
                    return (tier, stem)
                return (tier, "values" if tier == 0 else "interfaces" if tier == 1 else "host")
        return (None, stem)
    folder = inner[0]
    if folder in ("http", "guard"):
        return (1, folder)
    if folder == "core":
        return (2, "host")
    if folder in ("rest", "testing"):
        return (4, folder)
    if folder == "supervisor":
        return (3, "backends/local")
    if inner[:2] in (["backends", "common"], ["backends", "guarded"]) and not public:
        return (1, "shared")  # what backends have in common
    if folder in ("backends", "storages", "runtimes"):
        name = inner[1].rsplit(".", 1)[0] if len(inner) == 2 else inner[1]
        for plugin in ("memory", "sqlite"):
            if folder == "storages" and name.startswith(plugin):
                return (3, f"storages/{plugin}")
        if folder == "storages":
            return (1, "shared")  # what the storages have in common
        return (3, f"{folder}/{name}")
    return (None, folder)


def may_include(user, used):
    (tier, name), (used_tier, used_name) = user, used
    if name == used_name:
        return True
    if name == "testing":  # for authors of plug-ins: values, interfaces, where agents dial
        return used_tier <= 1 or used_name == "agent_endpoint"
    if used_name == "testing":
        return False
    if used_name in ("http", "guard"):  # the backends', and nobody else's
        return name.startswith("backends/")
    if tier == 3 or used_tier == 3:  # plug-ins see tiers 0 and 1, and nobody sees them
        return tier == 3 and used_tier <= 1
    return used_tier <= tier


def resolve(path, spelt, quoted, exists):
    """The file of ours that an include names, or None for a foreign one."""
    if not quoted:
        return "include/" + spelt if spelt.startswith("sparkhost/") else None
    folder = path.rsplit("/", 1)[0]
    for candidate in (f"{folder}/{spelt}", f"src/{spelt}"):
        if exists(candidate):
            return candidate
    return None


def check_file(path, text, exists):
    """(line, what) for each broken rule."""
    if path.startswith(("include/", "src/")):
        me = unit(path)
        if me[0] is None:
            yield 1, f"no tier is known for {me[1]}: add it to tools/check_layering.py"
            return
        for spelt, line, quoted in cpp_text.includes(text):
            target = resolve(path, spelt, quoted, exists)
            if target is not None:
                other = unit(target)
                if path.startswith("include/") and not target.startswith("include/"):
                    yield line, f"a public header includes the private {spelt}"
                elif other[0] is None or not may_include(me, other):
                    yield line, f"{me[1]} (tier {me[0]}) must not include {spelt} ({other[1]})"
            for pattern, place, why in CONTAINED:
                if re.search("^" + pattern, spelt) and not re.search(place, path):
                    yield line, f"<{spelt}>: {why}"
    code = cpp_text.code_only(text)
    hops = "|".join(re.escape(name) for name in HOPS_ALLOWED)
    rules = WORDS + [(HOPS, r"^(src|include)/(?!testing/)", f"^({hops})$",
                      "executor changes belong in src/hop.hpp")]
    for pattern, place, excepted, why in rules:
        if not re.search(place, path) or re.search(excepted, path):
            continue
        for match in re.finditer(pattern, code):
            yield code.count("\n", 0, match.start()) + 1, f"{match.group().strip()}: {why}"


def self_test():
    """Each sample breaks exactly the rule it is named for, or none."""
    def exists(name):
        return name in ("src/hop.hpp", "src/backends/common/utf8.hpp", "src/http/client.hpp",
                        "src/guard/guard_jar.hpp",
                        "src/backends/local/launch.hpp", "src/core/host_impl.hpp",
                        "src/storages/sqlite/group.hpp")

    samples = [
        ("include/sparkhost/batch.hpp", "#include <sparkhost/backend.hpp>", 1),
        ("include/sparkhost/backend.hpp", "#include <sparkhost/batch.hpp>", 0),
        ("include/sparkhost/backend.hpp", "#include <sparkhost/host.hpp>", 1),
        ("include/sparkhost/host.hpp", "#include <sparkhost/storages/sqlite.hpp>", 1),
        ("include/sparkhost/host.hpp", '#include "../../src/hop.hpp"', 0),
        ("include/sparkhost/novelty.hpp", "", 1),
        ("include/sparkhost/host.hpp", "#include <boost/json/value.hpp>", 1),
        ("src/core/host.cpp", "#include <sparkhost/backends/local.hpp>", 1),
        ("src/core/host.cpp", "auto s = make_memory_storage();", 1),
        ("src/core/host.cpp", "// make_memory_storage()", 0),
        ("src/core/host.cpp", "#include <boost/beast/http.hpp>", 1),
        ("src/rest/serve.cpp", "#include <boost/beast/http.hpp>", 0),
        ("src/http/client.cpp", "#include <boost/beast/http.hpp>", 0),
        ("src/http/client.hpp", "#include <sparkhost/backend.hpp>", 0),
        ("src/http/client.hpp", "#include <sparkhost/host.hpp>", 1),
        ("src/backends/kubernetes/x.cpp", '#include "http/client.hpp"', 0),
        ("src/core/host.cpp", '#include "http/client.hpp"', 1),
        ("src/backends/standalone/x.cpp", '#include "guard/guard_jar.hpp"', 0),
        ("src/runtimes/spark/x.cpp", '#include "guard/guard_jar.hpp"', 1),
        ("src/rest/router.cpp", "#include <sparkhost/storages/sqlite.hpp>", 1),
        ("src/rest/router.cpp", "#include <sparkhost/host.hpp>", 0),
        ("src/storages/memory.cpp", "#include <sparkhost/storages/sqlite.hpp>", 1),
        ("src/storages/memory.cpp", '#include "storages/sqlite/group.hpp"', 1),
        ("src/storages/memory.cpp", '#include "core/host_impl.hpp"', 1),
        ("src/storages/memory.cpp", '#include "hop.hpp"', 0),
        ("src/storages/sqlite/writer.cpp", "#include <SQLiteCpp/Database.h>", 0),
        ("src/backends/local/launch.cpp", "#include <SQLiteCpp/Database.h>", 1),
        ("src/backends/local/launch.cpp", "#include <sparkhost/storages/memory.hpp>", 1),
        ("src/backends/local/launch.cpp", '#include "backends/common/utf8.hpp"', 0),
        ("src/backends/common/utf8.cpp", '#include "backends/local/launch.hpp"', 1),
        ("src/testing/fake.cpp", "#include <sparkhost/host.hpp>", 1),
        ("src/testing/fake.cpp", "#include <sparkhost/agent_endpoint.hpp>", 0),
        ("src/runtimes/spark/talk.cpp", "#include <sparkhost/agent_endpoint.hpp>", 1),
        ("src/core/batch_machine.cpp", "#include <boost/asio/post.hpp>", 1),
        ("src/core/batch_machine.cpp", "auto t = clock.now();", 1),
        ("src/core/batch_machine.cpp", "std::chrono::steady_clock::time_point deadline;", 0),
        ("src/core/queue.cpp", "using namespace detail;", 1),
        ("src/core/queue.cpp", "    using namespace detail;", 0),
        ("src/core/queue.cpp", "asio::post(pool, work);", 1),
        ("src/core/queue.cpp", "std::cout << 1;", 1),
        ("src/core/queue.cpp", "std::thread t;", 1),
        ("src/core/queue.cpp", 'auto text = "std::cout";', 0),
        ("src/supervisor/main.cpp", "sigaction(1, 0, 0);", 0),
        ("tests/unit/core/x_test.cpp", "std::this_thread::sleep_for(x);", 1),
    ]
    wrong = 0
    for path, text, expected in samples:
        faults = list(check_file(path, text, exists))
        if len(faults) != expected:
            print(f"{path}: {text!r}: {expected} faults expected, found {faults}")
            wrong += 1
    print(f"{len(samples)} samples, {wrong} wrong")
    return 1 if wrong else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    paths = [str(path) for path in
             cpp_text.sources("include", "src", "tests", "examples", "benchmarks")]
    known = set(paths)
    count = 0
    for path in paths:
        for line, what in check_file(path, cpp_text.read(path), known.__contains__):
            print(f"{path}:{line}: {what}")
            count += 1
    for name in HOPS_ALLOWED:
        if name not in known:
            print(f"tools/check_layering.py: {name} is excepted but does not exist")
            count += 1
    print(f"{len(paths)} files, {count} faults")
    return 1 if count or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
