// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_CAMPAIGN_PLUGIN_CRASH_POINTS_HPP
#define SPARKHOST_TESTS_CAMPAIGN_PLUGIN_CRASH_POINTS_HPP

#include <sparkhost/host.hpp>

namespace sparkhost::campaign {

/// Puts points before and after each commit, by the kinds of its events, and around what the host
/// asks of backends and runtimes.
void add_crash_points(HostPlugins& plugins);

}  // namespace sparkhost::campaign

#endif
