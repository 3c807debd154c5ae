# SPDX-License-Identifier: Apache-2.0
"""Batches on a real API server, over HTTP, to each of their ends."""

from attached import phase, said, submit, until


# The cluster's times are whole seconds, so that the one's steps come between the other's by chance.
OF_THE_HOST = ["accepted", "admitted", "submitted", "process_started", "ended"]
OF_THE_CLUSTER = ["pod_created", "scheduled", "container_started"]


def driver(cluster, batch):
    """The driver's pod of a batch; waits until there is one."""
    return until(lambda: [one for one in cluster.items("pods", "spark-role%3Ddriver")
                          if f"-batch-{batch['id']}-" in one["metadata"]["name"]],
                 lambda found: found, f"the driver of batch {batch['id']}")[0]


def test_a_program_runs_to_its_end_and_nothing_is_left(cluster, server, program):
    batch = submit(server, program("echo one; echo two; echo three"))
    assert server.until_over(batch)["state"] == "success", str(server.native(batch))
    assert server.whole_log(batch) == said("one", "two", "three")
    until(lambda: cluster.items("pods", "spark-role%3Ddriver"), lambda left: not left, "the pod")
    assert server.whole_log(batch) == said("one", "two", "three")


def test_a_program_that_fails_says_its_exit_code(server, program):
    batch = submit(server, program("echo so bad; exit 3"))
    assert server.until_over(batch)["state"] == "dead", str(server.native(batch))
    assert server.native(batch)["exitCode"] == 3
    why = "the driver exited with code 3"
    assert server.native(batch)["reason"] == why
    assert server.whole_log(batch) == said("so bad", failed=why)


def test_the_way_to_the_start_is_told_step_by_step(server, program):
    batch = submit(server, program("true"))
    server.until_over(batch)
    steps = [step["what"] for step in server.native(batch)["timeline"]]
    chance = ("image_pulled", "waiting")  # told where the start takes long
    assert [step for step in steps if step in OF_THE_HOST] == OF_THE_HOST, steps
    assert [step for step in steps if step not in (*OF_THE_HOST, *chance)] == OF_THE_CLUSTER, steps


def test_a_batch_that_runs_is_killed(cluster, server, program, gate):
    begun = gate("begun")
    batch = submit(server, program(f"trap 'exit 0' TERM; echo up > {begun.path}; "
                                  "while :; do sleep 0.1; done"))
    begun.wait()
    name = driver(cluster, batch)["metadata"]["name"]
    assert server.delete(batch).status_code == 200
    cluster.wait_gone(name)


def test_a_batch_that_waits_for_a_node_is_killed(cluster, server, program):
    batch = submit(server, program("true"), driverMemory="90000g")
    name = driver(cluster, batch)["metadata"]["name"]
    assert phase(cluster.get("pods", name)) == "Pending"
    assert server.delete(batch).status_code == 200
    cluster.wait_gone(name)


def test_many_batches_run_side_by_side(server, program):
    batches = [submit(server, program(f"echo number {n}")) for n in range(20)]
    for n, batch in enumerate(batches):
        assert server.until_over(batch)["state"] == "success", str(server.native(batch))
        assert server.whole_log(batch) == said(f"number {n}")
