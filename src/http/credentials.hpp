// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_HTTP_CREDENTIALS_HPP
#define SPARKHOST_SRC_HTTP_CREDENTIALS_HPP

#include "http/blocking.hpp"
#include "http/client.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace sparkhost::detail::http {

/// The value of the Authorization header, now. A token file is looked at every few seconds, and
/// when the server has refused what it held. For one strand.
class Credentials {
public:
    using Self = std::shared_ptr<Credentials>;
    using Time = std::chrono::steady_clock::time_point;

    Credentials(std::shared_ptr<const ClientOptions> options, asio::any_io_executor pool,
                std::shared_ptr<WaiterSet> waiters);

    /// Empty: the request carries none. Errors: backend_failed – the token file cannot be read,
    /// and never could.
    static Awaitable<std::string> authorization(Self self, Time deadline);

    bool can_change() const { return !options_->bearer_token_file.empty(); }
    /// The server has refused `used`. True: there is another one now.
    static asio::awaitable<bool> reread(Self self, std::string used, Time deadline);

private:
    static Awaitable<void> read(Self self, Time deadline);

    std::shared_ptr<const ClientOptions> options_;
    asio::any_io_executor pool_;
    std::shared_ptr<WaiterSet> waiters_;
    std::string value_{};
    Time checked_{Time::min()};
};

/// Whether the text can stand in a header: no control characters, no line ends.
bool is_header_text(std::string_view text);

}  // namespace sparkhost::detail::http

#endif
