// SPDX-License-Identifier: Apache-2.0
#include "rest/request_reader.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace sparkhost::detail::rest {

namespace reading {

constexpr std::size_t first_read = 2048;
constexpr std::size_t body_read = 64u << 10;
constexpr std::size_t kept_capacity = 16u << 10;

std::string_view text(const boost::beast::flat_buffer& buffer) {
    return {static_cast<const char*>(buffer.data().data()), buffer.size()};
}

}  // namespace reading

RequestReader::RequestReader(ReadLimits limits)
    : limits_(limits), buffer_(limits.max_header + reading::body_read) {}

RequestReader::Step RequestReader::refuse(http::status status, std::string reason) {
    refusal_ = {status, std::move(reason)};
    return Step::refused;
}

RequestReader::Step RequestReader::refuse(const boost::system::error_code& failure) {
    if (failure == http::error::header_limit || failure == http::error::buffer_overflow) {
        return refuse(
            http::status::request_header_fields_too_large,
            "The request header has more than " + std::to_string(limits_.max_header) + " bytes.");
    }
    if (failure == http::error::body_limit) {
        return refuse(
            http::status::payload_too_large,
            "The request body has more than " + std::to_string(limits_.max_body) + " bytes.");
    }
    return refuse(http::status::bad_request,
                  "This is not a valid HTTP request: " + failure.message() + ".");
}

/// Some clients send an empty line behind a body (RFC 9112, section 2.2).
void RequestReader::skip_line_ends() {
    const auto begin = reading::text(buffer_).find_first_not_of("\r\n");
    buffer_.consume(std::min(begin, buffer_.size()));
}

RequestReader::Step RequestReader::check_header() {
    const auto& header = parser_->get();
    header_checked_ = true;
    const auto hosts = header.count(http::field::host);
    if (hosts > 1 || (hosts == 0 && header.version() >= 11)) {
        return refuse(http::status::bad_request, "A request needs exactly one Host header.");
    }
    const auto expect = header.find(http::field::expect);
    if (expect == header.end() || header.version() < 11) {
        return Step::need_more;
    }
    if (!boost::beast::iequals(expect->value(), "100-continue")) {
        return refuse(http::status::expectation_failed,
                      "The only expectation that can be met is 100-continue.");
    }
    return parser_->is_done() ? Step::need_more : Step::send_continue;
}

/// Fewer bytes are not worth a look. Boost 1.81's parser asserts that it never sees a last chunk
/// of four bytes ("0", a line end and half of the next one); the shortest whole one has five.
std::size_t RequestReader::least_bytes() const {
    const bool in_chunks = parser_->is_header_done() && parser_->chunked();
    return in_chunks ? std::string_view("0\r\n\r\n").size() : 1;
}

RequestReader::Step RequestReader::step() {
    if (!parser_) {
        skip_line_ends();
        if (buffer_.size() == 0) {
            return Step::need_more;
        }
        parser_.emplace();
        parser_->eager(true);
        parser_->header_limit(static_cast<std::uint32_t>(limits_.max_header));
        parser_->body_limit(limits_.max_body);
        header_checked_ = false;
    }
    while (buffer_.size() >= least_bytes() && !parser_->is_done()) {
        boost::system::error_code failure;
        const std::size_t used = parser_->put(buffer_.cdata(), failure);
        buffer_.consume(used);
        if (failure == http::error::need_more || (!failure && used == 0)) {
            break;
        }
        if (failure) {
            return refuse(failure);
        }
    }
    if (parser_->is_header_done() && !header_checked_) {
        if (const Step checked = check_header(); checked != Step::need_more) {
            return checked;
        }
    }
    return parser_->is_done() ? Step::complete : Step::need_more;
}

boost::asio::mutable_buffer RequestReader::prepare() {
    const bool in_body = parser_ && parser_->is_header_done();
    const std::size_t room = buffer_.max_size() - buffer_.size();
    return buffer_.prepare(std::min(in_body ? reading::body_read : reading::first_read, room));
}

void RequestReader::commit(std::size_t size) {
    buffer_.commit(size);
}

Request RequestReader::take() {
    Request request = parser_->release();
    parser_.reset();
    if (buffer_.size() == 0 && buffer_.capacity() > reading::kept_capacity) {
        buffer_.shrink_to_fit();
    }
    return request;
}

}  // namespace sparkhost::detail::rest
