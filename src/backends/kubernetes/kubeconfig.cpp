// SPDX-License-Identifier: Apache-2.0
#include "backends/common/base64.hpp"
#include "backends/kubernetes/cluster_access.hpp"
#include "backends/kubernetes/yaml_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

/// Names what is wrong where; thrown within this file only.
struct KubeconfigFault {
    std::string detail;
};

/// A file with what it says.
struct Kubeconfig {
    std::string path{};
    boost::json::object members{};
};
using Kubeconfigs = std::vector<Kubeconfig>;

/// One entry ("cluster \"prod\"") with what it says.
struct KubeconfigEntry {
    std::string path{};  ///< of the file that it stands in; where it is missing: of all of them
    std::string place{};
    boost::json::object members{};

    [[noreturn]] void fail(const std::string& rule) const {
        throw KubeconfigFault{"kubeconfig " + path + ": " + place + ": " + rule};
    }

    std::string text(const char* key) const {
        const auto* value = members.if_contains(key);
        if (value == nullptr || value->is_null()) {
            return {};
        }
        if (!value->is_string()) {
            fail(std::string(key) + " must be a text");
        }
        return std::string(value->as_string());
    }

    bool flag(const char* key) const {
        const auto* value = members.if_contains(key);
        if (value == nullptr || value->is_null()) {
            return false;
        }
        if (!value->is_bool()) {
            fail(std::string(key) + " must be true or false");
        }
        return value->as_bool();
    }

    /// What stands behind "<key>-data", decoded.
    std::string decoded(const char* key) const {
        auto bytes = from_base64(text(key));
        if (!bytes) {
            fail(std::string(key) + " is no base64");
        }
        return std::move(*bytes);
    }
};

std::string all_paths(const Kubeconfigs& files) {
    std::string paths;
    for (const auto& each : files) {
        paths += (paths.empty() ? "" : ":") + each.path;
    }
    return paths;
}

/// The object behind a name in a list of a file; null: there is none of that name.
const boost::json::object* find_named(const boost::json::object& config, const char* list,
                                      const std::string& name) {
    const auto* found = config.if_contains(list);
    if (found == nullptr || !found->is_array()) {
        return nullptr;
    }
    for (const auto& each : found->get_array()) {
        const auto* object = each.if_object();
        const auto* own_name = object != nullptr ? object->if_contains("name") : nullptr;
        if (own_name != nullptr && own_name->is_string() && own_name->get_string() == name) {
            return object;
        }
    }
    return nullptr;
}

/// The first file that has it has all of it.
KubeconfigEntry named_entry(const Kubeconfigs& files, const char* list, const char* kind,
                            const std::string& name) {
    KubeconfigEntry entry{all_paths(files), std::string(kind) + " \"" + name + "\"", {}};
    for (const auto& file : files) {
        const auto* found = find_named(file.members, list, name);
        if (found == nullptr) {
            continue;
        }
        entry.path = file.path;
        const auto* members = found->if_contains(kind);
        if (members == nullptr || !members->is_object()) {
            entry.fail("it is empty");
        }
        entry.members = members->get_object();
        return entry;
    }
    entry.fail(std::string("there is none below \"") + list + "\"");
}

/// Relative paths are beside the kubeconfig that they stand in.
std::string path_beside(const KubeconfigEntry& entry, std::string path) {
    if (path.empty() || path.front() == '/') {
        return path;
    }
    const auto slash = entry.path.rfind('/');
    return slash == std::string::npos ? path : entry.path.substr(0, slash + 1) + path;
}

void read_cluster(const KubeconfigEntry& cluster, ClusterAccess& access) {
    access.http.url = cluster.text("server");
    if (access.http.url.empty()) {
        cluster.fail("server is missing");
    }
    if (!cluster.text("proxy-url").empty()) {
        cluster.fail("proxy-url is not supported: give a server that can be reached directly");
    }
    access.http.ca_data = cluster.decoded("certificate-authority-data");
    if (access.http.ca_data.empty()) {
        access.http.ca_file = path_beside(cluster, cluster.text("certificate-authority"));
    }
    access.http.verify = !cluster.flag("insecure-skip-tls-verify");
    access.http.server_name = cluster.text("tls-server-name");
}

void read_certificate(const KubeconfigEntry& user, ClusterAccess& access) {
    access.http.client_certificate = user.decoded("client-certificate-data");
    access.http.client_key = user.decoded("client-key-data");
    if (access.http.client_certificate.empty()) {
        access.http.client_certificate_file = path_beside(user, user.text("client-certificate"));
    }
    if (access.http.client_key.empty()) {
        access.http.client_key_file = path_beside(user, user.text("client-key"));
    }
    const bool certificate =
        !access.http.client_certificate.empty() || !access.http.client_certificate_file.empty();
    const bool key = !access.http.client_key.empty() || !access.http.client_key_file.empty();
    if (certificate != key) {
        user.fail("client-certificate and client-key belong together");
    }
    if (access.http.client_certificate.empty() != access.http.client_key.empty()) {
        user.fail("give client-certificate and client-key both as files or both as data");
    }
}

void read_user(const KubeconfigEntry& user, ClusterAccess& access) {
    if (user.members.contains("exec")) {
        user.fail(
            "exec is not supported, for it starts programs: give a token file that is kept fresh "
            "(tokenFile, KubernetesApiServer::token_file), a client certificate, or run in the "
            "cluster with a service account");
    }
    if (user.members.contains("auth-provider")) {
        user.fail(
            "auth-provider is not supported (Kubernetes has removed it): give a token file that "
            "is kept fresh, or a client certificate");
    }
    for (const char* key : {"as", "as-uid", "as-groups", "as-user-extra"}) {
        if (user.members.contains(key)) {
            user.fail(std::string(key) + " (impersonation) is not supported");
        }
    }
    read_certificate(user, access);
    access.http.bearer_token_file = path_beside(user, user.text("tokenFile"));
    if (access.http.bearer_token_file.empty()) {
        access.http.bearer_token = user.text("token");
    }
    access.http.user = user.text("username");
    access.http.password = user.text("password");
    const bool token = !access.http.bearer_token.empty() || !access.http.bearer_token_file.empty();
    if (token && !access.http.user.empty()) {
        user.fail("give either a token or username and password");
    }
}

std::string current_context(const Kubeconfigs& files) {
    for (const auto& file : files) {
        const KubeconfigEntry root{file.path, "the file", file.members};
        if (auto context = root.text("current-context"); !context.empty()) {
            return context;
        }
    }
    const KubeconfigEntry nowhere{all_paths(files), "the file", {}};
    nowhere.fail("it names no current-context: set KubernetesBackendOptions::context");
}

ClusterAccess of_context(const Kubeconfigs& files, const std::string& context) {
    const KubeconfigEntry chosen = named_entry(files, "contexts", "context",
                                               context.empty() ? current_context(files) : context);
    ClusterAccess access;
    read_cluster(named_entry(files, "clusters", "cluster", chosen.text("cluster")), access);
    if (const std::string user = chosen.text("user"); !user.empty()) {
        read_user(named_entry(files, "users", "user", user), access);
    }
    access.default_namespace = chosen.text("namespace");
    return access;
}

Result<Kubeconfig> parse_kubeconfig(const KubeconfigText& file) {
    auto value = parse_yaml(file.text);
    if (!value) {
        return Error(Errc::backend_failed, "kubeconfig " + file.path + ": " + value.error().detail);
    }
    if (!value->is_object()) {
        return Error(Errc::backend_failed, "kubeconfig " + file.path + ": it has no contents");
    }
    return Kubeconfig{file.path, std::move(value->get_object())};
}

}  // namespace

std::vector<std::string> kubeconfig_paths(std::string_view list) {
    std::vector<std::string> paths;
    while (!list.empty()) {
        const auto end = std::min(list.find(':'), list.size());
        if (end > 0) {
            paths.emplace_back(list.substr(0, end));
        }
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return paths;
}

Result<ClusterAccess> read_kubeconfigs(const std::vector<KubeconfigText>& texts,
                                       const std::string& context) {
    Kubeconfigs files;
    for (const auto& each : texts) {
        auto parsed = parse_kubeconfig(each);
        if (!parsed) {
            return parsed.error();
        }
        files.push_back(std::move(*parsed));
    }
    try {
        return of_context(files, context);
    } catch (const KubeconfigFault& fault) {
        return Error(Errc::backend_failed, fault.detail);
    }
}

}  // namespace sparkhost::detail::kubernetes
