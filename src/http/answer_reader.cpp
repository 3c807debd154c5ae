// SPDX-License-Identifier: Apache-2.0
#include "http/answer_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include <utility>

namespace sparkhost::detail::http {

namespace {

constexpr std::uint32_t longest_answer_head = 64 * 1024;

}  // namespace

AnswerReader::AnswerReader(Body body, std::size_t max_body) : body_(body), max_body_(max_body) {
    begin();
}

void AnswerReader::begin() {
    parser_.emplace();
    parser_->eager(true);
    parser_->header_limit(longest_answer_head);
    parser_->skip(body_ == Body::none);
    if (body_ == Body::pieces) {
        parser_->body_limit(boost::none);
    } else {
        parser_->body_limit(max_body_);
    }
}

/// "100 Continue" and the like announce the answer. True: one was there and is forgotten.
bool AnswerReader::skip_interim() {
    const bool interim = parser_->is_done() && parser_->get().result_int() / 100 == 1;
    if (interim) {
        begin();
    }
    return interim;
}

Error AnswerReader::broken(const boost::system::error_code& failure) const {
    using boost::beast::http::error;
    if (failure == error::body_limit) {
        return Error(Errc::backend_failed,
                     "the answer is larger than " + std::to_string(max_body_) + " bytes");
    }
    if (failure == error::header_limit) {
        return Error(Errc::backend_failed, "the answer's header is larger than " +
                                               std::to_string(longest_answer_head) + " bytes");
    }
    if (failure == error::partial_message || failure == error::end_of_stream) {
        return Error(Errc::backend_failed, "the connection ended in the middle of the answer");
    }
    return Error(Errc::backend_failed, "what came is no HTTP answer: " + failure.message());
}

Result<void> AnswerReader::put(std::string_view bytes) {
    begun_ = begun_ || !bytes.empty();
    pending_.append(bytes);
    std::size_t used = 0;
    while (used < pending_.size() && (!parser_->is_done() || skip_interim())) {
        boost::system::error_code failure;
        const std::size_t taken = parser_->put(
            boost::asio::buffer(pending_.data() + used, pending_.size() - used), failure);
        used += taken;
        if (failure == boost::beast::http::error::need_more) {
            break;
        }
        if (failure) {
            return broken(failure);
        }
        if (parser_->is_done() && parser_->get().result_int() == 101) {
            return Error(Errc::backend_failed, "the server changes to another protocol");
        }
    }
    pending_.erase(0, used);
    skip_interim();
    return ok();
}

Result<void> AnswerReader::put_end() {
    if (parser_->is_done()) {
        return ok();
    }
    boost::system::error_code failure;
    if (parser_->got_some()) {
        parser_->put_eof(failure);
    } else {
        failure = boost::beast::http::error::end_of_stream;
    }
    return failure ? Result<void>(broken(failure)) : ok();
}

bool AnswerReader::is_reusable() const {
    return is_done() && pending_.empty() && !parser_->need_eof() && parser_->keep_alive();
}

Response AnswerReader::head() const {
    Response response;
    response.status = static_cast<int>(parser_->get().result_int());
    for (const auto& field : parser_->get()) {
        response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    }
    return response;
}

std::string AnswerReader::take() {
    return std::exchange(parser_->get().body(), std::string());
}

}  // namespace sparkhost::detail::http
