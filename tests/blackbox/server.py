# SPDX-License-Identifier: Apache-2.0
"""A started sparkhost-server and how its clients talk to it."""

import concurrent.futures
import os
import pathlib
import select
import signal
import subprocess
import time

import httpx

import sessions
from processes import DEADLINE, die_with_parent

PROGRAM = os.environ.get("SPARKHOST_SERVER", "")
READY = "sparkhost-server listening on http://"
ENDED = ("success", "dead", "killed")


def cache_options():
    """What test_cache.py has made saves each driver a third of its start."""
    folder = os.environ.get("SPARKHOST_TEST_CACHE")
    if folder and pathlib.Path(folder, "ready").exists():
        return ["--cache-dir", folder]
    return ["--class-data-archive", "off"]


class Server:
    def __init__(self, data_dir, spark, python, *options, wrapper=(), passed=()):
        self.passed = passed  # descriptors that it inherits
        self.data_dir = pathlib.Path(data_dir)
        self.log = self.data_dir.with_suffix(".log")
        self.command = [*wrapper, PROGRAM, "--listen", "127.0.0.1:0", "--data-dir", str(data_dir),
                        "--spark-home", spark, "--python", python,
                        *([] if "--cache-dir" in options else cache_options()),
                        "--kill-grace", "2s", "--log-level", "debug", *options]
        self.process = None
        self.client = None
        self.start()

    def launch(self, *options):
        with open(self.log, "ab") as log:
            return subprocess.Popen(
                [*self.command, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=log, preexec_fn=die_with_parent, pass_fds=self.passed)

    def start(self, *options):
        self.process = self.launch(*options)
        self.wait_ready()

    def ready_line(self):
        ready = select.select([self.process.stdout], [], [], DEADLINE)[0]
        assert ready, f"not ready after {DEADLINE} s"
        return self.process.stdout.readline().decode()

    def wait_ready(self):
        line = self.ready_line()
        assert line.startswith(READY) and line.endswith("\n"), (line, self.log.read_text())
        self.url = line.strip().removeprefix("sparkhost-server listening on ")
        self.client = httpx.Client(base_url=self.url, timeout=DEADLINE)

    def take_over(self, *options):
        """The next server takes the place of this one; gives the exit status of that."""
        old, client = self.process, self.client
        self.start("--take-over", *options)
        client.close()
        status = old.wait(timeout=DEADLINE)
        old.stdout.close()
        return status

    @property
    def address(self):
        host, port = self.url.removeprefix("http://").rsplit(":", 1)
        return host, int(port)

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()
        self.client.close()

    def stop(self):
        """SIGTERM; gives the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self):
        self.client.close()
        status = self.process.wait(timeout=DEADLINE)
        self.process.stdout.close()
        return status

    # -- batches --

    def submit(self, file, *args, headers=None, **fields):
        """Gives the accepted batch as the server shows it."""
        body = {"file": str(file), "args": [str(word) for word in args], **fields}
        response = self.client.post("/batches", json=body, headers=headers)
        assert response.status_code == 201, response.text
        return response.json()

    def follow(self, path, reached):
        """Follows the object at `path` by long-poll until `reached(object)` holds; gives it."""
        deadline = time.monotonic() + DEADLINE
        response = self.client.get(path)
        while True:
            assert response.status_code in (200, 304), response.text
            if response.status_code == 200 and reached(response.json()):
                return response.json()
            assert time.monotonic() < deadline, (response.text, self.log.read_text())
            response = self.client.get(path, params={"wait": 10},
                                       headers={"If-None-Match": response.headers["ETag"]})

    def until(self, batch, reached):
        return self.follow(f"/batches/{batch['id']}", reached)

    def until_over(self, batch):
        return self.until(batch, lambda seen: seen["state"] in ENDED)

    def until_running(self, batch):
        return self.until(batch, lambda seen: seen["state"] != "starting")

    def native(self, batch):
        response = self.client.get(f"/api/v1/batches/{batch['id']}")
        assert response.status_code == 200, response.text
        return response.json()

    def whole_log(self, batch):
        response = self.client.get(f"/batches/{batch['id']}/log", params={"from": 0, "size": -1})
        assert response.status_code == 200, response.text
        return response.json()["log"]

    def until_said(self, batch, line):
        """Python's output goes through the JVM into the log: what was printed comes soon."""
        deadline = time.monotonic() + DEADLINE
        while line not in self.whole_log(batch):
            assert time.monotonic() < deadline, f"{line} is not in the log"

    def delete(self, batch):
        return self.client.delete(f"/batches/{batch['id']}")

    def delete_all(self):
        """At the same time: a session takes a while to end."""
        lists = [(kind, self.client.get(f"/{kind}", params={"size": 1000}))
                 for kind in ("batches", "sessions")]
        paths = [f"/{kind}/{one['id']}" for kind, found in lists if found.status_code == 200
                 for one in found.json()["sessions"]]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(self.client.delete, paths))

    # -- sessions --

    def open_session(self, kind="pyspark", conf=(), **fields):
        """Gives the accepted session."""
        response = self.client.post("/sessions", json={
            "kind": kind, "conf": {**sessions.CONF, **dict(conf)}, **fields})
        assert response.status_code == 201, response.text
        assert response.headers["Location"] == f"/sessions/{response.json()['id']}"
        return sessions.Session(self, response.json())
