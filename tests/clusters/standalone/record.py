# SPDX-License-Identifier: Apache-2.0
"""Writes down what a real master and worker answer, for the fake ones to answer the same:

tools/clusters run standalone --spark 4 -- python3 tests/clusters/standalone/record.py 4 FOLDER

Each file is one exchange. Ports, ids and times are as they were; paths of the machine are replaced.
"""

import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from asking import JOBS, ask, compile_jar, until  # noqa: E402
from daemon import Daemon  # noqa: E402


class Recorder:
    def __init__(self, daemon, folder, work):
        self.daemon, self.folder, self.work = daemon, folder, work
        self.gates = 0

    def record(self, name, method, url, body=None):
        answer = ask(method, url, body)
        headers = {key: value for key, value in answer.headers.items() if key != "Date"}
        base = url.partition("://")[2]
        exchange = {"request": {"method": method, "path": base[base.index("/"):], "body": body},
                    "answer": {"status": answer.status, "headers": headers, "body": answer.text}}
        text = json.dumps(exchange, indent=1)
        for path, word in ((str(self.daemon.folder), "/cluster"), (str(self.work), "/work"),
                           (str(JOBS), "/jobs"), (os.environ["JAVA_HOME"], "/java"),
                           (os.environ[f"SPARKHOST_TEST_SPARK{self.daemon.line}"], "/spark")):
            text = text.replace(path, word)
        (self.folder / f"{name}.json").write_text(text + "\n")
        return answer

    def create(self, name, body):
        answer = self.record(name, "POST", f"{self.daemon.rest}/v1/submissions/create", body)
        return json.loads(answer.text).get("submissionId") if answer.status == 200 else None

    def status(self, name, driver):
        self.record(name, "GET", f"{self.daemon.rest}/v1/submissions/status/{driver}")

    def kill(self, name, driver):
        self.record(name, "POST", f"{self.daemon.rest}/v1/submissions/kill/{driver}")

    def list(self, name):
        self.record(name, "GET", f"{self.daemon.web}/json/")

    def gate(self):
        self.gates += 1
        path = self.work / f"gate-{self.gates}"
        os.mkfifo(path)
        return path


def record_refusals(one, jar):
    daemon, good = one.daemon, one.daemon.body(jar, "exit", 0)

    def without(key):
        return {name: value for name, value in good.items() if name != key}

    for key in ("appArgs", "environmentVariables", "appResource", "mainClass", "sparkProperties",
                "clientSparkVersion", "action"):
        one.create(f"create-without-{key}", without(key))
    properties = dict(good["sparkProperties"])
    for key in ("spark.app.name", "spark.master", "spark.driver.memory"):
        rest = {name: value for name, value in properties.items() if name != key}
        one.create(f"create-without-{key}", {**good, "sparkProperties": rest})
    one.create("create-bad-memory", daemon.body(jar, "exit", 0, driver_memory="much"))
    one.create("create-bad-cores", daemon.body(jar, "exit", 0, driver_cores="x"))
    one.create("create-no-cores", daemon.body(jar, "exit", 0, driver_cores="0"))
    one.create("create-unknown-field", {**good, "color": "red"})
    one.create("create-unknown-action", {**good, "action": "Dance"})
    rest = f"{daemon.rest}"
    one.record("create-no-json", "POST", f"{rest}/v1/submissions/create", "{no")
    one.record("create-empty", "POST", f"{rest}/v1/submissions/create", "")
    one.record("create-wrong-version", "POST", f"{rest}/v9/submissions/create", good)
    one.record("wrong-path", "GET", f"{rest}/v1/submissions/nothing/x")
    one.record("status-without-id", "GET", f"{rest}/v1/submissions/status/")
    one.record("readyz", "GET", f"{rest}/v1/submissions/readyz")
    one.status("status-unknown", "driver-20000101000000-0000")
    one.kill("kill-unknown", "driver-20000101000000-0000")
    one.record("json-field", "GET", f"{daemon.web}/json/aliveworkers")
    one.record("json-unknown-field", "GET", f"{daemon.web}/json/nothing")


def record_ends(one, jar):
    daemon = one.daemon
    cases = {"finished": daemon.body(jar, "print", "hello", "lines", 5, "exit", 0),
             "failed": daemon.body(jar, "error", "so bad", "exit", 3),
             "thrown": daemon.body(jar, "throw", "on purpose"),
             "missing-class": {**daemon.body(jar), "mainClass": "no.such.Main"},
             "missing-jar": daemon.body("/no/such.jar")}
    for name, body in cases.items():
        driver = one.create(f"create-{name}", body)
        daemon.until_over(driver)
        one.status(f"status-{name}", driver)
        if name == "finished":
            finished = driver
            one.kill("kill-finished", driver)
    web = daemon.worker_web()
    for name, query in {
            "log-stdout": f"driverId={finished}&logType=stdout&offset=0&byteLength=1000",
            "log-part": f"driverId={finished}&logType=stdout&offset=1&byteLength=3",
            "log-tail": f"driverId={finished}&logType=stdout&byteLength=3",
            "log-behind-end": f"driverId={finished}&logType=stdout&offset=5000&byteLength=50",
            "log-without-offset": f"driverId={finished}&logType=stdout",
            "log-bad-type": f"driverId={finished}&logType=secrets&offset=0&byteLength=10",
            "log-unknown-driver": "driverId=driver-20000101000000-0000&logType=stdout",
            "log-no-driver": "logType=stdout"}.items():
        one.record(name, "GET", f"{web}/log/?{query}")
    one.list("json-ended")


def record_running(one, jar):
    daemon, begun, end = one.daemon, one.gate(), one.gate()
    driver = one.create("create-running", daemon.body(jar, "open", begun, "wait", end))
    begun.read_text()
    one.status("status-running", driver)
    one.list("json-running")
    one.kill("kill-running", driver)
    one.kill("kill-again", driver)
    daemon.until_over(driver)
    one.status("status-killed", driver)
    one.list("json-killed")


def record_python(one):
    """The application of a driver in Python, as the master lists it."""
    daemon, end = one.daemon, one.gate()
    words = ["--master", daemon.master, "--conf", "spark.executor.memory=512m", "--conf",
             "spark.cores.max=1", str(JOBS / "pi.py"), "2", "wait", str(end)]
    body = {**daemon.body("x", *words, driver_memory="512m"), "appResource": "",
            "mainClass": "org.apache.spark.deploy.SparkSubmit"}
    driver = one.create("create-python", body)
    daemon.until_state(driver, "RUNNING")
    until(lambda: daemon.log(driver), lambda text: "Pi is roughly" in text, "Pi", 120)
    one.list("json-application")
    end.write_text("x")
    daemon.until_over(driver)
    one.list("json-application-ended")


def record_waiting(one, jar):
    """Nobody has room for a driver, then nobody is there."""
    daemon = one.daemon
    large = one.create("create-too-large", daemon.body(jar, "exit", 0, driver_memory="90g"))
    one.status("status-too-large", large)
    one.kill("kill-waiting", large)
    one.status("status-waiting-killed", large)
    begun, end = one.gate(), one.gate()
    lost = one.create("create-lost", daemon.body(jar, "open", begun, "wait", end))
    begun.read_text()
    daemon.kill("worker")
    until(lambda: daemon.status(lost).get("driverState"), lambda seen: seen != "RUNNING", "the loss")
    one.status("status-lost", lost)
    waiting = one.create("create-waiting", daemon.body(jar, "exit", 0))
    one.status("status-waiting", waiting)
    one.list("json-no-worker")
    daemon.restart("worker")
    daemon.until_over(waiting)


def record_recovering(one, jar):
    """The master starts again: with its worker, then without it, which it waits for."""
    daemon, begun, end = one.daemon, one.gate(), one.gate()
    ended = daemon.create(daemon.body(jar, "exit", 0))
    daemon.until_over(ended)
    driver = daemon.create(daemon.body(jar, "open", begun, "wait", end))
    begun.read_text()
    daemon.restart("master")
    daemon.until_state(driver, "RUNNING")
    one.status("status-recovered", driver)
    one.status("status-ended-before-restart", ended)
    one.list("json-recovered")
    daemon.kill("master")
    daemon.kill("worker")
    daemon.restart("master")
    one.list("json-recovering")
    one.create("create-recovering", daemon.body(jar, "exit", 0))
    one.status("status-recovering", driver)
    one.status("status-unknown-recovering", "driver-20000101000000-0000")
    one.kill("kill-recovering", driver)
    daemon.restart("worker")
    one.status("status-recovered-without-worker", driver)


def main():
    line, folder = sys.argv[1].replace(".", ""), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        jar = compile_jar("Driver.java", work)
        one = Recorder(Daemon(line), folder, pathlib.Path(work))
        record_refusals(one, jar)
        record_ends(one, jar)
        record_running(one, jar)
        record_python(one)
        record_waiting(one, jar)
        record_recovering(one, jar)


if __name__ == "__main__":
    main()
