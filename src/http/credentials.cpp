// SPDX-License-Identifier: Apache-2.0
#include "http/credentials.hpp"

#include "http/tls.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <utility>

namespace sparkhost::detail::http {

namespace {

constexpr std::chrono::seconds token_check{5};

std::string basic_value(const std::string& user, const std::string& password) {
    const std::string plain = user + ":" + password;
    std::string encoded(4 * ((plain.size() + 2) / 3) + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                     reinterpret_cast<const unsigned char*>(plain.data()),
                                     static_cast<int>(plain.size()));
    encoded.resize(static_cast<std::size_t>(size));
    return "Basic " + encoded;
}

Result<std::string> read_token(const std::string& path) {
    auto text = read_option_file(path, "bearer_token_file");
    if (!text) {
        return text;
    }
    const auto last = text->find_last_not_of(" \t\r\n");
    text->resize(last == std::string::npos ? 0 : last + 1);
    if (text->empty()) {
        return Error(Errc::backend_failed, "bearer_token_file: " + path + " is empty");
    }
    if (!is_header_text(*text)) {
        return Error(Errc::backend_failed, "bearer_token_file: " + path + " holds no token");
    }
    return text;
}

}  // namespace

bool is_header_text(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char letter) {
        const auto code = static_cast<unsigned char>(letter);
        return (code < 0x20 && letter != '\t') || code == 0x7f;
    });
}

Credentials::Credentials(std::shared_ptr<const ClientOptions> options, asio::any_io_executor pool,
                         std::shared_ptr<WaiterSet> waiters)
    : options_(std::move(options)), pool_(std::move(pool)), waiters_(std::move(waiters)) {
    if (!options_->bearer_token.empty()) {
        value_ = "Bearer " + options_->bearer_token;
    } else if (!options_->user.empty() && options_->bearer_token_file.empty()) {
        value_ = basic_value(options_->user, options_->password);
    }
}

Awaitable<std::string> Credentials::authorization(Self self, Time deadline) {
    const auto now = std::chrono::steady_clock::now();
    const bool fresh = self->checked_ != Time::min() && now - self->checked_ < token_check;
    if (!self->can_change() || fresh) {
        co_return self->value_;
    }
    if (!self->value_.empty()) {
        self->checked_ = now;  // the others go on with what there is
    }
    const auto read_now = co_await read(self, deadline);
    if (!read_now && self->value_.empty()) {
        co_return read_now.error();
    }
    co_return self->value_;
}

asio::awaitable<bool> Credentials::reread(Self self, std::string used, Time deadline) {
    if (self->value_ == used) {
        (void)co_await read(self, deadline);
    }
    co_return self->value_ != used;
}

/// A file that has gone leaves the token that was read from it: it may still be good.
Awaitable<void> Credentials::read(Self self, Time deadline) {
    auto work = [path = self->options_->bearer_token_file] { return read_token(path); };
    auto token = co_await blocking_until(self->waiters_, self->pool_, std::move(work), deadline);
    if (!token) {
        co_return Error(Errc::backend_failed,
                        "bearer_token_file: " + self->options_->bearer_token_file +
                            " could not be read in time");
    }
    if (*token) {
        self->value_ = "Bearer " + **token;
        self->checked_ = std::chrono::steady_clock::now();
        co_return ok();
    }
    if (self->options_->log) {
        const Error& error = token->error();
        self->options_->log({LogLevel::warning, "http", error.detail});
    }
    co_return token->error();
}

}  // namespace sparkhost::detail::http
