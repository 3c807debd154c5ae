// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_SUPERVISOR_LAUNCHER_SOCKET_HPP
#define SPARKHOST_SRC_SUPERVISOR_LAUNCHER_SOCKET_HPP

#include "backends/local/launcher_protocol.hpp"
#include "supervisor/fd.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include <poll.h>

namespace sparkhost::supervisor {

/// The server side of Spark's launcher protocol. Anybody on the machine can connect, so nothing
/// is believed, and little is read, before the secret has been shown.
class LauncherSocket {
public:
    /// Listens on 127.0.0.1, a port the system picks, with a new secret; false with errno.
    bool open();

    int listener() const { return listener_.get(); }
    const std::string& port() const { return port_; }
    const std::string& secret() const { return secret_; }

    void collect(std::vector<pollfd>& polled) const;

    /// Handles what poll(2) has said of one of the connections; appends what it has told.
    void serve(const pollfd& polled, std::vector<detail::LauncherMessage>& messages);

    /// Takes up to all waiting connections; false when the system cannot give descriptors now.
    bool accept_connections();

    /// Asks every driver, also one that connects later, to stop.
    void stop();

private:
    struct Connection {
        Fd socket{};
        detail::LauncherReader reader{};
        bool trusted{false};
    };

    static constexpr std::size_t max_connections = 8;

    bool read(Connection& connection, std::vector<detail::LauncherMessage>& messages) const;
    bool accept_message(Connection& connection, const detail::LauncherMessage& message) const;
    void make_room();

    Fd listener_{};
    std::string port_{};
    std::string secret_{};
    std::vector<Connection> connections_{};
    bool stopping_{false};
};

}  // namespace sparkhost::supervisor

#endif
