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
        return refuse(http::status::payload_too_large,
                      "The request body has more than " + std::to_string(max_body_) + " bytes.");
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
    if (const Step size = check_size(); size == Step::refused) {
        return size;
    }
    const auto expect = header.find(http::field::expect);
    if (expect == header.end() || header.version() < 11) {
        return Step::need_more;
    }
    if (!boost::beast::iequals(expect->value(), "100-continue")) {
        return refuse(http::status::expectation_failed,
                      "The only expectation that can be met is 100-continue.");
    }
    client_waits_ = true;
    return Step::need_more;
}

RequestReader::Step RequestReader::check_size() {
    const auto announced = parser_->content_length();
    max_body_ = limits_.max_body;
    const bool may_be_large = limits_.large && takes_large_body(parser_->get().target());
    if (may_be_large && (!announced || *announced > max_body_)) {
        max_body_ = limits_.large->max_size;
        const auto size = std::min<std::uint64_t>(announced.value_or(max_body_), max_body_);
        room_ = LargeBodies::take_room(limits_.large, static_cast<std::size_t>(size));
    }
    if (announced && *announced > max_body_) {
        return refuse(http::error::body_limit);
    }
    if (max_body_ != limits_.max_body && !room_) {
        return refuse(http::status::service_unavailable,
                      "Other large requests are being read; try again later.");
    }
    parser_->body_limit(max_body_);
    parser_->eager(true);
    return Step::need_more;
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
        parser_->header_limit(static_cast<std::uint32_t>(limits_.max_header));
        parser_->body_limit(boost::none);  // until the header says what comes
        header_checked_ = false;
        room_.reset();
    }
    if (const Step header = step_through(); header == Step::refused) {
        return header;
    }
    if (parser_->is_header_done() && !header_checked_) {
        client_waits_ = false;
        if (const Step checked = check_header(); checked == Step::refused) {
            return checked;
        }
        if (const Step body = step_through(); body == Step::refused) {
            return body;
        }
        if (client_waits_ && !parser_->is_done()) {
            return Step::send_continue;
        }
    }
    return parser_->is_done() ? Step::complete : Step::need_more;
}

/// Parses what has come: the header first, and, once that has been checked, the body.
RequestReader::Step RequestReader::step_through() {
    while ((!parser_->is_header_done() || header_checked_) && buffer_.size() >= least_bytes() &&
           !parser_->is_done()) {
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
    return Step::need_more;
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
