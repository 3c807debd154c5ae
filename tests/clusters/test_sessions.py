# SPDX-License-Identifier: Apache-2.0
"""Sessions whose drivers are pods: statements, streams, interrupts, and a host that is killed."""

import pytest

from attached import until
from sessions import Session

SMALL = {"spark.executor.instances": "1", "spark.executor.memory": "512m",
         "spark.kubernetes.executor.request.cores": "100m", "spark.ui.enabled": "false",
         "spark.kubernetes.driver.request.cores": "100m", "spark.sql.shuffle.partitions": "1"}
WAY_BACK = ["--agent-address", "tcp:0.0.0.0:0", "--agent-advertised", "tcp:localhost:0"]


def open_session(server):
    response = server.client.post("/sessions", json={"kind": "pyspark", "conf": SMALL})
    assert response.status_code == 201, response.text
    assert response.headers["Sparkhost-Backend"] == "kubernetes"
    return Session(server, response.json())


def pods_of(cluster, session):
    return [one["metadata"]["name"] for one in cluster.items("pods", "spark-role%3Ddriver")
            if f"-session-{session.id}-" in one["metadata"]["name"]]


@pytest.mark.parametrize("line", ["3.5", "4"])
def test_a_session_outlives_its_host(cluster, start, gate, line):
    server = start(*WAY_BACK, image=f"sparkhost-test/spark:{line}")
    session = open_session(server).until_idle()
    driver = pods_of(cluster, session)
    assert len(driver) == 1
    assert session.text("1 + 1") == "2"
    assert session.text("spark.range(100).selectExpr('sum(id)').collect()[0][0]") == "4950", \
        "by an executor pod"
    loop = session.post("while True: pass")
    loop.until(lambda seen: seen["state"] == "running")
    loop.cancel()
    assert loop.until_over()["state"] == "cancelled"
    assert session.text("x = 41\nx + 1") == "42", "the session lives on"

    begun, end = gate("begun"), gate("end")
    left = session.post(f"open({str(begun.path)!r}, 'w').write('x')\n"
                        f"open({str(end.path)!r}).read(1)\nx + 2")
    begun.wait()
    server.kill()
    end.open()
    server.start()
    assert left.until_over()["output"]["data"]["text/plain"] == "43"
    assert session.text("x + 3") == "44"
    assert pods_of(cluster, session) == driver
    session.delete()
    until(lambda: pods_of(cluster, session), lambda left: not left, "the driver's pod")


def test_a_session_without_a_way_back_is_refused(server):
    response = server.client.post("/sessions", json={"kind": "pyspark"})
    assert response.status_code == 400
    assert "agent_address" in response.text and "kubernetes" in response.text
