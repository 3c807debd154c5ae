# SPDX-License-Identifier: Apache-2.0
"""Behind tools/clusters, which says what it does and builds what it needs."""

import argparse
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

import keeper
from hadoop_yarn import YarnCluster
from kubernetes import KubernetesCluster
from parts import ClusterError, wait_until
from spark_standalone import StandaloneCluster

CLUSTERS = {"kubernetes": KubernetesCluster, "standalone": StandaloneCluster,
            "yarn": YarnCluster}
HERE = pathlib.Path(__file__).parent


def arguments_of():
    parser = argparse.ArgumentParser(prog="tools/clusters", allow_abbrev=False)
    parser.add_argument("--binaries", type=pathlib.Path, help=argparse.SUPPRESS)
    orders = parser.add_subparsers(dest="order", required=True)

    def order(name):
        """One parser for each kind of cluster, for what this order has in common."""
        kinds = orders.add_parser(name, allow_abbrev=False).add_subparsers(dest="kind", required=True)
        for kind in CLUSTERS:
            one = kinds.add_parser(kind, allow_abbrev=False)
            one.add_argument("--folder", type=pathlib.Path, help="the cluster's folder; default: "
                             "one per user and kind in the folder for temporary files")
            yield one, CLUSTERS[kind]

    for name in ("up", "keep", "run"):
        for one, cluster in order(name):
            cluster.add_options(one)
            if name == "run":
                one.add_argument("command", nargs="+")
            else:
                one.add_argument("--pid", type=int, help="the cluster ends when this process does")
                one.add_argument("--ready", type=int, help=argparse.SUPPRESS)
    for name in ("down", "status"):
        list(order(name))
    for name in ("kill", "restart"):
        for one, _ in order(name):
            one.add_argument("part")
            if name == "restart":
                one.add_argument("arguments", nargs="*")
    return parser


def default_folder(kind):
    return pathlib.Path(tempfile.gettempdir()) / f"sparkhost-clusters-{os.getuid()}" / kind


def make(options, folder):
    return CLUSTERS[options.kind].make(folder, options)


def is_up(folder):
    try:
        return keeper.ask(folder, {"do": "status"}, 10)
    except OSError:
        return None


def up(options):
    """Leaves a keeper behind."""
    folder = options.folder
    if is_up(folder):
        raise ClusterError(f"a cluster is up in {folder}; tools/clusters down {options.kind} ends it")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    reader, writer = os.pipe()
    place = sys.argv.index("up")
    command = [sys.executable, "-B", str(HERE / "clusters.py"), *sys.argv[1:place], "keep",
               *sys.argv[place + 1:], "--folder", str(folder), "--ready", str(writer)]
    with open(folder / "keeper.log", "wb") as log:
        subprocess.Popen(command, pass_fds=[writer], start_new_session=True,
                         stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    os.close(writer)
    with os.fdopen(reader) as stream:
        answer = stream.read()
    if not answer:
        raise ClusterError((folder / "keeper.log").read_text() or "the keeper ended")
    for name, value in json.loads(answer)["environment"].items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def keep(options):
    cluster = make(options, options.folder)
    with cluster:
        watched = keeper.Keeper(cluster, options.pid)
        watched.open()
        if options.ready is not None:
            with os.fdopen(options.ready, "w") as stream:
                stream.write(cluster.describe())
        watched.serve()
    shutil.rmtree(options.folder, ignore_errors=True)
    return 0


def run(options):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sparkhost-cluster-"))
    try:
        with make(options, folder) as cluster:
            watched = keeper.Keeper(cluster)
            watched.open()
            return watched.run(options.command)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def down(options):
    if not is_up(options.folder):
        print(f"no cluster is up in {options.folder}", file=sys.stderr)
        return 0
    keeper.ask(options.folder, {"do": "stop"})
    wait_until("the folder's end", lambda: not options.folder.exists())
    return 0


def tell(options):
    """Orders that a keeper carries out."""
    if not is_up(options.folder):
        raise ClusterError(f"no cluster is up in {options.folder}")
    order = {"do": options.order, "part": getattr(options, "part", None),
             "arguments": getattr(options, "arguments", [])}
    print(json.dumps(keeper.ask(options.folder, order), indent=2))
    return 0


def main():
    options = arguments_of().parse_args()
    options.folder = (options.folder or default_folder(options.kind)).absolute()
    orders = {"up": up, "keep": keep, "run": run, "down": down}
    try:
        return orders.get(options.order, tell)(options)
    except (ClusterError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
