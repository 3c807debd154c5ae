// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_API_READER_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_API_READER_HPP

#include "backends/kubernetes/api_objects.hpp"

#include <sparkhost/error.hpp>

#include <string_view>
#include <vector>

namespace sparkhost::detail::kubernetes {

// Errors of all: backend_failed – no JSON of the kind that is expected.

/// One line of a watch of pods, or of their metadata.
Result<WatchEvent> read_watch_event(std::string_view line);
/// A list of pods, or of their metadata. What has no name or uid is left out.
Result<PodPage> read_pod_page(std::string_view body);
/// A list of core/v1 events.
Result<std::vector<PodEvent>> read_event_page(std::string_view body);

/// The Status in the body of an answer that is not 2xx; where there is none, what its first words
/// say. `retry_after` is the header, if any.
ApiStatus read_status(int http_status, std::string_view body, std::string_view retry_after);

}  // namespace sparkhost::detail::kubernetes

#endif
