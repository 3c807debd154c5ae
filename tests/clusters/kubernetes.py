# SPDX-License-Identifier: Apache-2.0
"""A real API server with etcd and controllers, and a kubelet that runs pods as processes."""

import os
import pathlib
import shlex
import ssl
import subprocess

import users
from api import Api, ApiError
from asking import PATIENCE
from cluster import Cluster
from parts import ClusterError, Part, free_network, free_port, wait_until

HERE = pathlib.Path(__file__).parent
CONTROLLERS = ("garbage-collector-controller", "namespace-controller", "resourcequota-controller",
               "root-ca-certificate-publisher-controller", "serviceaccount-controller",
               "serviceaccount-token-controller", "pod-garbage-collector-controller")


class KubernetesCluster(Cluster):
    """A cluster in a folder. `binaries` has the programs controlplane and kubelet; options:
    api_args, more arguments of the API server; kubelet_args, more of the kubelet."""

    namespace = "jobs"

    def __init__(self, folder, binaries, api_args=(), kubelet_args=()):
        super().__init__(folder)
        self.pki = self.folder / "pki"
        self.binaries = pathlib.Path(binaries)
        self.kubelet_args = list(kubelet_args)
        self.port = free_port()
        self.address = f"https://127.0.0.1:{self.port}"
        self.node_ip, self._network = free_network()
        self.api_args = list(api_args)
        self.kubeconfigs = {}

    @staticmethod
    def add_options(parser):
        parser.add_argument("--api-args", default="", help="more arguments of the API server, such "
                            "as '--watch-cache=false --etcd-compaction-interval=3s'")
        parser.add_argument("--kubelet-args", default="", help="more arguments of the kubelet, such "
                            "as '-cpu 4 -memory 8Gi'")

    @classmethod
    def make(cls, folder, options):
        return cls(folder, options.binaries, shlex.split(options.api_args),
                   shlex.split(options.kubelet_args))

    # ---- life ----------------------------------------------------------------------------------

    def start(self):
        for name in ("logs", "images"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        subprocess.run([self.binaries / "kubelet", "pki", "-folder", self.pki,
                        "-ip", self.node_ip], check=True)
        etcd = f"http://127.0.0.1:{free_port()}"
        self.parts = {
            "etcd": self._part("etcd", "controlplane", "etcd", "-folder", self.folder / "etcd",
                               "-clients", etcd, "-peers", f"http://127.0.0.1:{free_port()}"),
            "kube-apiserver": self._api_server(etcd),
            "kube-controller-manager": self._controllers(),
            "kubelet": self._kubelet()}
        self.parts["etcd"].start()
        self.start_api_server()
        users.write_kubeconfig(self, "controller-manager", certificate="controller-manager")
        self.parts["kube-controller-manager"].start()
        self.parts["kubelet"].start()
        self._fill()
        return self

    def stop(self):
        for name in ("kubelet", "kube-controller-manager"):
            if name in self.parts:
                self.parts[name].stop()
        # there is nothing that these two would have to keep
        for name in ("kube-apiserver", "etcd"):
            if name in self.parts:
                self.parts[name].kill()

    def restart(self, name, *more):
        self.parts[name].kill()
        if name == "kube-apiserver":
            self.start_api_server(*more)
        else:
            self.parts[name].start(*more)

    def start_api_server(self, *more):
        server = self.parts["kube-apiserver"]
        server.start(*self.api_args, *more)
        wait_until("the API server", self.is_ready, PATIENCE, server, self.parts["etcd"])

    def is_ready(self):
        """An answer is enough where the server shows a certificate that is not to be trusted."""
        try:
            return self.api().text("/readyz") == "ok"
        except ssl.SSLCertVerificationError:
            return True
        except (OSError, ApiError):
            return False

    # ---- parts ---------------------------------------------------------------------------------

    def _part(self, name, program, *arguments):
        return Part(name, [self.binaries / program, *arguments], self.folder / f"logs/{name}.log")

    def _api_server(self, etcd):
        return self._part(
            "kube-apiserver", "controlplane", "kube-apiserver",
            f"--etcd-servers={etcd}", "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1", f"--secure-port={self.port}",
            f"--tls-cert-file={self.pki}/apiserver.crt",
            f"--tls-private-key-file={self.pki}/apiserver.key",
            f"--client-ca-file={self.pki}/ca.crt", "--authorization-mode=Node,RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self.pki}/service-accounts.pub",
            f"--service-account-signing-key-file={self.pki}/service-accounts.key",
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--kubelet-client-certificate={self.pki}/apiserver-kubelet-client.crt",
            f"--kubelet-client-key={self.pki}/apiserver-kubelet-client.key",
            f"--kubelet-certificate-authority={self.pki}/ca.crt",
            "--kubelet-preferred-address-types=InternalIP", "--shutdown-delay-duration=0",
            "--endpoint-reconciler-type=none", "--allow-privileged=true",
            f"--cert-dir={self.folder}/pki")

    def _controllers(self):
        return self._part(
            "kube-controller-manager", "controlplane", "kube-controller-manager",
            f"--kubeconfig={self.folder}/controller-manager.kubeconfig",
            "--bind-address=127.0.0.1", f"--secure-port={free_port()}", "--leader-elect=false",
            f"--service-account-private-key-file={self.pki}/service-accounts.key",
            f"--root-ca-file={self.pki}/ca.crt", "--use-service-account-credentials=false",
            f"--cert-dir={self.folder}/pki", f"--controllers={','.join(CONTROLLERS)}")

    def _kubelet(self):
        options = []
        for image, program in self._images().items():
            options += ["-image", f"{image}={program}"]
        return self._part("kubelet", "kubelet", "run", "-api", self.address, "-pki", self.pki,
                          "-folder", self.folder / "kubelet", "-ip", self.node_ip, *options,
                          *self.kubelet_args)

    def _images(self):
        """Images and their entry points: a line of Spark each where it is installed, and the stub."""
        found = {"sparkhost-test/spark:stub": HERE / "images/stub"}
        for tag, line in (("3.5", "35"), ("4", "4")):
            home = os.environ.get(f"SPARKHOST_TEST_SPARK{line}")
            python = os.environ.get(f"SPARKHOST_TEST_PYTHON{line}")
            if home and python and os.environ.get("JAVA_HOME"):
                found[f"sparkhost-test/spark:{tag}"] = self._wrapper(tag, home, python)
        return found

    def _wrapper(self, tag, home, python):
        path = self.folder / f"images/spark-{tag}"
        path.write_text(
            "#!/bin/sh\n"
            f"export SPARK_HOME={shlex.quote(home)} "
            f"JAVA_HOME={shlex.quote(os.environ['JAVA_HOME'])}\n"
            f"export PATH={shlex.quote(os.path.dirname(python))}:$PATH\n"
            f"exec {shlex.quote(str(HERE / 'images/spark'))} \"$@\"\n")
        path.chmod(0o755)
        return path

    # ---- contents ------------------------------------------------------------------------------

    def _fill(self):
        """Namespaces, roles, users; then waits until pods can run."""
        admin = self.api()
        for path, body in users.objects(self.namespace):
            admin.post(path, body)
        self.kubeconfigs = users.write_all(self, admin)
        space = f"/api/v1/namespaces/{self.namespace}"
        parts = list(self.parts.values())

        def there(path):
            try:
                return admin.get(path)
            except ApiError as error:
                if error.code == 404:
                    return None
                raise

        wait_until("the namespace's certificates",
                   lambda: there(f"{space}/configmaps/kube-root-ca.crt"), PATIENCE, *parts)
        wait_until("the default service account",
                   lambda: there(f"{space}/serviceaccounts/default"), PATIENCE, *parts)
        wait_until("the node", lambda: there("/api/v1/nodes/node-1"), PATIENCE, *parts)

    def api(self, certificate="admin", token=None):
        """The API as a user sees it: by a certificate of the cluster, or by a token."""
        return Api(self.address, self.pki / "ca.crt",
                   None if token else self.pki / certificate, token)

    def environment(self):
        return {"KUBECONFIG": str(self.kubeconfigs["admin"]),
                "SPARKHOST_TEST_KUBERNETES": str(self.folder),
                "SPARKHOST_TEST_KUBERNETES_API": self.address}

    def details(self):
        return {"api": self.address,
                "kubeconfigs": {name: str(path) for name, path in self.kubeconfigs.items()}}


__all__ = ["ApiError", "ClusterError", "KubernetesCluster"]
