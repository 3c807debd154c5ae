// SPDX-License-Identifier: Apache-2.0
#include "http/tls.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace sparkhost::detail::http {

namespace {

namespace ssl = boost::asio::ssl;

std::string option_of(const std::string& file, const std::string& name) {
    return file.empty() ? name : name + "_file";
}

std::string ca_option(const ClientOptions& options) {
    return options.ca_data.empty() ? "ca_file" : "ca_data";
}

Error wrong_pem(const std::string& option, const std::string& what) {
    ERR_clear_error();
    return Error(Errc::invalid_argument, what, option);
}

Result<void> add_authorities(ssl::context& context, const TlsMaterial& material,
                             const ClientOptions& options) {
    boost::system::error_code failure;
    if (material.ca.empty()) {
        context.set_default_verify_paths(failure);
        return failure ? Result<void>(Error(
                             Errc::backend_failed,
                             "the system's certificates cannot be read: " + failure.message()))
                       : ok();
    }
    context.add_certificate_authority(boost::asio::buffer(material.ca), failure);
    X509_STORE* store = SSL_CTX_get_cert_store(context.native_handle());
    if (failure || sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) == 0) {
        return wrong_pem(ca_option(options), "holds no certificate in PEM form");
    }
    // a certificate given here is trusted also when it is not a root
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    return ok();
}

Result<void> add_client_certificate(ssl::context& context, const TlsMaterial& material,
                                    const ClientOptions& options) {
    if (material.certificate.empty() && material.key.empty()) {
        return ok();
    }
    const auto certificate = option_of(options.client_certificate_file, "client_certificate");
    const auto key = option_of(options.client_key_file, "client_key");
    boost::system::error_code failure;
    context.use_certificate_chain(boost::asio::buffer(material.certificate), failure);
    if (failure) {
        return wrong_pem(certificate, "holds no certificate in PEM form");
    }
    context.use_private_key(boost::asio::buffer(material.key), ssl::context::pem, failure);
    if (failure) {
        const bool mismatch = ERR_GET_REASON(static_cast<unsigned long>(failure.value())) ==
                              X509_R_KEY_VALUES_MISMATCH;
        return wrong_pem(key, mismatch ? "does not belong to the client certificate"
                                       : "holds no private key in PEM form without a password");
    }
    if (SSL_CTX_check_private_key(context.native_handle()) != 1) {
        return wrong_pem(key, "does not belong to the client certificate");
    }
    return ok();
}

}  // namespace

Result<std::string> read_option_file(const std::string& path, const std::string& option) {
    constexpr std::size_t largest = 8u << 20;
    const auto failed = [&](const std::string& why) {
        return Error(Errc::backend_failed, option + ": cannot read " + path + ": " + why);
    };
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return failed(std::strerror(errno));
    }
    std::string text;
    std::array<char, 16 * 1024> piece{};
    ssize_t got = 0;
    do {
        got = ::read(fd, piece.data(), piece.size());
        if (got > 0) {
            text.append(piece.data(), static_cast<std::size_t>(got));
        }
    } while ((got > 0 && text.size() <= largest) || (got < 0 && errno == EINTR));
    const int error = errno;
    ::close(fd);
    if (got < 0) {
        return failed(std::strerror(error));
    }
    if (text.size() > largest) {
        return failed("it is too large");
    }
    return text;
}

Result<TlsMaterial> read_tls_material(const ClientOptions& options) {
    TlsMaterial material;
    material.verify = options.verify;
    const auto take = [](std::string& target, const std::string& data, const std::string& file,
                         const std::string& option) -> Result<void> {
        target = data;
        if (!data.empty() || file.empty()) {
            return ok();
        }
        auto text = read_option_file(file, option);
        if (!text) {
            return text.error();
        }
        if (text->empty()) {
            return Error(Errc::backend_failed, option + ": " + file + " is empty");
        }
        target = std::move(*text);
        return ok();
    };
    auto taken = take(material.ca, options.ca_data, options.ca_file, "ca_file");
    if (taken) {
        taken = take(material.certificate, options.client_certificate,
                     options.client_certificate_file, "client_certificate_file");
    }
    if (taken) {
        taken = take(material.key, options.client_key, options.client_key_file, "client_key_file");
    }
    return taken ? Result<TlsMaterial>(std::move(material)) : taken.error();
}

Result<TlsContext> make_tls_context(const TlsMaterial& material, const ClientOptions& options) {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    // OpenSSL's own way is to ask on the terminal
    context->set_password_callback(
        [](std::size_t, ssl::context::password_purpose) { return std::string(); });
    context->set_verify_mode(material.verify ? ssl::verify_peer : ssl::verify_none);
    if (material.verify) {
        auto added = add_authorities(*context, material, options);
        if (!added) {
            return added.error();
        }
    }
    auto added = add_client_certificate(*context, material, options);
    if (!added) {
        return added.error();
    }
    return context;
}

Result<void> check_tls_data(const ClientOptions& options) {
    ssl::context context(ssl::context::tls_client);
    context.set_password_callback(
        [](std::size_t, ssl::context::password_purpose) { return std::string(); });
    TlsMaterial material;
    material.ca = options.ca_data;
    material.certificate = options.client_certificate;
    material.key = options.client_key;
    if (!material.ca.empty()) {
        auto added = add_authorities(context, material, options);
        if (!added) {
            return added;
        }
    }
    const bool from_files =
        !options.client_certificate_file.empty() || !options.client_key_file.empty();
    return from_files ? ok() : add_client_certificate(context, material, options);
}

void expect_server(ssl_st* connection, const std::string& name, bool verify) {
    boost::system::error_code no_address;
    boost::asio::ip::make_address(name, no_address);
    if (no_address) {
        SSL_set_tlsext_host_name(connection, name.c_str());
    }
    if (!verify) {
        return;
    }
    SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (no_address) {
        SSL_set1_host(connection, name.c_str());
    } else {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), name.c_str());
    }
}

bool is_untrusted(ssl_st* connection) {
    return SSL_get_verify_result(connection) != X509_V_OK &&
           SSL_get_verify_mode(connection) != SSL_VERIFY_NONE;
}

std::string tls_failure(ssl_st* connection, const boost::system::error_code& failure) {
    if (is_untrusted(connection)) {
        return std::string("the server's certificate is not accepted: ") +
               X509_verify_cert_error_string(SSL_get_verify_result(connection));
    }
    if (failure == boost::asio::ssl::error::stream_truncated ||
        failure == boost::asio::error::eof) {
        return "the server closed the connection";
    }
    return failure.message();
}

bool is_tls_alert(const boost::system::error_code& failure) {
    if (failure.category() != boost::asio::error::get_ssl_category()) {
        return false;
    }
    const int reason = ERR_GET_REASON(static_cast<unsigned long>(failure.value()));
    return reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256;
}

}  // namespace sparkhost::detail::http
