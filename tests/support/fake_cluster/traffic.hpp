// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_CLUSTER_TRAFFIC_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_CLUSTER_TRAFFIC_HPP

// The requests to all servers of a fake cluster, and what goes wrong with them on demand.

#include "support/fake_cluster/http_message.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <functional>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost::test {

/// Something that goes wrong with a request.
struct Fault {
    enum class Kind {
        lose_request,  ///< the connection breaks; nothing was processed
        lose_answer,   ///< processed, then the connection breaks
        cut_answer,    ///< processed, and answered in half
        answer,        ///< `status` instead of processing it
        hold           ///< waits for let_go() or drop_held()
    };
    static constexpr std::size_t always = std::numeric_limits<std::size_t>::max();

    Kind kind{Kind::lose_answer};
    std::size_t skip{0};   ///< so many that match pass before
    std::size_t times{1};  ///< then so many meet the fault
    std::string method{};  ///< empty: each
    std::string path{};    ///< part of the target; empty: each
    int status{500};
    std::function<bool(const HttpRequest&)> when{};  ///< none: each
};

/// For the cluster's thread.
class Traffic {
public:
    explicit Traffic(boost::asio::io_context& io) : io_(io) {}

    void plan(Fault fault) { faults_.push_back(std::move(fault)); }
    void heal() { faults_.clear(); }
    std::size_t faults_met() const { return faults_met_; }
    std::size_t held() const { return held_.size(); }
    void let_go() { decide(false); }
    void drop_held() { decide(true); }

    std::size_t requests(const std::string& method, const std::string& path) const;
    std::vector<std::string> request_log{};  ///< "GET /json/"
    std::function<void()> after_each{};

    // for servers

    /// Writes it down.
    std::optional<Fault> meet(const HttpRequest& request);
    /// False: it was dropped.
    boost::asio::awaitable<bool> hold();
    void note() {
        if (after_each) {
            after_each();
        }
    }

private:
    struct Held {
        explicit Held(boost::asio::io_context& io)
            : timer(io, boost::asio::steady_timer::time_point::max()) {}
        boost::asio::steady_timer timer;
        bool decided{false};
        bool dropped{false};
    };
    void decide(bool dropped);

    boost::asio::io_context& io_;
    std::list<Fault> faults_{};
    std::size_t faults_met_{0};
    std::vector<std::shared_ptr<Held>> held_{};
};

}  // namespace sparkhost::test

#endif
