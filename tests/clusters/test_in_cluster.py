# SPDX-License-Identifier: Apache-2.0
"""A server in a pod: all that it has of the cluster is the address in its environment and the
folder of its service account."""

import os
import re

import pytest

import users
from api import ApiError
from attached import phase, pod, said, state, submit, until
from blackbox_fixtures import blackbox
from server import READY, Server

FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
BACKEND = "image=sparkhost-test/spark:stub,service-account=spark,kill-grace=2s"


class PodServer(Server):
    """Its process is that of the pod `host`, which run() creates."""

    def __init__(self, cluster, run, data_dir):
        self.cluster, self.run = cluster, run
        super().__init__(data_dir, *blackbox.installation("35"), "--no-local-backend",
                         "--kubernetes", BACKEND)

    def start(self):
        self.name = self.run(pod("host", *self.command, serviceAccountName="host"))
        begun = self.cluster.wait_for(
            self.name, lambda one: state(one)[0] in ("running", "terminated"))
        folder = self.cluster.folder / "kubelet/pods" / begun["metadata"]["uid"]
        self.log, = folder.glob("*.log")
        self.token, = folder.glob("volumes/kube-api-access-*/token")
        self.wait_ready()

    def ready_line(self):
        line = re.compile(f"^{READY}.*\n", re.MULTILINE)
        return line.search(until(lambda: self.cluster.log(self.name), line.search, "ready"))[0]


@pytest.fixture
def account(cluster):
    """The service account `host`, which may do what sparkhost needs; and that alone."""
    cluster.create("serviceaccounts", {"metadata": {"name": "host"}})
    for path, body in users.role(cluster.namespace, "host", users.SPARKHOST_RULES):
        cluster.admin.post(path, body)
    return "host"


@pytest.fixture
def server(cluster, run, folder, account):
    one = PodServer(cluster, run, folder / "data")
    yield one
    one.delete_all()
    one.client.close()


def is_taken(cluster, token):
    try:
        cluster.api(token=token).get(cluster.path("pods"))
        return True
    except ApiError as error:
        assert error.code == 401, str(error)
        return False


def renew(cluster, account):
    """Makes the account anew: its tokens end, though the API server remembers them for a while.
    Gives a token of the new one, which is taken."""
    cluster.delete("serviceaccounts", account)
    cluster.create("serviceaccounts", {"metadata": {"name": account}})
    token = cluster.token(account)
    until(lambda: is_taken(cluster, token), bool, "the new token")
    return token


def replace(file, text):
    """In one step, as a kubelet does."""
    new = file.with_name("new")
    new.write_text(text)
    os.replace(new, file)


def test_a_server_in_a_pod_works_by_its_service_account_and_its_next_token(
        cluster, server, account, program):
    where = program(f"cat {FOLDER}/namespace")
    first = submit(server, where)
    assert server.until_over(first)["state"] == "success", str(server.native(first))
    assert server.whole_log(first) == said(cluster.namespace)

    old = server.token.read_text()
    replace(server.token, renew(cluster, account))
    until(lambda: is_taken(cluster, old), lambda taken: not taken, "the end of the old token")
    second = submit(server, where)
    assert server.until_over(second)["state"] == "success", str(server.native(second))
    assert server.whole_log(second) == said(cluster.namespace)
    assert phase(cluster.get("pods", server.name)) == "Running"
