// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_LISTENING_HPP
#define SPARKHOST_EXAMPLES_SERVER_LISTENING_HPP

#include "config.hpp"
#include "descriptor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace server {

/// A listening socket. Stays open for as long as this lives, whoever accepts from it.
struct Listening {
    Descriptor socket{};
    boost::asio::ip::tcp::endpoint endpoint{};

    /// Whether the service manager has it, too: what nobody accepts waits for the next server.
    bool kept_elsewhere{false};

    /// A descriptor of its own for the event loop. Throws boost::system::system_error.
    boost::asio::ip::tcp::acceptor acceptor(boost::asio::io_context& io) const;
};

/// Opens what --listen says. Throws std::runtime_error.
Listening listen_on(const boost::asio::ip::tcp::endpoint& endpoint);

/// Makes sure that it is a listening TCP socket; `from` is for the message. Throws ConfigError.
Listening adopt(Descriptor socket, std::string_view from);

/// The socket that the service manager has opened for this process (socket activation:
/// LISTEN_PID and LISTEN_FDS, sd_listen_fds(3)); takes the variables away, so that no child
/// believes that they are for it. Throws ConfigError. Call it before any thread exists.
std::optional<Listening> from_service_manager();

/// The address of a socket that was opened by another program takes the place of --listen; where
/// both are given they must agree, and the rules for addresses hold. Throws ConfigError.
void agree_on_address(Config& config, const Listening& listening, std::string_view from);

/// Tells the service manager (NOTIFY_SOCKET, sd_notify(3)), if there is one that listens.
void notify_service_manager(std::string_view state);

}  // namespace server

#endif
