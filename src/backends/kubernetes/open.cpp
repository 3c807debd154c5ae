// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/api_requests.hpp"
#include "backends/kubernetes/cluster_access.hpp"
#include "backends/kubernetes/driver_objects.hpp"
#include "backends/kubernetes/kubernetes_state.hpp"
#include "backends/kubernetes/permissions.hpp"
#include "backends/kubernetes/readiness.hpp"

#include "backends/common/posix_file.hpp"
#include "hop.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

constexpr std::size_t max_pod_template = std::size_t{1} << 20;

/// What opening finds out without asking the API server.
struct Surroundings {
    ClusterAccess access{};
    boost::json::object pod_template{};
};

Result<boost::json::object> load_pod_template(const std::string& path) {
    if (path.empty()) {
        return boost::json::object();
    }
    auto text = read_whole_file(path, max_pod_template);
    auto parsed = text ? parse_pod_template(*text) : Result<boost::json::object>(text.error());
    if (!parsed) {
        return Error(Errc::backend_failed, "KubernetesBackendOptions::pod_template " + path + ": " +
                                               parsed.error().text());
    }
    return parsed;
}

Result<std::shared_ptr<Surroundings>> look_around(const KubernetesState& state) {
    const auto& options = state.options;
    if (auto made = make_folder(options.work_dir); !made) {
        return made.error();
    }
    auto access = find_cluster(options, state.service_host, state.service_port);
    if (!access) {
        return access.error();
    }
    auto pod_template = load_pod_template(options.pod_template);
    if (!pod_template) {
        return pod_template.error();
    }
    auto found = std::make_shared<Surroundings>();
    found->access = std::move(*access);
    found->pod_template = std::move(*pod_template);
    return found;
}

void choose_namespaces(KubernetesState& state, const std::string& of_access) {
    const auto& options = state.options;
    state.default_namespace = options.default_namespace;
    if (state.default_namespace.empty()) {
        state.default_namespace = of_access.empty() ? "default" : of_access;
    }
    state.namespaces = {state.default_namespace};
    for (const auto& each : options.allowed_namespaces) {
        if (std::find(state.namespaces.begin(), state.namespaces.end(), each) ==
            state.namespaces.end()) {
            state.namespaces.push_back(each);
        }
    }
}

Result<void> make_client(KubernetesState& state, asio::any_io_executor strand,
                         http::ClientOptions options) {
    options.max_connections = state.options.max_requests;
    options.blocking_executor = state.context.blocking_executor;
    options.log = state.context.log;
    state.api_url = options.url;
    try {
        state.client = std::make_shared<http::Client>(std::move(strand), std::move(options));
    } catch (const std::exception& failure) {
        return Error(Errc::backend_failed, "the API server's address or credentials are wrong: " +
                                               std::string(failure.what()));
    }
    return ok();
}

/// A host must not be kept from starting, and from its other backends, by a cluster that is away.
constexpr std::chrono::milliseconds longest_question{std::chrono::seconds{10}};

std::chrono::milliseconds question_deadline(const KubernetesState& state) {
    return std::min(state.options.request_deadline, longest_question);
}

/// It may answer later: indeterminate.
Error is_away(const KubernetesState& state, const std::string& why) {
    return Error(Errc::indeterminate,
                 "the Kubernetes API server " + state.api_url + " cannot be reached: " + why);
}

/// What no answer means. A server that is not the one we are to trust is not merely away.
Error no_answer(const KubernetesState& state, const std::string& why) {
    if (!state.client->is_untrusted()) {
        return is_away(state, why);
    }
    return Error(Errc::backend_failed,
                 "the Kubernetes API server " + state.api_url + " cannot be trusted: " + why +
                     "; give the authority that has signed its certificate, and a name that the "
                     "certificate has");
}

/// One that has just started does not know yet who may do what.
asio::awaitable<Result<void>> check_readiness(std::shared_ptr<KubernetesState> state) {
    const int status = co_await ask_readiness(state, question_deadline(*state));
    if (status >= 500) {
        co_return is_away(*state,
                          "it is not ready yet (/readyz answers " + std::to_string(status) + ")");
    }
    co_return ok();  // where there is no answer the next question says why
}

/// The API server's version; and that there is one, which knows us.
asio::awaitable<Result<std::string>> ask_version(std::shared_ptr<KubernetesState> state) {
    http::Request request;
    request.target = "/version";
    request.deadline = question_deadline(*state);
    request.repeatable = true;
    Result<http::Response> response = co_await state->client->send(std::move(request));
    if (!response) {
        co_return no_answer(*state, response.error().text());
    }
    const ApiAnswer answer = read_answer(response->status, response->body);
    if (answer.verdict == ApiVerdict::busy) {
        co_return is_away(*state, answer.words);
    }
    if (answer.verdict == ApiVerdict::unauthenticated) {
        co_return Error(Errc::backend_failed,
                        "the Kubernetes API server " + state->api_url +
                            " does not accept the credentials: " + answer.words);
    }
    if (answer.verdict == ApiVerdict::forbidden) {
        co_return std::string("of an unknown version");
    }
    boost::system::error_code failed;
    const auto value = boost::json::parse(response->body, failed);
    const auto* object = failed ? nullptr : value.if_object();
    const auto* version = object == nullptr ? nullptr : object->if_contains("gitVersion");
    if (answer.verdict != ApiVerdict::done || version == nullptr || !version->is_string()) {
        co_return Error(Errc::backend_failed,
                        state->api_url + " is no Kubernetes API server that works: HTTP status " +
                            std::to_string(response->status));
    }
    co_return std::string(version->get_string());
}

asio::awaitable<Result<bool>> is_permitted(std::shared_ptr<KubernetesState> state,
                                           Permission permission, std::string in_namespace) {
    http::Request request;
    request.method = "POST";
    request.target = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    request.headers.push_back({"Content-Type", "application/json"});
    request.body = access_review(permission, in_namespace);
    request.deadline = question_deadline(*state);
    request.repeatable = true;
    Result<http::Response> response = co_await state->client->send(std::move(request));
    if (!response) {
        co_return no_answer(*state, response.error().text());
    }
    const ApiAnswer answer = read_answer(response->status, response->body);
    if (answer.verdict == ApiVerdict::busy) {
        co_return is_away(*state, answer.words);
    }
    if (answer.verdict != ApiVerdict::done) {
        co_return Error(
            Errc::backend_failed,
            "what the account may do cannot be asked (selfsubjectaccessreviews): " + answer.words);
    }
    co_return read_access_review(response->body);
}

/// What of `needed` is not allowed, as text; empty: everything is.
asio::awaitable<Result<std::string>> missing_in(std::shared_ptr<KubernetesState> state,
                                                std::vector<Permission> needed,
                                                std::string in_namespace) {
    std::vector<Permission> missing;
    for (const auto& each : needed) {
        Result<bool> allowed = co_await is_permitted(state, each, in_namespace);
        if (!allowed) {
            co_return allowed.error();
        }
        if (!*allowed) {
            missing.push_back(each);
        }
    }
    co_return missing.empty() ? std::string() : describe_missing(missing, in_namespace);
}

Awaitable<void> check_permissions(std::shared_ptr<KubernetesState> state) {
    std::string all;
    for (const auto& each : state->namespaces) {
        Result<std::string> missing = co_await missing_in(state, needed_permissions(), each);
        if (!missing) {
            co_return missing.error();
        }
        all += (all.empty() || missing->empty() ? "" : "; ") + *missing;
    }
    if (state->options.watch_all_namespaces) {
        Result<std::string> missing =
            co_await missing_in(state, cluster_wide_permissions(), std::string());
        if (!missing) {
            co_return missing.error();
        }
        all += (all.empty() || missing->empty() ? "" : "; ") + *missing;
    }
    if (!all.empty()) {
        co_return Error(Errc::backend_failed,
                        "the account of the Kubernetes backend \"" + state->options.name +
                            "\" must be allowed to: " + all +
                            ". Apply examples/kubernetes/rbac.yaml and bind its role to the "
                            "account (docs/kubernetes.md)");
    }
    co_return ok();
}

/// That it is there, knows us and lets us do what we need.
Awaitable<void> check_cluster(std::shared_ptr<KubernetesState> state, std::string& version) {
    Result<void> ready = co_await check_readiness(state);
    if (!ready) {
        co_return ready;
    }
    Result<std::string> told = co_await ask_version(state);
    if (!told) {
        co_return told.error();
    }
    version = std::move(*told);
    Result<void> allowed = co_await check_permissions(state);
    co_return allowed;
}

}  // namespace

Awaitable<void> check_access(std::shared_ptr<KubernetesState> state) {
    std::string version;
    Result<void> checked = co_await check_cluster(state, version);
    state->owes_access_check = !checked;
    if (!checked) {
        co_return checked;
    }
    std::string where;
    for (const auto& each : state->namespaces) {
        where += (where.empty() ? "" : ", ") + each;
    }
    state->log(LogLevel::info, "Kubernetes " + version + " at " + state->api_url +
                                   "; drivers run in namespace " + where);
    co_return ok();
}

Awaitable<void> open_backend(std::shared_ptr<KubernetesState> state, BackendContext context) {
    state->context = std::move(context);
    auto look = [state] { return look_around(*state); };
    Result<std::shared_ptr<Surroundings>> found =
        co_await run_blocking(state->context.blocking_executor, std::move(look));
    if (!found) {
        co_return Error(Errc::backend_failed, found.error().text());
    }
    state->pod_template = std::move((*found)->pod_template);
    choose_namespaces(*state, (*found)->access.default_namespace);
    auto strand = co_await asio::this_coro::executor;
    auto made = make_client(*state, strand, std::move((*found)->access.http));
    if (!made) {
        co_return made;
    }
    Result<void> checked = co_await check_access(state);
    if (!checked && checked.error().is(Errc::indeterminate)) {
        state->log(LogLevel::error,
                   checked.error().detail + "; what is meant for it waits until it can");
        co_return ok();
    }
    co_return checked;
}

}  // namespace sparkhost::detail::kubernetes
