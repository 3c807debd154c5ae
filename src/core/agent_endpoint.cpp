// SPDX-License-Identifier: Apache-2.0
#include "core/agent_greeting.hpp"

#include <sparkhost/agent_endpoint.hpp>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

namespace sparkhost {

namespace agent_endpoint {

namespace asio = boost::asio;
using Protocol = asio::generic::stream_protocol;
using Socket = Protocol::socket;
using Acceptor = asio::basic_socket_acceptor<Protocol>;

constexpr std::size_t longest_greeting = 64u << 10;
constexpr std::chrono::milliseconds pause_without_descriptors{100};

[[noreturn]] void refuse_address(const std::string& rule) {
    throw std::invalid_argument("AgentEndpointOptions::address: " + rule);
}

/// Where to listen. The path of a Unix socket, or empty.
struct Place {
    Protocol::endpoint endpoint{};
    std::string path{};
};

Place parse_address(const std::string& address) {
    if (address.starts_with("unix:/")) {
        auto path = address.substr(5);
        if (path.size() >= sizeof(sockaddr_un::sun_path)) {
            refuse_address("the path must be shorter than " +
                           std::to_string(sizeof(sockaddr_un::sun_path)) + " bytes");
        }
        return {asio::local::stream_protocol::endpoint(path), path};
    }
    const auto colon = address.rfind(':');
    if (address.starts_with("tcp:") && colon > 4) {
        auto host = address.substr(4, colon - 4);
        if (host.starts_with('[') && host.ends_with(']')) {
            host = host.substr(1, host.size() - 2);
        }
        boost::system::error_code failure;
        const auto numeric = asio::ip::make_address(host, failure);
        std::uint16_t port = 0;
        const char* end = address.data() + address.size();
        const auto parsed = std::from_chars(address.data() + colon + 1, end, port);
        if (!failure && parsed.ec == std::errc() && parsed.ptr == end) {
            return {asio::ip::tcp::endpoint(numeric, port), {}};
        }
    }
    refuse_address("must be unix:/absolute/path or tcp:ADDRESS:PORT with a numeric address");
}

/// A connected socket, shared by those who may have to close it.
class AgentStream {
public:
    explicit AgentStream(Socket socket) : socket_(std::move(socket)) {}

    /// Empty at the end of the stream, however it came.
    asio::awaitable<std::string> read_some(std::size_t limit) {
        std::string bytes(limit, '\0');
        boost::system::error_code failure;
        const auto size = co_await socket_.async_read_some(
            asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, failure));
        bytes.resize(size);
        co_return bytes;
    }
    asio::awaitable<boost::system::error_code> write(std::string bytes) {
        boost::system::error_code failure;
        co_await asio::async_write(socket_, asio::buffer(bytes),
                                   asio::redirect_error(asio::use_awaitable, failure));
        co_return failure;
    }
    void close() {
        boost::system::error_code ignored;
        socket_.close(ignored);
    }
    /// A peer whose machine has gone is noticed within some minutes, also by who only listens.
    void keep_alive() {
        boost::system::error_code ignored;
        socket_.set_option(asio::socket_base::keep_alive(true), ignored);
        for (const auto& [option, seconds] : {std::pair(TCP_KEEPIDLE, 60), {TCP_KEEPINTVL, 20}}) {
            // fails on a Unix socket, which needs none
            ::setsockopt(socket_.native_handle(), IPPROTO_TCP, option, &seconds, sizeof seconds);
        }
    }

private:
    Socket socket_;
};
using AgentStreamPtr = std::shared_ptr<AgentStream>;

Awaitable<std::string> read_from(AgentStreamPtr stream, std::size_t limit) {
    co_return co_await stream->read_some(limit);
}

Awaitable<void> write_to(AgentStreamPtr stream, std::string bytes) {
    const auto failure = co_await stream->write(std::move(bytes));
    if (failure) {
        co_return Error(Errc::backend_failed, "the agent is gone: " + failure.message());
    }
    co_return ok();
}

class StreamConnection final : public AgentConnection {
public:
    explicit StreamConnection(AgentStreamPtr stream) : stream_(std::move(stream)) {}
    ~StreamConnection() override { stream_->close(); }
    Awaitable<std::string> read_some(std::size_t limit) override {
        return read_from(stream_, limit);
    }
    Awaitable<void> write(std::string bytes) override {
        return write_to(stream_, std::move(bytes));
    }
    void close() override { stream_->close(); }

private:
    AgentStreamPtr stream_;
};

/// The first line without its end; empty when there is none. Agents wait for their answer, so
/// nothing may follow it.
asio::awaitable<std::string> read_first_line(AgentStreamPtr stream) {
    std::string line;
    while (line.size() < longest_greeting) {
        const auto bytes = co_await stream->read_some(longest_greeting - line.size());
        if (bytes.empty()) {
            break;
        }
        line += bytes;
        const auto end = line.find('\n');
        if (end != std::string::npos) {
            co_return end + 1 == line.size() ? line.substr(0, end) : std::string();
        }
    }
    co_return std::string();
}

}  // namespace agent_endpoint

class AgentListener : public std::enable_shared_from_this<AgentListener> {
public:
    AgentListener(boost::asio::any_io_executor executor, AgentEndpointOptions options,
                  std::shared_ptr<AgentGate> gate)
        : options_(std::move(options)), gate_(std::move(gate)), acceptor_(std::move(executor)) {
        if (!gate_) {
            throw std::invalid_argument("AgentEndpoint: the gate must not be null");
        }
        if (options_.greeting_limit.count() <= 0) {
            throw std::invalid_argument(
                "AgentEndpointOptions::greeting_limit: must be greater than zero");
        }
        if (options_.max_greeting == 0) {
            throw std::invalid_argument("AgentEndpointOptions::max_greeting: must be at least 1");
        }
        listen();
    }

    const std::string& address() const { return options_.address; }
    void close() {
        boost::system::error_code ignored;
        acceptor_.close(ignored);
    }

    static Awaitable<void> run(std::shared_ptr<AgentListener> self);

private:
    using Stream = agent_endpoint::AgentStreamPtr;

    void listen();
    void log(LogLevel level, const std::string& message) const {
        if (options_.log) {
            options_.log({level, "agents", message});
        }
    }
    static boost::asio::awaitable<void> greet(std::shared_ptr<AgentListener> self, Stream stream);
    boost::asio::awaitable<void> answer(Stream stream, std::string line);
    boost::asio::awaitable<void> answer_agent(Stream stream, AgentGreeting greeting);
    boost::asio::awaitable<void> answer_guard(Stream stream, DriverClaim claim);

    AgentEndpointOptions options_;
    std::shared_ptr<AgentGate> gate_;
    agent_endpoint::Acceptor acceptor_;
    std::size_t greeting_{0};
};

void AgentListener::listen() {
    namespace fs = std::filesystem;
    const auto place = agent_endpoint::parse_address(options_.address);
    acceptor_.open(place.endpoint.protocol());
    if (place.path.empty()) {
        acceptor_.set_option(boost::asio::socket_base::reuse_address(true));
    } else {
        std::error_code ignored;
        if (fs::is_socket(place.path, ignored)) {
            fs::remove(place.path, ignored);  // of the last host: nobody else has this address
        }
    }
    acceptor_.bind(place.endpoint);
    if (place.path.empty()) {
        const auto bound = acceptor_.local_endpoint();
        const auto* data = bound.data();
        boost::asio::ip::tcp::endpoint tcp;
        std::memcpy(tcp.data(), data, std::min(tcp.capacity(), bound.size()));
        tcp.resize(bound.size());
        const auto text = tcp.address().to_string();
        options_.address = "tcp:" + (tcp.address().is_v6() ? "[" + text + "]" : text) + ":" +
                           std::to_string(tcp.port());
    } else {
        fs::permissions(place.path, fs::perms::owner_read | fs::perms::owner_write);
    }
    acceptor_.listen();
}

Awaitable<void> AgentListener::run(std::shared_ptr<AgentListener> self) {
    namespace asio = boost::asio;
    auto executor = co_await asio::this_coro::executor;
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    Error over;
    for (;;) {
        boost::system::error_code failure;
        auto socket = co_await self->acceptor_.async_accept(
            asio::redirect_error(asio::use_awaitable, failure));
        const auto state = co_await asio::this_coro::cancellation_state;
        if (failure == asio::error::operation_aborted || !self->acceptor_.is_open() ||
            state.cancelled() != asio::cancellation_type::none) {
            over = Error(asio::error::operation_aborted, "the endpoint has been closed");
            break;
        }
        if (failure == asio::error::no_descriptors || failure == asio::error::no_memory ||
            failure == asio::error::no_buffer_space) {
            self->log(LogLevel::error, "an agent cannot be accepted: " + failure.message());
            asio::steady_timer pause(executor, agent_endpoint::pause_without_descriptors);
            co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failure));
            if (failure) {
                self->close();  // cancelled
            }
        } else if (failure == asio::error::connection_aborted) {
            continue;
        } else if (failure) {
            over = Error(Errc::backend_failed, "agents cannot be accepted: " + failure.message());
            break;
        } else if (self->greeting_ < self->options_.max_greeting) {
            auto stream = std::make_shared<agent_endpoint::AgentStream>(std::move(socket));
            asio::co_spawn(executor, greet(self, std::move(stream)), asio::detached);
        }
    }
    self->close();
    co_await asio::this_coro::throw_if_cancelled(throwing);
    co_return over;
}

boost::asio::awaitable<void> AgentListener::greet(std::shared_ptr<AgentListener> self,
                                                  Stream stream) {
    auto executor = co_await boost::asio::this_coro::executor;
    ++self->greeting_;
    boost::asio::steady_timer limit(executor, self->options_.greeting_limit);
    limit.async_wait([stream](boost::system::error_code stopped) {
        if (!stopped) {
            stream->close();
        }
    });
    auto line = co_await agent_endpoint::read_first_line(stream);
    limit.cancel();
    if (line.empty()) {
        self->log(LogLevel::warning, "a connection came without a greeting");
        stream->close();
    } else {
        try {
            co_await self->answer(stream, std::move(line));
        } catch (const std::exception& failure) {  // of the gate, which must not end the loop
            self->log(LogLevel::error, std::string("the gate failed: ") + failure.what());
            stream->close();
        }
    }
    --self->greeting_;
}

boost::asio::awaitable<void> AgentListener::answer(Stream stream, std::string line) {
    auto greeting = detail::read_greeting(line);
    if (!greeting) {
        log(LogLevel::warning, "an agent was not understood: " + greeting.error().text());
        if (greeting.error().is(Errc::not_supported)) {
            auto refusal = detail::write_version_refusal(greeting.error());
            co_await stream->write(std::move(refusal));
        }
        stream->close();
        co_return;
    }
    if (auto* claim = std::get_if<DriverClaim>(&*greeting)) {
        co_await answer_guard(std::move(stream), std::move(*claim));
    } else {
        co_await answer_agent(std::move(stream), std::get<AgentGreeting>(std::move(*greeting)));
    }
}

boost::asio::awaitable<void> AgentListener::answer_agent(Stream stream, AgentGreeting greeting) {
    AgentVerdict verdict{AgentVerdict::Code::later, "the host could not decide", {}};
    auto judged = co_await gate_->judge(greeting);
    if (judged) {
        verdict = std::move(*judged);
    } else {
        log(LogLevel::error, "an agent could not be judged: " + judged.error().text());
    }
    auto said = detail::write_verdict(greeting, verdict);
    const auto failure = co_await stream->write(std::move(said));
    if (failure || verdict.code != AgentVerdict::Code::granted) {
        stream->close();
        co_return;
    }
    auto connection = std::make_unique<agent_endpoint::StreamConnection>(std::move(stream));
    gate_->admit(std::move(greeting), std::move(connection));
}

boost::asio::awaitable<void> AgentListener::answer_guard(Stream stream, DriverClaim claim) {
    const auto ticket = claim.ticket;
    GuardVerdict verdict;
    auto judged = co_await gate_->judge_guard(std::move(claim));
    if (judged) {
        verdict = std::move(*judged);
    } else {
        log(LogLevel::error, "a guard could not be judged: " + judged.error().text());
        verdict.answer.code = ClaimAnswer::Code::later;
        verdict.answer.detail = "the host could not decide";
    }
    auto said = detail::write_claim_answer(verdict.answer);
    const bool granted = verdict.answer.code == ClaimAnswer::Code::granted;
    if (verdict.admit && !granted) {
        log(LogLevel::error, "the driver of " + ticket + " cannot begin: " + verdict.answer.detail);
    }
    const auto failure = co_await stream->write(std::move(said));
    if (failure || !granted || !verdict.admit) {
        stream->close();
        co_return;
    }
    stream->keep_alive();
    verdict.admit(std::make_unique<agent_endpoint::StreamConnection>(std::move(stream)));
}

AgentEndpoint::AgentEndpoint(boost::asio::any_io_executor executor, AgentEndpointOptions options,
                             std::shared_ptr<AgentGate> gate)
    : listener_(std::make_shared<AgentListener>(std::move(executor), std::move(options),
                                                std::move(gate))) {}

AgentEndpoint::~AgentEndpoint() {
    if (listener_) {
        listener_->close();
    }
}

AgentEndpoint::AgentEndpoint(AgentEndpoint&&) noexcept = default;
AgentEndpoint& AgentEndpoint::operator=(AgentEndpoint&&) noexcept = default;

const std::string& AgentEndpoint::address() const {
    return listener_->address();
}

Awaitable<void> AgentEndpoint::run() {
    return AgentListener::run(listener_);
}

}  // namespace sparkhost
