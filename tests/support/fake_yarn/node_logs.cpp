// SPDX-License-Identifier: Apache-2.0
#include "support/fake_yarn/node_logs.hpp"

#include "support/fake_yarn/remote_exception.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <sstream>
#include <vector>

namespace sparkhost::test::yarn {

namespace json = boost::json;

namespace logs_detail {

const std::string node_name = "localhost:18041";
const std::string last_modified = "Sun Nov 22 06:30:00 +0000 2026";

/// What a path asks for: …/containers/ID/logs[/FILE] or …/containerlogs/ID/FILE.
struct Wanted {
    std::string container{};
    std::string file{};  ///< empty: the list
    bool understood{false};
};

Wanted read_path(const std::string& path, const std::string& prefix) {
    std::vector<std::string> parts;
    std::istringstream in(path.starts_with(prefix) ? path.substr(prefix.size()) : "");
    for (std::string part; std::getline(in, part, '/');) {
        parts.push_back(part);
    }
    if (parts.size() >= 3 && parts[0] == "containers" && parts[2] == "logs") {
        return {parts[1], parts.size() > 3 ? parts[3] : "", true};
    }
    if (parts.size() == 3 && parts[0] == "containerlogs") {
        return {parts[1], parts[2], true};
    }
    return {};
}

const std::string* text_of(const Am& am, const std::string& file) {
    return file == "stdout" ? &am.out : file == "stderr" ? &am.error : nullptr;
}

/// A part of a file with what is written around it.
HttpAnswer page(const Am& am, const std::string& file, const std::string& size,
                const std::string& kind) {
    const auto* text = text_of(am, file);
    if (!text) {
        return {.status = 404,
                .type = "text/plain;charset=utf-8",
                .body = "Cannot find this log on the local disk."};
    }
    const auto all = static_cast<std::int64_t>(text->size());
    const std::int64_t wanted =
        size.empty() ? std::numeric_limits<std::int64_t>::max() : std::stoll(size);
    const auto count = std::min<std::int64_t>(wanted < 0 ? -wanted : wanted, all);
    const auto from = wanted < 0 ? all - count : 0;
    HttpAnswer answer{.type = "text/plain;charset=utf-8"};
    const std::string head = "Container: " + am.container + " on " + node_name;
    if (count > 0) {
        answer.body = head + "\nLogAggregationType: " + kind + "\n" +
                      std::string(head.size(), '=') + "\nLogType:" + file +
                      "\nLogLastModifiedTime:" + last_modified +
                      "\nLogLength:" + std::to_string(all) + "\nLogContents:\n" +
                      text->substr(static_cast<std::size_t>(from), static_cast<std::size_t>(count));
    }
    const std::string end = "End of LogType:" + file;
    if (kind == "AGGREGATED") {
        answer.body += "\n" + end + "\n";
    } else if (am.is_over()) {
        answer.body += "\n" + end + ".\n";
    } else {
        answer.body += "\n" + end + ".This log file belongs to a running container (" +
                       am.container + ") and so may not be complete.\n";
    }
    answer.body += std::string(end.size() + 50, '*') + "\n\n";
    return answer;
}

HttpAnswer list(const Am& am, const std::string& kind) {
    json::array files;
    for (const auto* name : {"stdout", "stderr"}) {
        files.push_back(json::object{{"fileName", name},
                                     {"fileSize", std::to_string(text_of(am, name)->size())},
                                     {"lastModifiedTime", last_modified}});
    }
    const json::object info{{"containerLogInfo", std::move(files)},
                            {"logAggregationType", kind},
                            {"containerId", am.container},
                            {"nodeId", node_name}};
    return json_answer({{"containerLogsInfo", json::array{info}}});
}

HttpAnswer no_container(const std::string& container) {
    return remote_exception(404, "org.apache.hadoop.yarn.webapp.NotFoundException",
                            "java.lang.Exception: Unknown container " + container);
}

}  // namespace logs_detail

using namespace logs_detail;

HttpAnswer NodeLogs::node_manager(const HttpRequest& request) const {
    const auto wanted = read_path(request.path(), "/ws/v1/node/");
    const auto am = masters_.find(wanted.container);
    if (!wanted.understood) {
        return {.status = 404, .type = "text/html", .body = "<html>Not Found</html>"};
    }
    if (am && !am->aggregated) {
        return wanted.file.empty() ? list(*am, "LOCAL")
                                   : page(*am, wanted.file, request.parameter("size"), "LOCAL");
    }
    if (!redirects) {
        return no_container(wanted.container);
    }
    const auto query = request.target.find('?');
    const auto more = query == std::string::npos ? "?" : request.target.substr(query) + "&";
    const auto file = wanted.file.empty() ? "" : "/" + wanted.file;
    const auto location = log_server_url + "/ws/v1/history/containers/" + wanted.container +
                          "/logs" + file + more + "redirected_from_node=true";
    return {.status = 307, .body = {}, .headers = {{"Location", location}}};
}

HttpAnswer NodeLogs::log_server(const HttpRequest& request) const {
    const auto wanted = read_path(request.path(), "/ws/v1/history/");
    const auto am = masters_.find(wanted.container);
    if (!am || !am->aggregated || holds_aggregation) {
        return no_container(wanted.container);
    }
    return wanted.file.empty() ? list(*am, "AGGREGATED")
                               : page(*am, wanted.file, request.parameter("size"), "AGGREGATED");
}

}  // namespace sparkhost::test::yarn
