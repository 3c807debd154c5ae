# SPDX-License-Identifier: Apache-2.0
"""A cluster that a keeper holds, as tests see it."""

import os
import pathlib
import time

import keeper
import users
from api import Api, ApiError
from asking import PATIENCE


class Cluster:
    """The cluster of a folder; by default the one in the environment."""

    namespace = "jobs"

    def __init__(self, folder=None):
        folder = folder or os.environ.get("SPARKHOST_TEST_KUBERNETES")
        if not folder:
            raise RuntimeError("SPARKHOST_TEST_KUBERNETES is not set; tools/clusters run sets it")
        self.folder = pathlib.Path(folder)
        status = self.ask("status")
        self.address = status["api"]
        self.kubeconfigs = status["kubeconfigs"]
        self.admin = self.api()

    def ask(self, order, part=None, *arguments):
        return keeper.ask(self.folder, {"do": order, "part": part, "arguments": list(arguments)})

    def kill(self, part):
        self.ask("kill", part)

    def restart(self, part, *arguments):
        self.ask("restart", part, *arguments)

    def api(self, certificate="admin", token=None):
        return Api(self.address, self.folder / "pki/ca.crt",
                   None if token else self.folder / "pki" / certificate, token)

    def token(self, account, seconds=3600):
        return users.token(self.admin, self.namespace, account, seconds)

    # ---- objects -------------------------------------------------------------------------------

    def path(self, kind, name="", namespace=None):
        base = f"/api/v1/namespaces/{namespace or self.namespace}/{kind}"
        return f"{base}/{name}" if name else base

    def create(self, kind, body, namespace=None):
        return self.admin.post(self.path(kind, namespace=namespace), body)

    def get(self, kind, name):
        """None when there is none."""
        try:
            return self.admin.get(self.path(kind, name))
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def items(self, kind, selector=""):
        query = f"?labelSelector={selector}" if selector else ""
        return self.admin.get(self.path(kind) + query)["items"]

    def version(self, kind):
        """Where the history of these objects is now."""
        return self.admin.get(self.path(kind) + "?limit=1")["metadata"]["resourceVersion"]

    def has_expired(self, kind, version):
        """Whether a watch from this version gets a 410, as an answer or an event."""
        try:
            return any(event["type"] == "ERROR" and event["object"]["code"] == 410
                       for event in self.admin.watch(self.path(kind) + "?timeoutSeconds=1", version))
        except ApiError as error:
            if error.code != 410:
                raise
            return True

    def delete(self, kind, name, grace=0):
        try:
            return self.admin.delete(self.path(kind, name), {
                "kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": grace,
                "propagationPolicy": "Background"})
        except ApiError as error:
            if error.code != 404:
                raise
            return None

    def log(self, pod, query=""):
        return self.admin.text(self.path("pods", pod) + "/log" + query)

    def events(self, name):
        """The events about an object: reason and message."""
        found = self.admin.get(self.path("events")
                               + f"?fieldSelector=involvedObject.name%3D{name}")["items"]
        return [(one["reason"], one["message"]) for one in found]

    def wait_for(self, name, holds, seconds=PATIENCE):
        """Until a pod is as wanted; gives it, or None when it is gone and that is wanted."""
        return until(lambda: self.get("pods", name), holds, f"pod {name}", seconds)

    def wait_over(self, name, seconds=PATIENCE):
        return self.wait_for(name, lambda pod: phase(pod) in ("Succeeded", "Failed"), seconds)

    def wait_gone(self, name, seconds=PATIENCE):
        self.wait_for(name, lambda pod: pod is None, seconds)


def until(look, holds, what, seconds=PATIENCE):
    """Looks until what is seen is as wanted."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if holds(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s; it is {seen}")
        time.sleep(0.05)


def phase(pod):
    return pod["status"].get("phase") if pod else None


def state(pod, container=0):
    """The state of a container: its name and its details."""
    statuses = pod["status"].get("containerStatuses") or []
    if not statuses:
        return "none", {}
    return next(iter(statuses[container]["state"].items()), ("none", {}))


def pod(name, *command, image="sparkhost-test/spark:stub", **spec):
    """A pod that runs a command."""
    metadata = spec.pop("metadata", {})
    main = {"name": "main", "image": image, "command": list(command), **spec.pop("container", {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata},
            "spec": {"restartPolicy": "Never", "containers": [main],
                     "terminationGracePeriodSeconds": 5, **spec}}


def said(*lines, failed=None):
    """The whole log of a batch, as Livy shows it; `failed`: why."""
    return ["stdout: ", *lines, "\nstderr: ", *([failed] if failed else [])]


def submit(server, file, **fields):
    """A batch whose program is no Spark, to which its class means nothing; see images/stub."""
    return server.submit(file, className="Program", **fields)
