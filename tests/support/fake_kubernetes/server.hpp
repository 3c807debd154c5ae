// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_SERVER_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_SERVER_HPP

// The fake API server on a socket, and its faults on demand.

#include "support/fake_kubernetes/api.hpp"
#include "support/fake_kubernetes/kubelet.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <limits>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sparkhost::test::k8s {

/// Something that goes wrong with a request.
struct Fault {
    enum class Kind {
        lose_request,  ///< the connection breaks; nothing was processed
        lose_answer,   ///< processed, then the connection breaks
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
    int retry_after{-1};  ///< seconds; negative: no such header
};

class Server {
public:
    Server(boost::asio::io_context& io, Api& api, Store& store, Kubelet& kubelet);
    ~Server();

    /// Port 0: the system picks one.
    void listen(std::uint16_t port = 0);
    std::uint16_t port() const { return port_; }

    // Faults.
    void plan(Fault fault) { faults_.push_back(std::move(fault)); }
    void heal() { faults_.clear(); }
    std::size_t faults_met() const { return faults_met_; }
    std::size_t held() const { return held_.size(); }
    void let_go();     ///< what is held is processed, whether its client still waits or not
    void drop_held();  ///< what is held is never processed; its connection breaks
    /// The server is gone: every connection breaks, new ones are refused. State stays.
    void go_away();
    void come_back();

    // Streams (watches and followed logs).
    void cut_streams(bool within_a_line = false);
    void end_streams();      ///< in order, as at the end of timeoutSeconds
    bool duplicates{false};  ///< each change is told twice
    bool reorders{false};    ///< two changes of different objects that follow each other swap
    bool silent{false};      ///< nothing more is written, nothing is closed
    void speak();            ///< ends `silent`
    std::size_t piece{0};    ///< stream bytes per write; 0: all there are
    std::chrono::milliseconds pause{0};  ///< between two such writes
    void send_bookmarks();
    /// Tells the last changes once more: states go back for a moment.
    void replay(std::size_t changes);
    /// Every watch is told that it is too old.
    void expire_watches();

    // Figures.
    std::size_t requests() const { return requests_; }
    std::size_t requests(const std::string& method, const std::string& path) const;
    std::size_t streams() const { return streams_.size(); }
    std::size_t connections() const { return connections_.size(); }
    std::vector<std::string> request_log{};  ///< "GET /api/v1/…"
    bool keeps_request_log{true};
    std::function<void()> after_each{};  ///< after each request, and when a stream begins

private:
    friend struct Connection;
    struct Stream;
    struct Held;

    void bind(std::uint16_t port);
    boost::asio::awaitable<void> accept(std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor);
    void tell(const StoreEvent& event);
    void push(Stream& stream, const StoreEvent& event);
    const Fault* fault_of(const ApiRequest& request);

    boost::asio::io_context& io_;
    Api& api_;
    Store& store_;
    Kubelet& kubelet_;
    std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor_{};
    std::uint16_t port_{0};
    std::list<Fault> faults_{};
    Fault current_{};
    std::size_t requests_{0};
    std::size_t faults_met_{0};
    std::set<std::shared_ptr<struct Connection>> connections_{};
    std::set<std::shared_ptr<Stream>> streams_{};
    std::vector<std::shared_ptr<Held>> held_{};
    std::deque<StoreEvent> told_{};
};

}  // namespace sparkhost::test::k8s

#endif
