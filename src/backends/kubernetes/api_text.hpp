// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_API_TEXT_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_API_TEXT_HPP

#include <sparkhost/clock.hpp>
#include <sparkhost/error.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sparkhost::detail::kubernetes {

/// RFC 3339, with or without fractions, as the API server writes times.
std::optional<Timestamp> read_time(std::string_view text);

/// At most so many bytes, cut between characters; what would break a line becomes a space.
std::string bounded_text(std::string_view text, std::size_t most = 1000);

/// Cuts a watch's stream, which comes in arbitrary pieces, into its lines.
class EventLines {
public:
    /// An object in etcd has at most 1.5 MiB; written as JSON it is larger.
    explicit EventLines(std::size_t longest = 8u << 20) : longest_(longest) {}

    void feed(std::string_view bytes);
    /// The next complete line, valid until the next call of any member. An empty one is left out.
    /// Errors: backend_failed – a line is longer than it can be.
    Result<std::optional<std::string_view>> next();

private:
    std::string buffer_{};
    std::size_t read_{0};     ///< before it everything has been given
    std::size_t scanned_{0};  ///< before it there is no further line end
    std::size_t longest_;
};

}  // namespace sparkhost::detail::kubernetes

#endif
