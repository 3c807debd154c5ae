# SPDX-License-Identifier: Apache-2.0
"""Sessions whose drivers run on workers: statements, interrupts, and a host that is killed."""

from asking import until


def test_a_session_outlives_its_host(started, gate):
    session = started.open_session().until_idle()
    drivers = started.drivers()
    assert list(drivers.values()) == ["RUNNING"]
    assert session.text("1 + 1") == "2"
    assert session.text("spark.range(100).selectExpr('sum(id)').collect()[0][0]") == "4950", \
        "by an executor"
    loop = session.post("while True: pass")
    loop.until(lambda seen: seen["state"] == "running")
    loop.cancel()
    assert loop.until_over()["state"] == "cancelled"
    assert session.text("x = 41\nx + 1") == "42", "the session lives on"

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
    session.delete()
    until(started.drivers, lambda left: not left, "the driver's end")
