// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_STANDALONE_FAKE_STANDALONE_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_STANDALONE_FAKE_STANDALONE_HPP

// A standalone cluster in a thread: a master, a worker, scripted drivers with guards.
//
//     FakeStandalone cluster;                       // http://127.0.0.1:PORT
//     cluster.with([](Cluster& c) { c.drivers.holds_claims = true; });
//     cluster.wait("a driver", [](Cluster& c) { return !c.drivers.all().empty(); });

#include "support/fake_standalone/fake_server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace sparkhost::test::alone {

/// All belongs to one thread.
struct Cluster {
    Cluster(boost::asio::io_context& io, std::shared_ptr<ClaimDesk> desk)
        : drivers(io, std::move(desk)), master(drivers), server(io, master) {}

    Drivers drivers;
    Master master;
    Server server;
};

class FakeStandalone {
public:
    FakeStandalone();
    ~FakeStandalone();
    FakeStandalone(const FakeStandalone&) = delete;
    FakeStandalone& operator=(const FakeStandalone&) = delete;

    const std::string& url() const { return url_; }
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
    void wait(const std::string& what, std::function<bool(Cluster&)> holds);

    std::size_t starts(const std::string& mark) {
        return with([&](Cluster& cluster) { return cluster.drivers.starts(mark); });
    }

private:
    struct Waiting {
        std::function<bool(Cluster&)> holds;
        std::promise<void> met{};
    };
    void check();

    std::shared_ptr<ClaimDesk> desk_{std::make_shared<ClaimDesk>()};
    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    Cluster cluster_;
    std::string url_{};
    std::vector<std::shared_ptr<Waiting>> waiting_{};
    std::thread thread_{};
};

}  // namespace sparkhost::test::alone

#endif
