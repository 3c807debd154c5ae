# SPDX-License-Identifier: Apache-2.0
"""The test cluster itself: what pods, users and the API server do there."""

import json
import os
import ssl

import pytest

from api import ApiError
from attached import phase, pod, state, until


def test_a_pod_runs_to_its_end_and_tells_its_exit_code(cluster, run):
    run(pod("good", "sh", "-c", "echo hello from $(hostname); exit 0"))
    run(pod("bad", "sh", "-c", "echo no >&2; exit 7"))
    good, bad = cluster.wait_over("good"), cluster.wait_over("bad")
    assert phase(good) == "Succeeded" and cluster.log("good") == "hello from good\n"
    assert phase(bad) == "Failed" and cluster.log("bad") == "no\n"
    assert state(bad)[1]["exitCode"] == 7
    reasons = [reason for reason, _ in cluster.events("good")]
    assert {"Scheduled", "Pulled", "Created", "Started"} <= set(reasons)


def test_volumes_and_variables_reach_the_program(cluster, run):
    cluster.create("configmaps", {"metadata": {"name": "settings"}, "data": {"a": "1", "b": "2"}})
    cluster.create("secrets", {"metadata": {"name": "hidden"}, "stringData": {"word": "sesame"}})
    volumes = [{"name": "v", "projected": {"sources": [
        {"configMap": {"name": "settings", "items": [{"key": "a", "path": "x/a"}]}},
        {"secret": {"name": "hidden"}}]}}, {"name": "e", "emptyDir": {}}]
    mounts = [{"name": "v", "mountPath": "/opt/sparkhost/deep"}, {"name": "e", "mountPath": "/e"}]
    run(pod("volumes", "sh", "-c", "cat /opt/sparkhost/deep/x/a /opt/sparkhost/deep/word; "
            "echo; echo $WORD $IP; touch /e/file; "
            "ls /var/run/secrets/kubernetes.io/serviceaccount; grep -c sesame /proc/*/cmdline",
            volumes=volumes, container={"volumeMounts": mounts, "env": [
                {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "word"}}},
                {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]}))
    over = cluster.wait_over("volumes")
    lines = cluster.log("volumes").splitlines()
    assert lines[:2] == ["1sesame", f"sesame {over['status']['podIP']}"]
    assert {"ca.crt", "namespace", "token"} <= set(lines)
    assert not os.path.exists("/opt/sparkhost/deep") and not os.path.exists("/e")


def test_a_pod_waits_for_its_config_map_and_says_so(cluster, run):
    name = run(pod("patient", "cat", "/conf/k", container={
        "volumeMounts": [{"name": "c", "mountPath": "/conf"}]},
        volumes=[{"name": "c", "configMap": {"name": "late", "items": [{"key": "k", "path": "k"}]}}]))
    until(lambda: cluster.events(name), lambda events: any(
        reason == "FailedMount" and 'configmap "late" not found' in text
        for reason, text in events), "FailedMount")
    assert state(cluster.get("pods", name)) == ("waiting", {"reason": "ContainerCreating"})
    cluster.create("configmaps", {"metadata": {"name": "late"}, "data": {"other": ""}})
    until(lambda: cluster.events(name), lambda events: any(
        "references non-existent config key: k" in text for _, text in events), "the key")
    cluster.delete("configmaps", "late")
    cluster.create("configmaps", {"metadata": {"name": "late"}, "data": {"k": "came\n"}})
    cluster.wait_over(name)
    assert cluster.log(name) == "came\n"


def test_an_image_that_is_unknown_cannot_be_pulled(cluster, run):
    name = run(pod("imageless", "true", image="example.org/none:1"))
    for reason in ("ErrImagePull", "ImagePullBackOff"):
        cluster.wait_for(name, lambda one, reason=reason: state(one)[1].get("reason") == reason)
    assert phase(cluster.get("pods", name)) == "Pending"


def test_a_pod_that_is_too_large_waits_for_a_node(cluster, run):
    name = run(pod("large", "true", container={"resources": {"requests": {"memory": "100Ti"}}}))
    seen = cluster.wait_for(name, lambda one: one["status"].get("conditions"))
    condition = seen["status"]["conditions"][0]
    assert condition["reason"] == "Unschedulable"
    assert condition["message"].startswith("0/1 nodes are available: 1 Insufficient memory.")
    until(lambda: cluster.events(name), lambda events: events, "events")
    assert cluster.events(name)[0][0] == "FailedScheduling"


def test_a_finalizer_keeps_the_object_with_its_end(cluster, run):
    name = run(pod("kept", "sleep", "1000", metadata={"finalizers": ["sparkhost.io/test"]}))
    cluster.wait_for(name, lambda one: phase(one) == "Running")
    cluster.delete("pods", name, grace=1)
    over = cluster.wait_over(name)
    assert over["metadata"]["deletionTimestamp"] and state(over)[1]["exitCode"] in (137, 143)
    cluster.admin.patch(cluster.path("pods", name), {"metadata": {"finalizers": None}})
    cluster.wait_gone(name)


def test_a_log_is_followed_while_the_pod_runs(cluster, run, folder):
    os.mkfifo(folder / "gate")
    name = run(pod("chatty", "sh", "-c", f"echo one; read go < {folder}/gate; echo two"))
    cluster.wait_for(name, lambda one: phase(one) == "Running")
    path = cluster.path("pods", name) + "/log?follow=true&timestamps=true"
    with cluster.admin.open("GET", path) as stream:
        assert stream.readline().endswith(b"Z one\n")
        (folder / "gate").write_text("go\n")
        assert stream.readline().endswith(b"Z two\n")
        assert stream.read() == b""


def test_a_pod_that_has_not_begun_has_no_log(cluster, run):
    name = run(pod("unborn", "true", image="example.org/none:1"))
    cluster.wait_for(name, lambda one: state(one)[0] == "waiting")
    with pytest.raises(ApiError) as refused:
        cluster.log(name)
    assert refused.value.code == 400 and "is waiting to start" in refused.value.message


def test_pods_run_on_while_the_api_server_is_away(cluster, run, folder):
    os.mkfifo(folder / "gate")
    name = run(pod("steady", "sh", "-c", f"read go < {folder}/gate; exit 3"))
    cluster.wait_for(name, lambda one: phase(one) == "Running")
    cluster.kill("kube-apiserver")
    with pytest.raises(OSError):
        cluster.admin.get("/readyz")
    (folder / "gate").write_text("go\n")
    cluster.restart("kube-apiserver")
    assert state(cluster.wait_over(name))[1]["exitCode"] == 3


def test_who_may_not_is_told_so(cluster):
    kinds = {}
    for name in ("admin", "sparkhost", "powerless", "restricted", "wrong-token"):
        user = json.loads(open(cluster.kubeconfigs[name], encoding="utf-8").read())["users"][0]["user"]
        if "tokenFile" in user:
            api = cluster.api(token=open(user["tokenFile"], encoding="utf-8").read())
        else:
            api = cluster.api(certificate=name)
        for space in ("jobs", "forbidden"):
            try:
                api.get(f"/api/v1/namespaces/{space}/pods")
                kinds[name, space] = 200
            except ApiError as error:
                kinds[name, space] = error.code
    assert kinds == {
        ("admin", "jobs"): 200, ("admin", "forbidden"): 200,
        ("sparkhost", "jobs"): 200, ("sparkhost", "forbidden"): 403,
        ("powerless", "jobs"): 403, ("powerless", "forbidden"): 403,
        ("restricted", "jobs"): 403, ("restricted", "forbidden"): 403,
        ("wrong-token", "jobs"): 401, ("wrong-token", "forbidden"): 401}


@pytest.mark.parametrize("name", ["expired", "stranger"])
def test_a_certificate_that_is_over_or_foreign_is_no_use(cluster, name):
    with pytest.raises((ApiError, ssl.SSLError, ConnectionError)) as refused:
        cluster.api(certificate=name).get("/api/v1/namespaces/jobs/pods")
    assert getattr(refused.value, "code", 401) == 401


def test_a_quota_is_kept(cluster):
    space = {"metadata": {"name": "narrow"}}
    cluster.admin.post("/api/v1/namespaces", space)
    cluster.create("resourcequotas", {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "0"}}},
                   "narrow")
    until(lambda: cluster.admin.get(cluster.path("resourcequotas", "few", "narrow")),
          lambda one: one["status"].get("hard"), "the quota")
    until(lambda: cluster.admin.get(cluster.path("serviceaccounts", namespace="narrow")),
          lambda all_: all_["items"], "the service account")
    with pytest.raises(ApiError) as refused:
        cluster.create("pods", pod("one", "true"), "narrow")
    assert refused.value.code == 403 and "exceeded quota: few" in refused.value.message
