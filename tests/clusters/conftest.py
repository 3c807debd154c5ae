# SPDX-License-Identifier: Apache-2.0
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

import attached  # noqa: E402
from blackbox_fixtures import blackbox  # noqa: E402

pytest_configure = blackbox.pytest_configure
folder = blackbox.folder
gate = blackbox.gate

STUB = "sparkhost-test/spark:stub"
KINDS = ("pods", "configmaps", "secrets", "services")


@pytest.fixture(scope="session")
def cluster():
    """The cluster that tools/clusters has brought up for this run."""
    return attached.Cluster()


@pytest.fixture
def run(cluster):
    """run(pod) creates a pod of that description and gives its name; all go with the test."""
    made = []

    def create(body):
        made.append(cluster.create("pods", body)["metadata"]["name"])
        return made[-1]

    yield create
    for name in made:
        cluster.delete("pods", name)


def backend(cluster, user="sparkhost", image=STUB, **keys):
    """The server's option for the cluster, as a user of it; a keyword is a key of it."""
    keys = {"kubeconfig": cluster.kubeconfigs[user], "image": image, "service-account": "spark",
            "kill-grace": "2s", **{name.replace("_", "-"): value for name, value in keys.items()}}
    return ["--no-local-backend", "--kubernetes",
            ",".join(f"{name}={value}" for name, value in keys.items())]


@contextlib.contextmanager
def servers(cluster, path):
    """Gives start(*options, data="data", **keys of the cluster). At the end what the servers run is
    deleted, and nothing of theirs may be left on the cluster; then they are stopped."""
    begun = []

    def begin_one(begin, *options, data="data", **keys):
        begun.append(begin(*backend(cluster, **keys), *options, data=data))
        return begun[-1]

    with blackbox.starter(path) as begin:
        yield lambda *options, **keys: begin_one(begin, *options, **keys)
        for one in begun:
            if one.process.poll() is None:
                one.delete_all()
        if begun:
            attached.until(lambda: [one["metadata"]["name"] for kind in KINDS
                                    for one in cluster.items(kind, "sparkhost.io%2Fstore")],
                           lambda left: not left, "what is left on the cluster")


@pytest.fixture(scope="session")
def jar(tmp_path_factory):
    """The job in Java, compiled; the same for each line of Spark."""
    home, java = os.environ["SPARKHOST_TEST_SPARK35"], os.environ["JAVA_HOME"]
    built = tmp_path_factory.mktemp("jar")
    subprocess.run([f"{java}/bin/javac", "--release", "17", "-cp", f"{home}/jars/*", "-d", built,
                    HERE / "jobs/Pi.java"], check=True)
    subprocess.run([f"{java}/bin/jar", "cf", built / "pi.jar", "-C", built, "."], check=True)
    return built / "pi.jar"


@pytest.fixture
def start(cluster, folder):
    with servers(cluster, folder) as begin:
        yield begin


@pytest.fixture(scope="module")
def server(cluster):
    """A server whose batches are small programs, for the tests of a module."""
    with tempfile.TemporaryDirectory(prefix="sparkhost-k8s-") as path:
        with servers(cluster, pathlib.Path(path)) as begin:
            yield begin()


@pytest.fixture
def program(folder):
    """program("echo 1") writes a shell script and gives it as the file of a batch."""
    count = iter(range(1000))

    def write(text):
        path = folder / f"program-{next(count)}.sh"
        path.write_text(text + "\n")
        return f"local://{path}"

    return write
