// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_BACKENDS_KUBERNETES_HPP
#define SPARKHOST_BACKENDS_KUBERNETES_HPP

#include <sparkhost/backend.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost {

/// An API server given by hand, instead of by a kubeconfig or the pod the host runs in.
struct KubernetesApiServer {
    std::string url{};                      ///< "https://host:port"; empty: not given by hand
    std::string ca_file{};                  ///< PEM; empty: the system's certificates
    std::string token_file{};               ///< bearer token; read again when it changes
    std::string client_certificate_file{};  ///< PEM; together with client_key_file
    std::string client_key_file{};          ///< PEM
    std::string server_name{};  ///< name in the server's certificate; empty: the URL's host
    bool verify{true};          ///< false: any certificate is good. For tests only
};

/// How executors reach the driver.
enum class DriverAddress {
    service,  ///< by the name of a headless Service of its own, as Spark does it
    pod_ip    ///< by the pod's IP address: one object and one request less
};

struct KubernetesBackendOptions {
    // --- the cluster: api_server.url, else kubeconfig, else the pod the host runs in ---
    /// The backend's name; a host may have several clusters under several names. Default:
    /// "kubernetes".
    std::string name{"kubernetes"};

    /// kubeconfig file; an absolute path. Several, separated by ':', are merged as kubectl does:
    /// the first that has an entry has all of it, and those that do not exist are passed over (at
    /// least one does). The environment ($KUBECONFIG) is not looked at.
    std::string kubeconfig{};
    /// Its context. Empty: its current-context.
    std::string context{};
    KubernetesApiServer api_server{};
    /// Where a pod finds its service account (token, ca.crt, namespace); used when neither
    /// `api_server.url` nor `kubeconfig` is given.
    std::string service_account_folder{"/var/run/secrets/kubernetes.io/serviceaccount"};

    // --- where drivers run ---
    /// Namespace of drivers whose request names none. Empty: the kubeconfig context's, or the
    /// host's own; else "default".
    std::string default_namespace{};
    /// Further namespaces, which a request chooses by spark.kubernetes.namespace. Default: none.
    std::vector<std::string> allowed_namespaces{};
    /// One watch for the whole cluster, which needs a ClusterRole, instead of one per namespace.
    /// For many namespaces. Default: false
    bool watch_all_namespaces{false};

    // --- what drivers are ---
    /// Image of driver and executors where `conf` and the request name none
    /// (spark.kubernetes.container.image). Empty: one of them must.
    std::string image{};
    /// "Always", "IfNotPresent" or "Never". Default: "IfNotPresent"
    std::string image_pull_policy{"IfNotPresent"};
    std::vector<std::string> image_pull_secrets{};  ///< names of Secrets in the namespace
    /// Service account of drivers; needs what Spark's drivers need (pods, services, configmaps,
    /// persistentvolumeclaims). Empty: the namespace's default.
    std::string service_account{};
    /// The images' Spark version, for the label spark-version ("4.0.1"). Empty: no such label.
    std::string spark_version{};
    /// Pod template (a YAML or JSON file; an absolute path) that driver pods are laid over, as
    /// with spark.kubernetes.driver.podTemplateFile. Read when the backend is opened.
    std::string pod_template{};
    /// The template's container that becomes Spark's. Empty: its first.
    std::string pod_template_container{};
    std::map<std::string, std::string> labels{};       ///< of driver pods, beside our own
    std::map<std::string, std::string> annotations{};  ///< of driver pods

    /// Spark properties for every application; a request's own properties win.
    std::map<std::string, std::string> conf{};
    /// Properties a request must not set; a trailing '*' matches any rest. What isolates tenants is
    /// refused in any case (docs/kubernetes.md).
    std::vector<std::string> refused_conf{"spark.launcher.*", "spark.submit.deployMode",
                                          "spark.remote"};
    /// Properties below spark.kubernetes. that a request may set, beside those that only size or
    /// name things (docs/kubernetes.md lists them); a trailing '*' matches any rest. Default: none.
    std::vector<std::string> allowed_kubernetes_conf{};

    DriverAddress driver_address{DriverAddress::service};

    // --- how it goes on ---
    /// Folder for the logs of drivers; made if it is missing (0700). An absolute path on a local
    /// file system, for one host only. Required.
    std::string work_dir{};
    /// Between SIGTERM and SIGKILL when an application is killed; whole seconds, 0 to 24 h.
    /// Default: 30 s
    std::chrono::seconds kill_grace{30};
    /// A namespace's quota is used up. true: the driver waits for room, and the host's log says for
    /// what; false: the batch ends as failed with the API server's words. Default: false
    bool wait_for_quota{false};
    /// How long a driver may wait for what does not heal by itself (no such image, a Secret or
    /// volume that is missing, an invalid command) before it is ended as failed, with the reason.
    /// 0: for ever. Default: 5 min
    std::chrono::milliseconds stuck_limit{std::chrono::minutes{5}};
    /// How long a driver may wait for a node. 0: for ever, with the scheduler's words as the
    /// reason it waits for. Default: 0
    std::chrono::milliseconds unschedulable_limit{0};

    // --- performance ---
    /// Requests to the API server at the same time; fewer while it asks to slow down. 1 to 1000.
    /// Default: 16
    std::size_t max_requests{16};
    /// For each request, with its repetitions. 1 s to 10 min. Default: 30 s
    std::chrono::milliseconds request_deadline{std::chrono::seconds{30}};
    /// Logs that are followed as they are written; those of further drivers are fetched when they
    /// are asked for, and when their driver ends. At most 10000. Default: 64
    std::size_t max_followed_logs{64};
};

/// Runs each application as a driver pod that it creates itself: no JVM starts on the host. Throws
/// std::invalid_argument when an option breaks its rule.
std::unique_ptr<Backend> make_kubernetes_backend(boost::asio::any_io_executor executor,
                                                 KubernetesBackendOptions options);

}  // namespace sparkhost

#endif
