# SPDX-License-Identifier: Apache-2.0
"""Binary jobs in Java, compiled and serialized with Livy's published classes."""

import base64
import os
import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).parent / "livy_jobs" / "Jobs.java"


def livy_jars():
    """What a driver needs of Livy: the value of the agent's setting `job_jars`."""
    folder = pathlib.Path(os.environ["SPARKHOST_TEST_LIVY_JARS"])
    return ":".join(str(next(folder.glob(f"livy-{name}-*.jar"))) for name in ("api", "rsc"))


def build(folder):
    """(jar of the jobs, {name: bytes}). Compiled once, for all lines of Spark, as clients do."""
    java = pathlib.Path(os.environ["JAVA_HOME"]) / "bin"
    path = f"{livy_jars()}:{os.environ['SPARKHOST_TEST_SPARK35']}/jars/*"
    classes, jar = folder / "classes", folder / "jobs.jar"
    subprocess.run([java / "javac", "--release", "8", "-Xlint:-options", "-proc:none", "-cp", path,
                    "-d", classes, SOURCE], check=True)
    subprocess.run([java / "jar", "cf", jar, "-C", classes, "."], check=True)
    lines = subprocess.run([java / "java", "-cp", f"{jar}:{path}", "jobs.Jobs"], check=True,
                           stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return jar, {name: base64.b64decode(payload) for name, payload in map(str.split, lines)}
