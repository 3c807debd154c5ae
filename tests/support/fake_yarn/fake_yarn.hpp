// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_YARN_FAKE_YARN_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_YARN_FAKE_YARN_HPP

// A YARN cluster in a thread: two ResourceManagers, a NodeManager with scripted ApplicationMasters
// and their guards, a log server, HDFS.
//
//     FakeYarn cluster;                             // cluster.urls().resource_manager …
//     cluster.with([](Cluster& c) { c.masters.holds_claims = true; });
//     cluster.wait("an application", [](Cluster& c) { return !c.rm.applications.empty(); });
//     BOOST_TEST(cluster.sins().empty());

#include "support/fake_cluster/cluster_thread.hpp"
#include "support/fake_cluster/fake_server.hpp"
#include "support/fake_yarn/node_logs.hpp"
#include "support/fake_yarn/resource_manager.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost::test::yarn {

/// All belongs to one thread.
struct Cluster {
    Cluster(boost::asio::io_context& io, std::shared_ptr<ClaimDesk> desk);

    /// The one that is active; the first one when neither is.
    ResourceManager& active() { return other_rm.is_active() ? other_rm : rm; }
    /// Goes on with all that was held.
    void let_go();
    /// From now on `other_rm` is the active one, if there are two.
    void fail_over();
    void have_two_resource_managers();

    Traffic traffic;
    Settings settings{};
    StateStore store{};
    Hdfs hdfs{};
    ApplicationMasters masters;
    NodeLogs logs;
    ResourceManager rm;
    ResourceManager other_rm;
    FakeServer rm_server;
    FakeServer other_rm_server;
    FakeServer node_server;
    FakeServer log_server;
    FakeServer name_node_server;
    FakeServer other_name_node_server;
    FakeServer data_node_server;

private:
    void connect(ResourceManager& manager, FakeServer& server);
};

struct Urls {
    std::string resource_manager{};
    std::string other_resource_manager{};
    std::string node_manager{};
    std::string log_server{};
    std::string name_node{};
    std::string other_name_node{};
};

class FakeYarn : public ClusterThread<Cluster> {
public:
    const Urls& urls() const { return urls_; }

    /// How often user code has begun under this mark.
    std::size_t starts(const std::string& mark) {
        return with([&](Cluster& cluster) { return cluster.masters.starts(mark); });
    }
    /// What the cluster has suffered from its client.
    std::vector<std::string> sins() {
        return with([](Cluster& cluster) { return cluster.store.sins; });
    }

private:
    Urls urls_{with([](Cluster& c) {
        return Urls{c.rm_server.url(),  c.other_rm_server.url(),  c.node_server.url(),
                    c.log_server.url(), c.name_node_server.url(), c.other_name_node_server.url()};
    })};
};

}  // namespace sparkhost::test::yarn

#endif
