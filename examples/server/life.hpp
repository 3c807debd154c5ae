// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_LIFE_HPP
#define SPARKHOST_EXAMPLES_SERVER_LIFE_HPP

#include "config.hpp"
#include "hand_over.hpp"
#include "listening.hpp"

#include <sparkhost/host.hpp>
#include <sparkhost/log.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>
#include <optional>
#include <string>

namespace server {

/// A host and its clients, from opening the store to closing it. A process has a second one only
/// where the server that was to take over has failed.
class Life {
public:
    /// Begins nothing yet. Throws std::invalid_argument for options that the library refuses.
    Life(const Config& config, const Listening& listening, sparkhost::LogSink log);

    /// Works until it is asked to end: by a signal, or by the one who takes over, which it gives.
    /// `ready` is called when clients can be answered. Throws std::runtime_error.
    std::optional<Successor> run(std::function<void()> ready);

private:
    boost::asio::awaitable<void> serve();
    void stop();
    void ended(const std::string& problem);
    void watch_signals();

    const Config& config_;
    const Listening& listening_;
    sparkhost::LogSink log_;
    boost::asio::io_context io_{1};
    sparkhost::Host host_;
    boost::asio::signal_set signals_;
    HandOver hand_over_;
    std::function<void()> ready_{};
    boost::asio::cancellation_signal stop_serving_{};
    bool serving_{false};
    bool stopping_{false};
    int working_{2};  ///< the host and the listener
    std::string failure_{};
};

}  // namespace server

#endif
