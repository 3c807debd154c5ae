# SPDX-License-Identifier: Apache-2.0
"""A master and its worker by plain HTTP, the standard library only."""

import json
import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

import keeper

JOBS = pathlib.Path(__file__).resolve().parents[1] / "jobs"
OVER = ("FINISHED", "FAILED", "ERROR", "KILLED")
# of a driver that does little; the master of 3.5 does not open Java's modules to it
OPENED = ("lang", "lang.invoke", "lang.reflect", "io", "net", "nio", "util", "util.concurrent",
          "util.concurrent.atomic")
QUICK = " ".join(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *(
    f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in (
        *(f"java.{package}" for package in OPENED), "sun.nio.ch", "sun.nio.cs",
        "sun.security.action", "sun.util.calendar"))])


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    def json(self):
        return json.loads(self.text)


def ask(method, url, body=None, timeout=30):
    """Whatever the server answers; a body that is no text is sent as JSON."""
    data = None
    if body is not None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json;charset=UTF-8"},
                                     method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read().decode())
    except urllib.error.HTTPError as error:
        return Answer(error.code, dict(error.headers), error.read().decode())


def until(look, holds, what, seconds=60):
    """Looks until what is seen is as wanted."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if holds(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s; it is {seen}")
        time.sleep(0.05)


class Daemon:
    """The cluster of a line of Spark ("35", "4"), which tools/clusters has brought up."""

    def __init__(self, line):
        name = f"SPARKHOST_TEST_STANDALONE{line}"
        if name not in os.environ:
            raise RuntimeError(f"{name} is not set; tools/clusters run standalone sets it")
        self.line = line
        self.folder = pathlib.Path(os.environ[name])
        self.master = os.environ[name + "_MASTER"]
        self.rest = os.environ[name + "_REST"]
        self.web = os.environ[name + "_WEB"]

    def order(self, what, part, *more):
        return keeper.ask(self.folder, {"do": what, "part": part, "arguments": list(more)})

    def kill(self, part):
        self.order("kill", part)

    def restart(self, part):
        self.order("restart", part)

    # ---- drivers -------------------------------------------------------------------------------

    def body(self, jar, *words, **properties):
        """What asks for a Driver (jobs/Driver.java); a keyword is a property: driver_memory."""
        more = {f"spark.{name.replace('_', '.')}": value for name, value in properties.items()}
        return {"action": "CreateSubmissionRequest", "clientSparkVersion": "3.5.0",
                "appResource": f"file:{jar}", "mainClass": "Driver",
                "appArgs": [str(word) for word in words], "environmentVariables": {},
                "sparkProperties": {"spark.app.name": "driver", "spark.master": self.master,
                                    "spark.submit.deployMode": "cluster",
                                    "spark.driver.memory": "256m", "spark.driver.cores": "1",
                                    "spark.driver.extraJavaOptions": QUICK, **more}}

    def create(self, body):
        """Gives the driver's id."""
        answer = ask("POST", f"{self.rest}/v1/submissions/create", body).json()
        assert answer["success"], answer
        return answer["submissionId"]

    def status(self, driver):
        return ask("GET", f"{self.rest}/v1/submissions/status/{driver}").json()

    def kill_driver(self, driver):
        return ask("POST", f"{self.rest}/v1/submissions/kill/{driver}").json()

    def until_state(self, driver, *states, seconds=60):
        return until(lambda: self.status(driver),
                     lambda seen: seen.get("driverState") in states, driver, seconds)

    def until_over(self, driver, seconds=60):
        return self.until_state(driver, *OVER, seconds=seconds)["driverState"]

    # ---- lists and logs ------------------------------------------------------------------------

    def state(self):
        return ask("GET", f"{self.web}/json/").json()

    def worker_web(self):
        return [one for one in self.state()["workers"] if one["state"] == "ALIVE"][0]["webuiaddress"]

    def log(self, driver, kind="stdout", offset=0, size=100000):
        """The text, without its first line."""
        page = ask("GET", f"{self.worker_web()}/log/?driverId={driver}&logType={kind}"
                          f"&offset={offset}&byteLength={size}").text
        head, _, text = page.partition("\n")
        assert head.startswith("==== Bytes "), page
        return text


def compile_jar(source, folder):
    """A class of jobs/ as a jar, for any line of Spark."""
    java, home = os.environ["JAVA_HOME"], os.environ["SPARKHOST_TEST_SPARK35"]
    name = pathlib.Path(source).stem
    classes = pathlib.Path(folder) / f"{name}.classes"
    jar = pathlib.Path(folder) / f"{name.lower()}.jar"
    subprocess.run([f"{java}/bin/javac", "--release", "17", "-cp", f"{home}/jars/*", "-d",
                    str(classes), str(JOBS / source)], check=True)
    subprocess.run([f"{java}/bin/jar", "cf", str(jar), "-C", str(classes), "."], check=True)
    return jar
