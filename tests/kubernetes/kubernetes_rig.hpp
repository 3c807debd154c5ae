// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_KUBERNETES_KUBERNETES_RIG_HPP
#define SPARKHOST_TESTS_KUBERNETES_KUBERNETES_RIG_HPP

#include "support/fake_kubernetes/fake_kubernetes.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"
#include "system_clock.hpp"

#include <sparkhost/backends/kubernetes.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::test {

/// The backend on the fake cluster, as a host calls it: from one thread, several at a time.
class KubernetesRig {
public:
    KubernetesRig() {
        options.api_server.url = cluster.url();
        options.default_namespace = "jobs";
        options.image = "spark:test";
        options.work_dir = dir.path().string();
    }
    ~KubernetesRig() { stop(); }

    /// A host that starts; the one before, if any, has vanished with all it was about to do.
    Result<void> open() {
        stop();
        io_ = std::make_unique<boost::asio::io_context>(1);
        backend_ = make_kubernetes_backend(io_->get_executor(), options);
        BackendContext context;
        context.store_uuid = "5f6e7d8c-1111-2222-3333-444455556666";
        context.backend_name = options.name;
        pool_ = std::make_unique<boost::asio::thread_pool>(1);
        context.blocking_executor = pool_->get_executor();
        context.clock = std::make_shared<detail::SystemClock>();
        context.log = [this](const LogEvent& event) { logged.push_back(event.message); };
        auto opened = [&] { return backend_->open(context); };
        return run_on(*io_, opened);
    }
    void stop() {
        backend_.reset();
        if (pool_) {
            pool_->join();  // its threads post to what goes next
        }
        io_.reset();
    }

    SubmitRequest request(std::string program = "endless", std::string mark = "a") {
        SubmitRequest wanted;
        wanted.store_uuid = "5f6e7d8c-1111-2222-3333-444455556666";
        wanted.subject = "batch-" + std::to_string(++subjects_);
        wanted.spec.file = "local:///opt/app.py";
        wanted.spec.args = {"program=" + program, "mark=" + mark};
        return wanted;
    }

    Ticket reserve(const SubmitRequest& wanted) {
        auto call = [&] { return backend_->reserve(wanted); };
        auto ticket = run_on(*io_, call);
        BOOST_TEST_REQUIRE(ticket.has_value(), (ticket ? "" : ticket.error().text()));
        return *ticket;
    }
    Result<void> submit(const SubmitRequest& wanted, const Ticket& ticket) {
        auto call = [&] { return backend_->submit(wanted, ticket); };
        return run_on(*io_, call);
    }
    Result<void> kill(const Ticket& ticket) {
        auto call = [&] { return backend_->kill(ticket); };
        return run_on(*io_, call);
    }
    Result<void> release(const Ticket& ticket) {
        auto call = [&] { return backend_->release({ticket, false}); };
        return run_on(*io_, call);
    }

    using Slot = std::shared_ptr<std::optional<Result<void>>>;
    /// Begins it beside what runs already.
    Slot begin(Awaitable<void> operation, boost::asio::cancellation_slot cancel = {}) {
        auto slot = std::make_shared<std::optional<Result<void>>>();
        auto keep = [slot](std::exception_ptr, Result<void> result) { slot->emplace(result); };
        boost::asio::co_spawn(*io_, std::move(operation),
                              boost::asio::bind_cancellation_slot(cancel, std::move(keep)));
        return slot;
    }
    Result<void> finish(const Slot& slot) {
        io_->restart();
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!*slot && io_->run_one_until(end) != 0) {
        }
        BOOST_TEST_REQUIRE(slot->has_value());
        return **slot;
    }
    /// Runs what has been begun until the cluster holds a request.
    void run_until_held() {
        io_->restart();
        const auto end = std::chrono::steady_clock::now() + patience;
        const auto is_held = [&] {
            return cluster.with([](k8s::Cluster& c) { return c.server.held() != 0; });
        };
        while (!is_held() && std::chrono::steady_clock::now() < end) {
            io_->run_one_for(std::chrono::milliseconds(5));
        }
        BOOST_TEST_REQUIRE(is_held());
    }
    /// Runs what has been begun until this holds.
    template <class Condition>
    void run_until(const std::string& what, Condition holds) {
        io_->restart();
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!holds() && std::chrono::steady_clock::now() < end) {
            io_->run_one_for(std::chrono::milliseconds(5));
        }
        BOOST_TEST_REQUIRE(holds(), "waited in vain for " << what);
    }
    Backend& backend() { return *backend_; }

    void plan(k8s::Fault fault) {
        cluster.with([&](k8s::Cluster& c) { c.server.plan(fault); });
    }
    void heal() {
        cluster.with([](k8s::Cluster& c) { c.server.heal(); });
    }
    void let_go() {
        cluster.with([](k8s::Cluster& c) { c.server.let_go(); });
    }
    std::vector<std::string> left(const Ticket& ticket) {
        return cluster.with([&](k8s::Cluster& c) { return c.left(ticket.id); });
    }
    /// After whatever could still start has had its chance: another driver has run from beginning
    /// to end.
    std::size_t settled_starts(const Ticket& ticket) {
        const auto other = request("succeeds", "settling");
        const auto other_ticket = reserve(other);
        auto submitted = submit(other, other_ticket);
        BOOST_TEST_REQUIRE(submitted.has_value());
        cluster.wait("the end of another driver", [&](k8s::Cluster& c) {
            return c.kubelet.starts_of_ticket(other_ticket.id) == 1;
        });
        return cluster.starts_of_ticket(ticket.id);
    }

    TempDir dir;
    k8s::FakeKubernetes cluster;
    KubernetesBackendOptions options;
    std::vector<std::string> logged{};

private:
    std::unique_ptr<boost::asio::thread_pool> pool_{};
    std::unique_ptr<boost::asio::io_context> io_{};
    std::unique_ptr<Backend> backend_{};
    int subjects_{0};
};

}  // namespace sparkhost::test

#endif
