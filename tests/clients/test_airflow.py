# SPDX-License-Identifier: Apache-2.0
"""Airflow's Livy provider on Airflow 3, as they come from PyPI: hook, operator, sensor and
deferrable trigger. Without a scheduler: a task is executed as a worker would."""

import asyncio
import atexit
import concurrent.futures
import datetime
import os
import shutil
import tempfile

import pytest
import structlog.testing

HOME = tempfile.mkdtemp(prefix="sparkhost-airflow-")  # read when Airflow is imported
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
os.environ.update(AIRFLOW_HOME=HOME, AIRFLOW__CORE__LOAD_EXAMPLES="False",
                  AIRFLOW__CORE__UNIT_TEST_MODE="True")

from airflow.providers.apache.livy.hooks.livy import BatchState, LivyHook  # noqa: E402
from airflow.providers.apache.livy.operators.livy import LivyOperator  # noqa: E402
from airflow.providers.apache.livy.sensors.livy import LivySensor  # noqa: E402
from airflow.providers.common.compat.sdk import AirflowException, TaskDeferred  # noqa: E402

from conftest import BLACKBOX, SPARK_SCRIPTS  # noqa: E402
from processes import DEADLINE, eventually, wait_gone  # noqa: E402
from sessions import CONF  # noqa: E402

POLLING = 1  # seconds; the operator takes whole ones
SCRIPT = SPARK_SCRIPTS / "no_context.py"


class TaskInstance:
    """Takes what a task hands on."""

    stats_tags = {}

    def __init__(self):
        self.handed_on = {}

    def xcom_push(self, key, value):
        self.handed_on[key] = value


class TaskState:
    """Remembers for a task over its tries."""

    def __init__(self):
        self.kept = {}

    def get(self, key, default=None):
        return self.kept.get(key, default)

    def set(self, key, value):
        self.kept[key] = value


@pytest.fixture(autouse=True)
def connection(server, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_LIVY_DEFAULT", server.url.replace("http://", "livy://"))


@pytest.fixture
def context():
    return {"ti": TaskInstance(), "task_state_store": TaskState()}


def operator(file=SCRIPT, **options):
    options.setdefault("conf", {**CONF, "spark.task.maxFailures": 1})
    return LivyOperator(task_id="spark", file=str(file), **options)


def batches(server):
    return server.client.get("/batches", params={"size": 1000}).json()["sessions"]


def is_gone(server, batch):
    return server.client.get(f"/batches/{batch}").status_code == 404


def run_trigger(trigger):
    """Gives the first event, as the triggerer takes it."""

    async def first():
        async for event in trigger.run():
            return event.payload

    return asyncio.run(asyncio.wait_for(first(), DEADLINE))


def test_the_hook_submits_looks_reads_the_log_and_deletes(server):
    hook = LivyHook()
    batch = hook.post_batch(file=str(SCRIPT), args=[2, "é"], name="from-airflow",
                            conf={"spark.ui.enabled": "false", "spark.task.maxFailures": 1})
    assert server.until_over({"id": batch})["state"] == "success"
    assert hook.get_batch_state(batch) is BatchState.SUCCESS
    shown = hook.get_batch(batch)
    assert (shown["id"], shown["name"], shown["state"]) == (batch, "from-airflow", "success")
    assert "appId" in shown
    log = hook.get_batch_logs(batch, 0, 100)
    assert "argument 1: 2" in log["log"] and "argument 2: é" in log["log"]
    assert log["total"] == len(log["log"])
    assert hook.delete_batch(batch) == {"msg": "deleted"}
    with pytest.raises(AirflowException, match="not found"):
        hook.get_batch(batch)


def test_a_refusal_reaches_the_user(server):
    before = len(batches(server))
    with pytest.raises(AirflowException, match="400.*Path 'rel.py' is not absolute"):
        LivyHook().post_batch(file="rel.py")
    assert len(batches(server)) == before


def dumped_log(server, hook, lines):
    """Lets a batch write so many lines; gives the total of its log, and what the hook dumps."""
    batch = hook.post_batch(file=str(BLACKBOX / "scripts" / "chatty.py"), args=[lines])
    assert server.until_over({"id": batch})["state"] == "success"
    server.until_said({"id": batch}, f"line {lines - 1}")
    with structlog.testing.capture_logs() as told:
        hook.dump_batch_logs(batch)
    total = hook.get_batch_logs(batch, 0, 1)["total"]
    hook.delete_batch(batch)
    return total, [one["event"] for one in told]


def test_the_whole_log_is_dumped_also_where_its_end_is_a_pages(server):
    """Of a log of 200 lines the provider asks for a third page: it is empty, and no error."""
    hook = LivyHook()
    total, _ = dumped_log(server, hook, 10)
    lines = 200 - (total - 10)  # Spark and the markers have said something, too
    total, told = dumped_log(server, hook, lines)
    assert total == 200
    assert [line for line in told if line.startswith("line ")] == [
        f"line {number}" for number in range(lines)]
    assert told.count("stdout: ") == told.count("\nstderr: ") == 1


def test_the_operator_waits_for_its_batch(server, context):
    batch = operator(SPARK_SCRIPTS / "pi.py", args=[2], polling_interval=POLLING).execute(context)
    assert server.until_over({"id": batch})["state"] == "success"
    assert context["ti"].handed_on["app_id"].startswith("local-")
    assert context["task_state_store"].kept == {"livy_batch_id": batch}


def test_the_operator_fails_with_its_batch(server, context):
    task = operator(BLACKBOX / "scripts" / "nobody.py", polling_interval=POLLING)
    with pytest.raises(AirflowException, match="did not succeed"):
        task.execute(context)


def test_the_operator_does_not_wait_without_an_interval(server, context, gated):
    job = gated()
    batch = operator(job.file, args=[str(word) for word in job.args]).execute(context)
    job.wait_begun()
    server.until_running({"id": batch})
    assert LivyHook().get_batch_state(batch) is BatchState.RUNNING
    job.end.open()
    assert server.until_over({"id": batch})["state"] == "success"


def test_the_next_try_takes_a_running_batch_up(server, context, gated):
    """A worker that dies leaves its batch; the next one asks for the number that was kept."""
    job = gated()
    lost = operator(job.file, args=[str(word) for word in job.args]).execute(context)
    job.wait_begun()
    context["task_state_store"].set("livy_batch_id", lost)
    before = len(batches(server))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        retry = pool.submit(operator(job.file, polling_interval=POLLING).execute, context)
        job.end.open()
        retry.result()
    assert len(batches(server)) == before and job.run_count() == 1
    assert server.until_over({"id": lost})["state"] == "success"


def test_a_killed_task_takes_its_batch_with_it(server, context, gated):
    job = gated()
    task = operator(job.file, args=[str(word) for word in job.args], polling_interval=POLLING)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(task.execute, context)
        pid = job.wait_begun()
        eventually(lambda: task._batch_id is not None)
        batch = task._batch_id
        task.on_kill()
        # it sees the end, or that there is nothing any more
        with pytest.raises(AirflowException, match="not found|did not succeed"):
            running.result()
    assert is_gone(server, batch) and not wait_gone([pid])


def test_the_sensor_waits_until_a_batch_is_over(server, gated, context):
    job = gated()
    batch = job.submit(server)["id"]
    job.wait_begun()
    sensor = LivySensor(task_id="sensor", batch_id=batch, poke_interval=POLLING, timeout=DEADLINE)
    assert not sensor.poke(context)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(sensor.execute, context)
        job.end.open()
        waiting.result()
    assert sensor.poke(context)
    assert server.until_over({"id": batch})["state"] == "success"


def deferred(task, context):
    """Gives the trigger that the task leaves to wait for it."""
    with pytest.raises(TaskDeferred) as left:
        task.execute(context)
    assert left.value.method_name == "execute_complete"
    return left.value.trigger


def test_a_deferred_operator_ends_with_its_trigger(server, context, gated):
    job = gated()
    task = operator(job.file, args=[str(word) for word in job.args], polling_interval=POLLING,
                    deferrable=True)
    trigger = deferred(task, context)
    job.wait_begun()
    job.end.open()
    event = run_trigger(trigger)
    assert event["status"] == "success"
    assert "ending" in event["log_lines"]
    assert task.execute_complete(context, event) == event["batch_id"]
    assert "app_id" in context["ti"].handed_on


def test_a_deferred_operator_fails_with_its_batch(server, context):
    """The log comes with the event."""
    task = operator(SPARK_SCRIPTS / "fail.py", polling_interval=POLLING, deferrable=True)
    event = run_trigger(deferred(task, context))
    assert event["status"] == "error"
    assert "Looking for yesterday's orders" in event["log_lines"]
    with pytest.raises(AirflowException, match="did not succeed"):
        task.execute_complete(context, event)


def test_a_deferred_operator_that_times_out_deletes_its_batch(server, context, gated):
    job = gated()
    task = operator(job.file, args=[str(word) for word in job.args], polling_interval=POLLING,
                    deferrable=True, execution_timeout=datetime.timedelta(milliseconds=1))
    trigger = deferred(task, context)
    pid = job.wait_begun()
    event = run_trigger(trigger)
    assert event["status"] == "timeout"
    with pytest.raises(AirflowException, match="timed out"):
        task.execute_complete(context, event)
    assert is_gone(server, event["batch_id"]) and not wait_gone([pid])


def test_batches_of_airflow_are_over(server):
    """Last: none of the tests has left one at work."""
    assert {one["state"] for one in batches(server)} <= {"success", "dead"}
