// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_HTTP_ANSWER_READER_HPP
#define SPARKHOST_SRC_HTTP_ANSWER_READER_HPP

#include "http/client.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sparkhost::detail::http {

/// Makes an answer out of bytes. Has no socket.
class AnswerReader {
public:
    enum class Body {
        whole,   ///< kept until it is complete, at most `max_body`
        pieces,  ///< given out by take() as it comes, without a limit
        none     ///< the answer to HEAD: lengths in its header are about nothing
    };
    AnswerReader(Body body, std::size_t max_body);

    /// Errors: backend_failed – this is no answer, or one that is too large; nothing more is read.
    Result<void> put(std::string_view bytes);
    /// The connection has ended. Errors: backend_failed – in the middle of the answer.
    Result<void> put_end();

    bool has_begun() const { return begun_; }
    bool has_head() const { return parser_ && parser_->is_header_done(); }
    bool is_done() const { return parser_ && parser_->is_done(); }
    /// After the answer the connection is good for another.
    bool is_reusable() const;

    /// Status and headers. Preconditions: has_head().
    Response head() const;
    /// What has come of the body since the last time.
    std::string take();

private:
    using Parser = boost::beast::http::response_parser<boost::beast::http::string_body>;

    void begin();
    bool skip_interim();
    Error broken(const boost::system::error_code& failure) const;

    Body body_;
    std::size_t max_body_;
    std::optional<Parser> parser_{};
    std::string pending_{};
    bool begun_{false};
};

}  // namespace sparkhost::detail::http

#endif
