// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_STANDALONE_FAKE_SERVER_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_STANDALONE_FAKE_SERVER_HPP

// The fake master on a socket, and its faults on demand.

#include "support/fake_standalone/fake_master.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sparkhost::test::alone {

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
};

class Server {
public:
    Server(boost::asio::io_context& io, Master& master) : io_(io), master_(master) {}

    /// Port 0: the system picks one.
    void listen(std::uint16_t port = 0);
    std::uint16_t port() const { return port_; }

    void plan(Fault fault) { faults_.push_back(std::move(fault)); }
    void heal() { faults_.clear(); }
    std::size_t faults_met() const { return faults_met_; }
    std::size_t held() const { return held_.size(); }
    void let_go() { decide(false); }
    void drop_held() { decide(true); }
    /// Every connection breaks, new ones are refused.
    void go_away();
    void come_back() { listen(port_); }

    std::size_t requests(const std::string& method, const std::string& path) const;
    std::vector<std::string> request_log{};  ///< "GET /json/"
    std::function<void()> after_each{};

private:
    struct Held {
        explicit Held(boost::asio::io_context& io)
            : timer(io, boost::asio::steady_timer::time_point::max()) {}
        boost::asio::steady_timer timer;
        bool decided{false};
        bool dropped{false};
    };
    using Socket = boost::asio::ip::tcp::socket;

    boost::asio::awaitable<void> accept(std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor);
    boost::asio::awaitable<void> serve(std::shared_ptr<Socket> socket);
    boost::asio::awaitable<bool> answer(std::shared_ptr<Socket> socket, HttpRequest request);
    boost::asio::awaitable<bool> hold();
    std::optional<Fault> fault_of(const HttpRequest& request);
    void decide(bool dropped);
    void note() {
        if (after_each) {
            after_each();
        }
    }

    boost::asio::io_context& io_;
    Master& master_;
    std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor_{};
    std::uint16_t port_{0};
    std::list<Fault> faults_{};
    std::size_t faults_met_{0};
    std::set<std::shared_ptr<Socket>> sockets_{};
    std::vector<std::shared_ptr<Held>> held_{};
};

}  // namespace sparkhost::test::alone

#endif
