#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records the objects that `spark-submit --deploy-mode cluster` sends to the API server for each
case of matrix.json, one file per Spark version, for the comparison in driver_golden_test.cpp.

Usage: record.py SPARK_HOME OUTPUT.json [--case NAME]

Spark's own submission runs, all cases in one JVM; the API server is a stand-in that takes what it is
sent and writes it down. tests/kubernetes compares one case with a real API server, too.
"""

import argparse
import glob
import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
FIELDS = {"class_name": "--class", "driver_memory": "--driver-memory",
          "driver_cores": "--driver-cores", "executor_memory": "--executor-memory",
          "executor_cores": "--executor-cores", "num_executors": "--num-executors",
          "proxy_user": "--proxy-user"}
LISTS = {"jars": "--jars", "py_files": "--py-files", "files": "--files", "archives": "--archives"}


class Recorder(http.server.BaseHTTPRequestHandler):
    """Answers as an API server does that accepts everything."""

    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or "{}")

    def do_POST(self):
        self.take(201)

    def do_PATCH(self):
        self.take(200)

    def do_PUT(self):
        self.take(200)

    def do_GET(self):
        self.answer(404, {"kind": "Status", "apiVersion": "v1", "status": "Failure",
                          "reason": "NotFound", "code": 404})

    def take(self, status):
        body = self.body()
        if "kind" in body:
            self.server.taken.append(body)
        stored = json.loads(json.dumps(body))
        stored.setdefault("metadata", {})["uid"] = "00000000-0000-0000-0000-000000000001"
        self.answer(status, stored)

    def log_message(self, *arguments):
        pass


def submission(case, url, folder):
    """The arguments of spark-submit for one case of the matrix."""
    operator, spec = case.get("operator", {}), case["spec"]
    conf = {"spark.kubernetes.namespace": "jobs", "spark.kubernetes.container.image": "spark:test",
            "spark.kubernetes.submission.waitAppCompletion": "false"}
    conf.update(operator.get("conf", {}))
    if "service_account" in operator:
        conf["spark.kubernetes.authenticate.driver.serviceAccountName"] = operator["service_account"]
    if "image_pull_secrets" in operator:
        conf["spark.kubernetes.container.image.pullSecrets"] = ",".join(
            operator["image_pull_secrets"])
    if "image_pull_policy" in operator:
        conf["spark.kubernetes.container.image.pullPolicy"] = operator["image_pull_policy"]
    for kind in ("label", "annotation"):
        for key, value in operator.get(kind + "s", {}).items():
            conf[f"spark.kubernetes.driver.{kind}.{key}"] = value
    if "pod_template" in operator:
        path = os.path.join(folder, case["name"] + ".yaml")
        pathlib.Path(path).write_text("\n".join(operator["pod_template"]) + "\n")
        conf["spark.kubernetes.driver.podTemplateFile"] = path
    if "pod_template_container" in operator:
        conf["spark.kubernetes.driver.podTemplateContainerName"] = (
            operator["pod_template_container"])
    conf.update(spec.get("conf", {}))
    words = ["--master", "k8s://" + url, "--deploy-mode", "cluster",
             "--name", spec.get("name", case["name"])]
    for field, option in FIELDS.items():
        if field in spec:
            words += [option, str(spec[field])]
    for field, option in LISTS.items():
        if spec.get(field):
            words += [option, ",".join(spec[field])]
    for key, value in sorted(conf.items()):
        words += ["--conf", f"{key}={value}"]
    return words + [spec["file"]] + spec.get("args", [])


def run_submissions(spark_home, cases, server, folder):
    """The objects of each case, in the order they were sent."""
    url = f"http://127.0.0.1:{server.server_address[1]}"
    classes = ":".join(sorted(glob.glob(os.path.join(spark_home, "jars", "*.jar"))))
    conf_folder = os.path.join(folder, "conf")  # empty: what lies there goes into the ConfigMap
    os.mkdir(conf_folder)
    environment = {"PATH": os.environ["PATH"], "HOME": folder, "SPARK_HOME": spark_home,
                   "SPARK_CONF_DIR": conf_folder, "SPARK_USER": "alice", "SPARK_LOCAL_IP": "127.0.0.1",
                   "KUBECONFIG": os.path.join(folder, "none")}
    if "JAVA_HOME" in os.environ:
        environment["JAVA_HOME"] = os.environ["JAVA_HOME"]
    opens = [word for name in ("lang", "lang.invoke", "util", "nio", "io", "net", "util.concurrent")
             for word in ("--add-opens", f"java.base/java.{name}=ALL-UNNAMED")]
    subprocess.run(["javac", "-cp", classes, "-d", folder, str(HERE / "Submissions.java")],
                   check=True, timeout=120)
    found = {}
    lines = ["\x1f".join([case["name"], *submission(case, url, folder)]) for case in cases]
    # one at a time, told apart by the application's name
    process = subprocess.run(
        ["java", *opens, "-cp", folder + ":" + classes, "Submissions"],
        input="\n".join(lines), env=environment, text=True, timeout=570, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if process.returncode != 0:
        print(process.stdout[-4000:], file=sys.stderr)
    for body in server.taken:
        if body["kind"] == "Pod":
            found[len(found)] = [body]
        else:
            found[len(found) - 1].append(body)
    if len(found) != len(cases) or process.returncode != 0:
        print(process.stdout[-4000:], file=sys.stderr)
        raise SystemExit(f"{len(found)} of {len(cases)} cases were submitted")
    return {case["name"]: found[index] for index, case in enumerate(cases)}


def properties(text):
    """What java.util.Properties.store has written."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            key, value = re.fullmatch(r"((?:[^\\=]|\\.)*)=(.*)", line).groups()
            unescaped = [re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t", "r": "\r"}.get(
                match.group(1), match.group(1)), part) for part in (key, value)]
            found[unescaped[0]] = unescaped[1]
    return found


def without_chance(objects, url, folder):
    """What differs from run to run is replaced by words."""
    for each in objects:
        if each["kind"] == "ConfigMap":
            each["data"]["spark.properties"] = properties(each["data"]["spark.properties"])
    text = json.dumps(objects, sort_keys=True)
    pod = next(each for each in objects if each["kind"] == "Pod")
    labels = pod["metadata"]["labels"]
    prefix = re.sub("-driver$", "", pod["metadata"]["name"])
    for pattern, word in (
            (re.escape(labels["spark-app-selector"]), "APP_ID"),
            (re.escape(prefix), "PREFIX"),
            (r"spark-[0-9a-f]{16,18}-driver-svc", "SHORT-driver-svc"),
            (r"spark-drv-[0-9a-f]+-conf-map", "CONF_MAP"),
            (r"/var/data/spark-[0-9a-f-]{36}", "/var/data/LOCAL"),
            (re.escape(url), "API_SERVER"),
            (r'("spark\.app\.submitTime": ")[0-9]+', r"\1TIME"),
            (re.escape(folder), "FOLDER")):
        text = re.sub(pattern, word, text)
    return json.loads(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("spark_home")
    parser.add_argument("output")
    parser.add_argument("--case")
    options = parser.parse_args()
    cases = json.loads((HERE / "matrix.json").read_text())["cases"]
    version = pathlib.Path(next(iter(glob.glob(options.spark_home + "/jars/spark-core_*.jar"))))
    version = version.stem.rsplit("-", 1)[1]
    cases = [case for case in cases if options.case in (None, case["name"])
             and version.startswith(case.get("spark", ""))]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    server.taken = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        objects = run_submissions(options.spark_home, cases, server, folder)
        result = {name: without_chance(each, url, folder) for name, each in objects.items()}
    server.shutdown()
    pathlib.Path(options.output).write_text(
        json.dumps({"spark": version, "cases": result}, indent=1, sort_keys=True) + "\n")
    print(f"{len(result)} cases of Spark {version}")


if __name__ == "__main__":
    main()
