// SPDX-License-Identifier: Apache-2.0
#include "supervisor/launcher_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

namespace sparkhost::supervisor {

namespace {

bool make_secret(std::string& secret) {
    std::array<unsigned char, 32> random;
    // up to 256 bytes come in one piece, random(7) says
    if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
        return false;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    secret.clear();
    for (const unsigned byte : random) {
        secret += digits[byte >> 4U];
        secret += digits[byte & 0xFU];
    }
    return true;
}

/// A fresh connection's buffer takes it all; on any other, nobody reads.
void send_stop(int socket) {
    const auto stream = detail::launcher_stop_stream();
    [[maybe_unused]] const auto size =
        ::send(socket, stream.data(), stream.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

bool LauncherSocket::open() {
    listener_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (!listener_ ||
        ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::listen(listener_.get(), 16) != 0 ||
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        return false;
    }
    port_ = std::to_string(ntohs(address.sin_port));
    return make_secret(secret_);
}

void LauncherSocket::collect(std::vector<pollfd>& polled) const {
    for (const auto& connection : connections_) {
        polled.push_back({.fd = connection.socket.get(), .events = POLLIN, .revents = 0});
    }
}

void LauncherSocket::serve(const pollfd& polled, std::vector<detail::LauncherMessage>& messages) {
    const auto found = std::find_if(
        connections_.begin(), connections_.end(),
        [&](const Connection& candidate) { return candidate.socket.get() == polled.fd; });
    if (found != connections_.end() && !read(*found, messages)) {
        connections_.erase(found);
    }
}

bool LauncherSocket::read(Connection& connection,
                          std::vector<detail::LauncherMessage>& messages) const {
    std::array<char, 4096> buffer;
    // a stranger's bytes in small pieces: what follows a right Hello counts by the larger bounds
    const auto most = connection.trusted ? buffer.size() : 256;
    const auto size = ::recv(connection.socket.get(), buffer.data(), most, 0);
    if (size <= 0) {
        return size < 0 && (errno == EAGAIN || errno == EINTR);
    }
    connection.reader.feed(std::string_view(buffer.data(), static_cast<std::size_t>(size)));
    for (;;) {
        detail::LauncherMessage message;
        const auto status = connection.reader.next(message);
        if (status != detail::LauncherReader::Status::message) {
            return status == detail::LauncherReader::Status::more;
        }
        if (!accept_message(connection, message)) {
            return false;
        }
        messages.push_back(message);
    }
}

/// The first message must be Hello with the secret, and no other may be.
bool LauncherSocket::accept_message(Connection& connection,
                                    const detail::LauncherMessage& message) const {
    const bool hello = message.kind == detail::LauncherMessage::Kind::hello;
    if (connection.trusted) {
        return !hello;
    }
    if (!hello || !detail::equal_in_constant_time(message.secret, secret_)) {
        return false;
    }
    connection.trusted = true;
    connection.reader.trust();
    if (stopping_) {
        send_stop(connection.socket.get());
    }
    return true;
}

bool LauncherSocket::accept_connections() {
    for (;;) {
        Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket) {
            if (errno == EINTR || errno == ECONNABORTED) {
                continue;
            }
            return errno == EAGAIN;
        }
        make_room();
        connections_.push_back({.socket = static_cast<Fd&&>(socket)});
    }
}

/// The oldest stranger goes first; a driver is dropped only by other drivers.
void LauncherSocket::make_room() {
    if (connections_.size() < max_connections) {
        return;
    }
    const auto stranger =
        std::find_if(connections_.begin(), connections_.end(),
                     [](const Connection& candidate) { return !candidate.trusted; });
    connections_.erase(stranger == connections_.end() ? connections_.begin() : stranger);
}

void LauncherSocket::stop() {
    stopping_ = true;
    for (const auto& connection : connections_) {
        if (connection.trusted) {
            send_stop(connection.socket.get());
        }
    }
}

}  // namespace sparkhost::supervisor
