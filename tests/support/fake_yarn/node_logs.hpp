// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_YARN_NODE_LOGS_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_YARN_NODE_LOGS_HPP

// The files of containers, as their NodeManager and the log server show them.

#include "support/fake_cluster/http_message.hpp"
#include "support/fake_yarn/application_masters.hpp"

#include <string>

namespace sparkhost::test::yarn {

class NodeLogs {
public:
    explicit NodeLogs(const ApplicationMasters& masters) : masters_(masters) {}

    /// Has what has not been handed over.
    HttpAnswer node_manager(const HttpRequest& request) const;
    /// Has what has been.
    HttpAnswer log_server(const HttpRequest& request) const;

    bool redirects{false};          ///< NodeManagers know the log server
    bool holds_aggregation{false};  ///< what is handed over has not arrived yet
    std::string log_server_url{};

private:
    const ApplicationMasters& masters_;
};

}  // namespace sparkhost::test::yarn

#endif
