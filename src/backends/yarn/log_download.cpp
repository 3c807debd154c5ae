// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/log_download.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost::detail::yarn {

using State = LogFrame::State;

LogAnswer no_piece(LogAnswer::What what, const LogQuestion& question, const std::string& words) {
    LogAnswer answer;
    answer.what = what;
    answer.words = question.server + ": " + words;
    return answer;
}

bool LogDownload::knows_size() const {
    return frame_.state() == State::contents || frame_.state() == State::complete;
}

/// Errors: not_found – it has no such file. backend_failed – it is cut off, or something else.
Awaitable<void> LogDownload::read_more(Self self, std::chrono::milliseconds deadline) {
    Result<std::string> bytes = co_await self->stream_->read_some(deadline);
    if (!bytes) {
        co_return Error(Errc::backend_failed, bytes.error().text());
    }
    if (bytes->empty()) {
        self->frame_.put_end();
    } else {
        self->frame_.put(*bytes);
    }
    if (self->frame_.state() == State::no_log) {
        co_return Error(Errc::not_found, "does not have it");
    }
    if (self->frame_.state() == State::strange) {
        co_return Error(Errc::backend_failed, "the answer is no log of a container, or is cut off");
    }
    self->text_ += self->frame_.take();
    co_return ok();
}

/// What of the file the piece is. False: what comes begins behind it.
bool LogDownload::place(LogPiece& piece, std::int64_t offset) {
    if (!std::exchange(is_read_, true)) {
        position_ = frame_.begin();
    }
    piece.total = frame_.total();
    piece.begin = std::min(offset, piece.total);
    return position_ <= piece.begin;
}

boost::asio::awaitable<LogAnswer> LogDownload::read(Self self, LogQuestion question) {
    using What = LogAnswer::What;
    LogAnswer answer;
    LogPiece& piece = answer.piece;
    std::string& text = self->text_;
    while (!self->knows_size()) {
        const auto more = co_await read_more(self, question.deadline);
        if (!more) {
            const bool gone = more.error().is(Errc::not_found);
            co_return no_piece(gone ? What::gone : What::failed, question, more.error().text());
        }
    }
    if (!self->place(piece, question.offset)) {
        answer.what = What::begins_behind;
        co_return answer;
    }
    const auto skipped = static_cast<std::size_t>(piece.begin - self->position_);
    const auto size = static_cast<std::size_t>(std::min(question.most, piece.total - piece.begin));
    while (text.size() < skipped + size) {
        const auto more = co_await read_more(self, question.deadline);
        if (!more) {
            co_return no_piece(What::failed, question, more.error().text());
        }
    }
    piece.text = text.substr(skipped, size);
    text.erase(0, skipped + size);
    self->position_ += static_cast<std::int64_t>(skipped + size);
    answer.what = What::piece;
    co_return answer;
}

}  // namespace sparkhost::detail::yarn
