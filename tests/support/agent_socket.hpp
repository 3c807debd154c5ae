// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_AGENT_SOCKET_HPP
#define SPARKHOST_TESTS_SUPPORT_AGENT_SOCKET_HPP

#include <sparkhost/session_runtime.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::test {

namespace asio = boost::asio;
using LocalSocket = asio::local::stream_protocol::socket;

/// An AgentConnection over a Unix socket.
class SocketConnection final : public AgentConnection {
public:
    explicit SocketConnection(LocalSocket socket)
        : socket_(std::make_shared<LocalSocket>(std::move(socket))) {}
    Awaitable<std::string> read_some(std::size_t limit) override { return read(socket_, limit); }
    Awaitable<void> write(std::string bytes) override {
        return write_all(socket_, std::move(bytes));
    }
    void close() override {
        boost::system::error_code ignored;
        socket_->close(ignored);
    }

private:
    static Awaitable<std::string> read(std::shared_ptr<LocalSocket> socket, std::size_t limit) {
        std::string bytes(limit, '\0');
        boost::system::error_code failure;
        const auto size = co_await socket->async_read_some(
            asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, failure));
        bytes.resize(size);
        co_return bytes;  // an end is an end, however it came
    }
    static Awaitable<void> write_all(std::shared_ptr<LocalSocket> socket, std::string bytes) {
        boost::system::error_code failure;
        co_await asio::async_write(*socket, asio::buffer(bytes),
                                   asio::redirect_error(asio::use_awaitable, failure));
        if (failure) {
            co_return Error(Errc::backend_failed, failure.message());
        }
        co_return ok();
    }

    std::shared_ptr<LocalSocket> socket_;
};

/// One line from a socket, without its end; empty at the end of the stream.
inline asio::awaitable<std::string> hear_line(LocalSocket& socket, std::string& buffer) {
    boost::system::error_code failure;
    const auto size =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer), '\n',
                                        asio::redirect_error(asio::use_awaitable, failure));
    std::string line;
    if (!failure) {
        line = buffer.substr(0, size - 1);
        buffer.erase(0, size);
    }
    co_return line;
}

inline asio::awaitable<void> say_line(LocalSocket& socket, std::string line) {
    line += '\n';
    co_await asio::async_write(socket, asio::buffer(line), asio::use_awaitable);
}

/// Keeps what a statement said.
class RecordedOutput final : public OutputSink {
public:
    void output(Stream stream, std::string chunk) override {
        (stream == Stream::standard_output ? out : err) += chunk;
        if (on_output) {
            on_output();
        }
    }
    void progress(double fraction) override { fractions.push_back(fraction); }
    void unheeded(std::int64_t interrupts) override { unheeded_interrupts = interrupts; }

    std::string out{};
    std::string err{};
    std::vector<double> fractions{};
    std::int64_t unheeded_interrupts{0};
    std::function<void()> on_output{};
};

/// Keeps what a session said.
class RecordedSession final : public SessionSink {
public:
    void ready(SessionFacts known) override { facts.push_back(std::move(known)); }
    void failed(StatementResult why) override { failures.push_back(std::move(why)); }
    void busy(StatementId statement) override {
        words.push_back("busy " + std::to_string(statement.value));
    }
    void idle() override { words.push_back("idle"); }
    void ended(SessionEnd why) override { words.push_back("ended " + why.reason); }
    void stray_output(OutputSink::Stream, std::string chunk) override { stray += chunk; }

    std::vector<SessionFacts> facts{};
    std::vector<StatementResult> failures{};
    std::vector<std::string> words{};
    std::string stray{};
};

}  // namespace sparkhost::test

#endif
