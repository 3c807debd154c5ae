// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_READ_LOG_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_READ_LOG_HPP

#include "backends/kubernetes/kubernetes_state.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>

namespace sparkhost::detail::kubernetes {

/// The namespace of an application's pod; empty: there is none.
using FindNamespace = std::function<std::string(const std::string& ticket)>;

/// A sink that hands everything on to `sink`, and tells the logs which drivers run and have ended.
/// For one call of watch: when it goes, logs are no longer followed by themselves.
std::shared_ptr<EventSink> notice_logs(const std::shared_ptr<KubernetesState>& state,
                                       const boost::asio::any_io_executor& strand,
                                       std::shared_ptr<EventSink> sink, FindNamespace find);

}  // namespace sparkhost::detail::kubernetes

#endif
