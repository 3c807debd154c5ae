# SPDX-License-Identifier: Apache-2.0
"""What tests on real daemons need to talk to them, and to have something to run; the standard library
only."""

import json
import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

JOBS = pathlib.Path(__file__).resolve().parent / "jobs"
PATIENCE = 180  # seconds, for whatever real daemons have to do


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    def json(self):
        return json.loads(self.text)


def ask(method, url, body=None, timeout=30):
    """Whatever the server answers; a body that is no text is sent as JSON."""
    data = None
    if body is not None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json;charset=UTF-8"},
                                     method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read().decode())
    except urllib.error.HTTPError as error:
        return Answer(error.code, dict(error.headers), error.read().decode())


def until(look, holds, what, seconds=PATIENCE):
    """Looks until what is seen is as wanted."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if holds(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s; it is {seen}")
        time.sleep(0.05)


def compile_jar(source, folder):
    """A class of jobs/ as a jar, for any line of Spark."""
    java, home = os.environ["JAVA_HOME"], os.environ["SPARKHOST_TEST_SPARK35"]
    name = pathlib.Path(source).stem
    classes = pathlib.Path(folder) / f"{name}.classes"
    jar = pathlib.Path(folder) / f"{name.lower()}.jar"
    subprocess.run([f"{java}/bin/javac", "--release", "17", "-cp", f"{home}/jars/*", "-d",
                    str(classes), str(JOBS / source)], check=True)
    subprocess.run([f"{java}/bin/jar", "cf", str(jar), "-C", str(classes), "."], check=True)
    return jar
