// SPDX-License-Identifier: Apache-2.0
#include "core/agent_greeting.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace sparkhost::detail {

namespace agent_greeting {

namespace json = boost::json;

constexpr std::int64_t largest_number = std::int64_t{1} << 53;

const char* refusal_word(AgentVerdict::Code code) {
    switch (code) {
        case AgentVerdict::Code::claimed:
            return "claimed";
        case AgentVerdict::Code::ended:
            return "ended";
        case AgentVerdict::Code::later:
            return "later";
        default:
            return "unknown";
    }
}

std::string refusal(const char* code, const std::string& detail, bool retry) {
    return json::serialize(json::object{
               {"type", "refuse"}, {"code", code}, {"detail", detail}, {"retry", retry}}) +
           "\n";
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

}  // namespace agent_greeting

Result<AgentGreeting> read_greeting(std::string_view line) {
    using namespace agent_greeting;
    boost::system::error_code failure;
    const auto value = json::parse(line, failure);
    if (failure || !value.is_object()) {
        return Error(Errc::invalid_argument, "a greeting is one JSON object");
    }
    GreetingFields fields(value.as_object());
    AgentGreeting greeting;
    const auto type = fields.text("type");
    if (type != "claim" && type != "resume") {
        return Error(Errc::invalid_argument, "a greeting is a claim or a resume");
    }
    greeting.resumes = type == "resume";
    const bool understood = fields.speaks(agent_protocol_version);
    greeting.ticket = fields.text("ticket");
    greeting.nonce = fields.text("nonce");
    greeting.kinds = fields.texts("kinds");
    greeting.pid = fields.count("pid", 1);
    greeting.secret = fields.text(greeting.resumes ? "resume_key" : "secret");
    if (greeting.resumes) {
        greeting.hello.received = fields.count("received", 0);
        greeting.hello.oldest = fields.count("oldest", 1);
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
        return refusal(refusal_word(verdict.code), verdict.detail,
                       verdict.code == AgentVerdict::Code::later);
    }
    json::object grant{{"type", "grant"},
                       {"version", agent_protocol_version},
                       {"resume_key", verdict.resume_key},
                       {"received", greeting.hello.oldest - 1}};
    return json::serialize(grant) + "\n";
}

std::string write_version_refusal(const Error& error) {
    return agent_greeting::refusal("version", error.detail, false);
}

}  // namespace sparkhost::detail
