# SPDX-License-Identifier: Apache-2.0
"""Shows sparkhost at work: starts the server on an empty folder and sends it three real Spark
batches over REST: one that works, one that fails, one that is killed.

tools/demo builds what is needed and runs this. Needs nothing but Python's own library.
"""

import argparse
import contextlib
import ctypes
import datetime
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "examples" / "spark"
READY = "sparkhost-server listening on http://"
START_DEADLINE = 30  # seconds
BATCH_DEADLINE = 120
MARKERS = ("stdout: ", "\nstderr: ")  # Livy's, around a driver's lines
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

COLOURS = {"success": "32", "running": "36", "starting": "33", "dead": "31", "killed": "35",
           "bold": "1", "dim": "2"}


class Failed(Exception):
    """The demo cannot go on; the text says why."""


def paint(text, colour):
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or colour not in COLOURS:
        return text
    return f"\033[{COLOURS[colour]}m{text}\033[0m"


def say(text=""):
    print(text, flush=True)


def prctl(option, value):
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def children_of(pid):
    """All processes below this one, by their numbers."""
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                found += [int(child), *children_of(int(child))]
    return found


class Server:
    """The server as a process of the demo, on an empty folder and a port that the system picks."""

    def __init__(self, options, folder):
        self.log = folder / "server.log"
        command = [options.server, "--listen", "127.0.0.1:0", "--data-dir", str(folder / "data")]
        for name in ("spark_home", "python"):
            if getattr(options, name):
                command += ["--" + name.replace("_", "-"), getattr(options, name)]
        began = time.monotonic()
        with open(self.log, "wb") as log:
            # a session of its own: Ctrl-C is for the demo, which then ends the server in order
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True, preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGTERM))
        timer = threading.Timer(START_DEADLINE, self.process.kill)
        timer.start()
        line = self.process.stdout.readline().decode().strip()
        timer.cancel()
        if not line.startswith(READY):
            self.process.wait()
            raise Failed(f"the server did not start (status {self.process.returncode})")
        self.address = line.removeprefix(READY)
        self.start_time = time.monotonic() - began

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed("the server did not stop within 20 s of SIGTERM") from None


class Client:
    """One keep-alive connection to the server."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=BATCH_DEADLINE)

    def call(self, method, path, body=None, headers=None):
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text, headers or {})
        response = self.connection.getresponse()
        content = response.read()
        if response.status >= 400:
            raise Failed(f"{method} {path}: {response.status} {content.decode(errors='replace')}")
        return response, json.loads(content) if content else None

    def get(self, path, etag=None):
        """Gives the object and its ETag; with one given, waits for a change (long-poll)."""
        headers = {"If-None-Match": etag} if etag else {}
        deadline = time.monotonic() + BATCH_DEADLINE
        while True:
            response, value = self.call("GET", path + ("?wait=10" if etag else ""), None, headers)
            if response.status != 304:
                return value, response.headers["ETag"]
            if time.monotonic() > deadline:
                raise Failed(f"{path} has not changed for {BATCH_DEADLINE} s")


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


def heading(number, text):
    say()
    say(paint(f"{number}. {text}", "bold"))


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
    thread.join(BATCH_DEADLINE)
    batch.seen["end"] = batch.tell("gone, with all its processes")
    batch.batch["state"] = last.get("state", "killed")
    return batch


def summary(batches, server, began):
    say()
    say(paint("Summary", "bold"))
    say("   batch  file         end       running after  Spark up after   over after")
    for number, batch in enumerate(batches):
        times = [batch.seen.get(key) for key in ("running", "application", "end")]
        cells = [f"{at:11.2f} s" if at is not None else f"{'-':>13}" for at in times]
        state = paint(f"{batch.batch['state']:<8}", batch.batch["state"])
        say(f"   {number:<5}  {batch.script:<11}  {state} {cells[0]}  {cells[1]}  {cells[2]}")
    say(f"   server up after {server.start_time:.2f} s; all of it took "
        f"{time.monotonic() - began:.1f} s")


def clean_up(server, client):
    """After trouble: leaves no batch, no server and none of their processes."""
    if server and server.process.poll() is None:
        with contextlib.suppress(Exception):
            client = Client(server.address)
            for batch in client.call("GET", "/batches")[1]["sessions"]:
                client.call("DELETE", f"/batches/{batch['id']}")
        with contextlib.suppress(Exception):
            server.stop()
    for pid in children_of(os.getpid()):  # all below us are ours: we are their subreaper
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def run(options, folder):
    began = time.monotonic()
    server = None
    client = None
    try:
        say(paint("sparkhost demo: real Spark batches through the REST interface", "bold"))
        say(f"   Spark   {options.spark_home or 'as the server finds it'}")
        server = Server(options, folder)
        client = Client(server.address)
        say(f"   Server  http://{server.address}, data in {folder / 'data'}")
        batches = [a_batch_that_works(client), a_batch_that_fails(client),
                   a_batch_that_is_killed(client, server.address)]
        status = server.stop()
        if status != 0:
            raise Failed(f"the server ended with status {status}")
        summary(batches, server, began)
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
        clean_up(server, client)


def main():
    environment = os.environ.get
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--server", help="the server's program",
                        default=str(ROOT / "build/release/examples/server/sparkhost-server"))
    parser.add_argument("--spark-home", help="Spark installation (default: the tests' own 3.5)",
                        default=environment("SPARK_HOME") or environment("SPARKHOST_TEST_SPARK35"))
    parser.add_argument("--python", help="interpreter of the batches",
                        default=environment("SPARKHOST_TEST_PYTHON35"))
    options = parser.parse_args()
    prctl(PR_SET_CHILD_SUBREAPER, 1)

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
