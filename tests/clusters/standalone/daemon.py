# SPDX-License-Identifier: Apache-2.0
"""A master and its worker by plain HTTP."""

import os
import pathlib

import keeper
from asking import PATIENCE, ask, until

OVER = ("FINISHED", "FAILED", "ERROR", "KILLED")
# of a driver that does little; the master of 3.5 does not open Java's modules to it
OPENED = ("lang", "lang.invoke", "lang.reflect", "io", "net", "nio", "util", "util.concurrent",
          "util.concurrent.atomic")
QUICK = " ".join(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *(
    f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in (
        *(f"java.{package}" for package in OPENED), "sun.nio.ch", "sun.nio.cs",
        "sun.security.action", "sun.util.calendar"))])


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

    def until_state(self, driver, *states, seconds=PATIENCE):
        return until(lambda: self.status(driver),
                     lambda seen: seen.get("driverState") in states, driver, seconds)

    def until_over(self, driver, seconds=PATIENCE):
        return self.until_state(driver, *OVER, seconds=seconds)["driverState"]

    def has_dropped(self, driver):
        """Whether its worker was told to end it, by a user or by a master that came back: where the
        worker registers by itself, every 5 to 15 s, before that master has asked for its drivers,
        the master takes them for strangers (Master's WorkerLatestState)."""
        log = (self.folder / "logs/worker.log").read_text(errors="replace")
        return f"Asked to kill driver {driver}" in log

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
