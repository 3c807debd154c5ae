// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_STANDALONE_FAKE_STANDALONE_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_STANDALONE_FAKE_STANDALONE_HPP

// A standalone cluster in a thread: a master, a worker, scripted drivers with guards.
//
//     FakeStandalone cluster;                       // http://127.0.0.1:PORT
//     cluster.with([](Cluster& c) { c.drivers.holds_claims = true; });
//     cluster.wait("a driver", [](Cluster& c) { return !c.drivers.all().empty(); });

#include "support/fake_cluster/cluster_thread.hpp"
#include "support/fake_cluster/fake_server.hpp"
#include "support/fake_standalone/fake_master.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace sparkhost::test::alone {

/// All belongs to one thread.
struct Cluster {
    Cluster(boost::asio::io_context& io, std::shared_ptr<ClaimDesk> desk)
        : traffic(io),
          drivers(io, std::move(desk)),
          master(drivers),
          server(io, traffic, [this](const HttpRequest& asked) { return master.handle(asked); }) {
        drivers.after_each = [this] { traffic.note(); };
        server.come_back();
        master.url = server.url();
    }

    Traffic traffic;
    Drivers drivers;
    Master master;
    FakeServer server;
};

class FakeStandalone : public ClusterThread<Cluster> {
public:
    const std::string& url() const { return url_; }

    std::size_t starts(const std::string& mark) {
        return with([&](Cluster& cluster) { return cluster.drivers.starts(mark); });
    }

private:
    std::string url_{with([](Cluster& cluster) { return cluster.server.url(); })};
};

}  // namespace sparkhost::test::alone

#endif
