// SPDX-License-Identifier: Apache-2.0
#include "support/fake_yarn/fake_hdfs.hpp"

#include "support/fake_yarn/remote_exception.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace sparkhost::test::yarn {

namespace json = boost::json;

namespace hdfs_detail {

const std::string webhdfs = "/webhdfs/v1";
const std::string name_node_rpc = "namenode:8020";

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

std::string octal(int permission) {
    char text[8]{};
    std::snprintf(text, sizeof text, "%o", static_cast<unsigned>(permission));
    return text;
}

int permission_of(const HttpRequest& request, int otherwise) {
    const auto text = request.parameter("permission");
    return text.empty() ? otherwise : std::stoi(text, nullptr, 8);
}

json::object file_status(const Hdfs::Entry& entry, const std::string& suffix) {
    return {{"accessTime", entry.modified_ms},
            {"blockSize", entry.is_folder ? 0 : 134217728},
            {"childrenNum", 0},
            {"fileId", 16386},
            {"group", "supergroup"},
            {"length", entry.bytes.size()},
            {"modificationTime", entry.modified_ms},
            {"owner", entry.owner},
            {"pathSuffix", suffix},
            {"permission", octal(entry.permission)},
            {"replication", entry.is_folder ? 0 : 1},
            {"storagePolicy", 0},
            {"type", entry.is_folder ? "DIRECTORY" : "FILE"}};
}

HttpAnswer denied(const std::string& words) {
    return remote_exception(403, "org.apache.hadoop.security.AccessControlException", words);
}

HttpAnswer not_there(const std::string& path) {
    return remote_exception(404, "java.io.FileNotFoundException", "File does not exist: " + path);
}

}  // namespace hdfs_detail

using namespace hdfs_detail;

Hdfs::Hdfs() {
    make_folder("/", "hdfs", 0755);
    make_folder("/user", "hdfs", 0755);
    make_folder("/tmp", "hdfs", 01777);
}

/// No two files have the same time: one that is written again is another one.
std::int64_t Hdfs::now() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    const std::int64_t clock = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
    last_time_ = std::max(clock, last_time_ + 1);
    return last_time_;
}

const Hdfs::Entry* Hdfs::find(const std::string& path) const {
    const auto found = entries_.find(path);
    return found == entries_.end() ? nullptr : &found->second;
}

void Hdfs::put(const std::string& path, std::string bytes, const std::string& owner) {
    make_folder(parent_of(path), owner, 0755);
    entries_[path] = Entry{false, std::move(bytes), owner, 0644, now()};
}

void Hdfs::make_folder(const std::string& path, const std::string& owner, int permission) {
    if (entries_.contains(path)) {
        return;
    }
    if (path != "/") {
        make_folder(parent_of(path), owner, 0755);
    }
    entries_[path] = Entry{true, {}, owner, permission, now()};
}

std::vector<std::string> Hdfs::below(const std::string& folder) const {
    std::vector<std::string> found;
    const auto start = folder + "/";
    for (auto at = entries_.lower_bound(start);
         at != entries_.end() && at->first.starts_with(start); ++at) {
        found.push_back(at->first);
    }
    return found;
}

bool Hdfs::remove(const std::string& path) {
    for (const auto& each : below(path)) {
        entries_.erase(each);
    }
    return entries_.erase(path) > 0;
}

/// `wanted`: 4 to read, 2 to write, 1 to pass.
std::string Hdfs::refused(const std::string& path, const std::string& user, int wanted) const {
    if (path != "/") {
        if (auto above = refused(parent_of(path), user, 1); !above.empty()) {
            return above;
        }
    }
    const auto* entry = find(path);
    if (!entry || user == "hdfs") {
        return {};
    }
    const int bits = entry->owner == user ? entry->permission >> 6 : entry->permission;
    if ((bits & wanted) == wanted) {
        return {};
    }
    const char* const access = wanted == 4 ? "READ" : wanted == 2 ? "WRITE" : "EXECUTE";
    return "Permission denied: user=" + user + ", access=" + access + ", inode=\"" + path +
           "\":" + entry->owner + ":supergroup:" + octal(entry->permission);
}

std::string Hdfs::reading_refused(const std::string& path, const std::string& user) const {
    return refused(path, user, 4);
}

/// Of the nearest folder that is there.
std::string Hdfs::writing_refused(const Asked& asked) const {
    auto folder = parent_of(asked.path);
    while (!find(folder)) {
        folder = parent_of(folder);
    }
    return refused(folder, asked.user, 2);
}

Hdfs::Asked Hdfs::read(const HttpRequest& request) {
    Asked asked;
    asked.path = percent_decoded(request.path().substr(webhdfs.size()));
    while (asked.path.size() > 1 && asked.path.ends_with('/')) {
        asked.path.pop_back();
    }
    asked.user = request.parameter("user.name");
    asked.user = asked.user.empty() ? "dr.who" : asked.user;
    make_folder("/user/" + asked.user, asked.user, 0755);
    return asked;
}

HttpAnswer Hdfs::name_node(std::size_t index, const HttpRequest& request) {
    if (!request.path().starts_with(webhdfs + "/")) {
        return {.status = 404, .type = "text/html", .body = "<html>Not Found</html>"};
    }
    if (index != active) {
        return remote_exception(403, "org.apache.hadoop.ipc.StandbyException",
                                "Operation category READ is not supported in state standby. "
                                "Visit https://s.apache.org/sbnn-error");
    }
    const auto operation = request.method + " " + request.parameter("op");
    const bool only_reads = request.method == "GET";
    if (is_in_safe_mode && !only_reads) {
        return remote_exception(403, "org.apache.hadoop.hdfs.server.namenode.SafeModeException",
                                "Cannot change anything. Name node is in safe mode.");
    }
    const auto asked = read(request);
    if (operation == "PUT MKDIRS") {
        return make_folders(request, asked);
    }
    if (operation == "PUT CREATE" || operation == "POST APPEND" || operation == "GET OPEN") {
        return to_data_node(request, asked);
    }
    if (operation == "GET GETFILESTATUS") {
        return status(asked);
    }
    if (operation == "GET LISTSTATUS") {
        return list(asked);
    }
    if (operation == "DELETE DELETE") {
        return erase(request, asked);
    }
    if (operation == "PUT SETPERMISSION" || operation == "PUT SETTIMES") {
        return change(request, asked, operation);
    }
    return remote_exception(400, "java.lang.IllegalArgumentException",
                            "Invalid value for webhdfs parameter \"op\"");
}

HttpAnswer Hdfs::data_node(const HttpRequest& request) {
    if (!request.path().starts_with(webhdfs + "/")) {
        return {.status = 404, .type = "text/html", .body = "<html>Not Found</html>"};
    }
    if (request.parameter("namenoderpcaddress").empty()) {
        return remote_exception(400, "java.lang.IllegalArgumentException",
                                "namenoderpcaddress is not specified.");
    }
    const auto asked = read(request);
    const auto operation = request.method + " " + request.parameter("op");
    if (operation == "PUT CREATE") {
        return create(request, asked);
    }
    if (operation == "POST APPEND") {
        return append(request, asked);
    }
    return open(request, asked);
}

HttpAnswer Hdfs::to_data_node(const HttpRequest& request, const Asked& asked) const {
    if (request.method == "GET" || request.method == "POST") {
        const auto* entry = find(asked.path);
        if (!entry || entry->is_folder) {
            return not_there(asked.path);
        }
    } else if (const auto words = writing_refused(asked); !words.empty()) {
        return denied(words);
    } else if (const auto* there = find(asked.path);
               there && (there->is_folder || request.parameter("overwrite") != "true")) {
        return remote_exception(403, "org.apache.hadoop.fs.FileAlreadyExistsException",
                                asked.path + " already exists");
    }
    const auto location = "http://" + data_node_address + request.target +
                          "&namenoderpcaddress=" + name_node_rpc + "&createparent=true";
    if (request.parameter("noredirect") == "true") {
        return json_answer({{"Location", location}});
    }
    return {.status = 307,
            .type = "application/octet-stream",
            .body = {},
            .headers = {{"Location", location}}};
}

HttpAnswer Hdfs::make_folders(const HttpRequest& request, const Asked& asked) {
    if (const auto* there = find(asked.path)) {
        if (!there->is_folder) {
            return remote_exception(403, "org.apache.hadoop.fs.FileAlreadyExistsException",
                                    "Path is not a directory: " + asked.path);
        }
        return json_answer({{"boolean", true}});
    }
    if (const auto words = writing_refused(asked); !words.empty()) {
        return denied(words);
    }
    make_folder(asked.path, asked.user, permission_of(request, 0755));
    return json_answer({{"boolean", true}});
}

HttpAnswer Hdfs::create(const HttpRequest& request, const Asked& asked) {
    if (has_no_room) {
        return remote_exception(403, "org.apache.hadoop.hdfs.protocol.DSQuotaExceededException",
                                "The DiskSpace quota of /user is exceeded");
    }
    if (const auto words = writing_refused(asked); !words.empty()) {
        return denied(words);
    }
    make_folder(parent_of(asked.path), asked.user, 0755);
    entries_[asked.path] =
        Entry{false, request.body, asked.user, permission_of(request, 0644), now()};
    return {.status = 201,
            .type = "application/octet-stream",
            .body = {},
            .headers = {{"Location", "hdfs://" + name_node_rpc + asked.path}}};
}

HttpAnswer Hdfs::append(const HttpRequest& request, const Asked& asked) {
    const auto found = entries_.find(asked.path);
    if (found == entries_.end()) {
        return not_there(asked.path);
    }
    found->second.bytes += request.body;
    found->second.modified_ms = now();
    return {.type = "application/octet-stream"};
}

HttpAnswer Hdfs::status(const Asked& asked) const {
    if (const auto words = refused(parent_of(asked.path), asked.user, 1); !words.empty()) {
        return denied(words);
    }
    const auto* entry = find(asked.path);
    return entry ? json_answer({{"FileStatus", file_status(*entry, "")}}) : not_there(asked.path);
}

HttpAnswer Hdfs::list(const Asked& asked) const {
    if (const auto words = refused(asked.path, asked.user, 4); !words.empty()) {
        return denied(words);
    }
    if (!find(asked.path)) {
        return not_there(asked.path);
    }
    json::array entries;
    for (const auto& path : below(asked.path)) {
        if (parent_of(path) == asked.path) {
            entries.push_back(file_status(*find(path), path.substr(path.rfind('/') + 1)));
        }
    }
    return json_answer({{"FileStatuses", json::object{{"FileStatus", std::move(entries)}}}});
}

HttpAnswer Hdfs::erase(const HttpRequest& request, const Asked& asked) {
    if (!find(asked.path)) {
        return json_answer({{"boolean", false}});
    }
    if (const auto words = writing_refused(asked); !words.empty()) {
        return denied(words);
    }
    if (!below(asked.path).empty() && request.parameter("recursive") != "true") {
        return remote_exception(403, "org.apache.hadoop.fs.PathIsNotEmptyDirectoryException",
                                asked.path + " is non empty");
    }
    return json_answer({{"boolean", remove(asked.path)}});
}

HttpAnswer Hdfs::open(const HttpRequest&, const Asked& asked) const {
    if (const auto words = refused(asked.path, asked.user, 4); !words.empty()) {
        return denied(words);
    }
    const auto* entry = find(asked.path);
    return entry ? HttpAnswer{.type = "application/octet-stream", .body = entry->bytes}
                 : not_there(asked.path);
}

HttpAnswer Hdfs::change(const HttpRequest& request, const Asked& asked,
                        const std::string& operation) {
    const auto found = entries_.find(asked.path);
    if (found == entries_.end()) {
        return not_there(asked.path);
    }
    if (operation == "PUT SETPERMISSION") {
        found->second.permission = permission_of(request, 0644);
    } else {
        found->second.modified_ms = std::stoll(request.parameter("modificationtime"));
    }
    return {.type = "application/octet-stream"};
}

}  // namespace sparkhost::test::yarn
