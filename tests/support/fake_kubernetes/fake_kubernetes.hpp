// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_FAKE_KUBERNETES_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_FAKE_KUBERNETES_HPP

// A Kubernetes cluster in a thread: API server, scripted kubelet, garbage collector.
//
//     FakeKubernetes cluster;                       // http://127.0.0.1:PORT
//     cluster.with([](Cluster& c) { c.kubelet.hold(Kubelet::Step::start); });
//     cluster.wait("a pod", [](Cluster& c) { return !c.pods().empty(); });

#include "support/fake_kubernetes/server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <functional>
#include <future>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace sparkhost::test::k8s {

/// All belongs to one thread.
struct Cluster {
    explicit Cluster(boost::asio::io_context& io);

    Store store{};
    Api api{store};
    Kubelet kubelet;
    GarbageCollector collector;
    Server server;

    std::vector<ObjectPtr> pods() { return store.all(*find_resource("pods")); }
    /// "pods/name" and so on of what is left with this label (`sparkhost.io/ticket` if not given).
    std::vector<std::string> left(const std::string& ticket,
                                  const std::string& label = "sparkhost.io/ticket");
    void add_namespace(const std::string& name);
};

class FakeKubernetes {
public:
    /// With the namespaces "default" and "jobs".
    FakeKubernetes();
    ~FakeKubernetes();
    FakeKubernetes(const FakeKubernetes&) = delete;
    FakeKubernetes& operator=(const FakeKubernetes&) = delete;

    std::string url() const;

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

    std::size_t starts_of_mark(const std::string& mark);
    std::size_t starts_of_ticket(const std::string& ticket);

private:
    struct Waiting {
        std::function<bool(Cluster&)> holds;
        std::promise<void> met{};
    };
    void check();
    void check_soon();

    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    Cluster cluster_;
    std::vector<std::shared_ptr<Waiting>> waiting_{};
    bool checks_soon_{false};
    std::thread thread_{};
};

}  // namespace sparkhost::test::k8s

#endif
