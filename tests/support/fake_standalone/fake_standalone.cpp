// SPDX-License-Identifier: Apache-2.0
#include "support/fake_standalone/fake_standalone.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace sparkhost::test::alone {

FakeStandalone::FakeStandalone() : work_(io_.get_executor()), cluster_(io_, desk_) {
    cluster_.server.listen();
    url_ = "http://127.0.0.1:" + std::to_string(cluster_.server.port());
    cluster_.master.url = url_;
    cluster_.server.after_each = [this] { boost::asio::post(io_, [this] { check(); }); };
    cluster_.drivers.after_each = cluster_.server.after_each;
    thread_ = std::thread([this] { io_.run(); });
}

FakeStandalone::~FakeStandalone() {
    io_.stop();
    thread_.join();
}

void FakeStandalone::check() {
    auto met = [this](const std::shared_ptr<Waiting>& each) {
        if (!each->holds(cluster_)) {
            return false;
        }
        each->met.set_value();
        return true;
    };
    waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), met), waiting_.end());
}

void FakeStandalone::wait(const std::string& what, std::function<bool(Cluster&)> holds) {
    auto waiting = std::make_shared<Waiting>();
    waiting->holds = std::move(holds);
    auto met = waiting->met.get_future();
    with([&](Cluster&) { waiting_.push_back(waiting); });
    if (met.wait_for(std::chrono::seconds(60)) != std::future_status::ready) {
        with([&](Cluster&) { std::erase(waiting_, waiting); });
        throw std::runtime_error("waited in vain for " + what);
    }
}

}  // namespace sparkhost::test::alone
