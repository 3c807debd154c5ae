// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_REQUEST_READER_HPP
#define SPARKHOST_SRC_REST_REQUEST_READER_HPP

#include "rest/body_limits.hpp"
#include "rest/responses.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace sparkhost::detail::rest {

struct ReadLimits {
    std::size_t max_header{0};
    std::size_t max_body{0};
    std::shared_ptr<LargeBodies> large{};  ///< empty: no request may have a larger body
};

/// Makes requests out of bytes. Has no socket: the owner reads into prepare(), calls commit(),
/// then step(), and does what it says. Bytes of following requests wait for their turn.
class RequestReader {
public:
    explicit RequestReader(ReadLimits limits);

    enum class Step {
        need_more,      ///< read more bytes
        send_continue,  ///< the client waits for "100 Continue" before it sends the body
        complete,       ///< take() has a request
        refused         ///< answer with refusal() and close
    };
    Step step();

    boost::asio::mutable_buffer prepare();
    void commit(std::size_t size);

    /// Something of a request has arrived.
    bool has_begun() const noexcept { return parser_.has_value() || buffer_.size() > 0; }

    /// The header of the request that has begun; nullptr while it is not complete.
    const Request* header() const {
        return parser_ && parser_->is_header_done() ? &parser_->get() : nullptr;
    }

    /// The request that has begun is one of the large ones.
    bool is_large() const noexcept { return room_ != nullptr; }

    /// The complete request. Preconditions: step() said so.
    Request take();

    struct Refusal {
        http::status status{http::status::bad_request};
        std::string reason{};
    };
    const Refusal& refusal() const noexcept { return refusal_; }

private:
    using Parser = http::request_parser<http::string_body>;

    void skip_line_ends();
    std::size_t least_bytes() const;
    Step check_header();
    Step check_size();
    Step step_through();
    Step refuse(http::status status, std::string reason);
    Step refuse(const boost::system::error_code& failure);

    ReadLimits limits_;
    boost::beast::flat_buffer buffer_;
    std::optional<Parser> parser_{};
    bool header_checked_{false};
    bool client_waits_{false};      ///< for "100 Continue"
    std::shared_ptr<void> room_{};  ///< for a large body, until the next request
    std::size_t max_body_{0};       ///< of this request
    Refusal refusal_{};
};

}  // namespace sparkhost::detail::rest

#endif
