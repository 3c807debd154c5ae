// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_YARN_SCRIPTED_DAEMON_HPP
#define SPARKHOST_TESTS_YARN_SCRIPTED_DAEMON_HPP

// A daemon that says what a test wants it to say, and remembers what it was asked.

#include "support/http/scripted_server.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <deque>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::test::yarn {

struct Reply {
    std::string body{};
    std::string status{"200 OK"};
    std::string headers{};  ///< "Name: value\r\n"
    enum class Fault {
        none,
        lost,  ///< the connection ends without an answer
        cut    ///< … in the middle of it
    };
    Fault fault{Fault::none};
};

inline Reply lost_reply() {
    return {.fault = Reply::Fault::lost};
}

/// Answers each request with the next reply; when there is none left, with a status nobody expects.
class ScriptedDaemon {
public:
    explicit ScriptedDaemon(asio::any_io_executor executor)
        : server_(executor, [state = state_](std::shared_ptr<Peer> peer) {
              return serve(state, std::move(peer));
          }) {}

    std::string url() const { return server_.url(); }
    std::string node() const { return "127.0.0.1:" + std::to_string(server_.port()); }

    void say(Reply reply) { state_->replies.push_back(std::move(reply)); }
    void say(std::vector<Reply> replies) {
        for (auto& each : replies) {
            say(std::move(each));
        }
    }
    std::size_t left() const { return state_->replies.size(); }

    /// "GET /path?query", in order.
    const std::vector<std::string>& asked() const { return state_->asked; }
    /// The bodies that came with them.
    const std::vector<std::string>& bodies() const { return state_->bodies; }

private:
    struct State {
        std::deque<Reply> replies{};
        std::vector<std::string> asked{};
        std::vector<std::string> bodies{};
    };

    static asio::awaitable<void> serve(std::shared_ptr<State> state, std::shared_ptr<Peer> peer) {
        bool goes_on = true;
        while (goes_on) {
            const std::string request = co_await peer->request();
            if (request.empty()) {
                co_return;
            }
            state->asked.push_back(request.substr(0, request.find(" HTTP/1.1")));
            state->bodies.push_back(request.substr(request.find("\r\n\r\n") + 4));
            Reply reply{.body = "nothing is left to say", .status = "599 Unexpected"};
            if (!state->replies.empty()) {
                reply = std::move(state->replies.front());
                state->replies.pop_front();
            }
            goes_on = reply.fault == Reply::Fault::none;
            if (reply.fault == Reply::Fault::cut) {
                std::string text = "HTTP/1.1 " + reply.status + "\r\n" + reply.headers +
                                   "Content-Length: " + std::to_string(reply.body.size() + 100) +
                                   "\r\n\r\n" + reply.body;
                co_await peer->say(std::move(text));
            } else if (goes_on) {
                goes_on = co_await peer->answer(std::move(reply.body), std::move(reply.status),
                                                std::move(reply.headers));
            }
        }
    }

    std::shared_ptr<State> state_ = std::make_shared<State>();
    ScriptedServer server_;
};

inline std::string recording(const std::string& name) {
    std::ifstream in(std::string(SPARKHOST_YARN_RECORDINGS) + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace sparkhost::test::yarn

#endif
