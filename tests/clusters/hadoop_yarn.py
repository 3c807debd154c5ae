# SPDX-License-Identifier: Apache-2.0
"""YARN with HDFS and a log server: Hadoop's own daemons."""

import json
import os
import pathlib
import subprocess
import time
import urllib.request

import yarn_settings as settings
from asking import PATIENCE
from cluster import Cluster
from parts import ClusterError, Part, free_port, wait_until

YARN = "org.apache.hadoop.yarn.server"
HDFS = "org.apache.hadoop.hdfs.server"
MAINS = {"namenode": f"{HDFS}.namenode.NameNode",
         "datanode": f"{HDFS}.datanode.DataNode",
         "rm": f"{YARN}.resourcemanager.ResourceManager",
         "nm": f"{YARN}.nodemanager.NodeManager",
         "historyserver": "org.apache.hadoop.mapreduce.v2.hs.JobHistoryServer"}
PORTS = ("namenode", "namenode-web", "datanode", "datanode-web", "datanode-ipc", "rm",
         "rm-scheduler", "rm-tracker", "rm-admin", "rm-web", "nm", "nm-localizer", "nm-collector",
         "nm-web", "history", "history-admin", "history-web")
SMALL = ("-Xmx256m", "-Xss512k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
         "--add-opens=java.base/java.lang=ALL-UNNAMED", "-Djava.net.preferIPv4Stack=true")
ATTEMPTS = 3


class YarnCluster(Cluster):
    """A ResourceManager that recovers from a folder, a NodeManager, a NameNode, a DataNode, and a
    JobHistoryServer, which has the logs that the NodeManager has handed over."""

    def __init__(self, folder, memory=8192, cores=16):
        super().__init__(folder)
        self.memory, self.cores = memory, cores
        self.jars = _variable("SPARKHOST_TEST_HADOOP_JARS")
        self.java = _variable("JAVA_HOME")
        self.ports = {}

    @staticmethod
    def add_options(parser):
        parser.add_argument("--memory", type=int, default=8192, help="of the node, in MiB")
        parser.add_argument("--cores", type=int, default=16, help="of the node")

    @classmethod
    def make(cls, folder, options):
        return cls(folder, options.memory, options.cores)

    # ---- life ----------------------------------------------------------------------------------

    def start(self):
        for name in ("logs", "conf", "daemons", "tmp", "aggregated"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for attempt in range(ATTEMPTS):
            # as with standalone: a port may be taken between the look and the use
            self.ports = self._free_ports()
            self._write_settings()
            self.parts = {name: self._part(name, main) for name, main in MAINS.items()}
            try:
                for name in ("rm", "nm", "historyserver"):
                    self.parts[name].start()
                self._format()
                for name in ("namenode", "datanode"):
                    self.parts[name].start()
                for name in MAINS:
                    self._wait_ready(name)
                return self
            except ClusterError as error:
                self.stop()
                if attempt + 1 == ATTEMPTS or "Address already in use" not in str(error):
                    raise
        return self

    def stop(self):
        # nothing needs to be kept; containers go with their node
        for part in self.parts.values():
            part.kill()

    def restart(self, name, *more):
        since = time.time()
        self.parts[name].kill()
        self.parts[name].start(*more)
        self._wait_ready(name, since)
        if name == "rm" and self.parts["nm"].is_running():
            self._wait_ready("nm")

    def _free_ports(self):
        found = {}
        while len(found) < len(PORTS):
            port = free_port()
            if port not in found.values():
                found[PORTS[len(found)]] = port
        return found

    def _write_settings(self):
        """What programs that use the cluster need, too, is in a folder of its own."""
        conf, daemons = self.folder / "conf", self.folder / "daemons"
        settings.write(conf / "core-site.xml", settings.core(self.folder, self.ports))
        settings.write(conf / "hdfs-site.xml", settings.hdfs(self.folder, self.ports))
        settings.write(conf / "yarn-site.xml", settings.yarn(self.folder, self.ports, self.memory,
                                                             self.cores))
        settings.write(daemons / "mapred-site.xml", settings.mapred(self.folder, self.ports))
        settings.write(daemons / "capacity-scheduler.xml", settings.SCHEDULER)
        (daemons / "log4j.properties").write_text(settings.LOG4J)
        for name in ("hdfs", "datanode"):  # their pages are not in the jars
            (daemons / "webapps" / name).mkdir(parents=True, exist_ok=True)

    def _format(self):
        """Makes the NameNode's folder."""
        with open(self.folder / "logs/format.log", "wb") as log:
            done = subprocess.run([*self._java(MAINS["namenode"]), "-format", "-force",
                                   "-nonInteractive"], env=self._environment(), stdout=log,
                                  stderr=log, check=False)
        if done.returncode:
            raise ClusterError(f"HDFS cannot be made; see {log.name}")

    # ---- what the parts say --------------------------------------------------------------------

    def _wait_ready(self, name, since=0.0):
        look = getattr(self, f"_{name}_is_ready")
        wait_until(f"the {name}", lambda: look(since), PATIENCE, self.parts[name])

    def _rm_is_ready(self, _):
        info = _get(f"{self.url('rm-web')}/ws/v1/cluster/info") or {}
        return info.get("clusterInfo", {}).get("haState") == "ACTIVE"

    def _nm_is_ready(self, since):
        """The ResourceManager has heard of its health after it was started."""
        found = _get(f"{self.url('rm-web')}/ws/v1/cluster/nodes?states=RUNNING") or {}
        return any(node["lastHealthUpdate"] >= since * 1000
                   for node in (found.get("nodes") or {}).get("node", []))

    def _namenode_is_ready(self, _):
        beans = self._beans("namenode-web", "Hadoop:service=NameNode,name=FSNamesystemState")
        return bool(beans) and beans[0].get("FSState") == "Operational"

    def _datanode_is_ready(self, _):
        beans = self._beans("datanode-web", "Hadoop:service=DataNode,name=DataNodeInfo")
        # not there while it starts
        actors = json.loads(beans[0].get("BPServiceActorInfo", "[]")) if beans else []
        return bool(actors) and all(one["ActorState"] == "RUNNING" for one in actors)

    def _historyserver_is_ready(self, _):
        return _get(f"{self.url('history-web')}/ws/v1/history/info")

    def _beans(self, port, query):
        return (_get(f"{self.url(port)}/jmx?qry={query}") or {}).get("beans")

    # ---- parts ---------------------------------------------------------------------------------

    def url(self, port):
        return f"http://127.0.0.1:{self.ports[port]}"

    def _java(self, main):
        path = f"{self.folder}/daemons:{self.folder}/conf:{self.jars}/*"
        return [f"{self.java}/bin/java", *SMALL, "-cp", path, main]

    def _environment(self):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("SPARK_", "PYSPARK_", "HADOOP_", "YARN_"))}
        return {**kept, "HADOOP_YARN_HOME": str(self.folder), "JAVA_HOME": self.java}

    def _part(self, name, main):
        # the history server wants to have its files where its default is
        more = ["-D", "fs.defaultFS=file:///"] if name == "historyserver" else []
        return Part(name, [*self._java(main), *more], self.folder / f"logs/{name}.log",
                    environment=self._environment(), tree=True)

    # ---- what is told about it -----------------------------------------------------------------

    def environment(self):
        told = {"": str(self.folder), "_RM": self.url("rm-web"),
                "_WEBHDFS": self.url("namenode-web"),
                "_HDFS": f"hdfs://127.0.0.1:{self.ports['namenode']}",
                "_LOG_SERVER": self.url("history-web"), "_CONF_DIR": str(self.folder / "conf")}
        return {f"SPARKHOST_TEST_YARN{key}": value for key, value in told.items()}

    def details(self):
        return {"rm": self.url("rm-web"), "hdfs": f"hdfs://127.0.0.1:{self.ports['namenode']}",
                "webhdfs": self.url("namenode-web"), "log-server": self.url("history-web")}


def _get(url):
    """None while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None


def _variable(name):
    found = os.environ.get(name)
    if not found or not pathlib.Path(found).exists():
        raise ClusterError(f"{name} names no installation; tools/clusters sets it")
    return found
