# SPDX-License-Identifier: Apache-2.0
"""The daemons of a YARN cluster by plain HTTP."""

import getpass
import os
import pathlib
import urllib.error
import urllib.request

import keeper
from asking import PATIENCE, Answer, ask, until

OVER = ("FINISHED", "FAILED", "KILLED")
USER = getpass.getuser()


def as_user(url):
    return url + ("&" if "?" in url else "?") + f"user.name={USER}"


class Daemon:
    """The cluster that tools/clusters has brought up."""

    def __init__(self):
        name = "SPARKHOST_TEST_YARN"
        if name not in os.environ:
            raise RuntimeError(f"{name} is not set; tools/clusters run yarn sets it")
        self.folder = pathlib.Path(os.environ[name])
        self.rm = os.environ[f"{name}_RM"]
        self.webhdfs = os.environ[f"{name}_WEBHDFS"]
        self.hdfs = os.environ[f"{name}_HDFS"]
        self.log_server = os.environ[f"{name}_LOG_SERVER"]
        self.conf_dir = os.environ[f"{name}_CONF_DIR"]

    def order(self, what, part, *more):
        return keeper.ask(self.folder, {"do": what, "part": part, "arguments": list(more)})

    def kill(self, part):
        self.order("kill", part)

    def restart(self, part):
        self.order("restart", part)

    # ---- applications --------------------------------------------------------------------------

    def info(self):
        return ask("GET", f"{self.rm}/ws/v1/cluster/info").json()["clusterInfo"]

    def metrics(self):
        return ask("GET", f"{self.rm}/ws/v1/cluster/metrics").json()["clusterMetrics"]

    def new_id(self):
        answer = ask("POST", as_user(f"{self.rm}/ws/v1/cluster/apps/new-application"))
        return answer.json()["application-id"]

    def context(self, application, command, **fields):
        """What asks for an application whose master is a line of shell."""
        return {"application-id": application, "application-name": "shell",
                "application-type": "SPARK", "queue": "default", "max-app-attempts": 1,
                "resource": {"memory": 128, "vCores": 1},
                "am-container-spec": {"commands": {
                    "command": f"{{ {command}; }} 1> <LOG_DIR>/stdout 2> <LOG_DIR>/stderr"}}, **fields}

    def post(self, context):
        return ask("POST", as_user(f"{self.rm}/ws/v1/cluster/apps"), context)

    def submit(self, command, **fields):
        """Gives the application's id once it is stored."""
        application = self.new_id()
        assert self.post(self.context(application, command, **fields)).status == 202
        self.until_state(application, "SUBMITTED", "ACCEPTED", "RUNNING", *OVER)
        return application

    def application(self, name):
        """None where there is none."""
        answer = ask("GET", f"{self.rm}/ws/v1/cluster/apps/{name}")
        return answer.json()["app"] if answer.status == 200 else None

    def applications(self, *states):
        """By their ids, with their states."""
        query = f"?states={','.join(states)}" if states else ""
        found = ask("GET", f"{self.rm}/ws/v1/cluster/apps{query}").json()["apps"] or {}
        return {one["id"]: one["state"] for one in found.get("app", [])}

    def active(self):
        """Those that are not over."""
        return self.applications("NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED", "RUNNING")

    def kill_application(self, name):
        return ask("PUT", as_user(f"{self.rm}/ws/v1/cluster/apps/{name}/state"),
                   {"state": "KILLED"})

    def until_state(self, name, *states, seconds=PATIENCE):
        return until(lambda: self.application(name) or {},
                     lambda seen: seen.get("state") in states, name, seconds)

    def until_over(self, name, seconds=PATIENCE):
        return self.until_state(name, *OVER, seconds=seconds)

    # ---- logs ----------------------------------------------------------------------------------

    @staticmethod
    def container(application):
        """Of its master, as the ResourceManager tells it."""
        return application["amContainerLogs"].split("/")[-2]

    def aggregated(self, container, file="stdout", query=""):
        return ask("GET",
                   f"{self.log_server}/ws/v1/history/containerlogs/{container}/{file}{query}")

    # ---- files ---------------------------------------------------------------------------------

    def file(self, method, path, operation, body=None):
        return ask(method, as_user(f"{self.webhdfs}/webhdfs/v1{path}?op={operation}"), body)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def ask_once(method, url, data=None):
    """As `ask`, but goes nowhere else."""
    request = urllib.request.Request(url, data, method=method)
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=30) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read().decode())
    except urllib.error.HTTPError as error:
        return Answer(error.code, dict(error.headers), error.read().decode())
