// SPDX-License-Identifier: Apache-2.0
#include "runtimes/spark/agent_messages.hpp"

#include <boost/archive/iterators/binary_from_base64.hpp>
#include <boost/archive/iterators/dataflow_exception.hpp>
#include <boost/archive/iterators/transform_width.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <utility>

namespace sparkhost::detail::spark {

namespace {

namespace json = boost::json;
namespace iterators = boost::archive::iterators;

constexpr std::int64_t largest_number = std::int64_t{1} << 53;

std::optional<std::string> from_base64(std::string_view text) {
    using Decoder =
        iterators::transform_width<iterators::binary_from_base64<std::string_view::const_iterator>,
                                   8, 6>;
    if (text.size() % 4 != 0) {
        return std::nullopt;
    }
    const auto end = text.find_last_not_of('=');
    const auto digits = end == std::string_view::npos ? 0 : end + 1;
    if (text.size() - digits > 2) {
        return std::nullopt;
    }
    const auto size = digits * 6 / 8;
    std::string bytes;
    bytes.reserve(size + 1);
    try {
        Decoder next(text.begin());
        for (std::size_t i = 0; i < size; ++i, ++next) {
            bytes.push_back(static_cast<char>(*next));
        }
    } catch (const iterators::dataflow_exception&) {
        return std::nullopt;
    }
    return bytes;
}

/// Reads the fields of one message; remembers the first that is missing or wrong.
class Fields {
public:
    explicit Fields(const json::object& object) : object_(object) {}

    const std::string& fault() const noexcept { return fault_; }

    std::string string(const char* name) {
        const auto* value = find(name);
        if (value && value->is_string()) {
            return std::string(value->as_string());
        }
        return wrong<std::string>(name, "a string");
    }
    std::optional<std::string> string_or_null(const char* name) {
        const auto* value = find(name);
        return value && value->is_null() ? std::nullopt : std::optional(string(name));
    }
    std::string text(const char* name) {
        const auto* value = find(name);
        auto bytes = value ? text_of(*value) : std::nullopt;
        return bytes ? std::move(*bytes) : wrong<std::string>(name, "a text");
    }
    std::vector<std::string> texts(const char* name) {
        const auto* value = find(name);
        std::vector<std::string> all;
        if (!value || !value->is_array()) {
            return wrong<std::vector<std::string>>(name, "an array of texts");
        }
        for (const auto& item : value->as_array()) {
            auto bytes = text_of(item);
            if (!bytes) {
                return wrong<std::vector<std::string>>(name, "an array of texts");
            }
            all.push_back(std::move(*bytes));
        }
        return all;
    }
    std::map<std::string, std::string> texts_by_name(const char* name) {
        using Map = std::map<std::string, std::string>;
        const auto* value = find(name);
        if (!value || !value->is_object()) {
            return wrong<Map>(name, "an object of texts");
        }
        Map all;
        for (const auto& [key, item] : value->as_object()) {
            auto bytes = text_of(item);
            if (!bytes) {
                return wrong<Map>(name, "an object of texts");
            }
            all.emplace(key, std::move(*bytes));
        }
        return all;
    }
    std::int64_t number(const char* name, std::int64_t least = 0) {
        const auto* value = find(name);
        const bool fits = value && value->is_int64() && value->as_int64() >= least &&
                          value->as_int64() <= largest_number;
        return fits ? value->as_int64() : wrong<std::int64_t>(name, "a count");
    }
    bool has(const char* name) {
        const auto* value = find(name);
        return value && !value->is_null();
    }
    bool flag(const char* name) {
        const auto* value = find(name);
        return value && value->is_bool() && value->as_bool();
    }
    template <class T>
    T wrong(const char* name, const char* wanted) {
        if (fault_.empty()) {
            fault_ = std::string(name) + ": must be " + wanted;
        }
        return T{};
    }

private:
    const json::value* find(const char* name) const { return object_.if_contains(name); }

    static std::optional<std::string> text_of(const json::value& value) {
        if (value.is_string()) {
            return std::string(value.as_string());
        }
        if (!value.is_object() || value.as_object().size() != 1) {
            return std::nullopt;
        }
        const auto* coded = value.as_object().if_contains("base64");
        return coded && coded->is_string() ? from_base64(coded->as_string()) : std::nullopt;
    }

    const json::object& object_;
    std::string fault_{};
};

AgentStatus read_status(Fields& fields) {
    const auto word = fields.string("state");
    if (word == "idle") {
        return {AgentStatus::State::idle};
    }
    if (word == "busy") {
        return {AgentStatus::State::busy};
    }
    return word == "starting" ? AgentStatus{}
                              : fields.wrong<AgentStatus>("state", "starting, idle or busy");
}

AgentReady read_ready(Fields& fields) {
    AgentReady ready;
    ready.facts.application_id = fields.string("application_id");
    ready.facts.ui_url = fields.string_or_null("ui").value_or("");
    ready.facts.spark_version = fields.string("spark_version");
    ready.facts.runtime_version = fields.string("python_version");
    ready.facts.pid = fields.number("pid", 1);
    return ready;
}

void read_error(Fields& fields, StatementResult& result) {
    result.error_name = fields.string("ename");
    result.error_value = fields.text("evalue");
    result.traceback = fields.texts("traceback");
}

AgentFailed read_failed(Fields& fields) {
    AgentFailed failed;
    failed.why.outcome = StatementOutcome::error;
    read_error(fields, failed.why);
    return failed;
}

AgentOutput read_output(Fields& fields) {
    AgentOutput output;
    const auto stream = fields.string("stream");
    if (stream == "stderr") {
        output.stream = OutputSink::Stream::standard_error;
    } else if (stream != "stdout") {
        fields.wrong<int>("stream", "stdout or stderr");
    }
    output.bytes = fields.text("text");
    return output;
}

AgentResult read_result(Fields& fields) {
    AgentResult read;
    auto& result = read.result;
    result.interrupted = fields.flag("interrupted");
    const auto status = fields.string("status");
    if (status == "ok") {
        result.outcome = StatementOutcome::ok;
        result.data = fields.texts_by_name("data");
        result.notes = fields.texts("notes");
    } else if (status == "error" || status == "cancelled") {
        result.outcome = status == "error" ? StatementOutcome::error : StatementOutcome::cancelled;
        read_error(fields, result);
    } else if (status == "forgotten") {
        result.outcome = StatementOutcome::forgotten;
    } else {
        fields.wrong<int>("status", "ok, error, cancelled or forgotten");
    }
    return read;
}

AgentCompletion read_completion(Fields& fields) {
    AgentCompletion read;
    read.request = fields.number("request");
    read.completion.candidates = fields.texts("candidates");
    read.completion.replaces = static_cast<std::size_t>(fields.number("replaces"));
    return read;
}

AgentAdded read_added(Fields& fields) {
    AgentAdded read;
    read.request = fields.number("request");
    if (fields.has("error")) {
        read.fault = fields.text("error");
    }
    return read;
}

/// The body of a message of this type; AgentOther where the type says nothing to us.
decltype(AgentMessage::body) read_body(const std::string& type, Fields& fields,
                                       const json::object& object) {
    if (type == "output") {
        return read_output(fields);
    }
    if (type == "status") {
        return read_status(fields);
    }
    if (type == "result") {
        return read_result(fields);
    }
    if (type == "progress") {
        return AgentProgress{fields.number("completed_tasks"), fields.number("tasks")};
    }
    if (type == "ready") {
        return read_ready(fields);
    }
    if (type == "failed") {
        return read_failed(fields);
    }
    if (type == "unheeded") {
        return AgentUnheeded{fields.number("attempts")};
    }
    if (type == "rejected") {
        return AgentRejected{fields.string("code"), fields.text("detail")};
    }
    if (type == "bye") {
        return AgentBye{SessionEnd{fields.string("reason"), fields.text("detail")}};
    }
    if (type == "completion") {
        return read_completion(fields);
    }
    if (type == "added") {
        return read_added(fields);
    }
    if (type == "ack") {
        return AgentAck{};
    }
    if (type == "ping") {
        const auto* id = object.if_contains("id");
        return AgentPing{id ? json::serialize(*id) : "null"};
    }
    return AgentOther{};
}

bool is_about_a_statement(const AgentMessage& message) {
    return std::holds_alternative<AgentResult>(message.body) ||
           std::holds_alternative<AgentUnheeded>(message.body) ||
           std::holds_alternative<AgentProgress>(message.body);
}

}  // namespace

Result<std::vector<std::string>> LineReader::feed(std::string_view bytes) {
    std::vector<std::string> lines;
    for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
        rest_ += bytes.substr(0, end);
        bytes.remove_prefix(end + 1);
        if (rest_.size() >= max_line) {
            break;
        }
        lines.push_back(std::exchange(rest_, {}));
    }
    rest_ += bytes;
    if (rest_.size() >= max_line) {
        return Error(Errc::backend_failed,
                     "the agent sent a line longer than " + std::to_string(max_line) + " bytes");
    }
    return lines;
}

Result<AgentMessage> read_message(std::string_view line) {
    const auto broken = [](const std::string& how) {
        return Error(Errc::backend_failed, "the agent broke its protocol: " + how);
    };
    boost::system::error_code failure;
    const auto value = json::parse(line, failure);
    if (failure || !value.is_object()) {
        return broken("a line is not a JSON object");
    }
    Fields fields(value.as_object());
    AgentMessage message;
    const auto type = fields.string("type");
    if (fields.has("seq")) {
        message.seq = fields.number("seq", 1);
    }
    if (fields.has("statement")) {
        message.statement = StatementId{fields.number("statement")};
    }
    message.body = read_body(type, fields, value.as_object());
    if (is_about_a_statement(message) && !message.statement) {
        fields.wrong<int>("statement", "a count");
    }
    if (!fields.fault().empty()) {
        return broken(type + ": " + fields.fault());
    }
    return message;
}

}  // namespace sparkhost::detail::spark
