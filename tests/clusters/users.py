# SPDX-License-Identifier: Apache-2.0
"""Who may do what in the Kubernetes test cluster, and the kubeconfigs by which they come."""

import json

RBAC = "rbac.authorization.k8s.io"
ALL_VERBS = ["create", "get", "list", "watch", "delete", "deletecollection", "patch", "update"]

# What Spark's driver needs, and what sparkhost needs.
DRIVER_RULES = [{"apiGroups": [""], "verbs": ALL_VERBS,
                 "resources": ["pods", "services", "configmaps", "persistentvolumeclaims"]}]
SPARKHOST_RULES = [
    {"apiGroups": [""], "resources": ["pods"],
     "verbs": ["create", "get", "list", "watch", "patch", "delete"]},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["configmaps", "secrets", "services"],
     "verbs": ["create", "get", "list", "patch", "delete"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["get", "list", "watch"]}]
LIFETIME = 30 * 24 * 3600


def _account(space, name):
    return (f"/api/v1/namespaces/{space}/serviceaccounts",
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})


def role(space, name, rules):
    """A role and its binding to the service account of the same name: paths and bodies."""
    base = f"/apis/{RBAC}/v1/namespaces/{space}"
    return [(f"{base}/roles", {"apiVersion": f"{RBAC}/v1", "kind": "Role",
                               "metadata": {"name": name}, "rules": rules}),
            (f"{base}/rolebindings", {
                "apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": {"name": name},
                "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": space}]})]


def objects(space):
    """What the cluster has from the start: `space` with the accounts spark (of drivers), sparkhost
    and powerless, and a namespace `forbidden` that none of them may enter."""
    for name in (space, "forbidden"):
        yield "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace",
                                     "metadata": {"name": name}}
    for name in ("spark", "sparkhost", "powerless"):
        yield _account(space, name)
    yield from role(space, "spark", DRIVER_RULES)
    yield from role(space, "sparkhost", SPARKHOST_RULES)


def token(admin, space, account, seconds=LIFETIME):
    """A token of a service account."""
    answer = admin.post(f"/api/v1/namespaces/{space}/serviceaccounts/{account}/token",
                        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                         "spec": {"expirationSeconds": seconds}})
    return answer["status"]["token"]


def write_kubeconfig(cluster, name, certificate=None, token_file=None, namespace=None):
    """JSON is YAML as well."""
    user = ({"tokenFile": str(token_file)} if token_file else
            {"client-certificate": f"{cluster.pki}/{certificate}.crt",
             "client-key": f"{cluster.pki}/{certificate}.key"})
    context = {"cluster": "test", "user": name, "namespace": namespace or cluster.namespace}
    path = cluster.folder / f"{name}.kubeconfig"
    path.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": {
            "server": cluster.address, "certificate-authority": f"{cluster.pki}/ca.crt"}}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "test", "context": context}]}, indent=1) + "\n")
    path.chmod(0o600)
    return path


def write_all(cluster, admin):
    """The kubeconfigs of all users, by name."""
    made = {name: write_kubeconfig(cluster, name, certificate=name)
            for name in ("admin", "restricted", "expired", "stranger")}
    tokens = {name: token(admin, cluster.namespace, name) for name in ("sparkhost", "powerless")}
    tokens["wrong-token"] = "no.such.token"
    for name, text in tokens.items():
        path = cluster.folder / f"{name}.token"
        path.write_text(text)
        path.chmod(0o600)
        made[name] = write_kubeconfig(cluster, name, token_file=path)
    return made
