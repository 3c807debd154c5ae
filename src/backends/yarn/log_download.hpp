// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_LOG_DOWNLOAD_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_LOG_DOWNLOAD_HPP

#include "backends/yarn/container_logs.hpp"
#include "backends/yarn/log_frame.hpp"
#include "http/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace sparkhost::detail::yarn {

/// What is wanted of which file, and where.
struct LogQuestion {
    std::string server{};  ///< URL
    std::string target{};  ///< up to the size
    std::int64_t offset{0};
    std::int64_t most{1};
    std::chrono::milliseconds deadline{};
    bool kept{false};  ///< by a log server: it grows no more, and each look costs
};

/// What a daemon makes of it.
struct LogAnswer {
    enum class What {
        piece,
        begins_behind,  ///< what comes begins behind the offset; `piece.total` is known
        gone,           ///< it does not have the file
        failed          ///< it could not be asked; `words` has why
    };
    What what{What::failed};
    LogPiece piece{};
    std::string location{};  ///< where it sends us
    std::string words{};     ///< "URL: why"
};

LogAnswer no_piece(LogAnswer::What what, const LogQuestion& question, const std::string& words);

/// An answer with a file in it, which is read as far as it is wanted. Goes: the connection is
/// closed. For one strand.
class LogDownload {
public:
    /// `size`: as it was asked for.
    LogDownload(const LogQuestion& question, std::int64_t size,
                std::unique_ptr<http::Stream> stream)
        : server_(question.server),
          target_(question.target),
          frame_(size),
          stream_(std::move(stream)) {}

    using Self = std::shared_ptr<LogDownload>;
    /// The piece that is asked for. Preconditions: the offset is not before the last piece's end.
    static boost::asio::awaitable<LogAnswer> read(Self self, LogQuestion question);

    /// The question is about what comes next.
    bool goes_on_with(const LogQuestion& question) const {
        return question.server == server_ && question.target == target_ &&
               question.offset == position_ && has_more();
    }
    /// Something is left of the file.
    bool has_more() const { return is_read_ && position_ < frame_.total(); }

private:
    static Awaitable<void> read_more(Self self, std::chrono::milliseconds deadline);
    bool knows_size() const;
    bool place(LogPiece& piece, std::int64_t offset);

    std::string server_;
    std::string target_;
    LogFrame frame_;
    std::unique_ptr<http::Stream> stream_;
    bool is_read_{false};
    std::int64_t position_{0};  ///< of the text's first byte in the file
    std::string text_{};
};

}  // namespace sparkhost::detail::yarn

#endif
