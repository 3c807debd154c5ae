# SPDX-License-Identifier: Apache-2.0
"""Options, config file, and starts that fail."""

import json
import pathlib
import re
import socket
import subprocess

import pytest

from server import DEADLINE, PROGRAM

DOCS = pathlib.Path(__file__).parents[2] / "docs" / "server.md"


def run(*options, env=None):
    return subprocess.run([PROGRAM, *options], capture_output=True, text=True, timeout=DEADLINE, env=env)


def effective(*options, env=None):
    done = run("--print-config", *options, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("options, words", [
    (["--max-runing", "3"], ["unknown option --max-runing", "did you mean --max-running?"]),
    (["--colour=red"], ["unknown option --colour"]),
    (["--max-run", "3"], ["unknown option --max-run"]),
    (["nightly.py"], ["unexpected argument", "nightly.py"]),
    (["--max-running", "many"], ["--max-running", "whole number", "many"]),
    (["--max-running", "0"], ["--max-running", "at least 1"]),
    (["--max-running"], ["--max-running"]),
    (["--max-running", "1", "--max-running", "2"], ["--max-running", "more than once"]),
    (["--kill-grace", "soon"], ["--kill-grace", "10s", "soon"]),
    (["--listen", "8998"], ["--listen", "ADDR:PORT"]),
    (["--listen", "127.0.0.1:70000"], ["--listen", "ADDR:PORT"]),
    (["--listen", "::1:8998"], ["--listen", "[::1]"]),
    (["--listen", "0.0.0.0:0"], ["--listen", "loopback", "--insecure-listen"]),
    (["--listen", "[::]:0"], ["--listen", "loopback", "--insecure-listen"]),
    (["--log-level", "loud"], ["--log-level", "debug", "loud"]),
    (["--class-data-archive", "yes"], ["--class-data-archive", "auto or off"]),
    (["--config", "/nowhere.json"], ["--config", "/nowhere.json"]),
    (["--livy-conf", "/nowhere.conf"], ["--livy-conf", "/nowhere.conf"]),
    (["--livy-conf", "a", "--livy-conf", "b"], ["--livy-conf", "more than once"]),
    (["--livy-compatibility", "0.4"], ["--livy-compatibility", "0.5", "0.9", "0.4"]),
    (["--default-conf", "spark.x"], ["--default-conf", "spark.KEY=VALUE", "spark.x"]),
    (["--default-conf", "x.y=1"], ["--default-conf", "spark.KEY=VALUE", "x.y"]),
    (["--local-file-root", "jobs"], ["--local-file-root", "absolute path", "jobs"]),
    (["--refused-conf="], ["--refused-conf"]),
    (["--max-body", "300000000"], ["--max-upload", "--max-body"]),
    (["--max-header", "10"], ["--max-header", "at least 1024"]),
    (["--host-vanished-after", "500ms"], ["--host-vanished-after", "whole seconds"]),
    (["--session-retention", "1500ms"], ["--session-retention", "whole seconds"]),
    (["--host-vanished-after", "0"], ["--host-vanished-after", "at least 1s"]),
    (["--kubernetes", "name"], ["--kubernetes", "KEY=VALUE", "kubeconfig"]),
    (["--kubernetes", "nmae=prod"], ["--kubernetes", "nmae=prod", "name"]),
    (["--kubernetes", "name=Prod"], ["--kubernetes", "name", "lower-case"]),
    (["--kubernetes", "name="], ["--kubernetes", "name", "expected a value"]),
    (["--kubernetes", "image=a,image=b"], ["--kubernetes", "image", "more than once"]),
    (["--kubernetes", "kubeconfig=config"], ["--kubernetes", "kubeconfig", "absolute path"]),
    (["--kubernetes", "kill-grace=soon"], ["--kubernetes", "kill-grace", "10s"]),
    (["--kubernetes", "label=team"], ["--kubernetes", "label", "KEY=VALUE"]),
    (["--kubernetes", "driver-address=ip"], ["--kubernetes", "driver-address", "pod-ip"]),
    (["--kubernetes", "max-requests=some"], ["--kubernetes", "max-requests", "whole number"]),
    (["--kubernetes", "image=a", "--kubernetes", "image=b"], ["--kubernetes", "kubernetes", "name"]),
    (["--kubernetes", "name=local"], ["--kubernetes", "local", "taken"]),
    (["--standalone", "name=lab"], ["--standalone", "master is needed", "spark://HOST:PORT"]),
    (["--standalone", "mastre=x"], ["--standalone", "mastre=x", "rest-url"]),
    (["--standalone", "master=spark://a:1,name=Lab"], ["--standalone", "name", "lower-case"]),
    (["--standalone", "master=spark://a:1,master=spark://b:1"],
     ["--standalone", "master", "more than once"]),
    (["--standalone", "master=spark://a:1,lost-after=soon"], ["--standalone", "lost-after", "10s"]),
    (["--standalone", "master=spark://a:1,environment=A"],
     ["--standalone", "environment", "KEY=VALUE"]),
    (["--standalone", "master=spark://a:1,jws-key-file=key"],
     ["--standalone", "jws-key-file", "absolute path"]),
    (["--yarn", "name=lab"], ["--yarn", "rm-url is needed"]),
    (["--yarn", "rm-url=http://a:1"], ["--yarn", "staging is needed"]),
    (["--yarn", "rm-url=http://a:1,staging=file:///s"], ["--yarn", "spark-home", "spark-archive"]),
    (["--yarn", "rm-url=http://a:1,staging=file:///s,spark-home=/a,spark-archive=hdfs://a/b"],
     ["--yarn", "one of spark-home and spark-archive"]),
    (["--yarn", "rm-url=http://a:1,staging=file:///s,spark-home=/opt/spark"],
     ["--yarn needs --agent-address"]),
    (["--standalone", "master=spark://a:1,max-requests=-1"],
     ["--standalone", "max-requests", "whole number"]),
    (["--standalone", "master=spark://a:1"], ["--standalone", "--agent-address tcp:"]),
    (["--agent-address", "tcp:127.0.0.1:0", "--kubernetes", "name=lab",
      "--standalone", "name=lab,master=spark://a:1"], ["--standalone", "lab", "taken"]),
    (["--default-backend", "prod"], ["--default-backend", "prod", "there is local"]),
    (["--no-local-backend"], ["--no-local-backend", "--kubernetes", "--standalone"]),
    (["--agent-address", "localhost:80"], ["--agent-address", "unix:/PATH or tcp:ADDR:PORT"]),
    (["--agent-advertised", "localhost:80"], ["--agent-advertised", "tcp:HOST:PORT"]),
    (["--agent-advertised", "tcp:host:80"], ["--agent-advertised", "--agent-address tcp:"]),
])
def test_a_wrong_option_is_named_with_what_is_expected(options, words):
    done = run(*options)
    assert done.returncode == 2
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr
    assert "--help" in done.stderr


@pytest.mark.parametrize("text, words", [
    ('{"max_running": 3}', ['unknown key "max_running"', "did you mean max-running?"]),
    ('{"max-running": "3"}', ["max-running", "whole number"]),
    ('{"max-running": 0}', ["max-running", "at least 1"]),
    ('{"max-queued": 1e30}', ["max-queued", "whole number"]),
    ('{"insecure-listen": 1}', ["insecure-listen", "true or false"]),
    ('{"allowed-host": "a"}', ["allowed-host", "list of strings"]),
    ('{"spark-home": null}', ["spark-home", "a string"]),
    ('{"kill-grace": -1}', ["kill-grace", "seconds"]),
    ('{"help": true}', ['unknown key "help"']),
    ('{"max-running": 3,\n "x"', ["line 2"]),
    ("[]", ["object of options"]),
])
def test_a_wrong_config_file_is_named_with_the_key(tmp_path, text, words):
    file = tmp_path / "server.json"
    file.write_text(text)
    done = run("--config", str(file))
    assert done.returncode == 2
    assert str(file) in done.stderr
    for word in words:
        assert word in done.stderr


def test_the_command_line_wins_over_the_file_and_the_file_over_the_defaults(tmp_path):
    file = tmp_path / "server.json"
    file.write_text('{"max-running": 3, "kill-grace": 5, /* comments are fine */ "python": "p"}')
    config = effective("--config", str(file), "--max-running=7")
    assert config["max-running"] == {"value": 7, "from": "command line"}
    assert config["kill-grace"] == {"value": "5s", "from": str(file)}
    assert config["python"] == {"value": "p", "from": str(file)}
    assert config["listen"] == {"value": "127.0.0.1:8998", "from": "default"}


def test_the_data_folder_has_its_place_in_the_users_home():
    assert effective(env={"HOME": "/h"})["data-dir"]["value"] == "/h/.local/share/sparkhost"
    assert effective(env={"HOME": "/h", "XDG_DATA_HOME": "/x"})["data-dir"]["value"] == "/x/sparkhost"
    homeless = run("--print-config", env={})
    assert homeless.returncode == 2 and "--data-dir" in homeless.stderr


def test_allowed_hosts_add_up_and_hold_the_address_that_is_listened_on():
    config = effective("--allowed-host", "a.example", "--allowed-host=b.example",
                       "--insecure-listen", "--listen", "192.0.2.7:1")
    assert config["allowed-host"]["value"] == ["a.example", "b.example", "192.0.2.7"]


def test_what_requests_may_ask_for_adds_up():
    config = effective("--default-conf", "spark.a=1", "--default-conf=spark.b=x=y",
                       "--refused-conf", "spark.c", "--local-file-root", "/jobs")
    assert config["default-conf"]["value"] == ["spark.a=1", "spark.b=x=y"]
    assert config["refused-conf"]["value"] == ["spark.c"]
    assert config["local-file-root"]["value"] == ["/jobs"]


def test_help_and_docs_know_every_option():
    text = run("--help").stdout
    docs = DOCS.read_text()
    names = [*effective(), "livy-conf", "config", "print-config", "version", "help"]
    for name in names:
        assert f"--{name}" in text
        assert f"`--{name}" in docs
    assert set(re.findall(r"^  --([a-z-]+)", text, re.MULTILINE)) == set(names)


def test_version_is_said():
    done = run("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"sparkhost-server \d+\.\d+\.\d+\n", done.stdout)


# -- starts that fail: one clear line, status 1 --

def failed_start(*options):
    done = run("--log-level", "off", *options)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def test_a_port_in_use_is_refused(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        words = failed_start("--listen", address, "--data-dir", str(folder / "data"))
    assert address in words and "in use" in words


def test_a_folder_without_spark_is_refused(folder):
    words = failed_start("--listen", "127.0.0.1:0", "--data-dir", str(folder / "data"),
                         "--spark-home", "/nowhere")
    assert "Spark" in words and "/nowhere" in words


def test_a_java_that_is_not_there_is_refused(start, folder):
    spark = start().command[6]
    words = failed_start("--listen", "127.0.0.1:0", "--data-dir", str(folder / "other"),
                         "--spark-home", spark, "--java-home", "/nowhere")
    assert "/nowhere/bin/java" in words


def test_a_data_folder_that_is_a_file_is_refused(folder):
    (folder / "data").write_text("not a folder")
    words = failed_start("--listen", "127.0.0.1:0", "--data-dir", str(folder / "data"))
    assert str(folder / "data") in words


def test_a_corrupt_store_is_refused_and_left_alone(folder, start):
    one = start()
    spark = one.command[6]
    one.stop()
    store = folder / "data" / "sparkhost.db"
    garbage = b"this is not a database" * 1000
    store.write_bytes(garbage)
    words = failed_start("--listen", "127.0.0.1:0", "--data-dir", str(folder / "data"),
                         "--spark-home", spark)
    assert "sparkhost.db" in words
    assert store.read_bytes() == garbage


def test_a_second_server_on_the_same_folder_is_refused(start):
    first = start()
    words = failed_start(*first.command[1:7])
    assert str(first.data_dir) in words
    assert first.client.get("/readyz").status_code == 200


def test_the_data_folder_is_for_its_owner_alone(server):
    assert server.data_dir.stat().st_mode & 0o777 == 0o700


def test_clusters_are_backends_of_their_own():
    clusters = ["name=prod,kubeconfig=/etc/kube/config,conf=spark.x=1,,2,kill-grace=5s",
                "name=try,server=https://10.0.0.1:6443,token-file=/run/token"]
    values = effective("--kubernetes", clusters[0], "--kubernetes", clusters[1],
                       "--default-backend", "try", "--agent-address", "tcp:0.0.0.0:7077",
                       "--agent-advertised", "tcp:host.example:0")
    assert values["kubernetes"]["value"] == clusters
    assert values["default-backend"]["value"] == "try"
    assert values["agent-advertised"]["value"] == "tcp:host.example:0"
    effective("--kubernetes", clusters[0], "--no-local-backend")


def test_standalone_clusters_are_backends_of_their_own():
    clusters = ["name=lab,master=spark://a:7077,,b:7077,rest-url=http://a:6066,"
                "rest-url=http://b:6066,environment=A=1,conf=spark.x=1,lost-after=5m",
                "name=try,master=spark://c:7077,shortest-interval=100ms"]
    values = effective("--standalone", clusters[0], "--standalone", clusters[1],
                       "--default-backend", "lab", "--agent-address", "tcp:0.0.0.0:7077")
    assert values["standalone"]["value"] == clusters
    assert values["default-backend"]["value"] == "lab"
    effective("--standalone", clusters[0], "--no-local-backend", "--agent-address", "tcp:0.0.0.0:0")
