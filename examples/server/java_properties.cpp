// SPDX-License-Identifier: Apache-2.0
#include "java_properties.hpp"

#include <boost/locale/encoding_utf.hpp>

#include <algorithm>
#include <stdexcept>

namespace server {

namespace {

namespace conv = boost::locale::conv;

// Read as Java does it, in UTF-16: two \uXXXX may make one character.
using Text = std::u16string;
using View = std::u16string_view;

Text decoded(std::string_view bytes) {
    if (bytes.starts_with("\xEF\xBB\xBF")) {  // a byte order mark of editors
        bytes.remove_prefix(3);
    }
    try {
        return conv::utf_to_utf<char16_t>(bytes.data(), bytes.data() + bytes.size(), conv::stop);
    } catch (const conv::conversion_error&) {
        Text text;
        std::ranges::transform(bytes, std::back_inserter(text),
                               [](char c) { return static_cast<unsigned char>(c); });
        return text;
    }
}

std::string encoded(const Text& text) {
    return conv::utf_to_utf<char>(text);
}

bool is_blank(char16_t c) {
    return c == u' ' || c == u'\t' || c == u'\f';
}

View without_leading_blanks(View text) {
    const auto begin = std::ranges::find_if_not(text, is_blank);
    return text.substr(static_cast<std::size_t>(begin - text.begin()));
}

/// An odd number of backslashes: the last one is not escaped itself.
bool continues(View line) {
    const auto last = line.find_last_not_of(u'\\');
    const auto backslashes = line.size() - (last == View::npos ? 0 : last + 1);
    return backslashes % 2 == 1;
}

class Lines {
public:
    explicit Lines(View text) : text_(text) {}

    bool at_end() const { return text_.empty(); }
    std::size_t number() const { return number_; }  ///< of the line that take() gave

    View take() {
        const auto end = std::min(text_.find_first_of(u"\r\n"), text_.size());
        const View line = text_.substr(0, end);
        const std::size_t ending = text_.substr(end, 2) == u"\r\n" ? 2 : 1;
        text_.remove_prefix(std::min(end + ending, text_.size()));
        ++number_;
        return line;
    }

private:
    View text_;
    std::size_t number_{0};
};

[[noreturn]] void malformed(std::size_t line) {
    throw std::invalid_argument("line " + std::to_string(line) +
                                ": malformed \\uXXXX, four hexadecimal digits are expected");
}

char16_t unit_of(View digits, std::size_t line) {
    char16_t unit = 0;
    for (const char16_t c : digits) {
        const char16_t lower = c >= u'A' && c <= u'F' ? static_cast<char16_t>(c | 0x20) : c;
        const bool digit = lower >= u'0' && lower <= u'9';
        if (!digit && (lower < u'a' || lower > u'f')) {
            malformed(line);
        }
        unit = static_cast<char16_t>(unit * 16 + (digit ? lower - u'0' : lower - u'a' + 10));
    }
    return digits.size() == 4 ? unit : (malformed(line), unit);
}

Text unescaped(View text, std::size_t line) {
    constexpr View letters = u"tnrf";
    constexpr View meant = u"\t\n\r\f";
    Text plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != u'\\' || i + 1 == text.size()) {
            plain += text[i];
            continue;
        }
        const char16_t c = text[++i];
        if (c == u'u') {
            plain += unit_of(text.substr(i + 1, 4), line);
            i += 4;
        } else {
            const auto letter = letters.find(c);
            plain += letter == View::npos ? c : meant[letter];
        }
    }
    return plain;
}

/// The key ends at the first separator or blank that is not escaped.
std::size_t key_length(View line) {
    std::size_t length = 0;
    while (length < line.size() && line[length] != u'=' && line[length] != u':' &&
           !is_blank(line[length])) {
        length += line[length] == u'\\' ? 2 : 1;
    }
    return std::min(length, line.size());
}

Property property(View line, std::size_t number) {
    const auto length = key_length(line);
    View value = without_leading_blanks(line.substr(length));
    if (value.starts_with(u'=') || value.starts_with(u':')) {
        value = without_leading_blanks(value.substr(1));
    }
    return {encoded(unescaped(line.substr(0, length), number)), encoded(unescaped(value, number)),
            number};
}

}  // namespace

std::vector<Property> read_properties(std::string_view text) {
    const Text whole = decoded(text);
    Lines lines(whole);
    std::vector<Property> properties;
    while (!lines.at_end()) {
        Text line(without_leading_blanks(lines.take()));
        const std::size_t number = lines.number();
        if (line.empty() || line.front() == u'#' || line.front() == u'!') {
            continue;
        }
        while (continues(line)) {
            line.pop_back();
            line += without_leading_blanks(lines.at_end() ? View() : lines.take());
        }
        if (!line.empty()) {
            properties.push_back(property(line, number));
        }
    }
    return properties;
}

}  // namespace server
