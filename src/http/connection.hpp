// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_HTTP_CONNECTION_HPP
#define SPARKHOST_SRC_HTTP_CONNECTION_HPP

#include "http/tls.hpp"
#include "http/url.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::http {

namespace asio = boost::asio;

/// One connection to the server, plain or TLS. Everything it waits for ends at the deadline that
/// was set last: the socket is then closed for good. For one strand; operations keep it alive.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    using Self = std::shared_ptr<Connection>;
    using Time = std::chrono::steady_clock::time_point;
    using Endpoints = std::vector<asio::ip::tcp::endpoint>;

    explicit Connection(asio::any_io_executor executor);

    /// Connects to the first of the endpoints that answers, and greets it with TLS where there is
    /// a context. Errors: backend_failed – `detail` says at which step. stopped – cancelled.
    static Awaitable<void> open(Self self, Endpoints endpoints, TlsContext tls,
                                std::string server_name, bool verify, Time deadline);

    struct Transfer {
        std::size_t size{0};
        boost::system::error_code failure{};
        bool ended{false};  ///< by the other side, in order
    };
    static asio::awaitable<Transfer> write(Self self, std::string_view bytes);
    /// The bytes are in input() until the next call.
    static asio::awaitable<Transfer> read_some(Self self);
    std::string_view input(std::size_t size) const { return {buffer_->data(), size}; }

    void set_deadline(Time deadline);
    /// Closes the socket. What is under way ends with an error.
    void close();

    bool timed_out() const { return timed_out_; }
    bool is_open() const { return socket_.is_open(); }
    /// Nothing has come, not even an end: it can be used for another request.
    bool is_quiet();

    /// Why an operation failed, for people.
    std::string why(const boost::system::error_code& failure);

    bool served{false};     ///< an answer has come
    bool untrusted{false};  ///< it was not opened because the server's certificate is not accepted

private:
    using Tls = asio::ssl::stream<asio::ip::tcp::socket&>;

    static asio::awaitable<boost::system::error_code> connect(Self self, Endpoints endpoints,
                                                              Time deadline);
    static asio::awaitable<boost::system::error_code> greet(Self self);
    void arm_timer();

    asio::ip::tcp::socket socket_;
    asio::steady_timer timer_;
    TlsContext context_{};
    std::optional<Tls> tls_{};
    Time deadline_{Time::max()};
    Time armed_for_{Time::max()};  ///< when the timer fires; max: it is not armed
    bool timed_out_{false};
    bool closed_{false};
    using Buffer = std::array<char, 16 * 1024>;
    std::unique_ptr<Buffer> buffer_{std::make_unique<Buffer>()};
};

}  // namespace sparkhost::detail::http

#endif
