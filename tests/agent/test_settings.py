# SPDX-License-Identifier: Apache-2.0
"""What the host writes for the agent."""

import ast
import json
import socket
import sys

import pytest
import sparkhost_agent as agent

from conftest import AGENT


@pytest.mark.parametrize("settings, says", [
    ({"ticket": ""}, "ticket: must be given"),
    ({"endpoint": "http:x"}, "endpoint: must be unix:/path or tcp:host:port"),
    ({"secret": None}, "secret: must be given"),
    ({"secret": None, "secret_file": "/nowhere"}, "/nowhere"),
    ({"max_line": "long"}, "max_line: must be a number from"),
    ({"max_rows": 0}, "max_rows: must be a number from"),
    ({"max_lines": 1}, "max_lines: there is no such setting"),
    ({"max_result": 1 << 20, "max_line": 1 << 20}, "max_line: must be eight times"),
])
def test_wrong_settings_are_told(launch, settings, says):
    session = launch(**settings)
    assert session.wait() == agent.EXIT_BAD_SETTINGS
    assert says in session.log()


@pytest.mark.parametrize("text, says", [("{", "not JSON"), ("[]", "not a JSON object")])
def test_settings_that_are_none_are_told(folder, text, says):
    path = folder / "settings"
    path.write_text(text)
    with pytest.raises(agent.SettingsError, match=says):
        agent.Settings.load(path)


def test_a_secret_that_others_can_read_is_not_used(folder):
    path = folder / "settings"
    path.write_text('{"endpoint": "unix:/x", "ticket": "t", "secret": "s"}')
    path.chmod(0o644)
    with pytest.raises(agent.SettingsError, match="chmod 600"):
        agent.Settings.load(path)
    path.chmod(0o600)
    assert agent.Settings.load(path).secret == "s"
    secret = folder / "secret"
    secret.touch(0o600)
    secret.write_text("of a file\n")
    path.write_text(json.dumps({"endpoint": "unix:/x", "ticket": "t", "secret_file": str(secret)}))
    path.chmod(0o644)
    assert agent.Settings.load(path).secret == "of a file"


@pytest.mark.parametrize("text, address", [
    ("unix:/run/a b", (socket.AF_UNIX, "/run/a b")),
    ("tcp:host.example:80", (socket.AF_INET, ("host.example", 80))),
    ("tcp:[::1]:65535", (socket.AF_INET, ("::1", 65535))),
])
def test_endpoints(text, address):
    assert agent.parse_endpoint(text) == address


@pytest.mark.parametrize("text", ["", "unix:", "unix:relative", "tcp:", "tcp:host", "tcp:host:0",
                                  "tcp:host:65536", "tcp::80", "tcp:host:x", "http://host:80"])
def test_what_is_no_endpoint(text):
    with pytest.raises(agent.SettingsError):
        agent.parse_endpoint(text)


def test_a_sessions_kind_is_one_of_the_agents():
    values = {"endpoint": "unix:/x", "ticket": "t", "secret": "s"}
    assert agent.Settings(values).kind == ""
    assert agent.Settings(dict(values, kind="spark")).kind == "spark"
    with pytest.raises(agent.SettingsError, match="kind: must be one of pyspark, spark, sparkr, sql"):
        agent.Settings(dict(values, kind="scala"))


def test_the_defaults_fit_together():
    settings = agent.Settings({"endpoint": "unix:/x", "ticket": "t", "secret": "s"})
    for name, (default, smallest, largest) in agent.Settings.LIMITS.items():
        assert getattr(settings, name) == default and smallest <= default <= largest


@pytest.mark.parametrize("module", sorted(AGENT.parent.glob("sparkhost_*.py")),
                         ids=lambda path: path.stem)
def test_the_agent_is_python_3_8_of_the_standard_library(module):
    tree = ast.parse(module.read_text(), feature_version=(3, 8))
    names = {alias.name.split(".")[0] for node in ast.walk(tree)
             if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module.split(".")[0] for node in ast.walk(tree)
              if isinstance(node, ast.ImportFrom)}
    own = {path.stem for path in AGENT.parent.glob("sparkhost_*.py")}
    wanted_where_there = {"jedi"} if module.stem == "sparkhost_completion" else set()
    assert names - set(sys.stdlib_module_names) - own <= {"pyspark", "py4j"} | wanted_where_there
