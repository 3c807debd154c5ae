# SPDX-License-Identifier: Apache-2.0
"""The demo's interactive session: what is said and shown, while it happens."""

import base64
import binascii
import http.client
import json
import struct
import time

from demo_tools import DEADLINE, Failed, heading, paint, say

OVER = ("available", "cancelled")
MOST_LINES = 6  # of a statement's code are shown

FRAME = """\
sales = spark.createDataFrame([("apples", 3), ("pears", 5), ("apples", 4)], ["fruit", "sold"])
sales.createOrReplaceTempView("sales")
sales.groupBy("fruit").sum("sold").orderBy("fruit").show()"""
TABLE = """\
+------+---------+
| fruit|sum(sold)|
+------+---------+
|apples|        7|
| pears|        5|
+------+---------+"""
QUERY = "SELECT fruit, max(sold) AS most FROM sales GROUP BY fruit ORDER BY fruit"

PLOT_SIZE = (400, 200)
PLOT = f"""\
import base64, struct, zlib
bins = spark.range(200_000).selectExpr("int(least(39, greatest(0, 20 + 6 * randn(7)))) AS bin")
heights = {{row["bin"]: row["count"] for row in bins.groupBy("bin").count().collect()}}
width, height = {PLOT_SIZE}
def line(y):
    reached = [n * height >= (height - y) * max(heights.values()) for n in map(
        lambda bin: heights.get(bin, 0), range(40))]
    return b"\\0" + b"".join(b"\\x1f\\x77\\xb4" if reached[x // 10] and x % 10 else b"\\xff" * 3
                            for x in range(width))
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
png = (b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
       + chunk(b"IDAT", zlib.compress(b"".join(map(line, range(height))))) + chunk(b"IEND", b""))
print(base64.b64encode(png).decode())"""

MISTAKE = """\
def average(numbers):
    return sum(numbers) / len(numbers)
average([])"""

STEPS = 4
SLOW = f"""\
import time
for step in range({STEPS}):
    print("step", step)
    time.sleep(0.4)
spark.range(10).count()"""


def expect(fulfilled, what, seen):
    if not fulfilled:
        raise Failed(f"expected {what}, found {json.dumps(seen, ensure_ascii=False)[:2000]}")


class Session:
    """The session of the demo: opens it, runs statements, tells what comes back and how soon."""

    def __init__(self, client, address):
        self.client = client
        self.address = address
        self.told = []  # for the summary: what, how it ended, seconds
        body = {"kind": "pyspark", "name": "demo", "conf": {"spark.log.level": "WARN"}}
        say(f"   POST /sessions {json.dumps(body)}")
        began = time.monotonic()
        made = client.call("POST", "/sessions", body)[1]
        self.path = f"/sessions/{made['id']}"
        say(f"   {time.monotonic() - began:7.2f} s  accepted as session {made['id']}")
        seen, etag = client.get(self.path)
        while seen["state"] == "starting":
            seen, etag = client.get(self.path, etag)
        expect(seen["state"] == "idle", "an idle session", seen)
        took = time.monotonic() - began
        say(f"   {took:7.2f} s  {paint('idle', 'idle')}, application {seen['appId']}")
        self.told.append(("opened", "idle", took))

    def post(self, code, kind=None):
        """Shows the code; gives the statement's path and when it was sent."""
        say()
        lines = code.splitlines()
        for number, line in enumerate(lines[:MOST_LINES]):
            say(paint(f"   {'>>>' if number == 0 else '...'} ", "dim") + line[:106])
        if len(lines) > MOST_LINES:
            say(paint(f"   ... {len(lines) - MOST_LINES} more lines", "dim"))
        began = time.monotonic()
        body = {"code": code, **({"kind": kind} if kind else {})}
        made = self.client.call("POST", self.path + "/statements", body)[1]
        return f"{self.path}/statements/{made['id']}", began

    def until_over(self, path):
        seen, etag = self.client.get(path)
        while seen["state"] not in OVER:
            seen, etag = self.client.get(path, etag)
        return seen

    def run(self, what, code, kind=None, status="ok", shown=True):
        """Runs code that ends with this status; gives its output, and shows it where asked."""
        path, began = self.post(code, kind)
        seen = self.until_over(path)
        took = time.monotonic() - began
        output = seen["output"]
        expect(seen["state"] == "available" and output["status"] == status, status, seen)
        if status == "error":
            for line in "".join(output["traceback"]).splitlines():
                say("       " + paint(line[:106], "dead"))
        elif shown:
            show(output["data"])
        say(paint(f"       {took * 1e3:.1f} ms", "dim"))
        self.told.append((what, status, took))
        return output

    def stream(self, path, began):
        """Shows each line when it comes; gives the times, and the statement at its end."""
        connection = http.client.HTTPConnection(self.address, timeout=DEADLINE)
        connection.request("GET", path + "?stream=1")
        response = connection.getresponse()
        if response.status != 200:
            raise Failed(f"GET {path}?stream=1: {response.status} {response.read()!r}")
        times, event = [], {}
        while line := response.readline().decode():
            if line != "\n":
                name, _, value = line.rstrip("\n").partition(":")
                event[name] = value.removeprefix(" ")
                continue
            if event.get("event") == "output":
                times.append(time.monotonic() - began)
                for text in json.loads(event["data"])["text"].splitlines():
                    say(f"   {times[-1]:7.2f} s  {text}")
            elif event.get("event") == "statement":
                connection.close()
                return times, json.loads(event["data"])
            event = {}
        raise Failed(f"the stream of {path} ended before its statement")

    def delete(self):
        began = time.monotonic()
        self.client.call("DELETE", self.path)
        took = time.monotonic() - began
        say()
        say(f"   {took:7.2f} s  DELETE {self.path}: gone, with its driver and all its children")
        self.told.append(("deleted", "gone", took))

    def show_summary(self):
        say("   session                    end        after")
        for what, end, took in self.told:
            colour = {"ok": "success", "error": "dead"}.get(end, end)
            say(f"   {what:<25}  {paint(f'{end:<9}', colour)}  {took * 1e3:8.1f} ms")


def show(data):
    """The output of a statement: its text, or its table."""
    lines = data.get("text/plain", "").splitlines()
    if "application/json" in data:
        table = data["application/json"]
        names = [field["name"] for field in table["schema"]["fields"]]
        rows = [names, *([str(value) for value in row] for row in table["data"])]
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = ["  ".join(f"{value:<{width}}" for value, width in zip(row, widths)).rstrip()
                 for row in rows]
    for line in lines:
        say("       " + line[:106])


def save_plot(session, file):
    output = session.run("plot from Spark's data", PLOT, shown=False)
    try:
        png = base64.b64decode(output["data"]["text/plain"].strip(), validate=True)
        size = struct.unpack(">II", png[16:24])
    except (binascii.Error, struct.error) as error:
        raise Failed(f"the plot cannot be read: {error}") from None
    expect(png.startswith(b"\x89PNG") and size == PLOT_SIZE, f"a PNG of {PLOT_SIZE}", size)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(png)
    say(f"       {len(png)} bytes, {size[0]} × {size[1]}, saved as {file}")


def show_a_mistake(session):
    output = session.run("a mistake", MISTAKE, status="error")
    expect(output["ename"] == "ZeroDivisionError"
           and "return sum(numbers)" in "".join(output["traceback"]), "a ZeroDivisionError with its source", output)


def watch_output(session):
    path, began = session.post(SLOW)
    times, seen = session.stream(path, began)
    took = time.monotonic() - began
    expect(seen["state"] == "available" and seen["output"]["status"] == "ok", "ok", seen)
    say("       10")
    expect(seen["output"]["data"]["text/plain"].endswith("\n10"), "10 as its value", seen)
    expect(times and times[0] < took, "output before its end", [times, took])
    session.told.append(("first output, streamed", "ok", times[0]))
    session.told.append(("all of that statement", "ok", took))


def interrupt(session):
    path, _ = session.post("while True: pass")
    after, _ = session.post("6 * 7")
    state, etag = session.client.get(path)
    while state["state"] == "waiting":
        state, etag = session.client.get(path, etag)
    expect(state["state"] == "running", "a running loop", state)
    began = time.monotonic()
    session.client.call("POST", path + "/cancel")
    seen = session.until_over(path)
    took = time.monotonic() - began
    expect(seen["state"] == "cancelled", "a cancelled loop", seen)
    say(f"       POST {path}/cancel: {paint('cancelled', 'cancelled')} "
        + paint(f"after {took * 1e3:.1f} ms", "dim"))
    session.told.append(("endless loop interrupted", "cancelled", took))
    seen = session.until_over(after)
    expect(seen["output"]["data"] == {"text/plain": "42"}, "42 from the statement behind it", seen)
    say("       and the statement that waited behind it: 42")


def a_session(client, address, plot):
    heading(4, "A session")
    session = Session(client, address)
    output = session.run("an expression", "1 + 1")
    expect(output["data"] == {"text/plain": "2"}, "2", output)
    output = session.run("a DataFrame", FRAME)
    expect(output["data"]["text/plain"].strip() == TABLE, "the table of two fruits", output)
    output = session.run("SQL on the same data", QUERY, kind="sql")
    table = output["data"]["application/json"]
    expect(table["data"] == [["apples", 4], ["pears", 5]], "two rows", table)
    save_plot(session, plot)
    show_a_mistake(session)
    watch_output(session)
    interrupt(session)
    session.delete()
    return session
