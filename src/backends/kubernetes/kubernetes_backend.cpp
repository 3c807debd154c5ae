// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/cluster_access.hpp"
#include "backends/kubernetes/driver_objects.hpp"
#include "backends/kubernetes/kubernetes_state.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace sparkhost {

namespace detail::kubernetes {

namespace {

class KubernetesBackend final : public Backend {
public:
    explicit KubernetesBackend(KubernetesBackendOptions options)
        : state_(std::make_shared<KubernetesState>(std::move(options))) {}

    Traits traits() const override {
        Traits traits;
        traits.name = state_->options.name;
        traits.serves_logs = true;
        traits.shares_files = false;
        return traits;
    }
    Awaitable<void> open(BackendContext context) override {
        return open_backend(state_, std::move(context));
    }
    Awaitable<Ticket> reserve(SubmitRequest request) override {
        return reserve_ticket(state_, std::move(request));
    }
    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override {
        return submit_application(state_, std::move(request), std::move(ticket));
    }
    Awaitable<void> watch(std::shared_ptr<EventSink> sink) override {
        return watch_applications(state_, std::move(sink));
    }
    Awaitable<void> kill(Ticket ticket) override {
        return kill_application(state_, std::move(ticket));
    }
    Awaitable<void> release(ReleaseRequest request) override {
        return release_application(state_, std::move(request));
    }
    Awaitable<LogPage> read_log(LogRequest request) override {
        return read_application_log(state_, std::move(request));
    }

private:
    std::shared_ptr<KubernetesState> state_;
};

void require_option(bool holds, const std::string& rule) {
    if (!holds) {
        throw std::invalid_argument("KubernetesBackendOptions::" + rule);
    }
}

bool is_absolute_or_empty(const std::string& path) {
    return path.empty() || path.starts_with('/');
}

bool is_dns_label(std::string_view name) {
    return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
               std::string_view::npos;
}

void check_api_server(const KubernetesBackendOptions& options) {
    const auto& server = options.api_server;
    require_option(server.url.empty() || server.url.starts_with("https://") ||
                       server.url.starts_with("http://"),
                   "api_server.url: must begin with https:// (or http://)");
    require_option(server.url.empty() || options.kubeconfig.empty(),
                   "api_server.url: must be empty where kubeconfig is given");
    for (const auto& [path, name] : {std::pair{&server.ca_file, "ca_file"},
                                     {&server.token_file, "token_file"},
                                     {&server.client_certificate_file, "client_certificate_file"},
                                     {&server.client_key_file, "client_key_file"}}) {
        require_option(is_absolute_or_empty(*path),
                       "api_server." + std::string(name) + ": must be an absolute path");
    }
    require_option(
        server.client_certificate_file.empty() == server.client_key_file.empty(),
        "api_server.client_key_file: must be given together with client_certificate_file");
}

void check_places(const KubernetesBackendOptions& options) {
    require_option(!options.name.empty(), "name: must not be empty");
    require_option(options.work_dir.starts_with('/'), "work_dir: must be an absolute path");
    const auto kubeconfigs = kubeconfig_paths(options.kubeconfig);
    require_option(options.kubeconfig.empty() ||
                       (!kubeconfigs.empty() &&
                        std::all_of(kubeconfigs.begin(), kubeconfigs.end(), is_absolute_or_empty)),
                   "kubeconfig: must be an absolute path, or several separated by ':'");
    require_option(options.context.empty() || !options.kubeconfig.empty(),
                   "context: is one of kubeconfig, which is not given");
    require_option(is_absolute_or_empty(options.pod_template),
                   "pod_template: must be an absolute path");
    require_option(options.service_account_folder.starts_with('/'),
                   "service_account_folder: must be an absolute path");
    require_option(options.default_namespace.empty() || is_dns_label(options.default_namespace),
                   "default_namespace: \"" + options.default_namespace + "\" is no namespace");
    for (const auto& each : options.allowed_namespaces) {
        require_option(is_dns_label(each), "allowed_namespaces: \"" + each + "\" is no namespace");
    }
}

void check_limits(const KubernetesBackendOptions& options) {
    using namespace std::chrono_literals;
    require_option(options.kill_grace >= 0s && options.kill_grace <= 24h,
                   "kill_grace: must be between 0 and 24 hours");
    require_option(options.stuck_limit >= 0ms, "stuck_limit: must not be negative");
    require_option(options.unschedulable_limit >= 0ms, "unschedulable_limit: must not be negative");
    require_option(options.max_requests >= 1 && options.max_requests <= 1000,
                   "max_requests: must be between 1 and 1000");
    require_option(options.request_deadline >= 1s && options.request_deadline <= 10min,
                   "request_deadline: must be between 1 s and 10 minutes");
    require_option(options.max_followed_logs <= 10000, "max_followed_logs: must be at most 10000");
}

std::string environment_variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

KubernetesState::KubernetesState(KubernetesBackendOptions given)
    : options(std::move(given)),
      service_host(environment_variable("KUBERNETES_SERVICE_HOST")),
      service_port(environment_variable("KUBERNETES_SERVICE_PORT")) {}

}  // namespace detail::kubernetes

std::unique_ptr<Backend> make_kubernetes_backend(boost::asio::any_io_executor executor,
                                                 KubernetesBackendOptions options) {
    (void)executor;  // everything runs on the strand the host calls from
    using namespace detail::kubernetes;
    check_places(options);
    check_api_server(options);
    check_limits(options);
    check_driver_options(options);
    return std::make_unique<KubernetesBackend>(std::move(options));
}

}  // namespace sparkhost
