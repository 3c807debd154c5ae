// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_YARN_RM_PAGES_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_YARN_RM_PAGES_HPP

// How a ResourceManager shows what it knows.

#include "support/fake_cluster/http_message.hpp"
#include "support/fake_yarn/application.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace sparkhost::test::yarn {

struct Addresses {
    std::string rm_url{};
    std::string node_address{};
};

boost::json::object cluster_info(std::int64_t started_on, const std::string& ha_state);

/// An application in a list or alone, without what `de_selects` names.
boost::json::object application_info(const Application& application, const Addresses& addresses,
                                     const std::string& de_selects);

/// Whether the filters of a list let it pass.
bool passes(const Application& application, const HttpRequest& filters);

/// Why a list cannot be asked for in this way; empty: it can.
std::string filter_fault(const HttpRequest& filters);

std::int64_t milliseconds_now();

}  // namespace sparkhost::test::yarn

#endif
