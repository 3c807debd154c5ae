// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_HTTP_CONNECTOR_HPP
#define SPARKHOST_SRC_HTTP_CONNECTOR_HPP

#include "http/blocking.hpp"
#include "http/client.hpp"
#include "http/connection.hpp"
#include "http/tls.hpp"
#include "http/url.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <vector>

namespace sparkhost::detail::http {

using ConnectionPtr = std::shared_ptr<Connection>;

/// Makes connections to one server: finds its addresses, keeps the certificates up to date. For
/// one strand.
class Connector {
public:
    using Self = std::shared_ptr<Connector>;
    using Time = std::chrono::steady_clock::time_point;

    Connector(asio::any_io_executor executor, std::shared_ptr<const ClientOptions> options,
              ServerUrl url, asio::any_io_executor pool, std::shared_ptr<WaiterSet> waiters);

    const ServerUrl& url() const { return url_; }
    /// When it was last connected to, or tried to, its certificate was not accepted.
    bool is_untrusted() const { return untrusted_; }

    /// Errors: backend_failed – `detail` says at which step.
    static Awaitable<ConnectionPtr> connect(Self self, Time deadline);

    /// Closes every connection there is.
    void stop();

private:
    static Awaitable<Connection::Endpoints> resolve(Self self, Time deadline);
    static Awaitable<TlsContext> tls_context(Self self, Time deadline);
    static Awaitable<void> load_tls(Self self, Time deadline);
    bool has_files() const;

    asio::any_io_executor executor_;
    std::shared_ptr<const ClientOptions> options_;
    ServerUrl url_;
    asio::any_io_executor pool_;
    std::shared_ptr<WaiterSet> waiters_;
    std::vector<std::weak_ptr<Connection>> all_{};
    TlsContext tls_{};
    std::shared_ptr<const TlsMaterial> material_{};
    Time tls_checked_{Time::min()};
    bool untrusted_{false};
    bool stopped_{false};
};

}  // namespace sparkhost::detail::http

#endif
