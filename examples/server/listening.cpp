// SPDX-License-Identifier: Apache-2.0
#include "listening.hpp"

#include "options.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace server {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr int first_passed_descriptor = 3;  // SD_LISTEN_FDS_START

int socket_option(int socket, int option) {
    int value = 0;
    socklen_t size = sizeof(value);
    return ::getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/// The number in a variable; -1 without one.
std::int64_t number_from(const char* variable) {
    const char* text = std::getenv(variable);
    return text == nullptr ? -1 : whole_number(text).value_or(-1);
}

bool same_address(const tcp::endpoint& asked, const tcp::endpoint& found) {
    return asked.address() == found.address() &&
           (asked.port() == 0 || asked.port() == found.port());
}

}  // namespace

tcp::acceptor Listening::acceptor(asio::io_context& io) const {
    Descriptor copy(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) {
        throw std::system_error(errno, std::generic_category(), "cannot use the listening socket");
    }
    tcp::acceptor acceptor(io, endpoint.protocol(), copy.get());
    copy.release();
    return acceptor;
}

Listening listen_on(const tcp::endpoint& endpoint) {
    try {
        asio::io_context io;
        tcp::acceptor acceptor(io, endpoint);  // with SO_REUSEADDR
        Listening listening;
        listening.endpoint = acceptor.local_endpoint();
        listening.socket = Descriptor(acceptor.release());
        return listening;
    } catch (const boost::system::system_error& failure) {
        throw std::runtime_error("cannot listen on " + to_string(endpoint) + ": " +
                                 failure.code().message());
    }
}

Listening adopt(Descriptor socket, std::string_view from) {
    tcp::endpoint endpoint;
    auto size = static_cast<socklen_t>(endpoint.capacity());
    const bool listens = socket_option(socket.get(), SO_TYPE) == SOCK_STREAM &&
                         socket_option(socket.get(), SO_ACCEPTCONN) == 1 &&
                         ::getsockname(socket.get(), endpoint.data(), &size) == 0;
    const int family = listens ? endpoint.data()->sa_family : AF_UNSPEC;
    if (family != AF_INET && family != AF_INET6) {
        throw ConfigError("what " + std::string(from) + " is not a listening TCP socket");
    }
    endpoint.resize(size);
    ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
    Listening listening;
    listening.socket = std::move(socket);
    listening.endpoint = endpoint;
    return listening;
}

std::optional<Listening> from_service_manager() {
    const bool for_us = number_from("LISTEN_PID") == ::getpid();
    const auto count = number_from("LISTEN_FDS");
    for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
        ::unsetenv(variable);
    }
    if (!for_us || count == 0) {
        return std::nullopt;
    }
    if (count != 1) {
        throw ConfigError("the service manager has passed " + std::to_string(count) +
                          " sockets (LISTEN_FDS); one is expected: leave one ListenStream= in the "
                          "socket unit");
    }
    auto listening =
        adopt(Descriptor(first_passed_descriptor), "the service manager has passed (LISTEN_FDS)");
    listening.kept_elsewhere = true;
    return listening;
}

void agree_on_address(Config& config, const Listening& listening, std::string_view from) {
    if (config.source.contains("listen") && !same_address(config.listen, listening.endpoint)) {
        throw ConfigError("--listen " + to_string(config.listen) + ": the socket that " +
                          std::string(from) + " listens on " + to_string(listening.endpoint) +
                          "; give the same address, or none");
    }
    config.listen = listening.endpoint;
    check_listen(config);
}

void notify_service_manager(std::string_view state) {
    const char* path = std::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    if (path == nullptr || (*path != '/' && *path != '@') ||
        std::strlen(path) >= sizeof(address.sun_path)) {
        return;
    }
    address.sun_family = AF_UNIX;
    const auto length = std::strlen(path);
    std::copy_n(path, length, address.sun_path);
    if (*path == '@') {
        address.sun_path[0] = '\0';  // an abstract name
    }
    const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    // Nothing is lost when nobody listens: the service manager has its own time limits.
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    (void)::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
                   reinterpret_cast<const sockaddr*>(&address), size);
}

}  // namespace server
