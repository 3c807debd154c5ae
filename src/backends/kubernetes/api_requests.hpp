// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_API_REQUESTS_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_API_REQUESTS_HPP

#include "backends/kubernetes/api_action.hpp"
#include "backends/kubernetes/api_answer.hpp"
#include "backends/kubernetes/ticket_data.hpp"
#include "http/client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace sparkhost::detail::kubernetes {

/// "/api/v1/namespaces/<namespace>/<plural of the kind>", and "/<name>" where one is given.
std::string object_target(ObjectKind kind, std::string_view in_namespace,
                          std::string_view name = {});

/// The request an action means. Everything can be sent twice: names and uids see to that.
http::Request action_request(const ApiAction& action, const TicketData& data,
                             std::chrono::seconds grace, std::chrono::milliseconds deadline);

/// The ConfigMap that takes the place of the ticket's own.
boost::json::object tombstone(const TicketData& data, const std::string& refusal);

/// DELETE of one pod, if it is still the one with this uid.
http::Request pod_deletion(std::string_view in_namespace, std::string_view pod,
                           std::string_view uid, std::chrono::seconds grace,
                           std::chrono::milliseconds deadline);

/// Sends it; a failure is an answer, too.
boost::asio::awaitable<ApiAnswer> ask_api(std::shared_ptr<http::Client> client,
                                          http::Request request);

}  // namespace sparkhost::detail::kubernetes

#endif
