// SPDX-License-Identifier: Apache-2.0
#include "core/guard_messages.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <utility>

namespace sparkhost::detail {

namespace guard_messages {

namespace json = boost::json;

constexpr std::size_t longest_id = 255;
constexpr std::size_t longest_url = 2048;
constexpr std::size_t longest_error = 64u << 10;

Error framing_error(const std::string& what) {
    return Error(Errc::backend_failed, what);
}

/// Absent: nothing is known. False: it is there, and wrong.
bool read_text(const json::object& object, const char* name, std::size_t longest,
               std::string& text) {
    const auto* value = object.if_contains(name);
    if (value == nullptr || value->is_null()) {
        return true;
    }
    if (!value->is_string() || value->as_string().size() > longest) {
        return false;
    }
    text = value->as_string();
    return true;
}

Result<DriverReport> report_of(const json::object& object) {
    DriverReport report;
    const char* wrong = nullptr;
    if (!read_text(object, "application_id", longest_id, report.application_id)) {
        wrong = "application_id";
    } else if (!read_text(object, "ui_url", longest_url, report.ui_url)) {
        wrong = "ui_url";
    } else if (!read_text(object, "error", longest_error, report.error)) {
        wrong = "error";
    }
    if (const auto* ended = object.if_contains("ended")) {
        if (ended->is_bool()) {
            report.ended = ended->as_bool();
        } else {
            wrong = "ended";
        }
    }
    if (wrong != nullptr) {
        return framing_error(std::string("a report's ") + wrong + " is wrong");
    }
    return report;
}

GuardPing ping_of(const json::object& object) {
    json::object pong{{"type", "pong"}};
    if (const auto* id = object.if_contains("id")) {
        pong.emplace("id", *id);
    }
    return GuardPing{json::serialize(pong) + "\n"};
}

}  // namespace guard_messages

Result<GuardMessage> read_guard_message(std::string_view line) {
    using namespace guard_messages;
    boost::system::error_code failure;
    const auto value = json::parse(line, failure);
    if (failure || !value.is_object()) {
        return framing_error("a message is one JSON object on one line");
    }
    const auto& object = value.as_object();
    const auto* type = object.if_contains("type");
    if (type == nullptr || !type->is_string()) {
        return framing_error("a message has a type");
    }
    if (type->as_string() == "ping") {
        return GuardMessage(ping_of(object));
    }
    if (type->as_string() != "report") {
        return GuardMessage(GuardOther{});
    }
    auto report = report_of(object);
    if (!report) {
        return report.error();
    }
    return GuardMessage(std::move(*report));
}

Result<std::vector<std::string>> GuardLines::feed(std::string_view bytes) {
    std::vector<std::string> lines;
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const auto part = bytes.substr(0, end);
        if (rest_.size() + part.size() + 1 > guard_line) {
            return guard_messages::framing_error("a line is longer than " +
                                                 std::to_string(guard_line) + " bytes");
        }
        rest_ += part;
        if (end == std::string_view::npos) {
            break;
        }
        lines.push_back(std::exchange(rest_, {}));
        bytes.remove_prefix(end + 1);
    }
    return lines;
}

}  // namespace sparkhost::detail
