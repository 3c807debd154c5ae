// SPDX-License-Identifier: Apache-2.0
#include "core/agent_greeting.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace sparkhost::detail {

namespace agent_greeting {

namespace json = boost::json;

constexpr std::int64_t largest_number = std::int64_t{1} << 53;

std::string refusal_line(const char* code, const std::string& detail, bool retry) {
    return json::serialize(json::object{
               {"type", "refuse"}, {"code", code}, {"detail", detail}, {"retry", retry}}) +
           "\n";
}

/// AgentVerdict's codes and ClaimAnswer's have the same names.
template <class Code>
std::string refusal(Code code, const std::string& detail) {
    switch (code) {
        case Code::claimed:
            return refusal_line("claimed", detail, false);
        case Code::ended:
            return refusal_line("ended", detail, false);
        case Code::later:
            return refusal_line("later", detail, true);
        default:
            return refusal_line("unknown", detail, false);
    }
}

bool is_digit_or(char c, char first, char last) {
    return (c >= '0' && c <= '9') || (c >= first && c <= last);
}

bool is_ticket_id(const std::string& text) {
    constexpr std::size_t longest = 63;
    return !text.empty() && text.size() <= longest &&
           std::ranges::all_of(text, [](char c) { return is_digit_or(c, 'a', 'z') || c == '-'; });
}

bool is_guard_nonce(const std::string& text) {
    constexpr std::size_t size = 32;
    return text.size() == size &&
           std::ranges::all_of(text, [](char c) { return is_digit_or(c, 'a', 'f'); });
}

bool is_driver_name(const std::string& text) {
    constexpr std::size_t longest = 255;
    return text.size() <= longest &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

/// Without a result when there is more than could ever be sent.
std::optional<std::string> base64(const std::string& bytes) {
    if (bytes.size() > agent_protocol_line) {
        return std::nullopt;
    }
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // and the end that is written, too
    auto* const to = reinterpret_cast<unsigned char*>(text.data());
    const auto* const from = reinterpret_cast<const unsigned char*>(bytes.data());
    text.resize(
        static_cast<std::size_t>(EVP_EncodeBlock(to, from, static_cast<int>(bytes.size()))));
    return text;
}

/// The grant; nothing when it is longer than a line may be.
std::optional<std::string> grant_of(const ClaimAnswer& answer) {
    json::array files;
    std::size_t size = 0;
    for (const auto& file : answer.files) {
        auto content = base64(file.content);
        size += content ? content->size() : agent_protocol_line;
        if (size >= agent_protocol_line) {
            return std::nullopt;
        }
        files.push_back(json::object{{"name", file.name}, {"base64", std::move(*content)}});
    }
    auto line =
        json::serialize(json::object{
            {"type", "grant"}, {"version", agent_protocol_version}, {"files", std::move(files)}}) +
        "\n";
    return line.size() > agent_protocol_line ? std::nullopt : std::optional(std::move(line));
}

/// Reads fields; the first that is missing or wrong makes the greeting none.
class GreetingFields {
public:
    explicit GreetingFields(const json::object& object) : object_(object) {}

    std::string text(const char* name) {
        const auto* value = object_.if_contains(name);
        if (value && value->is_string()) {
            return std::string(value->as_string());
        }
        wrong(name);
        return {};
    }
    std::int64_t count(const char* name, std::int64_t least) {
        const auto* value = object_.if_contains(name);
        if (value && value->is_int64() && value->as_int64() >= least &&
            value->as_int64() <= largest_number) {
            return value->as_int64();
        }
        wrong(name);
        return 0;
    }
    std::vector<std::string> texts(const char* name) {
        std::vector<std::string> all;
        const auto* value = object_.if_contains(name);
        if (!value || !value->is_array()) {
            wrong(name);
            return all;
        }
        for (const auto& item : value->as_array()) {
            item.is_string() ? all.emplace_back(item.as_string()) : wrong(name);
        }
        return all;
    }
    bool speaks(int version) {
        const auto* value = object_.if_contains("versions");
        if (!value || !value->is_array()) {
            wrong("versions");
            return false;
        }
        return std::ranges::any_of(value->as_array(), [version](const json::value& one) {
            return one.is_int64() && one.as_int64() == version;
        });
    }
    std::string text_that(bool (*holds)(const std::string&), const char* name) {
        auto value = text(name);
        if (!holds(value)) {
            wrong(name);
        }
        return value;
    }
    const std::string& fault() const { return fault_; }

private:
    std::string& wrong(const char* name) {
        if (fault_.empty()) {
            fault_ = std::string("a greeting's ") + name + " is missing or wrong";
        }
        return fault_;
    }

    const json::object& object_;
    std::string fault_{};
};

AgentGreeting agent_of(GreetingFields& fields, bool resumes) {
    AgentGreeting greeting;
    greeting.resumes = resumes;
    greeting.ticket = fields.text("ticket");
    greeting.nonce = fields.text("nonce");
    greeting.kinds = fields.texts("kinds");
    greeting.pid = fields.count("pid", 1);
    greeting.secret = fields.text(greeting.resumes ? "resume_key" : "secret");
    if (greeting.resumes) {
        greeting.hello.received = fields.count("received", 0);
        greeting.hello.oldest = fields.count("oldest", 1);
    }
    return greeting;
}

DriverClaim guard_of(GreetingFields& fields) {
    DriverClaim claim;
    claim.ticket = fields.text_that(&is_ticket_id, "ticket");
    claim.secret = fields.text("secret");
    claim.nonce = fields.text_that(&is_guard_nonce, "nonce");
    claim.driver = fields.text_that(&is_driver_name, "driver");
    return claim;
}

}  // namespace agent_greeting

Result<Greeting> read_greeting(std::string_view line) {
    using namespace agent_greeting;
    boost::system::error_code failure;
    const auto value = json::parse(line, failure);
    if (failure || !value.is_object()) {
        return Error(Errc::invalid_argument, "a greeting is one JSON object");
    }
    GreetingFields fields(value.as_object());
    const auto type = fields.text("type");
    if (type != "claim" && type != "resume" && type != "guard") {
        return Error(Errc::invalid_argument, "a greeting is a claim, a resume or a guard's");
    }
    const bool understood = fields.speaks(agent_protocol_version);
    Greeting greeting;
    if (type == "guard") {
        greeting = guard_of(fields);
    } else {
        greeting = agent_of(fields, type == "resume");
    }
    if (!fields.fault().empty()) {
        return Error(Errc::invalid_argument, fields.fault());
    }
    if (!understood) {
        return Error(Errc::not_supported,
                     "this host speaks version " + std::to_string(agent_protocol_version));
    }
    return greeting;
}

std::string write_verdict(const AgentGreeting& greeting, const AgentVerdict& verdict) {
    using namespace agent_greeting;
    if (verdict.code != AgentVerdict::Code::granted) {
        return refusal(verdict.code, verdict.detail);
    }
    json::object grant{{"type", "grant"},
                       {"version", agent_protocol_version},
                       {"resume_key", verdict.resume_key},
                       {"received", greeting.hello.oldest - 1}};
    return json::serialize(grant) + "\n";
}

std::string write_claim_answer(ClaimAnswer& answer) {
    using namespace agent_greeting;
    if (answer.code == ClaimAnswer::Code::granted) {
        if (auto grant = grant_of(answer)) {
            return std::move(*grant);
        }
        answer.code = ClaimAnswer::Code::unknown;
        answer.detail = "the files of this driver are more than a grant can carry";
    }
    return refusal(answer.code, answer.detail);
}

std::string write_version_refusal(const Error& error) {
    return agent_greeting::refusal_line("version", error.detail, false);
}

}  // namespace sparkhost::detail
