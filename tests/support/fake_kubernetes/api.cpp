// SPDX-License-Identifier: Apache-2.0
#include "support/fake_kubernetes/api.hpp"

#include "support/fake_kubernetes/admission.hpp"
#include "support/fake_kubernetes/patch.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>

namespace sparkhost::test::k8s {

namespace api_detail {

std::string decoded(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned value = 0;
        if (text[i] == '%' && i + 2 < text.size() &&
            std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ec ==
                std::errc()) {
            plain += static_cast<char>(value);
            i += 2;
        } else {
            plain += text[i] == '+' ? ' ' : text[i];
        }
    }
    return plain;
}

std::vector<std::string> segments(std::string_view path) {
    std::vector<std::string> parts;
    while (!path.empty()) {
        path.remove_prefix(path.front() == '/' ? 1 : 0);
        const auto end = std::min(path.find('/'), path.size());
        parts.push_back(decoded(path.substr(0, end)));
        path.remove_prefix(end);
    }
    return parts;
}

json::value body_of(const ApiRequest& request) {
    boost::system::error_code error;
    auto value = json::parse(request.body, error);
    if (error) {
        throw bad_request(
            "the object provided is unrecognized: couldn't get version/kind; json "
            "parse error");
    }
    return value;
}

json::object object_of(const ApiRequest& request) {
    auto value = body_of(request);
    if (!value.is_object()) {
        throw bad_request("the object provided is unrecognized");
    }
    return std::move(value.as_object());
}

ApiAnswer answer(int status, std::string body) {
    ApiAnswer made;
    made.status = status;
    made.body = std::move(body);
    return made;
}

bool wants_metadata(const ApiRequest& request) {
    return request.accept.find("as=PartialObjectMetadata") != std::string::npos;
}

std::string manager_of(const ApiRequest& request) {
    return request.user_agent.substr(0, request.user_agent.find('/'));
}

std::uint64_t version_of(const std::string& text) {
    std::uint64_t version = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), version);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
        throw bad_request("Invalid value: \"" + text + "\": strconv.ParseUint: invalid syntax");
    }
    return version;
}

std::string verb_of(const ApiRequest& request, bool named, bool watches) {
    if (request.method == "GET") {
        return watches ? "watch" : named ? "get" : "list";
    }
    if (request.method == "POST") {
        return "create";
    }
    if (request.method == "PUT") {
        return "update";
    }
    return request.method == "PATCH" ? "patch" : named ? "delete" : "deletecollection";
}

bool is_true(const std::string& text) {
    return text == "1" || text == "true";
}

}  // namespace api_detail

using api_detail::answer;

std::string Api::Path::get(const std::string& key) const {
    const auto found = query.find(key);
    return found == query.end() ? std::string() : found->second;
}

bool Api::Path::is_set(const std::string& key) const {
    return api_detail::is_true(get(key));
}

std::optional<Api::Path> Api::parse(const std::string& target) {
    const auto mark = target.find('?');
    auto parts = api_detail::segments(std::string_view(target).substr(0, mark));
    Path path;
    for (auto rest = mark == std::string::npos ? "" : target.substr(mark + 1); !rest.empty();) {
        const auto end = std::min(rest.find('&'), rest.size());
        const auto item = rest.substr(0, end);
        const auto sign = std::min(item.find('='), item.size());
        path.query[api_detail::decoded(item.substr(0, sign))] =
            api_detail::decoded(sign < item.size() ? item.substr(sign + 1) : "");
        rest.erase(0, end + 1);
    }
    if (parts.size() < 3 || parts[0] != "api" || parts[1] != "v1") {
        return std::nullopt;
    }
    parts.erase(parts.begin(), parts.begin() + 2);
    if (parts[0] == "namespaces" && parts.size() >= 3) {
        path.ns = parts[1];
        parts.erase(parts.begin(), parts.begin() + 2);
    }
    path.type = find_resource(parts[0]);
    path.name = parts.size() > 1 ? parts[1] : "";
    path.sub = parts.size() > 2 ? parts[2] : "";
    if (!path.type || parts.size() > 3) {
        return std::nullopt;
    }
    return path;
}

ApiAnswer Api::handle(const ApiRequest& request) {
    try {
        const auto user = user_of(request);
        const auto plain = request.target.substr(0, request.target.find('?'));
        if (plain == "/readyz" || plain == "/healthz" || plain == "/livez") {
            auto ok = answer(200, "ok");
            ok.content_type = "text/plain; charset=utf-8";
            return ok;
        }
        if (plain == "/version") {
            return answer(200, json::serialize(json::object{{"major", "1"},
                                                            {"minor", "36"},
                                                            {"gitVersion", git_version},
                                                            {"platform", "linux/amd64"}}));
        }
        if (plain == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") {
            return review(request);
        }
        const auto path = parse(request.target);
        if (!path) {
            throw no_such_path();
        }
        check_access(user, request, *path);
        return dispatch(request, *path);
    } catch (const Refusal& refusal) {
        return answer(refusal.code, json::serialize(refusal.to_json()));
    } catch (const std::exception& failure) {
        Refusal broken{400, "BadRequest", failure.what(), {}};
        return answer(broken.code, json::serialize(broken.to_json()));
    }
}

std::string Api::user_of(const ApiRequest& request) const {
    if (access.tokens.empty()) {
        return "admin";
    }
    const std::string_view scheme = "Bearer ";
    if (request.authorization.starts_with(scheme)) {
        const auto found = access.tokens.find(request.authorization.substr(scheme.size()));
        if (found != access.tokens.end()) {
            return found->second;
        }
    }
    throw unauthorized();
}

void Api::check_access(const std::string& user, const ApiRequest& request, const Path& path) const {
    if (!access.allows) {
        return;
    }
    auto what = std::string(path.type->plural);
    if (!path.sub.empty()) {
        what += "/" + path.sub;
    }
    const auto verb = api_detail::verb_of(request, !path.name.empty(), path.is_set("watch"));
    if (!access.allows(user, verb, what, path.ns)) {
        throw forbidden(user, verb, what, path.ns, path.name);
    }
}

ApiAnswer Api::dispatch(const ApiRequest& request, const Path& path) {
    const bool named = !path.name.empty();
    if (path.sub == "log" && path.type->kind == "Pod" && request.method == "GET") {
        return log(path);
    }
    if (!path.sub.empty()) {
        throw no_such_path();
    }
    if (request.method == "GET") {
        if (named) {
            return get(request, path);
        }
        return path.is_set("watch") ? watch(request, path) : list(request, path);
    }
    if (request.method == "POST" && !named) {
        return create(request, path);
    }
    if (request.method == "PUT" && named) {
        return update(request, path);
    }
    if (request.method == "PATCH" && named) {
        return patch(request, path);
    }
    if (request.method == "DELETE") {
        return named ? remove(request, path) : remove_all(request, path);
    }
    throw method_not_allowed();
}

ObjectPtr Api::find(const Path& path) const {
    auto found = store_.find(*path.type, path.type->namespaced ? path.ns : "", path.name);
    if (!found) {
        throw not_found(*path.type, path.name);
    }
    return found;
}

ApiAnswer Api::get(const ApiRequest& request, const Path& path) {
    if (frozen_ && path.get("resourceVersion") == "0") {
        for (const auto& each : frozen_->objects[path.type]) {
            if (each->ns == path.ns && each->name == path.name) {
                return answer(200, each->text());
            }
        }
        throw not_found(*path.type, path.name);
    }
    const auto found = find(path);
    return answer(200,
                  api_detail::wants_metadata(request) ? found->metadata_text() : found->text());
}

void Api::check_namespace(const std::string& ns) const {
    const auto& type = *find_resource("namespaces");
    if (!store_.find(type, "", ns)) {
        throw not_found(type, ns);
    }
}

ApiAnswer Api::create(const ApiRequest& request, const Path& path) {
    auto data = api_detail::object_of(request);
    const auto kind = text_at(data, {"kind"});
    if (!kind.empty() && kind != path.type->kind) {
        throw bad_request("the object provided is unrecognized (must be of type " +
                          std::string(path.type->kind) + ")");
    }
    const auto name = text_at(data, {"metadata", "name"});
    const auto ns = text_at(data, {"metadata", "namespace"});
    if (!ns.empty() && ns != path.ns) {
        throw bad_request(
            "the namespace of the provided object does not match the namespace sent "
            "on the request");
    }
    if (path.type->namespaced) {
        check_namespace(path.ns);
    }
    check_new(*path.type, name, data);
    if (const auto there = store_.find(*path.type, path.ns, name)) {
        throw already_exists(*there);
    }
    const auto quota = pod_quota.find(path.ns);
    if (path.type->kind == "Pod" && quota != pod_quota.end()) {
        const auto used = store_.count(*path.type, path.ns);
        if (used >= quota->second) {
            throw over_quota(name, "pods", used, quota->second);
        }
    }
    fill_in(*path.type, data, api_detail::manager_of(request));
    return answer(201, store_.create(*path.type, path.ns, name, std::move(data))->text());
}

ApiAnswer Api::store_change(const ObjectPtr& there, json::object data) {
    const auto version = text_at(data, {"metadata", "resourceVersion"});
    if (!version.empty() && version != std::to_string(there->version)) {
        throw modified_meanwhile(*there->type, there->name);
    }
    const auto uid = text_at(data, {"metadata", "uid"});
    if (!uid.empty() && uid != there->uid) {
        throw uid_of_update_differs(*there, uid);
    }
    auto& metadata = object_in(data, "metadata");
    for (const auto* kept :
         {"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
          "deletionTimestamp", "deletionGracePeriodSeconds"}) {
        metadata.erase(kept);
        if (const auto* value = there->metadata().if_contains(kept)) {
            metadata[kept] = *value;
        }
    }
    check_change(*there, data);
    return answer(200, store_.replace_or_finish(there, std::move(data))->text());
}

ApiAnswer Api::update(const ApiRequest& request, const Path& path) {
    auto data = api_detail::object_of(request);
    const auto there = find(path);
    data.emplace("kind", std::string(path.type->kind));
    data.emplace("apiVersion", "v1");
    return store_change(there, std::move(data));
}

ApiAnswer Api::patch(const ApiRequest& request, const Path& path) {
    const auto there = find(path);
    return store_change(there,
                        patched(there->data, request.content_type, api_detail::body_of(request)));
}

ApiAnswer Api::remove(const ApiRequest& request, const Path& path) {
    DeleteOptions options;
    if (!request.body.empty()) {
        const auto body = api_detail::object_of(request);
        options.uid = text_at(body, {"preconditions", "uid"});
        options.resource_version = text_at(body, {"preconditions", "resourceVersion"});
        if (const auto* grace = body.if_contains("gracePeriodSeconds");
            grace && !grace->is_null()) {
            options.grace_seconds = grace->to_number<std::int64_t>();
        }
    }
    if (const auto grace = path.get("gracePeriodSeconds"); !grace.empty()) {
        options.grace_seconds = static_cast<std::int64_t>(api_detail::version_of(grace));
    }
    const auto there = find(path);
    const auto deletion = delete_object(store_, there, options);
    if (!deletion.gone || path.type->answers_deleted_object) {
        return answer(200, deletion.object->text());
    }
    return answer(200, json::serialize(json::object{
                           {"kind", "Status"},
                           {"apiVersion", "v1"},
                           {"metadata", json::object()},
                           {"status", "Success"},
                           {"details", json::object{{"name", there->name},
                                                    {"kind", std::string(path.type->plural)},
                                                    {"uid", there->uid}}}}));
}

ApiAnswer Api::remove_all(const ApiRequest& request, const Path& path) {
    const Selector selector(path.get("labelSelector"), path.get("fieldSelector"));
    DeleteOptions options;
    if (const auto grace = path.get("gracePeriodSeconds"); !grace.empty()) {
        options.grace_seconds = static_cast<std::int64_t>(api_detail::version_of(grace));
    }
    auto answered = list(request, path);
    for (const auto& object : store_.all(*path.type, path.ns)) {
        if (selector.matches(*object)) {
            delete_object(store_, object, options);
        }
    }
    return answered;
}

ApiAnswer Api::review(const ApiRequest& request) const {
    const auto user = user_of(request);
    auto data = api_detail::object_of(request);
    const json::object none;
    const auto* asked = object_at(data, {"spec", "resourceAttributes"});
    const auto& attributes = asked ? *asked : none;
    auto what = text_at(attributes, {"resource"});
    if (const auto sub = text_at(attributes, {"subresource"}); !sub.empty()) {
        what += "/" + sub;
    }
    const bool allowed = !access.allows || access.allows(user, text_at(attributes, {"verb"}), what,
                                                         text_at(attributes, {"namespace"}));
    data["status"] = json::object{{"allowed", allowed}};
    return answer(201, json::serialize(data));
}

}  // namespace sparkhost::test::k8s
