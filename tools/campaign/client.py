# SPDX-License-Identifier: Apache-2.0
"""One client's connection. An answer that never came is not an answer: Unanswered."""

import http.client
import json
import socket
import time

PATIENCE = 60  # seconds: a DELETE waits for an end


class Unanswered(Exception):
    """The server was not there, or went away; whether it did what was asked is not known."""


class Client:
    def __init__(self, server):
        self.server = server
        self.connection = None
        self.longest = (0, "")  # that was answered

    def follow(self, path, patience):
        """Server-sent events of a path, (id, event, object), until it is over, cut off, or silent
        for so long."""
        connection = http.client.HTTPConnection(*self.server.address, timeout=patience)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            event = {}
            while answer.status == 200:
                line = answer.readline()
                if not line:
                    return
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                elif "data" in event:
                    yield event.get("id"), event["event"], json.loads(event["data"])
                    event = {}
        except (OSError, http.client.HTTPException):
            return  # what had come of an event that was not whole comes again
        finally:
            connection.close()

    def ask(self, method, path, body=None, key=None, patience=PATIENCE):
        """(status, object): one request, one answer, or Unanswered."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if key:
            headers["Idempotency-Key"] = key
        payload = None if body is None else json.dumps(body)
        began = time.monotonic()
        try:
            if self.connection is None or self.connection.sock is None:  # a stop closes it
                self.connection = http.client.HTTPConnection(*self.server.address, timeout=patience)
                self.connection.connect()
                self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connection.sock.settimeout(patience)
            self.connection.request(method, path, payload, headers)
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as problem:
            if self.connection is not None:
                self.connection.close()
            self.connection = None
            raise Unanswered(f"{method} {path}: {problem!r}") from problem
        if answer.status == 503:
            raise Unanswered(f"{method} {path}: {text.decode(errors='replace')}")
        self.longest = max(self.longest, (time.monotonic() - began, f"{method} {path}"))
        try:
            return answer.status, json.loads(text) if text else None
        except ValueError:
            return answer.status, text.decode(errors="replace")
