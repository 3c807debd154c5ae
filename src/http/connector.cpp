// SPDX-License-Identifier: Apache-2.0
#include "http/connector.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

#include <netdb.h>
#include <sys/socket.h>

namespace sparkhost::detail::http {

namespace {

constexpr std::chrono::seconds certificate_check{5};

/// Asio's resolver would start a thread.
Result<Connection::Endpoints> look_up_host(const ServerUrl& url) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* list = nullptr;
    const std::string port = std::to_string(url.port);
    int failure = ::getaddrinfo(url.host.c_str(), port.c_str(), &hints, &list);
    if (failure == EAI_NONAME || failure == EAI_BADFLAGS) {
        hints.ai_flags = 0;  // a machine that has only loopback addresses
        failure = ::getaddrinfo(url.host.c_str(), port.c_str(), &hints, &list);
    }
    if (failure != 0) {
        return Error(Errc::backend_failed,
                     std::string("resolving the name failed: ") + ::gai_strerror(failure));
    }
    Connection::Endpoints endpoints;
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
        asio::ip::tcp::endpoint endpoint;
        if (entry->ai_addrlen <= endpoint.capacity()) {
            std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
            endpoint.resize(entry->ai_addrlen);
            endpoints.push_back(endpoint);
        }
    }
    ::freeaddrinfo(list);
    return endpoints;
}

struct LoadedTls {
    TlsMaterial material{};
    TlsContext context{};  ///< null: the material is as before
};

Result<LoadedTls> load_tls_files(const ClientOptions& options,
                                 const std::shared_ptr<const TlsMaterial>& before) {
    auto material = read_tls_material(options);
    if (!material) {
        return material.error();
    }
    LoadedTls loaded;
    loaded.material = std::move(*material);
    if (before && *before == loaded.material) {
        return loaded;
    }
    auto context = make_tls_context(loaded.material, options);
    if (!context) {
        return Error(Errc::backend_failed, context.error().text());
    }
    loaded.context = std::move(*context);
    return loaded;
}

}  // namespace

Connector::Connector(asio::any_io_executor executor, std::shared_ptr<const ClientOptions> options,
                     ServerUrl url, asio::any_io_executor pool, std::shared_ptr<WaiterSet> waiters)
    : executor_(std::move(executor)),
      options_(std::move(options)),
      url_(std::move(url)),
      pool_(std::move(pool)),
      waiters_(std::move(waiters)) {}

void Connector::stop() {
    stopped_ = true;
    for (const auto& weak : std::exchange(all_, {})) {
        if (auto connection = weak.lock()) {
            connection->close();
        }
    }
}

Awaitable<ConnectionPtr> Connector::connect(Self self, Time deadline) {
    deadline =
        std::min(deadline, std::chrono::steady_clock::now() + self->options_->connect_deadline);
    auto endpoints = co_await resolve(self, deadline);
    if (!endpoints) {
        co_return endpoints.error();
    }
    TlsContext tls;
    if (self->url_.tls) {
        auto context = co_await tls_context(self, deadline);
        if (!context) {
            co_return context.error();
        }
        tls = std::move(*context);
    }
    if (self->stopped_) {
        co_return Error(Errc::backend_failed, "the client was closed");
    }
    auto connection = std::make_shared<Connection>(self->executor_);
    std::erase_if(self->all_, [](const auto& weak) { return weak.expired(); });
    self->all_.push_back(connection);
    std::string name = self->options_->server_name;
    if (name.empty()) {
        name = self->url_.host;
    }
    auto opened = co_await Connection::open(connection, std::move(*endpoints), std::move(tls),
                                            std::move(name), self->options_->verify, deadline);
    self->untrusted_ = connection->untrusted;
    if (!opened) {
        self->tls_checked_ = Time::min();  // a certificate may have been exchanged meanwhile
        co_return opened.error();
    }
    co_return connection;
}

Awaitable<Connection::Endpoints> Connector::resolve(Self self, Time deadline) {
    boost::system::error_code no_address;
    const auto address = asio::ip::make_address(self->url_.host, no_address);
    if (!no_address) {
        co_return Connection::Endpoints(1, asio::ip::tcp::endpoint(address, self->url_.port));
    }
    auto work = [url = self->url_] { return look_up_host(url); };
    auto found = co_await blocking_until(self->waiters_, self->pool_, std::move(work), deadline);
    if (!found) {
        co_return Error(Errc::backend_failed, "resolving the name took too long");
    }
    co_return std::move(*found);
}

bool Connector::has_files() const {
    return !options_->ca_file.empty() || !options_->client_certificate_file.empty() ||
           !options_->client_key_file.empty();
}

Awaitable<TlsContext> Connector::tls_context(Self self, Time deadline) {
    const auto now = std::chrono::steady_clock::now();
    const bool fresh =
        self->tls_checked_ != Time::min() && now - self->tls_checked_ < certificate_check;
    if (self->tls_ && (fresh || !self->has_files())) {
        co_return self->tls_;
    }
    const auto loaded = co_await load_tls(self, deadline);
    if (!loaded && !self->tls_) {
        co_return loaded.error();
    }
    co_return self->tls_;
}

/// Files that cannot be read any more leave what was read from them.
Awaitable<void> Connector::load_tls(Self self, Time deadline) {
    auto work = [options = self->options_, before = self->material_] {
        return load_tls_files(*options, before);
    };
    auto loaded = co_await blocking_until(self->waiters_, self->pool_, std::move(work), deadline);
    if (!loaded) {
        co_return Error(Errc::backend_failed, "reading the certificates took too long");
    }
    if (!*loaded) {
        if (self->tls_ && self->options_->log) {
            const Error& error = loaded->error();
            self->options_->log({LogLevel::warning, "http", error.detail});
        }
        co_return loaded->error();
    }
    self->tls_checked_ = std::chrono::steady_clock::now();
    if ((*loaded)->context) {
        self->tls_ = (*loaded)->context;
        self->material_ = std::make_shared<const TlsMaterial>(std::move((*loaded)->material));
    }
    co_return ok();
}

}  // namespace sparkhost::detail::http
