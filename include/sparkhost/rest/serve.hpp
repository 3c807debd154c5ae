// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_REST_SERVE_HPP
#define SPARKHOST_REST_SERVE_HPP

#include <sparkhost/log.hpp>
#include <sparkhost/rest/router.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <functional>

namespace sparkhost::rest {

struct ServeOptions {
    /// Largest header and body; more is answered 431 or 413 and the connection closed. Must be
    /// greater than zero. Defaults: 64 KiB, 1 MiB.
    std::size_t max_header{64u << 10};
    std::size_t max_body{1u << 20};

    /// Largest body of a request that brings a file, a job or code; bodies above max_body are kept
    /// in memory, which all connections share: one for which there is no room is answered 503.
    /// Neither must be less than the one before it. Defaults: 101 MiB, 512 MiB.
    std::size_t max_upload{101u << 20};
    std::size_t upload_memory{512u << 20};

    /// Answers that have been made and wait to be taken share this; while it is full, large ones
    /// (logs, lists) wait, and are answered 503 when that takes longer than io_timeout. Must be
    /// greater than zero. Default: 512 MiB.
    std::size_t answer_memory{512u << 20};

    /// A client must deliver a whole request, and take a whole answer, in this time; a request
    /// that has begun and stays incomplete is answered 408. For the body of an upload it is the
    /// longest silence, and twenty times as long the whole. Must be greater than zero.
    /// Default: 30 s.
    std::chrono::milliseconds io_timeout{std::chrono::seconds{30}};

    /// A connection without a request is closed after this time. Must be greater than zero.
    /// Default: 300 s.
    std::chrono::milliseconds idle_timeout{std::chrono::seconds{300}};

    /// Connections at a time; further ones wait in the listen backlog. Must be greater than
    /// zero. Default: 10 000.
    std::size_t max_connections{10'000};

    /// After cancellation: requests under way may take so long to finish. Must not be negative.
    /// Default: 5 s.
    std::chrono::milliseconds close_grace{std::chrono::seconds{5}};

    /// Asked once, at cancellation: whether clients that come from now on are to wait in the
    /// listen backlog, because another process has the socket too and will accept them. Where it
    /// says no they are answered 503 with Retry-After until the requests under way have finished.
    /// Must not throw. Default: they are answered.
    std::function<bool()> leave_backlog{};

    LogSink log{};
};

/// Accepts connections and answers them with `router` until cancelled; then closes idle
/// connections, answers requests that wait for a change at once, lets the others finish
/// (ServeOptions::close_grace), and completes when no connection is left. Who connects meanwhile
/// is answered 503, or left for another process (ServeOptions::leave_backlog). Stop the host
/// when it has completed: until then requests under way need it.
/// Preconditions: the acceptor is open and listening.
/// Throws std::invalid_argument, when called, for an option that breaks its rule.
/// Errors: none; a failing accept is logged and tried again when a connection has been closed,
/// at the latest after a second.
/// Cancellation: terminal; as described.
/// Lifetimes: takes everything by value; the router's host must live until it has completed.
/// Threads: each connection has a strand of its own on the acceptor's executor.
boost::asio::awaitable<void> serve(boost::asio::ip::tcp::acceptor acceptor, Router router,
                                   ServeOptions options = {});

}  // namespace sparkhost::rest

#endif
