// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_API_ANSWER_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_API_ANSWER_HPP

#include "backends/kubernetes/driver_names.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::kubernetes {

/// What an answer of the API server means for an object that we create, read, change or delete.
enum class ApiVerdict {
    done,              ///< 2xx
    exists,            ///< 409 AlreadyExists: the name is taken
    conflict,          ///< any other 409: not (any more) the object we mean
    missing,           ///< 404, 410: no such object, or no such namespace
    unauthenticated,   ///< 401
    forbidden,         ///< 403: the role does not allow it, or a policy
    quota,             ///< 403: the namespace's quota is used up
    namespace_ending,  ///< 403: the namespace is being deleted
    invalid,           ///< any other 4xx: never acceptable as it is
    busy,              ///< 429, 5xx, after trying: whether it was done is not known
    unsent,            ///< it was certainly not processed
    unknown            ///< no answer: it may have been processed
};

std::string_view to_string(ApiVerdict verdict);

/// What matters to us of a pod, ConfigMap, Secret or Service.
struct ApiObject {
    std::string uid{};
    std::string resource_version{};
    Identity identity{};   ///< of its labels; empty where it has none
    bool killed{false};    ///< a killed application's tombstone
    bool refused{false};   ///< a refused application's tombstone
    std::string reason{};  ///< of a refused one
    std::string phase{};   ///< a pod's
    bool deleting{false};  ///< has a deletionTimestamp
    std::vector<std::string> finalizers{};
    bool operator==(const ApiObject&) const = default;

    bool has_ended() const { return phase == "Succeeded" || phase == "Failed"; }
    /// Our finalizer keeps the name taken until `release`.
    bool is_guarded() const;
};

struct ApiAnswer {
    ApiVerdict verdict{ApiVerdict::unknown};
    std::string words{};  ///< for people: what the API server said, or why there is no answer
    ApiObject object{};   ///< with `done`, where the body is an object
};

/// Errors in the body are no errors here: what cannot be read has no object and no words.
ApiAnswer read_answer(int status, std::string_view body);

/// The object of JSON text; empty where it is none.
ApiObject read_object(std::string_view body);

}  // namespace sparkhost::detail::kubernetes

#endif
