# SPDX-License-Identifier: Apache-2.0
"""The API server, as tests and tools speak to it: JSON in, JSON out, the standard library only."""

import http.client
import json
import ssl
import urllib.parse


class ApiError(Exception):
    """An answer that is no success; `code`, `reason` and `message` are the server's."""

    def __init__(self, code, status):
        self.code = code
        self.reason = status.get("reason", "")
        self.message = status.get("message", "")
        super().__init__(f"{code} {self.reason}: {self.message}")


class Api:
    """A user's view of the API server. Each call is a connection of its own."""

    def __init__(self, address, authority, certificate=None, token=None, timeout=30):
        self.address = urllib.parse.urlsplit(address).netloc
        self.context = ssl.create_default_context(cafile=str(authority))
        if certificate:
            self.context.load_cert_chain(f"{certificate}.crt", f"{certificate}.key")
        self.token = token
        self.timeout = timeout

    def open(self, method, path, body=None, kind="application/json"):
        """Gives the answer, unread."""
        connection = http.client.HTTPSConnection(self.address, context=self.context,
                                                 timeout=self.timeout)
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = kind
            body = json.dumps(body)
        connection.request(method, path, body, headers)
        return connection.getresponse()

    def text(self, path):
        with self.open("GET", path) as answer:
            content = answer.read().decode()
            if answer.status >= 300:
                raise ApiError(answer.status, _status(content))
            return content

    def call(self, method, path, body=None, kind="application/json"):
        with self.open(method, path, body, kind) as answer:
            content = answer.read().decode()
            if answer.status >= 300:
                raise ApiError(answer.status, _status(content))
            return json.loads(content)

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body):
        return self.call("POST", path, body)

    def patch(self, path, body):
        return self.call("PATCH", path, body, "application/merge-patch+json")

    def delete(self, path, body=None):
        return self.call("DELETE", path, body)

    def watch(self, path, version):
        """Gives the events of a watch, one by one, until the server ends it."""
        mark = "&" if "?" in path else "?"
        with self.open("GET", f"{path}{mark}watch=1&allowWatchBookmarks=true"
                              f"&resourceVersion={version}") as answer:
            if answer.status >= 300:
                raise ApiError(answer.status, _status(answer.read().decode()))
            for line in answer:
                yield json.loads(line)


def _status(content):
    try:
        return json.loads(content)
    except ValueError:
        return {"message": content}
