# SPDX-License-Identifier: Apache-2.0
"""What the daemons of a YARN test cluster are told, in Hadoop's own files."""

import getpass
from xml.sax.saxutils import escape

LOG4J = """\
log4j.rootLogger=INFO,out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n
log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR
"""
QUEUE = "yarn.scheduler.capacity.root.default"


def _at(ports, name):
    return f"127.0.0.1:{ports[name]}"


def core(folder, ports):
    user = getpass.getuser()
    return {"fs.defaultFS": f"hdfs://{_at(ports, 'namenode')}",
            "hadoop.tmp.dir": folder / "tmp",
            "hadoop.http.staticuser.user": user,
            f"hadoop.proxyuser.{user}.hosts": "*", f"hadoop.proxyuser.{user}.groups": "*",
            # a part that comes back is found at once
            "ipc.client.connect.retry.interval": 200}


def hdfs(folder, ports):
    return {"dfs.namenode.rpc-address": _at(ports, "namenode"),
            "dfs.namenode.http-address": _at(ports, "namenode-web"),
            "dfs.namenode.name.dir": f"file://{folder}/names",
            "dfs.namenode.safemode.extension": 0,
            "dfs.namenode.resource.du.reserved": 0,
            "dfs.namenode.datanode.registration.ip-hostname-check": "false",
            "dfs.datanode.data.dir": f"file://{folder}/blocks",
            "dfs.datanode.address": _at(ports, "datanode"),
            "dfs.datanode.http.address": _at(ports, "datanode-web"),
            "dfs.datanode.ipc.address": _at(ports, "datanode-ipc"),
            # WebHDFS sends its clients there
            "dfs.datanode.hostname": "127.0.0.1",
            "dfs.client.use.datanode.hostname": "true",
            "dfs.heartbeat.interval": 1,
            "dfs.replication": 1,
            "dfs.permissions.enabled": "false"}


def yarn(folder, ports, memory, cores):
    log_server = f"http://{_at(ports, 'history-web')}"
    rm = {"hostname": "127.0.0.1",
          "address": _at(ports, "rm"),
          "scheduler.address": _at(ports, "rm-scheduler"),
          "resource-tracker.address": _at(ports, "rm-tracker"),
          "admin.address": _at(ports, "rm-admin"),
          "webapp.address": _at(ports, "rm-web"),
          "connect.retry-interval.ms": 300,
          # what has been accepted is there after a restart
          "recovery.enabled": "true",
          "store.class": "org.apache.hadoop.yarn.server.resourcemanager.recovery."
                         "FileSystemRMStateStore",
          "fs.state-store.uri": f"file://{folder}/state",
          "work-preserving-recovery.scheduling-wait-ms": 500,
          "am.max-attempts": 2,
          "nodemanagers.heartbeat-interval-ms": 200}
    nm = {"hostname": "127.0.0.1",
          "address": _at(ports, "nm"),
          "localizer.address": _at(ports, "nm-localizer"),
          "collector-service.address": _at(ports, "nm-collector"),
          "webapp.address": _at(ports, "nm-web"),
          "local-dirs": folder / "local",
          "log-dirs": folder / "containers",
          "remote-app-log-dir": f"file://{folder}/aggregated",
          "resource.memory-mb": memory,
          "resource.cpu-vcores": cores,
          # a test machine's disks are as full as they are, and its processes share memory
          "vmem-check-enabled": "false", "pmem-check-enabled": "false",
          "disk-health-checker.enable": "false",
          "disk-health-checker.max-disk-utilization-per-disk-percentage": 100,
          "env-whitelist": "JAVA_HOME,PATH,LANG,TZ",
          "sleep-delay-before-sigkill.ms": 1000}
    return {**{f"yarn.resourcemanager.{name}": value for name, value in rm.items()},
            **{f"yarn.nodemanager.{name}": value for name, value in nm.items()},
            "yarn.log-aggregation-enable": "true",
            "yarn.log.server.url": f"{log_server}/jobhistory/logs",
            "yarn.log.server.web-service.url": f"{log_server}/ws/v1/history",
            "yarn.nm.liveness-monitor.expiry-interval-ms": 10000,
            "yarn.am.liveness-monitor.expiry-interval-ms": 180000,
            "yarn.scheduler.minimum-allocation-mb": 128,
            # Spark brings its own
            "yarn.application.classpath": ""}


def mapred(folder, ports):
    done = f"file://{folder}/history"
    return {"mapreduce.jobhistory.address": _at(ports, "history"),
            "mapreduce.jobhistory.admin.address": _at(ports, "history-admin"),
            "mapreduce.jobhistory.webapp.address": _at(ports, "history-web"),
            "mapreduce.jobhistory.intermediate-done-dir": f"{done}/intermediate",
            "mapreduce.jobhistory.done-dir": f"{done}/done"}


SCHEDULER = {"yarn.scheduler.capacity.root.queues": "default",
             f"{QUEUE}.capacity": 100, f"{QUEUE}.maximum-capacity": 100,
             "yarn.scheduler.capacity.maximum-am-resource-percent": 1.0,
             "yarn.scheduler.capacity.node-locality-delay": -1}


def write(path, properties):
    lines = "".join(f"  <property><name>{escape(name)}</name><value>{escape(str(value))}</value>"
                    "</property>\n" for name, value in properties.items())
    path.write_text(f'<?xml version="1.0"?>\n<configuration>\n{lines}</configuration>\n')
