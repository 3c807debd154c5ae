// SPDX-License-Identifier: Apache-2.0
#include "rest/wire.hpp"

#include <array>
#include <cstdio>

namespace sparkhost::detail::rest {

std::string http_date(std::time_t seconds) {
    // Not strftime: its names depend on the process' locale.
    static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed",
                                                     "Thu", "Fri", "Sat"};
    static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    std::array<char, 64> text{};
    const int length =
        std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                      days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                      months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                      utc.tm_min, utc.tm_sec);
    return std::string(text.data(), static_cast<std::size_t>(length));
}

std::string response_head(const Response& response, const Sending& sending) {
    std::string head;
    head.reserve(640);
    const auto field = [&head](std::string_view name, std::string_view value) {
        head.append(name).append(": ").append(value).append("\r\n");
    };
    head.append("HTTP/1.1 ").append(std::to_string(response.result_int())).append(" ");
    head.append(std::string_view(http::obsolete_reason(response.result()))).append("\r\n");
    if (!sending.date.empty()) {
        field("Date", sending.date);
    }
    for (const auto& entry : response) {
        field(std::string_view(entry.name_string()), std::string_view(entry.value()));
    }
    if (!sending.keep_alive) {
        field("Connection", "close");
    } else if (sending.request_version < 11) {
        field("Connection", "keep-alive");
    }
    head.append("\r\n");
    return head;
}

std::string chunk_of(std::string_view piece) {
    std::array<char, 24> size{};
    const int length = std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
    std::string chunk;
    chunk.reserve(piece.size() + 24);
    chunk.append(size.data(), static_cast<std::size_t>(length)).append(piece).append("\r\n");
    return chunk;
}

}  // namespace sparkhost::detail::rest
