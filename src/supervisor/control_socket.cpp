// SPDX-License-Identifier: Apache-2.0
#include "supervisor/control_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/socket.h>
#include <unistd.h>

namespace sparkhost::supervisor {

namespace {

bool is_same_user(int socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           peer.uid == ::geteuid();
}

}  // namespace

void ControlSocket::collect(std::vector<pollfd>& polled, std::string_view journal) const {
    for (const auto& peer : peers_) {
        short events = peer.silent ? 0 : POLLIN;
        if (!peer.deaf && peer.told < journal.size()) {
            events |= POLLOUT;
        }
        polled.push_back({.fd = peer.socket.get(), .events = events, .revents = 0});
    }
}

bool ControlSocket::serve(const pollfd& polled) {
    bool kill = false;
    const auto peer = std::find_if(peers_.begin(), peers_.end(), [&](const Peer& candidate) {
        return candidate.socket.get() == polled.fd;
    });
    if (peer != peers_.end()) {
        const bool alive = (polled.revents & POLLIN) != 0
                               ? read_request(*peer, kill)
                               : (polled.revents & (POLLHUP | POLLERR | POLLNVAL)) == 0;
        if (!alive) {
            peers_.erase(peer);
        }
    }
    return kill;
}

bool ControlSocket::read_request(Peer& peer, bool& kill) {
    std::array<char, max_request> buffer;
    const auto size = ::recv(peer.socket.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    if (size == 0) {
        peer.silent = true;
        return !peer.deaf;
    }
    peer.request.append(buffer.data(), static_cast<std::size_t>(size));
    for (auto end = peer.request.find('\n'); end != std::string::npos;
         end = peer.request.find('\n')) {
        kill = kill || peer.request.compare(0, end, "kill") == 0;
        peer.request.erase(0, end + 1);
    }
    return peer.request.size() < max_request;
}

bool ControlSocket::accept_peers() {
    for (;;) {
        Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket) {
            if (errno == EINTR || errno == ECONNABORTED) {
                continue;
            }
            return errno == EAGAIN;
        }
        if (!is_same_user(socket.get())) {
            continue;
        }
        if (peers_.size() == max_peers) {
            peers_.erase(peers_.begin());  // the longest connected is the likeliest forgotten
        }
        peers_.push_back({.socket = static_cast<Fd&&>(socket)});
    }
}

void ControlSocket::tell(std::string_view journal) {
    for (auto& peer : peers_) {
        send_rest(peer, journal);
    }
}

void ControlSocket::send_rest(Peer& peer, std::string_view journal) {
    while (!peer.deaf && peer.told < journal.size()) {
        const auto rest = journal.substr(peer.told);
        const auto size = ::send(peer.socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (size < 0 && errno == EAGAIN) {
            return;
        }
        // it may have said "kill" and gone: what it has sent is still to be read
        peer.deaf = size < 0 && errno != EINTR;
        peer.told += size > 0 ? static_cast<std::size_t>(size) : 0;
    }
}

}  // namespace sparkhost::supervisor
