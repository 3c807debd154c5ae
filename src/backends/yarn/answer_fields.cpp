// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/answer_fields.hpp"

#include "backends/common/utf8.hpp"

#include <boost/json/parse.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>

namespace sparkhost::detail::yarn::answer {

namespace {

namespace json = boost::json;

constexpr std::size_t longest_words = 1000;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

std::string_view first_line(std::string_view text) {
    text = trimmed(text);
    return trimmed(text.substr(0, text.find('\n')));
}

/// A Java exception's lines as one, without its frames.
std::string without_frames(std::string_view text) {
    std::string words;
    while (!text.empty() && words.size() < longest_words) {
        const auto end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.empty() && !line.starts_with("at ") && !line.starts_with("... ")) {
            words += (words.empty() ? "" : " ") + std::string(line);
        }
    }
    return words;
}

/// The title of a web page; everything else is for browsers.
std::string_view page_title(std::string_view page) {
    const auto begin = page.find("<title>");
    const auto end = page.find("</title>");
    return begin == std::string_view::npos || end == std::string_view::npos || end < begin
               ? std::string_view()
               : page.substr(begin + 7, end - begin - 7);
}

/// Java's wrapper of what was meant.
std::string_view without_wrapper(std::string_view message) {
    for (std::string_view wrapper : {"java.lang.Exception: ", "java.io.IOException: "}) {
        if (message.starts_with(wrapper)) {
            message.remove_prefix(wrapper.size());
        }
    }
    return message;
}

}  // namespace

std::string text_at(const json::object& object, std::string_view key) {
    const auto* found = object.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string())
                                                  : std::string();
}

std::int64_t number_at(const json::object& object, std::string_view key) {
    const auto* found = object.if_contains(key);
    return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

const json::object* object_at(const json::object& object, std::string_view key) {
    const auto* found = object.if_contains(key);
    return found != nullptr ? found->if_object() : nullptr;
}

json::value parse_object(std::string_view body) {
    boost::system::error_code failed;
    auto value = json::parse(body, failed);
    if (failed) {
        value = json::parse(valid_utf8(body), failed);
    }
    return !failed && value.is_object() ? value : json::value();
}

Failure read_failure(std::string_view body) {
    Failure failure;
    const auto value = parse_object(body);
    if (value.is_null()) {
        const bool page = trimmed(body).starts_with('<');
        failure.message = first_line(page ? page_title(body) : body);
    } else if (const auto* remote = object_at(value.get_object(), "RemoteException")) {
        failure.exception = text_at(*remote, "exception");
        failure.message = without_frames(without_wrapper(text_at(*remote, "message")));
    }
    failure.message = valid_utf8(failure.message.substr(0, longest_words));
    return failure;
}

std::string failure_words(int status, const Failure& failure) {
    const std::string& words = failure.message.empty() ? failure.exception : failure.message;
    return "HTTP status " + std::to_string(status) + (words.empty() ? "" : ": " + words);
}

}  // namespace sparkhost::detail::yarn::answer
