// SPDX-License-Identifier: Apache-2.0
#include "hand_over.hpp"

#include "options.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace server {

namespace asio = boost::asio;
using Unix = asio::local::stream_protocol;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view greeting = "sparkhost take-over 1";
constexpr std::size_t longest_line = 100;
constexpr auto answer_time = 10s;  ///< for what needs no work
constexpr auto start_time =
    60s;  ///< between "socket" and "release": reading options, finding Spark

/// The socket's address. Through the folder's descriptor, because its own path may be longer than
/// addresses can be.
class Address {
public:
    explicit Address(const std::string& data_dir)
        : folder_(::open(data_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {}
    std::string path() const {
        return "/proc/self/fd/" + std::to_string(folder_.get()) + "/hand-over.sock";
    }

private:
    Descriptor folder_;
};

/// Sends one line, with a descriptor where there is one. Lines are short: they always fit.
bool send_line(int peer, std::string line, int descriptor = -1) {
    line += '\n';
    iovec part{line.data(), line.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    if (descriptor >= 0) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    }
    return ::sendmsg(peer, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(line.size());
}

struct Heard {
    std::string line{};  ///< empty: the other has gone
    Descriptor descriptor{};
    bool in_time{true};
};

Descriptor descriptor_in(msghdr& message) {
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
        return {};
    }
    int number = -1;
    std::memcpy(&number, CMSG_DATA(header), sizeof(int));
    return Descriptor(number);
}

/// Waits for a line and what comes with it. Each is sent at once and nothing follows it.
Heard hear_line(int peer, std::chrono::milliseconds patience) {
    Heard heard;
    pollfd wait{peer, POLLIN, 0};
    const auto end = std::chrono::steady_clock::now() + patience;
    int found = -1;
    do {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now());
        found = ::poll(&wait, 1, static_cast<int>(std::max(left, 0ms).count()));
    } while (found < 0 && errno == EINTR);
    heard.in_time = found == 1;
    if (!heard.in_time) {
        return heard;
    }
    std::array<char, longest_line> text{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    iovec part{text.data(), text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto size = ::recvmsg(peer, &message, MSG_CMSG_CLOEXEC);
    heard.line.assign(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    if (size > 0) {
        heard.descriptor = descriptor_in(message);
    }
    if (heard.line.ends_with('\n')) {
        heard.line.pop_back();
    }
    return heard;
}

/// The process that listens behind a connected socket; nothing when it has gone.
Descriptor process_behind(int peer) {
    ucred other{};
    socklen_t size = sizeof(other);
    if (::getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &other, &size) != 0) {
        return {};
    }
    return Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, other.pid, 0U)));
}

/// A process that is killed closes one file after the other: its socket may be closed when it still
/// holds the lock of the store.
void wait_for_end(const Descriptor& process, std::chrono::milliseconds patience) {
    pollfd wait{process.get(), POLLIN, 0};
    while (process && ::poll(&wait, 1, static_cast<int>(patience.count())) < 0 && errno == EINTR) {
    }
}

using Peer = std::shared_ptr<Unix::socket>;

asio::awaitable<std::string> next_line(Peer peer, std::chrono::milliseconds patience) {
    auto executor = co_await asio::this_coro::executor;
    asio::steady_timer limit(executor, patience);
    limit.async_wait([peer](boost::system::error_code stopped) {
        boost::system::error_code ignored;
        if (!stopped) {
            peer->cancel(ignored);
        }
    });
    std::string line;
    boost::system::error_code failure;
    const auto size =
        co_await asio::async_read_until(*peer, asio::dynamic_buffer(line, longest_line), '\n',
                                        asio::redirect_error(asio::use_awaitable, failure));
    limit.cancel();
    line.resize(failure ? 0 : size - 1);
    co_return line;
}

/// What can read the data folder's socket could be anybody where the folder was not made by us.
bool is_ours(int peer) {
    ucred other{};
    socklen_t size = sizeof(other);
    return ::getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &other, &size) == 0 &&
           (other.uid == ::geteuid() || other.uid == 0);
}

}  // namespace

std::optional<TakeOver> TakeOver::begin(const std::string& data_dir) {
    const Address address(data_dir);
    TakeOver take;
    take.peer_ = Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Unix::endpoint endpoint(address.path());
    if (::connect(take.peer_.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) !=
        0) {
        const int problem = errno;
        if (problem == ENOENT || problem == ECONNREFUSED) {
            return std::nullopt;
        }
        throw std::system_error(problem, std::generic_category(),
                                "cannot ask the server in " + data_dir + " for its socket");
    }
    take.process_ = process_behind(take.peer_.get());
    send_line(take.peer_.get(), std::string(greeting));
    auto answer = hear_line(take.peer_.get(), answer_time);
    if (!answer.in_time) {
        throw std::runtime_error("the server in " + data_dir + " does not hand its socket over");
    }
    if (answer.line.empty()) {
        wait_for_end(take.process_, answer_time);
        return std::nullopt;  // it was ending
    }
    const auto patience =
        answer.line.starts_with("socket ") ? whole_number(answer.line.substr(7)) : std::nullopt;
    if (!patience || !answer.descriptor) {
        throw ConfigError("--take-over: the server in " + data_dir +
                          " is of another version and answers \"" + answer.line +
                          "\"; stop it instead");
    }
    take.patience_ = std::chrono::milliseconds(*patience) + answer_time;
    take.listening_ = adopt(std::move(answer.descriptor), "the server in " + data_dir + " has");
    return take;
}

void TakeOver::wait_for_release() {
    send_line(peer_.get(), "release");
    const auto heard = hear_line(peer_.get(), patience_);
    if (!heard.in_time) {
        throw std::runtime_error("the server that works now does not end its work in time");
    }
    if (heard.line.empty()) {
        wait_for_end(process_, patience_);
    }
}

void TakeOver::confirm() {
    send_line(peer_.get(), "ready");
}

bool Successor::took_over() {
    send_line(peer_.get(), "released");
    asio::io_context io(1);
    Unix::socket peer(io, Unix(), peer_.get());
    peer_.release();
    bool may_end = false;
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&](boost::system::error_code canceled, int) {
        may_end = may_end || !canceled;
        boost::system::error_code ignored;
        peer.close(ignored);
    });
    std::string line;
    asio::async_read_until(peer, asio::dynamic_buffer(line, longest_line), '\n',
                           [&](boost::system::error_code, std::size_t) {
                               may_end = may_end || line == "ready\n";
                               signals.cancel();
                           });
    io.run();
    return may_end;
}

class HandOver::Door : public std::enable_shared_from_this<Door> {
public:
    Door(asio::io_context& io, HandOverOptions options)
        : options_(std::move(options)), acceptor_(io) {}

    void open();
    void close() {
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        if (peer_) {
            peer_->close(ignored);
        }
    }
    std::optional<Successor> successor{};

private:
    static asio::awaitable<void> receive(std::shared_ptr<Door> self);
    asio::awaitable<bool> talk_to(Peer peer);
    void log(sparkhost::LogLevel level, std::string message) const {
        options_.log({level, "server", std::move(message)});
    }

    HandOverOptions options_;
    Unix::acceptor acceptor_;
    Peer peer_{};
};

void HandOver::Door::open() {
    const Address address(options_.data_dir);
    ::unlink(address.path().c_str());  // of the last server
    try {
        acceptor_.open();
        acceptor_.bind(address.path());
        acceptor_.listen();
    } catch (const boost::system::system_error& failure) {
        log(sparkhost::LogLevel::warning,
            "no other server will be able to take over: " + failure.code().message());
        return;
    }
    asio::co_spawn(acceptor_.get_executor(), receive(shared_from_this()), asio::detached);
}

asio::awaitable<void> HandOver::Door::receive(std::shared_ptr<Door> self) {
    while (self->acceptor_.is_open()) {
        boost::system::error_code failure;
        auto peer = std::make_shared<Unix::socket>(self->acceptor_.get_executor());
        co_await self->acceptor_.async_accept(*peer,
                                              asio::redirect_error(asio::use_awaitable, failure));
        if (failure) {
            asio::steady_timer pause(self->acceptor_.get_executor(), 1s);
            if (self->acceptor_.is_open()) {  // no descriptors: trying again at once would spin
                co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failure));
            }
            continue;
        }
        self->peer_ = peer;
        const bool asked = co_await self->talk_to(peer);
        self->peer_.reset();
        if (asked && self->acceptor_.is_open()) {
            self->successor.emplace(Descriptor(peer->release()));
            self->log(sparkhost::LogLevel::info, "another server takes over");
            self->options_.asked();
        }
    }
}

/// Whether it has asked for the release.
asio::awaitable<bool> HandOver::Door::talk_to(Peer peer) {
    if (!is_ours(peer->native_handle())) {
        log(sparkhost::LogLevel::warning, "a process of another user has asked for the socket");
        co_return false;
    }
    const auto line = co_await next_line(peer, answer_time);
    if (line != greeting) {
        send_line(peer->native_handle(), "unknown");
        co_return false;
    }
    const auto bound = std::to_string(options_.longest_end.count());
    if (!send_line(peer->native_handle(), "socket " + bound, options_.listening)) {
        co_return false;
    }
    const auto wish = co_await next_line(peer, start_time);
    co_return wish == "release";
}

HandOver::HandOver(asio::io_context& io, HandOverOptions options)
    : door_(std::make_shared<Door>(io, std::move(options))) {}

HandOver::~HandOver() {
    end();
}

void HandOver::begin() {
    door_->open();
}

void HandOver::end() {
    door_->close();
}

std::optional<Successor> HandOver::take_successor() {
    return std::exchange(door_->successor, std::nullopt);
}

bool HandOver::has_successor() const {
    return door_->successor.has_value();
}

}  // namespace server
