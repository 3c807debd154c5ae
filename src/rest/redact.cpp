// SPDX-License-Identifier: Apache-2.0
#include "rest/redact.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace sparkhost::detail::rest {

namespace redaction {

constexpr std::array<std::string_view, 10> secret_words{
    "secret",     "password",  "passwd", "passphrase", "token",
    "credential", "accesskey", "apikey", "privatekey", "signature"};

/// Shorter values are left alone elsewhere: they occur by chance.
constexpr std::size_t shortest_known_secret = 6;

/// Lower case without what people put between words: "access.key" and "access_key" are one.
std::string folded(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (const char c : text) {
        if (c >= 'A' && c <= 'Z') {
            result.push_back(static_cast<char>(c | 0x20));
        } else if (c != '.' && c != '-' && c != '_') {
            result.push_back(c);
        }
    }
    return result;
}

void replace_all(std::string& text, std::string_view secret) {
    for (auto at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + redacted.size())) {
        text.replace(at, secret.size(), redacted);
    }
}

/// "scheme://user:password@host" → the password is taken out.
void redact_user_info(std::string& text) {
    for (auto at = text.find("://"); at != std::string::npos; at = text.find("://", at)) {
        at += 3;
        const auto end = std::min(text.find_first_of("/?# ", at), text.size());
        const auto sign = text.rfind('@', end);
        const auto colon = text.find(':', at);
        if (sign != std::string::npos && sign > at && sign < end && colon < sign) {
            text.replace(colon + 1, sign - colon - 1, redacted);
            at = colon + redacted.size();
        }
    }
}

/// "--db-password=x", "password=x", "…?token=x&y": what follows the sign is taken out.
void redact_assignments(std::string& text) {
    for (auto sign = text.find('='); sign != std::string::npos; sign = text.find('=', sign)) {
        const auto before = text.find_last_of("&;?, \t\n=", sign - (sign > 0 ? 1 : 0));
        const auto begin = before == std::string::npos || sign == 0 ? 0 : before + 1;
        ++sign;
        if (begin + 1 < sign &&
            names_secret(std::string_view(text).substr(begin, sign - 1 - begin))) {
            const auto end = std::min(text.find_first_of("&; \t\n", sign), text.size());
            text.replace(sign, end - sign, redacted);
            sign += redacted.size();
        }
    }
}

class Redactor {
public:
    explicit Redactor(const BatchSpec& spec) {
        for (const auto& [key, value] : spec.conf) {
            if (names_secret(key) && value.size() >= shortest_known_secret) {
                secrets_.push_back(value);
            }
        }
        // A secret that contains another one goes first.
        std::ranges::sort(secrets_, std::ranges::greater(), &std::string::size);
    }

    void apply(std::string& text) const {
        for (const std::string& secret : secrets_) {
            replace_all(text, secret);
        }
        redact_user_info(text);
        redact_assignments(text);
    }

    void apply(std::vector<std::string>& texts) const {
        for (std::string& text : texts) {
            apply(text);
        }
    }

    void apply(BatchSpec& spec) const {
        apply_arguments(spec.args);
        for (auto& [key, value] : spec.conf) {
            if (names_secret(key)) {
                value = redacted;
            }
            apply(value);
        }
        apply(spec.file);
        for (auto* list : {&spec.jars, &spec.py_files, &spec.files, &spec.archives}) {
            apply(*list);
        }
    }

    void apply_arguments(std::vector<std::string>& args) const {
        bool secret_follows = false;
        for (std::string& arg : args) {
            const bool option = arg.starts_with('-');
            if (secret_follows && !option) {
                arg = redacted;
            }
            secret_follows = option && arg.find('=') == std::string::npos && names_secret(arg);
            apply(arg);
        }
    }

private:
    std::vector<std::string> secrets_{};
};

}  // namespace redaction

bool names_secret(std::string_view name) {
    const std::string plain = redaction::folded(name);
    return std::ranges::any_of(redaction::secret_words, [&plain](std::string_view word) {
        return plain.find(word) != std::string::npos;
    });
}

void redact(BatchSpec& spec) {
    redaction::Redactor(spec).apply(spec);
}

void redact(BatchRecord& record) {
    const redaction::Redactor redactor(record.spec);
    redactor.apply(record.spec);
    redactor.apply(record.log_tail);
    redactor.apply(record.reason);
    redactor.apply(record.ui_url);
    for (BatchAttempt& attempt : record.attempts) {
        redactor.apply(attempt.reason);
    }
    for (TimelineEntry& entry : record.timeline) {
        redactor.apply(entry.reason);
    }
}

}  // namespace sparkhost::detail::rest
