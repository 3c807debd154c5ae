// SPDX-License-Identifier: Apache-2.0
#include "support/fake_kubernetes/fake_kubernetes.hpp"

#include <algorithm>
#include <stdexcept>

namespace sparkhost::test::k8s {

Cluster::Cluster(boost::asio::io_context& io)
    : kubelet(store, io.get_executor()),
      collector(store, io.get_executor()),
      server(io, api, store, kubelet) {
    for (const auto* name : {"default", "jobs"}) {
        add_namespace(name);
    }
}

void Cluster::add_namespace(const std::string& name) {
    store.create(*find_resource("namespaces"), "", name,
                 json::object{{"status", json::object{{"phase", "Active"}}}});
}

std::vector<std::string> Cluster::left(const std::string& ticket, const std::string& label) {
    std::vector<std::string> found;
    for (const auto* plural : {"pods", "configmaps", "secrets", "services"}) {
        for (const auto& object : store.all(*find_resource(plural))) {
            if (object->label(label) == ticket) {
                found.push_back(std::string(plural) + "/" + object->name);
            }
        }
    }
    return found;
}

FakeKubernetes::FakeKubernetes() : work_(io_.get_executor()), cluster_(io_) {
    cluster_.server.listen();
    cluster_.server.after_each = [this] { check_soon(); };
    cluster_.kubelet.after_each = [this] { check_soon(); };
    cluster_.store.listen([this](const StoreEvent&) { check_soon(); });
    thread_ = std::thread([this] { io_.run(); });
}

FakeKubernetes::~FakeKubernetes() {
    io_.stop();
    thread_.join();
}

std::string FakeKubernetes::url() const {
    return "http://127.0.0.1:" + std::to_string(cluster_.server.port());
}

void FakeKubernetes::check_soon() {
    if (!waiting_.empty() && !checks_soon_) {
        checks_soon_ = true;
        boost::asio::post(io_, [this] {
            checks_soon_ = false;
            check();
        });
    }
}

void FakeKubernetes::check() {
    auto met = [this](const std::shared_ptr<Waiting>& each) {
        if (!each->holds(cluster_)) {
            return false;
        }
        each->met.set_value();
        return true;
    };
    waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), met), waiting_.end());
}

void FakeKubernetes::wait(const std::string& what, std::function<bool(Cluster&)> holds) {
    auto waiting = std::make_shared<Waiting>();
    waiting->holds = std::move(holds);
    auto met = waiting->met.get_future();
    with([&](Cluster&) { waiting_.push_back(waiting); });
    if (met.wait_for(std::chrono::seconds(60)) != std::future_status::ready) {
        with([&](Cluster&) { std::erase(waiting_, waiting); });
        throw std::runtime_error("waited in vain for " + what);
    }
}

std::size_t FakeKubernetes::starts_of_mark(const std::string& mark) {
    return with([&](Cluster& cluster) { return cluster.kubelet.starts_of_mark(mark); });
}

std::size_t FakeKubernetes::starts_of_ticket(const std::string& ticket) {
    return with([&](Cluster& cluster) { return cluster.kubelet.starts_of_ticket(ticket); });
}

}  // namespace sparkhost::test::k8s
