# SPDX-License-Identifier: Apache-2.0
"""A server whose backends are real clusters, as its tests use it."""

import contextlib

from sessions import Session

from asking import JOBS

QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
# of a driver that uses Spark, and its executors
SMALL = {"spark.executor.memory": "512m", "spark.ui.enabled": "false",
         "spark.sql.shuffle.partitions": "1", "spark.driver.extraJavaOptions": QUICK,
         "spark.executor.extraJavaOptions": QUICK}
BACKEND = "Sparkhost-Backend"


class BackendClient:
    """A server, asked for one of its backends. Each cluster says of its own what `drivers` are."""

    small = SMALL  # with one executor
    quick = {"spark.driver.extraJavaOptions": QUICK}  # for jobs/Driver.java
    first_words = ()                                  # that each of these begins with
    memory = "256m"

    def __init__(self, server, daemon, backend, jar):
        self.server, self.daemon, self.jar = server, daemon, jar
        self.backend = {"backend": backend}

    def submit(self, file, *args, headers=None, **fields):
        body = {"file": str(file), "args": [str(word) for word in args], **fields}
        response = self.server.client.post("/batches", params=self.backend, json=body,
                                           headers=headers)
        assert response.status_code == 201, response.text
        assert response.headers[BACKEND] == self.backend["backend"]
        return response.json()

    def driver(self, *words, conf=(), **fields):
        """A batch of jobs/Driver.java."""
        fields = {"className": "Driver", "driverMemory": self.memory, **fields}
        return self.submit(self.jar, *self.first_words, *words,
                           conf={**self.quick, **dict(conf)}, **fields)

    def pi(self, *words, **fields):
        return self.submit(JOBS / "pi.py", *words, conf=self.small, driverMemory="512m", **fields)

    def open_session(self):
        response = self.server.client.post("/sessions", params=self.backend, json={
            "kind": "pyspark", "conf": self.small, "driverMemory": "512m"})
        assert response.status_code == 201, response.text
        assert response.headers[BACKEND] == self.backend["backend"]
        return Session(self.server, response.json())

    def drivers(self):
        """Those that the cluster says run or wait, by their ids, with their states."""
        raise NotImplementedError

    def reason(self, batch):
        """Why it failed, as a client is told."""
        over = self.server.until_over(batch)
        assert over["state"] == "dead", over
        return self.server.native(batch)["reason"]


class Counted:
    """A driver that writes down that it has begun, and ends when it is told."""

    def __init__(self, client, folder, gate, name="counted"):
        self.client = client
        self.marks = folder / f"{name}.marks"
        self.begun, self.end = gate(f"{name}.begun"), gate(f"{name}.end")

    def submit(self, **fields):
        return self.client.driver("mark", self.marks, "open", self.begun.path, "wait",
                                  self.end.path, "print", "done", **fields)

    def starts(self):
        return len(self.marks.read_text().splitlines()) if self.marks.exists() else 0

    def assert_succeeds(self, batch):
        server = self.client.server
        assert server.until_over(batch)["state"] == "success", str(server.native(batch))
        assert self.starts() == 1
        assert "done" in server.whole_log(batch)


@contextlib.contextmanager
def away(daemon, part):
    """Without a part; it is there again afterwards, however that goes."""
    daemon.kill(part)
    try:
        yield
    finally:
        daemon.restart(part)


@contextlib.contextmanager
def servers(starter, clean, options):
    """Gives start(*options, **keys of the clusters). At the end what the servers run is deleted, and
    nothing of theirs may be left on the clusters; then they are stopped."""
    begun = []

    def begin_one(begin, *more, **keys):
        begun.append(begin(*options(**keys), *more))
        return begun[-1]

    with starter as begin, clean:
        yield lambda *more, **keys: begin_one(begin, *more, **keys)
        for one in begun:
            if one.process.poll() is None:
                one.delete_all()
