# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on clusters, and whether a person can tell from what the server says."""

import json
import pathlib
import re

import pytest

from attached import submit, until

NO_NODE = r"no node takes the driver: 0/1 nodes are available: 1 Insufficient memory\..*"


def refusal(start, **keys):
    """The end of the log of a server that does not start."""
    begun = None
    with pytest.raises(AssertionError) as ended:
        begun = start(**keys)
    assert begun is None
    return str(ended.value)


def reason(server, batch):
    """Why it has failed."""
    over = server.until_over(batch)
    assert over["state"] == "dead", over
    return server.native(batch)["reason"]


def waits(server, batch):
    """What it has waited for on its way."""
    return [step["reason"] for step in server.native(batch)["timeline"] if step["what"] == "waiting"]


def test_a_wrong_token_is_said_at_the_start(start):
    assert "does not accept the credentials" in refusal(start, user="wrong-token")


def test_an_expired_certificate_is_said_at_the_start(start):
    assert "does not accept the credentials" in refusal(start, user="expired")


def test_a_server_that_is_not_to_be_trusted_is_said_at_the_start(cluster, start, folder):
    """Its certificate is signed by an authority that is not the system's."""
    config = json.loads(pathlib.Path(cluster.kubeconfigs["sparkhost"]).read_text())
    for key in ("certificate-authority", "certificate-authority-data"):
        config["clusters"][0]["cluster"].pop(key, None)
    blind = folder / "blind.kubeconfig"
    blind.write_text(json.dumps(config))
    text = refusal(start, kubeconfig=blind)
    assert "cannot be trusted" in text and "the server's certificate is not accepted" in text, text


def test_a_role_that_lacks_verbs_is_said_at_the_start(start):
    text = refusal(start, user="powerless")
    assert "must be allowed to: create pods, get pods, list pods" in text, text
    assert "(namespace jobs)" in text, text


def test_a_namespace_one_may_not_enter_is_said(start):
    text = refusal(start, namespace="forbidden")
    assert "must be allowed to: create pods, get pods, list pods" in text, text
    assert "(namespace forbidden)" in text, text


def test_an_image_that_does_not_exist_ends_the_batch(start, program):
    server = start(stuck_limit="1s")
    batch = submit(server, program("true"),
                          conf={"spark.kubernetes.container.image": "example.org/none:1"})
    text = reason(server, batch)
    words = r"cannot pull the image 'example\.org/none:1' \((ErrImagePull|ImagePullBackOff)\): .+"
    assert re.fullmatch(words + r" \(given up after \d+ s\)", text), text
    waited = waits(server, batch)
    assert waited and all(re.fullmatch(words, why) for why in waited), waited


def test_a_driver_that_fits_no_node_ends_when_its_time_is_over(start, program):
    server = start(unschedulable_limit="1s")
    text = reason(server, submit(server, program("true"), driverMemory="90000g"))
    assert re.fullmatch(NO_NODE + r" \(given up after \d+ s\)", text), text


def test_a_driver_that_waits_for_a_node_says_why(start, program):
    server = start()
    batch = submit(server, program("true"), driverMemory="90000g")
    waited = until(lambda: waits(server, batch), bool, "the scheduler's words")
    assert len(waited) == 1 and re.fullmatch(NO_NODE, waited[0]), waited


def test_a_quota_that_is_used_up_is_told(cluster, start, program):
    cluster.create("resourcequotas", {"metadata": {"name": "tight"}, "spec": {
        "hard": {"pods": str(len(cluster.items("pods")))}}})
    try:
        until(lambda: cluster.get("resourcequotas", "tight"),
              lambda one: one["status"].get("hard"), "the quota")
        server = start()
        assert "exceeded quota: tight" in reason(server, submit(server, program("true")))
    finally:
        cluster.delete("resourcequotas", "tight")


@pytest.mark.parametrize("annotation, words", [("sparkhost-test/oom-kill-after", "memory"),
                                               ("sparkhost-test/evict-after", "low on resource")])
def test_a_driver_that_the_cluster_ends_says_why(start, program, annotation, words):
    server = start(annotation=f"{annotation}=0.2")
    assert words in reason(server, submit(server, program("exec sleep 1000")))


def test_a_driver_that_someone_deletes_is_over(cluster, start, program, gate):
    server, begun = start(), gate("begun")
    batch = submit(server, program(f"echo up > {begun.path}; exec sleep 1000"))
    begun.wait()
    pods = cluster.items("pods", "spark-role%3Ddriver")
    cluster.delete("pods", pods[0]["metadata"]["name"], grace=1)
    assert server.until_over(batch)["state"] == "killed"
    assert server.native(batch)["reason"].startswith(
        "somebody deleted the driver pod, not through sparkhost")
