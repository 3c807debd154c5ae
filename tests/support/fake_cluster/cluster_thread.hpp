// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_CLUSTER_CLUSTER_THREAD_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_CLUSTER_CLUSTER_THREAD_HPP

#include "support/fake_cluster/claim_desk.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace sparkhost::test {

/// A fake cluster in a thread, to which all of it belongs. `Cluster` is made of an io_context and
/// a ClaimDesk, and has a member `traffic`, told of each change.
template <class Cluster>
class ClusterThread {
public:
    ClusterThread() : work_(io_.get_executor()), cluster_(io_, desk_) {
        cluster_.traffic.after_each = [this] { boost::asio::post(io_, [this] { check(); }); };
        thread_ = std::thread([this] { io_.run(); });
    }
    ~ClusterThread() {
        io_.stop();
        thread_.join();
    }
    ClusterThread(const ClusterThread&) = delete;
    ClusterThread& operator=(const ClusterThread&) = delete;

    const std::shared_ptr<ClaimDesk>& desk() const { return desk_; }

    /// Runs `function(Cluster&)` on the cluster's thread and gives its result.
    template <class Function>
    auto with(Function function) {
        using R = std::invoke_result_t<Function&, Cluster&>;
        std::packaged_task<R()> task([&] { return function(cluster_); });
        auto result = task.get_future();
        boost::asio::post(io_, [&] {
            task();
            check();
        });
        return result.get();
    }

    /// Until it holds; looked at after each change. Throws std::runtime_error when that takes
    /// too long.
    void wait(const std::string& what, std::function<bool(Cluster&)> holds) {
        auto waiting = std::make_shared<Waiting>();
        waiting->holds = std::move(holds);
        auto met = waiting->met.get_future();
        with([&](Cluster&) { waiting_.push_back(waiting); });
        if (met.wait_for(std::chrono::seconds(60)) != std::future_status::ready) {
            with([&](Cluster&) { std::erase(waiting_, waiting); });
            throw std::runtime_error("waited in vain for " + what);
        }
    }

private:
    struct Waiting {
        std::function<bool(Cluster&)> holds;
        std::promise<void> met{};
    };
    void check() {
        auto met = [this](const std::shared_ptr<Waiting>& each) {
            if (!each->holds(cluster_)) {
                return false;
            }
            each->met.set_value();
            return true;
        };
        waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), met), waiting_.end());
    }

    std::shared_ptr<ClaimDesk> desk_{std::make_shared<ClaimDesk>()};
    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    Cluster cluster_;
    std::vector<std::shared_ptr<Waiting>> waiting_{};
    std::thread thread_{};
};

}  // namespace sparkhost::test

#endif
