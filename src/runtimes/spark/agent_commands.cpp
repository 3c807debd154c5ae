// SPDX-License-Identifier: Apache-2.0

// What the host says to an agent.

#include "runtimes/spark/agent_messages.hpp"

#include <boost/archive/iterators/base64_from_binary.hpp>
#include <boost/archive/iterators/transform_width.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <utility>

namespace sparkhost::detail::spark {

namespace agent_commands {

namespace json = boost::json;

std::string to_base64(std::string_view bytes) {
    using namespace boost::archive::iterators;
    using Encoder = base64_from_binary<transform_width<std::string_view::const_iterator, 6, 8>>;
    std::string text(Encoder(bytes.begin()), Encoder(bytes.end()));
    text.append((4 - text.size() % 4) % 4, '=');
    return text;
}

/// A JSON string where the bytes are UTF-8, else base64.
json::value text_to_json(const std::string& bytes) {
    json::value text(bytes);
    boost::system::error_code broken;
    json::parse(json::serialize(text), broken);
    return broken ? json::value(json::object{{"base64", to_base64(bytes)}}) : text;
}

std::string line_of(const json::object& message) {
    return json::serialize(message) + "\n";
}

}  // namespace agent_commands

std::string write_execute(std::int64_t seq, const StatementSpec& statement) {
    boost::json::object message{{"type", "execute"},
                                {"seq", seq},
                                {"statement", statement.id.value},
                                {"kind", statement.kind},
                                {"code", agent_commands::text_to_json(statement.code)}};
    if (statement.job) {
        message.emplace("job", true);
    }
    return agent_commands::line_of(message);
}

std::string write_interrupt(std::int64_t seq, const InterruptRequest& request) {
    boost::json::value limit;
    if (request.end_session_after) {
        limit = std::chrono::duration<double>(*request.end_session_after).count();
    }
    return agent_commands::line_of({{"type", "interrupt"},
                                    {"seq", seq},
                                    {"statement", request.statement.value},
                                    {"end_session_after", std::move(limit)}});
}

std::string write_complete(std::int64_t request, const Conversation::CompletionRequest& what) {
    return agent_commands::line_of({{"type", "complete"},
                                    {"request", request},
                                    {"kind", what.kind},
                                    {"code", agent_commands::text_to_json(what.code)},
                                    {"cursor", what.cursor}});
}

std::string write_add(std::int64_t request, const SessionFile& file) {
    const char* what = "file";
    if (file.use != SessionFile::Use::data) {
        what = file.use == SessionFile::Use::jar ? "jar" : "pyfile";
    }
    return agent_commands::line_of({{"type", "add"},
                                    {"request", request},
                                    {"what", what},
                                    {"uri", agent_commands::text_to_json(file.uri)}});
}

std::string write_close(std::int64_t seq) {
    return agent_commands::line_of({{"type", "close"}, {"seq", seq}});
}

std::string write_ack(std::int64_t received) {
    return agent_commands::line_of({{"type", "ack"}, {"received", received}});
}

std::string write_pong(const std::string& id) {
    return R"({"type":"pong","id":)" + id + "}\n";
}

}  // namespace sparkhost::detail::spark
