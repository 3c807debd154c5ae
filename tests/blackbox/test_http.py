# SPDX-License-Identifier: Apache-2.0
"""What the server says to well-behaved and to other clients. No Spark runs here."""

import json
import socket

import pytest

from server import DEADLINE


def exchange(server, text):
    """Sends bytes, gives everything that comes back until the server closes."""
    host, port = server.url.removeprefix("http://").rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as connection:
        connection.sendall(text)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def test_an_empty_server_lists_nothing(server):
    response = server.client.get("/batches")
    assert response.json() == {"from": 0, "total": 0, "sessions": []}
    assert response.headers["Content-Type"].startswith("application/json")


def test_what_is_not_there_is_not_found(server):
    missing = server.client.get("/batches/7")
    assert missing.status_code == 404
    assert missing.json() == {"msg": "Session '7' not found."}
    assert server.client.get("/batches/7/log").status_code == 404
    assert server.client.delete("/batches/7").status_code == 404
    assert server.client.get("/api/v1/batches/7").status_code == 404
    assert server.client.get("/nothing").status_code == 404


def test_the_version_is_told(server):
    assert "version" in server.client.get("/version").json()


@pytest.mark.parametrize("body, words", [
    ({"file": "/x.py", "colour": "red"}, "colour"),
    ({}, "File is required"),
    ({"file": "/x.py", "numExecutors": "two"}, "numExecutors"),
    ({"file": "/x.py", "name": "123"}, "123"),
    ("not json", ""),
])
def test_a_wrong_request_is_refused_with_what_is_wrong(server, body, words):
    content = body if isinstance(body, str) else json.dumps(body)
    response = server.client.post("/batches", content=content)
    assert response.status_code in (400, 500), response.text
    assert words in response.text
    assert server.client.get("/batches").json()["total"] == 0


def test_a_body_over_the_limit_is_413(server):
    response = server.client.post("/batches", content=b"[" * (2 << 20))
    assert response.status_code == 413
    assert server.client.get("/healthz").status_code == 200


def test_a_body_announced_over_the_limit_is_refused_before_it_is_sent(server):
    answer = exchange(server, b"POST /batches HTTP/1.1\r\nHost: localhost\r\n"
                            b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n")
    assert answer.startswith("HTTP/1.1 413")


def test_expect_100_continue_is_answered(server):
    host, port = server.url.removeprefix("http://").rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as connection:
        connection.sendall(b"POST /batches HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                           b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(b"{}")
        assert b"".join(iter(lambda: connection.recv(65536), b"")).startswith(b"HTTP/1.1 400")


def test_a_header_over_the_limit_is_431(server):
    answer = exchange(server, b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n")
    assert answer.startswith("HTTP/1.1 431")


def test_what_is_not_http_is_answered_with_400(server):
    assert exchange(server, b"EHLO example\r\n\r\n").startswith("HTTP/1.1 400")


def test_a_foreign_host_is_refused(server):
    assert server.client.get("/batches", headers={"Host": "evil.example"}).status_code == 403


def test_a_foreign_origin_is_refused(server):
    response = server.client.post("/batches", json={"file": "/x.py"},
                                headers={"Origin": "http://evil.example"})
    assert response.status_code == 403
    assert server.client.get("/batches").json()["total"] == 0


def test_an_allowed_host_is_answered(start):
    server = start("--allowed-host", "spark.example")
    for host in ("spark.example", "spark.example:8998", "localhost", "127.0.0.1", "[::1]:1"):
        assert server.client.get("/batches", headers={"Host": host}).status_code == 200, host
    assert server.client.get("/batches", headers={"Host": "other.example"}).status_code == 403


def test_health_readiness_and_metrics_speak(server):
    assert server.client.get("/healthz").status_code == 200
    assert server.client.get("/readyz").status_code == 200
    server.client.get("/batches")
    metrics = server.client.get("/metrics")
    assert metrics.status_code == 200
    assert metrics.headers["Content-Type"].startswith("text/plain")
    samples = [line for line in metrics.text.splitlines() if line and not line.startswith("#")]
    assert samples
    for line in samples:  # NAME[{LABELS}] VALUE
        float(line.rpartition(" ")[2])
    assert "process_resident_memory_bytes" in metrics.text


def test_one_connection_carries_many_requests(server):
    host, port = server.url.removeprefix("http://").rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as connection:
        request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        last = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        connection.sendall(request * 3 + last)
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answers.count(b"HTTP/1.1 200 OK") == 4


def test_an_idle_server_is_small(server):
    for line in open(f"/proc/{server.process.pid}/status", encoding="ascii"):
        if line.startswith("VmRSS:"):
            assert int(line.split()[1]) < 64 * 1024  # a debug build too; the goal has a benchmark
