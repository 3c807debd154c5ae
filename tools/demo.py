# SPDX-License-Identifier: Apache-2.0
"""Shows sparkhost at work: starts the server on an empty folder and sends it three real Spark
batches over REST (one that works, one that fails, one that is killed) and an interactive session.

tools/demo builds what is needed and runs this. Needs nothing but Python's own library.
"""

import argparse
import contextlib
import datetime
import http.client
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import threading
import time

import demo_session
from demo_tools import (DEADLINE, MARKERS, Client, Failed, Server, become_subreaper, clean_up,
                        heading, paint, say)

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "examples" / "spark"


class Batch:
    """One batch of the demo: submits it and tells what happens to it."""

    def __init__(self, client, script, **fields):
        self.client = client
        self.script = script
        body = {"file": str(SCRIPTS / script), **fields}
        shown = json.dumps({**body, "file": f"…/examples/spark/{script}"}, ensure_ascii=False)
        say(f"   POST /batches {shown}")
        self.began = time.monotonic()
        self.batch = client.call("POST", "/batches", body)[1]
        self.path = f"/batches/{self.batch['id']}"
        self.seen = {}
        self.tell(f"accepted as batch {self.batch['id']}: on disk, nothing can lose it now")

    def tell(self, text):
        now = time.monotonic() - self.began
        say(f"   {now:7.2f} s  {text}")
        return now

    def follow(self, until):
        """Tells each change as the server pushes it, until `until(batch)` holds."""
        batch, etag = self.client.get(self.path)
        while True:
            state, application = batch["state"], batch["appId"]
            if state not in self.seen and state != "starting":
                self.seen[state] = self.tell(paint(state, state))
            if application and "application" not in self.seen:
                self.seen["application"] = self.tell(f"Spark is up, application {application}")
            if until(batch):
                self.batch = batch
                return
            batch, etag = self.client.get(self.path, etag)

    def until_over(self):
        self.follow(lambda batch: batch["state"] in ("success", "dead", "killed"))
        self.seen["end"] = time.monotonic() - self.began
        return self.batch["state"]

    def native(self):
        return self.client.get("/api/v1" + self.path)[0]

    def log(self, lines):
        """The last lines: negative numbers count from the end."""
        return self.client.call("GET", f"{self.path}/log?from=-1&size={lines}")[1]

    def show_timeline(self):
        say("   Timeline")
        entries = self.native()["timeline"]
        first = datetime.datetime.fromisoformat(entries[0]["at"])
        for entry in entries:
            after = (datetime.datetime.fromisoformat(entry["at"]) - first).total_seconds()
            reason = f"  {entry['reason']}" if entry.get("reason") else ""
            say(f"   {after:9.3f} s  {entry['what']}{paint(reason, 'dim')}")

    def show_log(self, lines):
        page = self.log(lines + 2)
        shown = [line for line in page["log"] if line not in MARKERS][-lines:]
        say(f"   Log, the end of {page['total']} lines")
        for line in shown:
            say("     " + paint("| ", "dim") + line[:110])


def a_batch_that_works(client):
    heading(1, "A batch that works")
    batch = Batch(client, "pi.py", args=["4"], conf={"spark.log.level": "WARN"})
    if batch.until_over() != "success":
        batch.show_log(20)
        raise Failed(f"pi.py ended as {batch.batch['state']}: {batch.native().get('reason')}")
    batch.show_timeline()
    batch.show_log(4)
    result = [line for line in batch.log(10_000)["log"] if line.startswith("Pi is roughly")]
    if not result:
        raise Failed("the log of pi.py has no result")
    say("   Result: " + paint(result[0], "success"))
    return batch


def a_batch_that_fails(client):
    heading(2, "A batch that fails")
    batch = Batch(client, "fail.py")
    if batch.until_over() != "dead":
        raise Failed(f"fail.py ended as {batch.batch['state']}, expected dead")
    say("   Reason: " + paint(str(batch.native().get("reason")), "dead"))
    error = [line for line in batch.log(10_000)["log"] if line.startswith("KeyError")]
    say("   Log: " + (error[-1] if error else "(no error line)"))
    return batch


def a_batch_that_is_killed(client, address):
    heading(3, "A batch that is killed")
    batch = Batch(client, "endless.py")
    batch.follow(lambda seen: seen["appId"])
    watcher = Client(address)
    last = {}

    def watch():
        with contextlib.suppress(Failed):  # 404: it is gone
            value, etag = watcher.get(batch.path)
            while value["state"] not in ("killed", "dead", "success"):
                value, etag = watcher.get(batch.path, etag)
            last["state"] = value["state"]
            batch.tell(paint(value["state"], value["state"]) + ", says a waiting client")

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    batch.tell(f"DELETE {batch.path}")
    client.call("DELETE", batch.path)
    thread.join(DEADLINE)
    batch.seen["end"] = batch.tell("gone, with all its processes")
    batch.batch["state"] = last.get("state", "killed")
    return batch


def summary(batches, session, server, began):
    say()
    say(paint("Summary", "bold"))
    say("   batch  file         end       running after  Spark up after   over after")
    for number, batch in enumerate(batches):
        times = [batch.seen.get(key) for key in ("running", "application", "end")]
        cells = [f"{at:11.2f} s" if at is not None else f"{'-':>13}" for at in times]
        state = paint(f"{batch.batch['state']:<8}", batch.batch["state"])
        say(f"   {number:<5}  {batch.script:<11}  {state} {cells[0]}  {cells[1]}  {cells[2]}")
    say()
    session.show_summary()
    say(f"   server up after {server.start_time:.2f} s; all of it took "
        f"{time.monotonic() - began:.1f} s")


def run(options, folder):
    began = time.monotonic()
    server = None
    try:
        say(paint("sparkhost demo: real Spark batches and a session through the REST interface", "bold"))
        say(f"   Spark   {options.spark_home or 'as the server finds it'}")
        server = Server(options, folder)
        client = Client(server.address)
        say(f"   Server  http://{server.address}, data in {folder / 'data'}")
        batches = [a_batch_that_works(client), a_batch_that_fails(client),
                   a_batch_that_is_killed(client, server.address)]
        session = demo_session.a_session(client, server.address, pathlib.Path(options.plot))
        status = server.stop()
        if status != 0:
            raise Failed(f"the server ended with status {status}")
        summary(batches, session, server, began)
        return 0
    except (Failed, OSError, http.client.HTTPException) as failure:
        say()
        say(f"The demo failed: {failure}")
        if server is not None or (folder / "server.log").exists():
            say("The end of the server's log:")
            for line in (folder / "server.log").read_text(errors="replace").splitlines()[-20:]:
                say("   " + line)
        return 1
    except KeyboardInterrupt:
        say()
        say("Interrupted; cleaning up")
        return 130
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough: what follows is quick
        clean_up(server)


def main():
    environment = os.environ.get
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--server", help="the server's program",
                        default=str(ROOT / "build/release/examples/server/sparkhost-server"))
    parser.add_argument("--spark-home", help="Spark installation (default: the tests' own 3.5)",
                        default=environment("SPARK_HOME") or environment("SPARKHOST_TEST_SPARK35"))
    parser.add_argument("--python", help="interpreter of the batches",
                        default=environment("SPARKHOST_TEST_PYTHON35"))
    parser.add_argument("--plot", help="where the session's plot is saved (default: %(default)s)",
                        default=str(ROOT / "build" / "demo-plot.png"))
    options = parser.parse_args()
    become_subreaper()

    def on_signal(_number, _frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGHUP, on_signal)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sparkhost-demo-"))
    try:
        return run(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
