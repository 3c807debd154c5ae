# SPDX-License-Identifier: Apache-2.0
"""Interactive sessions as their clients see them."""

import contextlib
import json
import time

from processes import DEADLINE

ENDED = ("success", "dead", "killed")
OVER = ("available", "cancelled")
# what makes a driver's start and its jobs short
CONF = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "1",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1"}


def holding(step):
    """Code for hold(): waits for the gate, however often it is interrupted meanwhile."""
    return (f"import time\nstep = open({step.path!r}, 'rb', buffering=0)\n"
            "def hold():\n    while True:\n        try: return step.read(1)\n"
            "        except KeyboardInterrupt: pass\n")


class Session:
    """A session by its id. Survives its server: the next one on the same folder knows it."""

    def __init__(self, server, made):
        self.server = server
        self.made = made
        self.id = made["id"]
        self.path = f"/sessions/{self.id}"

    @property
    def client(self):
        return self.server.client

    def get(self):
        response = self.client.get(self.path)
        assert response.status_code == 200, response.text
        return response.json()

    def state(self):
        response = self.client.get(self.path + "/state")
        assert response.status_code == 200, response.text
        assert response.json()["id"] == self.id
        return response.json()["state"]

    def log(self):
        """The whole of its driver's log."""
        response = self.client.get(self.path + "/log", params={"from": 0, "size": -1})
        assert response.status_code == 200, response.text
        return response.json()["log"]

    def until(self, *states):
        """Follows it until it is in one of these states; gives that state. One that has ended
        comes to no other."""
        seen = self.server.follow(self.path,
                                  lambda now: now["state"] in (*states, *ENDED))["state"]
        assert seen in states, (seen, self.log()[-30:])
        return seen

    def until_idle(self):
        self.until("idle")
        return self

    def until_over(self):
        return self.until(*ENDED)

    def post(self, code, kind=None):
        """Gives the accepted statement."""
        body = {"code": code} if kind is None else {"code": code, "kind": kind}
        response = self.client.post(self.path + "/statements", json=body)
        assert response.status_code == 201, response.text
        made = response.json()
        assert response.headers["Location"] == f"{self.path}/statements/{made['id']}"
        assert made["code"] == code
        return Statement(self, made["id"])

    def statement(self, number):
        return Statement(self, number)

    def run(self, code, kind=None):
        """Gives the statement's output when it is available."""
        seen = self.post(code, kind).until_over()
        assert seen["state"] == "available", seen
        return seen["output"]

    def text(self, code, kind=None):
        """What it printed and echoed, where it succeeded."""
        output = self.run(code, kind)
        assert output["status"] == "ok", output
        return output["data"]["text/plain"]

    def error(self, code, kind=None):
        """Name, value and the whole traceback, where it failed."""
        output = self.run(code, kind)
        assert output["status"] == "error", output
        return output["ename"], output["evalue"], "".join(output["traceback"])

    def statements(self, **params):
        response = self.client.get(self.path + "/statements", params=params)
        assert response.status_code == 200, response.text
        return response.json()

    def driver(self, kind=None):
        """The pids of its Python and its JVM."""
        return [int(word) for word in
                self.text("import os\nprint(os.getpid(), os.getppid())", kind).split()]

    def delete(self):
        response = self.client.delete(self.path)
        assert response.status_code == 200, response.text
        assert response.json() == {"msg": "deleted"}


class Statement:
    """A statement by its number."""

    def __init__(self, session, number):
        self.session = session
        self.id = number
        self.path = f"{session.path}/statements/{number}"

    @property
    def client(self):
        return self.session.client

    def get(self):
        response = self.client.get(self.path)
        assert response.status_code == 200, response.text
        return response.json()

    def until(self, reached):
        """Follows it until `reached(statement)` holds. Its output is null until it is over."""

        def checked(seen):
            assert seen["id"] == self.id
            assert seen["state"] in OVER or seen["output"] is None, seen
            return reached(seen)

        return self.session.server.follow(self.path, checked)

    def until_over(self):
        return self.until(lambda seen: seen["state"] in OVER)

    def until_begun(self):
        return self.until(lambda seen: seen["state"] != "waiting")

    def cancel(self, **params):
        response = self.client.post(self.path + "/cancel", params=params)
        assert response.status_code == 200, response.text
        assert response.json() == {"msg": "canceled"}

    @contextlib.contextmanager
    def stream(self, after=None):
        """What it writes, as it comes; `after`: a position that has been seen."""
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        with self.client.stream("GET", self.path, params={"stream": 1},
                                headers=headers) as response:
            assert response.status_code == 200, response.read()
            assert response.headers["Content-Type"].startswith("text/event-stream")
            yield Stream(response)

    def output(self, after=None):
        """All that the stream tells from here to its end."""
        with self.stream(after) as stream:
            stream.rest()
            return stream


class Stream:
    """Server-sent events of one statement."""

    def __init__(self, response):
        self._pieces = response.iter_raw()
        self._buffer = b""
        self._deadline = time.monotonic() + DEADLINE
        self.positions = []               # of the events that came
        self.order = []                   # [stream, text] of each change between the two
        self.text = {"stdout": "", "stderr": ""}
        self.statement = None             # at the end

    def next(self):
        """Takes the next event in; false when there is none any more."""
        while b"\n\n" not in self._buffer:
            assert time.monotonic() < self._deadline, self.text
            piece = next(self._pieces, None)
            if piece is None:
                assert self._buffer.strip() == b"", self._buffer
                return False
            self._buffer += piece
        event, _, self._buffer = self._buffer.partition(b"\n\n")
        fields = {}
        for field in event.split(b"\n"):
            name, _, value = field.partition(b":")
            if name:  # else a comment, which keeps the connection alive
                fields[name.decode()] = value.removeprefix(b" ").decode()
        if fields:
            self._take(fields)
        return True

    def _take(self, fields):
        assert self.statement is None, f"behind the end: {fields}"
        data = json.loads(fields["data"])
        if fields["event"] == "statement":
            self.statement = data
            return
        assert fields["event"] == "output", fields
        assert set(data) == {"stream", "text"} and data["text"], data
        position = int(fields["id"])
        assert not self.positions or position > self.positions[-1], (self.positions, position)
        self.positions.append(position)
        self.text[data["stream"]] += data["text"]
        if self.order and self.order[-1][0] == data["stream"]:
            self.order[-1][1] += data["text"]
        else:
            self.order.append([data["stream"], data["text"]])

    def until(self, text, stream="stdout"):
        """Reads on until this text has come."""
        while text not in self.text[stream]:
            assert self.next(), f"the stream has ended after {self.text}"

    def rest(self):
        """Reads to the end; gives the statement as it is then."""
        while self.next():
            pass
        assert self.statement is not None, "the stream ended before its statement"
        assert self.statement["state"] in OVER, self.statement
        return self.statement
