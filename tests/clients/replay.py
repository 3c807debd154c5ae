# SPDX-License-Identifier: Apache-2.0
"""Asks a server what a real Livy server was asked, in the same order, and tells what differs.
Numbers of batches, sessions and statements differ without meaning anything: each is known by the
number that it has in the recording."""

import json
import os
import pathlib
import re
import subprocess

from conftest import SPARK_SCRIPTS
from processes import eventually

RECORDING = pathlib.Path(__file__).parents[1] / "unit" / "rest" / "livy_exchanges.jsonl"
OVER = ("available", "cancelled", "success", "dead", "killed", "error")
# In which state it may be seen instead: the server need not wait for anybody to look.
SOON = {"cancelling": "cancelled"}
# Asked for right after it was posted, behind a loop that Livy could not stop and the server has.
JUST_POSTED = ("stmt-after-stuck",)
ABSENT = object()


def recording():
    """Each exchange with a label of its own."""
    seen = {}
    for line in RECORDING.read_text(encoding="utf-8").splitlines():
        exchange = json.loads(line)
        name = exchange["name"]
        seen[name] = seen.get(name, 0) + 1
        exchange["label"] = name if seen[name] == 1 else f"{name}-{seen[name]}"
        yield exchange


def make_applications(folder):
    """What the recorded batches run: two scripts, of which one waits until the FIFO `gate` is
    written to, and a jar that waits."""
    folder.mkdir()
    os.mkfifo(folder / "gate")
    for name, first in (("pi.py", f"open({str(folder / 'gate')!r}).read()\n"), ("fail.py", "")):
        source = (SPARK_SCRIPTS / name).read_text(encoding="utf-8")
        (folder / name).write_text(first + source.replace("int(sys.argv[1])", "2"), encoding="utf-8")
    (folder / "Pi.java").write_text(
        "public class Pi { public static void main(String[] a) throws Exception {\n"
        "  System.out.println(a[0]); Thread.sleep(600_000); } }\n")
    subprocess.run(["javac", "--release", "8", "-Xlint:-options", "Pi.java"], cwd=folder, check=True)
    subprocess.run(["jar", "cf", "pi35.jar", "Pi.class"], cwd=folder, check=True)
    return folder


class Replay:
    def __init__(self, server, applications):
        self.server = server
        self.client = server.client
        self.applications = str(applications)
        self.numbers = {}  # of what has been made: (place, recorded number) -> its number here
        self.before = {  # what was done in between, and is not in the recording
            "batch-success": lambda: (applications / "gate").write_text(""),
            # statements were posted whose results are not in the recording
            "completion-pyspark": lambda: self.wait(self.path("/sessions/6"), "idle"),
            "completion-spark": self.make_compiler_quick,
            "stmt-post-py-if-block": lambda: self.open_session(9),
            "stmt-post-py-exit-call-2": lambda: self.open_session(10),
            "stmt-cancelled-infinite-loop": lambda: self.cancel(9, 263),
            # idle a moment after its statement is over
            "session-after-cancel-infinite-loop": lambda: self.wait(self.path("/sessions/9"), "idle"),
        }

    def open_session(self, number):
        made = self.client.post("/sessions", json={
            "kind": "pyspark", "conf": {"spark.driver.host": "127.0.0.1"}})
        assert made.status_code == 201, made.text
        self.numbers["sessions", number] = made.json()["id"]
        self.wait(f"/sessions/{made.json()['id']}", "idle")

    def cancel(self, session, statement):
        path = self.path(f"/sessions/{session}/statements/{statement}")
        self.wait(path, "running")
        assert self.client.post(path + "/cancel").status_code == 200

    def make_compiler_quick(self):
        """The first completion may take longer than the server waits for it."""
        body = {"code": "sc.par", "kind": "spark", "cursor": 6}
        eventually(lambda: self.client.post(self.path("/sessions/6/completion"),
                                            json=body).json()["candidates"])

    # -- numbers, there and here --

    def place(self, path):
        """Where the numbers of what is made or asked for by this path are kept."""
        words = re.split(r"[/?]", path)
        return f"{words[2]}/statements" if "statements" in words else words[1]

    def path(self, path):
        """The recorded path with the numbers that things have here."""
        words = path.split("/")
        if "statements" in words[4:] or len(words) > 4:
            words[4] = self.number(f"{words[2]}/statements", words[4])
        if len(words) > 2:
            words[2] = self.number(words[1], words[2])
        return "/".join(words)

    def number(self, place, word):
        match = re.fullmatch(r"(\d+)(.*)", word)
        if not match or place not in {key[0] for key in self.numbers}:
            return word
        return str(self.numbers.get((place, int(match[1])), 100_000)) + match[2]

    def recorded(self, place, number):
        """The number that it has in the recording."""
        for (where, theirs), ours in self.numbers.items():
            if where == place and ours == number:
                return theirs
        return number

    # -- one exchange --

    def wait(self, path, state):
        """Until the object is in this state, or comes to no other."""
        if self.client.get(path).status_code == 200:
            self.server.follow(path, lambda seen: seen["state"] in (state, *OVER))

    def ask(self, exchange):
        """Gives what the server answers: status, headers, body."""
        self.before.pop(exchange["label"], lambda: None)()
        request, told = exchange["request"], exchange["response"]
        path = self.path(request["path"])
        shown = parsed(told["body"])
        state = shown.get("state") if isinstance(shown, dict) else None
        if request["method"] == "GET" and state in ("idle", "running", *OVER):
            self.wait(path, state)
        if exchange["label"] == "batch-success":
            # what a driver has written comes a moment after its end
            eventually(lambda: self.client.get(path + "/log").json()["total"] > 2)
        body = request["body"]
        if body is not None:
            body = body.replace("/data/apps", self.applications).encode()
        headers = {"X-Requested-By": "replay", **request["headers"]}
        response = self.client.request(request["method"], path, content=body, headers=headers)
        self.learn(exchange, response)
        return {"status": response.status_code, "body": response.text,
                "headers": {name: response.headers.get(name) for name in told["headers"]}}

    def learn(self, exchange, response):
        """Which number the new thing has there and here."""
        if exchange["request"]["method"] != "POST" or response.status_code != 201:
            return
        told = parsed(exchange["response"]["body"])
        if isinstance(told, dict) and "id" in told:
            place = self.place(exchange["request"]["path"])
            self.numbers[place, told["id"]] = response.json()["id"]

    def differences(self, exchange):
        """What Livy has answered and what the server does, where they differ: (place, theirs,
        ours). Of an answer with another status the rest is not compared."""
        told, answer = exchange["response"], self.ask(exchange)
        place = self.place(exchange["request"]["path"])
        theirs, ours = parsed(told["body"]), self.numbered(parsed(answer["body"]), place)
        if told["status"] != answer["status"]:
            return [("status", told["status"], f"{answer['status']} {brief(ours)}".strip())]
        found = []
        for name, text in told["headers"].items():
            found += compare(*[located(one) if name == "location" else one
                               for one in (text, answer["headers"][name])], f"header {name}")
        was_posted = exchange["request"]["method"] == "POST" and place.endswith("statements")
        if was_posted or exchange["name"] in JUST_POSTED:
            theirs, ours = accepted(theirs), accepted(ours)
        if isinstance(theirs, dict) and theirs.get("state") in SOON and isinstance(ours, dict):
            theirs, ours = soon(theirs), soon(ours)
        found += compare(masked(theirs), masked(ours), "body")
        return found

    def numbered(self, value, place):
        """The same with the numbers of the recording."""
        if isinstance(value, list):
            return [self.numbered(one, place) for one in value]
        if isinstance(value, str):
            return re.sub(r"(?<=Session ')\d+", lambda match: (
                str(self.recorded("batches" if place == "batches" else "sessions",
                                  int(match[0])))), value)
        if not isinstance(value, dict):
            return value
        return {key: self.recorded(place, one) if key in ("id", "execution_count")
                else self.numbered(one, place) for key, one in value.items()}


def located(path):
    """A Location without numbers."""
    return path and re.sub(r"(?<=/)\d+", "#", path)


def brief(value):
    """An answer in few words."""
    if isinstance(value, dict):
        return value.get("msg") or json.dumps(masked(value))
    return value


def parsed(body):
    try:
        return json.loads(body)
    except (TypeError, ValueError):
        return body


def accepted(statement):
    """One that was just posted: how far it has got is a matter of luck."""
    if not isinstance(statement, dict) or "code" not in statement:
        return statement
    return {key: value if key in ("id", "code") else "<luck>" for key, value in statement.items()}


def soon(shown):
    return {key: value if key in ("id", "code", "started") else "<soon over>"
            for key, value in shown.items()}


def masked(value, key=None):
    """Without what differs from run to run: times, log lines and their totals, addresses."""
    if key in ("started", "completed") and isinstance(value, int):
        return 0 if value == 0 else "<time>"
    if key in ("appId", "sparkUiUrl") and isinstance(value, str):
        return re.sub(r"\d+", "#", value)
    if key == "traceback" and isinstance(value, list) and len(value) > 4:
        return [masked(value[0]), "…"]
    if key == "total_statements" and value > 5:
        return "<many>"
    if isinstance(value, dict):
        if set(value) == {"id", "from", "total", "log"}:
            value = {**value, "from": "<n>", "total": "<n>"}
        if value.get("ename") == "InterpreterError":  # which part of R is missing
            value = {**value, "evalue": value["evalue"].split(":")[0], "traceback": []}
        if value.get("state") == "cancelled" and isinstance(value.get("output"), dict):
            value = {**value, "output": "<how it ended>"}
        return {name: masked(one, name) for name, one in value.items()}
    if isinstance(value, list):
        if key == "log" and all(isinstance(one, str) for one in value):
            return "<lines>"
        return [masked(one) for one in value]
    if isinstance(value, str):
        value = re.sub(r"<statement \d+>", "<statement #>", value)
        value = re.sub(r"(?<=sparkhost-)[0-9.]+", "#", value)
        if len(value) > 160:
            return re.sub(r"\d+", "#", value.strip().split("\n")[0])
    return value


def compare(theirs, ours, where):
    if isinstance(theirs, dict) and isinstance(ours, dict):
        if where.endswith(".output") and theirs["status"] != ours["status"]:
            yield where, theirs, ours
            return
        for key in theirs:
            yield from compare(theirs[key], ours.get(key, ABSENT), f"{where}.{key}")
        for key in ours:
            if key not in theirs:
                yield f"{where}.{key}", ABSENT, ours[key]
        if set(theirs) == set(ours) and list(theirs) != list(ours):
            yield f"{where}, order", list(theirs), list(ours)
    elif where.endswith(".traceback"):
        if theirs != ours:
            yield where, theirs, ours
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for one, other in zip(theirs, ours):
            yield from compare(one, other, f"{where}[]")
    elif isinstance(theirs, list) and isinstance(ours, list) and where.endswith("s"):
        yield where, f"<{len(theirs)} entries>", f"<{len(ours)} entries>"
    elif theirs != ours or type(theirs) is not type(ours):
        yield where, theirs, ours
