// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_HAND_OVER_HPP
#define SPARKHOST_EXAMPLES_SERVER_HAND_OVER_HPP

#include "descriptor.hpp"
#include "listening.hpp"

#include <sparkhost/log.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace server {

// How the next version takes the listening socket over. The two talk over a Unix socket in the
// data folder, a line at a time, each waiting for the other's:
//
//   new  "sparkhost take-over 1"
//   old  "socket MILLISECONDS"      with the descriptor; how long its end may take
//   new  "release"                  its options and programs are good: it could begin
//   old  "released"                 its requests are done and the store is closed
//   new  "ready"                    it has opened the store: the old one may go
//
// Clients that come between "release" and "ready" wait in the socket's backlog. Whichever of the
// two dies, the other sees the end of the conversation: the new one goes on without "released"
// (a dead process holds no lock), the old one opens the store again and serves on.

/// The new server's side. Blocks: nothing else is going on in it yet.
class TakeOver {
public:
    /// Asks for the socket; nothing where no server works on this folder. Throws ConfigError where
    /// the answer is not understood, std::runtime_error where there is none.
    static std::optional<TakeOver> begin(const std::string& data_dir);

    /// What was given; once.
    Listening take_listening() { return std::move(listening_); }

    /// Lets the other end its work and waits until it has. Throws std::runtime_error when that
    /// takes too long.
    void wait_for_release();

    /// Tells the other that it may go.
    void confirm();

private:
    Descriptor process_{};  ///< the server that works now
    Descriptor peer_{};
    Listening listening_{};
    std::chrono::milliseconds patience_{0};
};

/// The server that has asked this one to let go.
class Successor {
public:
    explicit Successor(Descriptor peer) : peer_(std::move(peer)) {}

    /// Tells it that the store is free. Whether this process may end: the other works, or somebody
    /// has asked for it by a signal. False: the other has ended before it was ready.
    bool took_over();

private:
    Descriptor peer_;
};

struct HandOverOptions {
    std::string data_dir{};
    int listening{-1};                        ///< the descriptor to hand over
    std::chrono::milliseconds longest_end{};  ///< how long this server may take to end
    std::function<void()> asked{};            ///< end the work, please
    sparkhost::LogSink log{};
};

/// The old server's side, for as long as it works. Call begin() only while the store is open: its
/// lock makes sure that nobody else has this address.
class HandOver {
public:
    HandOver(boost::asio::io_context& io, HandOverOptions options);
    ~HandOver();
    HandOver(const HandOver&) = delete;
    HandOver& operator=(const HandOver&) = delete;

    void begin();
    void end();  ///< nobody can ask any more

    /// Who has asked; at most once.
    std::optional<Successor> take_successor();

    bool has_successor() const;

private:
    class Door;
    std::shared_ptr<Door> door_;
};

}  // namespace server

#endif
