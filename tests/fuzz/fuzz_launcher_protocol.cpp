// SPDX-License-Identifier: Apache-2.0
// Any local process can connect to the launcher-protocol listener and say anything. Beyond not
// crashing: a stream means the same in whatever pieces it arrives, and broken stays broken.
#include "backends/local/launcher_protocol.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

using sparkhost::detail::LauncherMessage;
using sparkhost::detail::LauncherReader;

struct Heard {
    std::vector<LauncherMessage> messages{};
    bool broken{false};
    bool operator==(const Heard&) const = default;
};

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

Heard hear(std::string_view stream, std::size_t piece, bool trusted) {
    Heard heard;
    LauncherReader reader;
    if (trusted) {
        reader.trust();
    }
    while (!stream.empty() && !heard.broken) {
        reader.feed(stream.substr(0, piece));
        stream.remove_prefix(stream.size() < piece ? stream.size() : piece);
        LauncherMessage message;
        auto status = reader.next(message);
        for (; status == LauncherReader::Status::message; status = reader.next(message)) {
            require(message.text.size() <= LauncherReader::max_string);
            require(message.secret.size() <= LauncherReader::max_string);
            heard.messages.push_back(message);
        }
        heard.broken = status == LauncherReader::Status::broken;
        require(!heard.broken || reader.next(message) == LauncherReader::Status::broken);
    }
    return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    // the first byte says how the stream is cut
    const std::size_t piece = 1 + (data[0] & 0x3f);
    const bool trusted = (data[0] & 0x40) != 0;
    const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto whole = hear(stream, stream.size() + 1, trusted);
    const auto pieces = hear(stream, piece, trusted);
    // the bounds are those of the whole stream, so a cut stream may get further before them
    if (stream.size() <= LauncherReader::max_stranger_bytes) {
        require(whole == pieces);
    }
    return 0;
}
