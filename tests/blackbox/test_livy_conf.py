# SPDX-License-Identifier: Apache-2.0
"""An existing livy.conf, and the options that it is mapped to."""

import json
import os
import subprocess

import pytest

from server import DEADLINE, PROGRAM

REFUSED = {"livy.server.auth.type": "kerberos", "livy.keystore": "/k.jks",
           "livy.impersonation.enabled": "true", "livy.server.access-control.enabled": "true",
           "livy.superusers": "root", "livy.spark.deploy-mode": "cluster"}


def run(*options):
    return subprocess.run([PROGRAM, "--print-config", *options], capture_output=True, text=True,
                          timeout=DEADLINE)


def effective(*options):
    """Gives the options, and what is told about the file, line by line."""
    done = run(*options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr.splitlines()


@pytest.fixture
def conf(tmp_path):
    """Writes livy.conf; gives its name."""
    def write(text, **more):
        for name, content in {"livy.conf": text, **more}.items():
            (tmp_path / name).write_text(content)
        return tmp_path / "livy.conf"

    return write


def test_a_file_is_told_entry_by_entry(conf):
    file = conf("livy.server.port = 8999\n"
                "livy.server.session.timeout = 2h\n"
                "livy.impersonation.enabled = false\n"
                "livy.ui.enabled = true\n")
    config, told = effective("--livy-conf", str(file))
    assert config["listen"] == {"value": "127.0.0.1:8999", "from": f"{file}, livy.server.port"}
    assert config["session-idle-timeout"]["value"] == "7200s"
    assert told[0] == f"{file}: 4 settings"
    assert told[1].startswith("  livy.server.port = 8999  ")
    assert told[1].endswith("-> --listen 127.0.0.1:8999")
    assert told[2].endswith("-> --session-idle-timeout 7200s")
    assert told[3].endswith("honoured: so it is here")
    assert told[4].endswith("ignored: there is no UI yet")
    assert len(told) == 5


def test_a_folder_is_as_good_and_its_blacklist_counts(conf, tmp_path):
    conf("livy.server.port = 1\n", **{"spark-blacklist.conf": "# x\nspark.master\nspark.y\n"})
    config, told = effective("--livy-conf", str(tmp_path))
    assert config["refused-conf"]["value"] == ["spark.master", "spark.y"]
    assert "2 keys" in told[-1] and "--refused-conf" in told[-1]


def test_the_config_file_and_the_command_line_win(conf, tmp_path):
    file = conf("livy.server.port = 1\nlivy.rsc.sql.num-rows = 2\n"
                "livy.server.session.max-creation = 3\n")
    ours = tmp_path / "ours.json"
    ours.write_text('{"sql-rows": 20}')
    config, told = effective("--livy-conf", str(file), "--config", str(ours),
                             "--max-sessions", "30")
    assert config["listen"]["value"] == "127.0.0.1:1"
    assert config["sql-rows"] == {"value": 20, "from": str(ours)}
    assert config["max-sessions"] == {"value": 30, "from": "command line"}
    assert told[2].endswith(f"-> --sql-rows 20 ({ours})")
    assert told[3].endswith("-> --max-sessions 30 (command line)")


@pytest.mark.parametrize("key", REFUSED)
def test_what_would_be_less_safe_keeps_the_server_from_starting(conf, key):
    file = conf(f"livy.server.port = 1\n{key} = {REFUSED[key]}\n")
    done = subprocess.run([PROGRAM, "--livy-conf", str(file)], capture_output=True, text=True,
                          timeout=DEADLINE)
    assert done.returncode == 2
    assert done.stdout == ""
    assert str(file) in done.stderr and f"{key} = {REFUSED[key]} (line 2): " in done.stderr


@pytest.mark.parametrize("text, words", [
    ("livy.server.session.timeout = soon", ["line 1", "livy.server.session.timeout", "soon"]),
    ("livy.spark.master = yarn", ["livy.spark.master", "local[N]", "yarn"]),
    ("livy.server.port = many", ["livy.server.port", "listen", "ADDR:PORT"]),
    ("livy.server.host = 0.0.0.0", ["0.0.0.0", "--insecure-listen"]),
    ("livy.server.session.max-creation = -1", ["max-creation", "at least 0"]),
])
def test_a_wrong_value_is_named(conf, text, words):
    done = run("--livy-conf", str(conf(text)))
    assert done.returncode == 2
    for word in words:
        assert word in done.stderr


def test_a_server_does_as_its_livy_conf_says(start, folder):
    jobs = folder / "jobs"
    jobs.mkdir()
    (jobs / "job.py").write_text("print('done')\n")
    (folder / "livy.conf").write_text(
        f"livy.file.local-dir-whitelist = {jobs}\n"
        "livy.server.csrf-protection.enabled = true\n"
        "livy.server.session.max-creation = 0\n"
        "livy.server.port = 1\n")
    (folder / "spark-blacklist.conf").write_text("spark.jars.packages\n")
    server = start("--livy-conf", str(folder / "livy.conf"), "--default-conf", "spark.app.site=x")
    log = server.log.read_text()
    assert "livy.conf: 5 settings" in log
    assert "(command line)" in log  # --listen
    client = server.client
    file = {"file": str(jobs / "job.py")}
    refused = client.post("/batches", json=file)
    assert refused.status_code == 400
    assert refused.json() == {"msg": "Missing Required Header for CSRF protection."}
    client.headers["X-Requested-By"] = "test"
    for body, words in [
        ({"file": os.devnull}, "requirement failed: Local path /dev/null cannot be added to user "
                               "sessions."),
        ({**file, "conf": {"spark.jars.packages": "a:b:1"}},
         "Blacklisted configuration values in session config: spark.jars.packages"),
    ]:
        refused = client.post("/batches", json=body)
        assert refused.status_code == 400
        assert refused.json() == {"msg": f"Rejected, Reason: {words}"}
    refused = client.post("/sessions", json={"kind": "pyspark"})
    assert refused.json() == {"msg": "Rejected, too many sessions are being created!"}
    made = client.post("/batches", json={**file, "conf": {"livy.uri": "x"}})
    assert made.status_code == 201 and made.json()["id"] == 0
    done = server.follow("/batches/0/state", lambda now: now["state"] == "success")
    assert done["id"] == 0
    shown = client.get("/api/v1/batches/0").json()
    assert shown["spec"]["conf"] == {"spark.app.site": "x"}


def test_old_clients_are_shown_old_objects(start):
    server = start("--livy-compatibility", "0.7")
    assert server.client.get("/version").json()["version"].startswith("0.7.0-")
    made = server.client.post("/sessions", json={})
    assert list(made.json()) == ["id", "name", "appId", "owner", "proxyUser", "state", "kind",
                                 "appInfo", "log"]
