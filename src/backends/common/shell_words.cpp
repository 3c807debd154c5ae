// SPDX-License-Identifier: Apache-2.0
#include "backends/common/shell_words.hpp"

namespace sparkhost::detail {

namespace {

// Java's Character.isWhitespace, as far as ASCII goes
bool is_option_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F);
}

}  // namespace

Result<std::vector<std::string>> split_options(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool in_word = false;
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '\\' && quote != '\'') {
            if (++i == text.size()) {
                return Error(Errc::invalid_argument, "a backslash at the end of the options");
            }
            in_word = true;
            word += text[i];
        } else if (quote != 0) {
            if (c == quote) {
                quote = 0;
            } else {
                word += c;
            }
        } else if (c == '\'' || c == '"') {
            quote = c;
            in_word = true;
        } else if (!is_option_blank(c)) {
            word += c;
            in_word = true;
        } else if (in_word) {
            words.push_back(std::move(word));
            word.clear();
            in_word = false;
        }
    }
    if (quote != 0) {
        return Error(Errc::invalid_argument, std::string("an open ") + quote + " in the options");
    }
    if (in_word) {
        words.push_back(std::move(word));
    }
    return words;
}

}  // namespace sparkhost::detail
