# SPDX-License-Identifier: Apache-2.0
"""The objects of drivers before a real API server: it takes them all, and what it makes of ours is
what it makes of spark-submit's."""

import importlib.util
import json
import os
import pathlib
import re
import subprocess

import pytest

from api import ApiError
from attached import until

MATRIX = pathlib.Path(__file__).parent.parent / "kubernetes" / "spark_submit"
KINDS = {"ConfigMap": "configmaps", "Pod": "pods", "Service": "services", "Secret": "secrets",
         "PersistentVolumeClaim": "persistentvolumeclaims"}
# Its Service asks for IPv6, which the cluster does not have.
NOT_HERE = "addresses"
# The names of things, and what the API server adds by chance. docs/kubernetes_objects.md explains the
# rest.
DIFFERENT = re.compile(
    r"/nodeName|.*/kube-api-access-\w+.*|.*/SPARK_USER/value|.*/SPARK_APPLICATION_ID/value|"
    r".*/SPARK_LOCAL_DIRS/value|.*/spark-local-dir-1/mountPath|"
    r"/volumes/spark-conf-volume-driver/configMap/name")


def load_recorder():
    spec = importlib.util.spec_from_file_location("record", MATRIX / "record.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def our_objects(version):
    """The objects of each case, as the backend would send them."""
    done = subprocess.run([os.environ["SPARKHOST_PRINT_OBJECTS"], str(MATRIX / "matrix.json"),
                           version, "jobs"], check=True, capture_output=True, text=True, timeout=240)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) > 30
    return {line["case"]: line["objects"] for line in lines}


def try_create(cluster, body):
    """What the API server would store."""
    return cluster.admin.post(cluster.path(KINDS[body["kind"]]) + "?dryRun=All", body)


@pytest.fixture(scope="module", autouse=True)
def priority(cluster):
    """The priority class that a template of the matrix names."""
    path = "/apis/scheduling.k8s.io/v1/priorityclasses"
    cluster.admin.post(path, {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
                              "metadata": {"name": "high"}, "value": 1000})
    yield
    cluster.admin.delete(path + "/high")


@pytest.mark.parametrize("version", ["3.5.9", "4.3.0"])
def test_the_api_server_takes_every_case(cluster, version):
    refused = {}
    for case, objects in our_objects(version).items():
        for body in objects:
            try:
                try_create(cluster, body)
            except ApiError as error:
                refused[case, body["kind"]] = str(error)
    assert list(refused) == [(NOT_HERE, "Service")], refused


def flat(value, path=""):
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = ((entry.get("name", str(at)) if isinstance(entry, dict) else str(at), entry)
                 for at, entry in enumerate(value))
    else:
        return {path: value}
    found = {}
    for key, part in parts:
        found.update(flat(part, f"{path}/{key}"))
    return found


def test_a_pod_is_what_the_server_makes_of_that_of_spark_submit(cluster, tmp_path):
    recorder = load_recorder()
    cases = {case["name"]: case for case in json.loads((MATRIX / "matrix.json").read_text())["cases"]}
    case = cases["cores"]
    words = recorder.submission(case, cluster.address, str(tmp_path))
    environment = {**os.environ, "KUBECONFIG": cluster.kubeconfigs["admin"], "SPARK_USER": "alice",
                   "SPARK_CONF_DIR": str(tmp_path), "SPARK_HOME": os.environ["SPARKHOST_TEST_SPARK35"],
                   "SPARK_SUBMIT_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
    done = subprocess.run([environment["SPARK_HOME"] + "/bin/spark-submit", *words], env=environment,
                          capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    sparks = until(lambda: cluster.items("pods", "spark-app-name%3Dc,spark-role%3Ddriver"),
                   lambda pods: len(pods) == 1, "the driver pod of spark-submit")[0]
    cluster.delete("pods", sparks["metadata"]["name"])
    ours = next(body for body in our_objects("3.5.9")["cores"] if body["kind"] == "Pod")
    left, right = (flat(pod["spec"]) for pod in (try_create(cluster, ours), sparks))
    different = {path: (left.get(path), right.get(path)) for path in {**left, **right}
                 if left.get(path) != right.get(path) and not DIFFERENT.fullmatch(path)}
    assert not different
