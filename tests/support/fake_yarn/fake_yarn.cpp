// SPDX-License-Identifier: Apache-2.0
#include "support/fake_yarn/fake_yarn.hpp"

namespace sparkhost::test::yarn {

Cluster::Cluster(boost::asio::io_context& io, std::shared_ptr<ClaimDesk> desk)
    : traffic(io),
      masters(io, std::move(desk), hdfs, store),
      logs(masters),
      rm(io, settings, store, masters),
      other_rm(io, settings, store, masters),
      rm_server(io, traffic, [this](const HttpRequest& asked) { return rm.handle(asked); }),
      other_rm_server(io, traffic,
                      [this](const HttpRequest& asked) { return other_rm.handle(asked); }),
      node_server(io, traffic,
                  [this](const HttpRequest& asked) { return logs.node_manager(asked); }),
      log_server(io, traffic, [this](const HttpRequest& asked) { return logs.log_server(asked); }),
      name_node_server(io, traffic,
                       [this](const HttpRequest& asked) { return hdfs.name_node(0, asked); }),
      other_name_node_server(io, traffic,
                             [this](const HttpRequest& asked) { return hdfs.name_node(1, asked); }),
      data_node_server(io, traffic,
                       [this](const HttpRequest& asked) { return hdfs.data_node(asked); }) {
    for (auto* each : {&node_server, &log_server, &name_node_server, &other_name_node_server,
                       &data_node_server}) {
        each->come_back();
    }
    settings.node_address = node_server.address();
    hdfs.data_node_address = data_node_server.address();
    logs.log_server_url = log_server.url();
    masters.tell = [this](const AmPtr& am) {
        if (active().is_active()) {
            active().hear(am);
        }
        traffic.note();
    };
    connect(rm, rm_server);
    connect(other_rm, other_rm_server);
    rm.start();
    rm.take_over();
}

void Cluster::connect(ResourceManager& manager, FakeServer& server) {
    manager.url = server.url();
    manager.active_url = [this] { return active().is_active() ? active().url : ""; };
    manager.close_sockets = [&server] { server.go_away(); };
    manager.open_sockets = [&server] { server.come_back(); };
    manager.after_each = [this] { traffic.note(); };
}

void Cluster::have_two_resource_managers() {
    rm.is_one_of_two = other_rm.is_one_of_two = true;
    other_rm.start();
}

void Cluster::fail_over() {
    auto& next = active().url == rm.url ? other_rm : rm;
    active().stand_by();
    next.take_over();
}

void Cluster::let_go() {
    settings.holds_saving = settings.holds_launches = settings.holds_kills = false;
    settings.holds_recovery = false;
    rm.let_go();
    other_rm.let_go();
    masters.let_go();
}

}  // namespace sparkhost::test::yarn
