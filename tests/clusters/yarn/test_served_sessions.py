# SPDX-License-Identifier: Apache-2.0
"""Sessions whose drivers are ApplicationMasters: statements, interrupts, and a host that is killed."""

from asking import until
from served import Client


def interrupted(session):
    loop = session.post("while True: pass")
    loop.until(lambda seen: seen["state"] == "running")
    loop.cancel()
    assert loop.until_over()["state"] == "cancelled"
    assert session.text("x = 41\nx + 1") == "42", "the session lives on"


def ended(session, client):
    session.delete()
    until(client.drivers, lambda left: not left, "the driver's end")


def test_a_session_outlives_its_host(started, gate):
    session = started.open_session().until_idle()
    drivers = started.drivers()
    assert list(drivers.values()) == ["RUNNING"]
    assert session.text("1 + 1") == "2"
    assert session.text("spark.range(100).selectExpr('sum(id)').collect()[0][0]") == "4950", \
        "by an executor"
    interrupted(session)

    begun, end = gate("begun"), gate("end")
    left = session.post(f"open({str(begun.path)!r}, 'w').write('x')\n"
                        f"open({str(end.path)!r}).read(1)\nx + 2")
    begun.wait()
    started.server.kill()
    end.open()
    started.server.start()
    assert left.until_over()["output"]["data"]["text/plain"] == "43"
    assert session.text("x + 3") == "44"
    assert started.drivers() == drivers
    ended(session, started)


def test_a_session_of_spark_4(started, daemon, jar):
    client = Client(started.server, daemon, jar, "4")
    session = client.open_session().until_idle()
    assert session.text("spark.range(100).selectExpr('sum(id)').collect()[0][0]") == "4950"
    interrupted(session)
    ended(session, client)
