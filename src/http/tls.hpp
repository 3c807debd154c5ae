// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_HTTP_TLS_HPP
#define SPARKHOST_SRC_HTTP_TLS_HPP

#include "http/client.hpp"

#include <boost/asio/ssl/context.hpp>

#include <cstddef>
#include <memory>
#include <string>

struct ssl_st;

namespace sparkhost::detail::http {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// Certificates and keys as text, wherever they came from.
struct TlsMaterial {
    std::string ca{};  ///< empty: the system's
    std::string certificate{};
    std::string key{};
    bool verify{true};
    bool operator==(const TlsMaterial&) const = default;
};

/// Reads the files that the options name. Blocking. Errors: backend_failed – `detail` names the
/// file and the option.
Result<TlsMaterial> read_tls_material(const ClientOptions& options);

/// Errors: invalid_argument – `field` is the option (its _file twin where that was given).
Result<TlsContext> make_tls_context(const TlsMaterial& material, const ClientOptions& options);

/// Checks what the options carry themselves. Errors: as make_tls_context.
Result<void> check_tls_data(const ClientOptions& options);

/// The whole text of a small file. Blocking. Errors: backend_failed – names option and path,
/// never what is in it.
Result<std::string> read_option_file(const std::string& path, const std::string& option);

/// Tells a new TLS connection whom it is to meet.
void expect_server(ssl_st* connection, const std::string& name, bool verify);

/// Why the handshake failed, for people.
std::string tls_failure(ssl_st* connection, const boost::system::error_code& failure);

/// The server's certificate is not accepted.
bool is_untrusted(ssl_st* connection);

/// The other side has refused us with an alert: it has read no request.
bool is_tls_alert(const boost::system::error_code& failure);

}  // namespace sparkhost::detail::http

#endif
