// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/webhdfs_answer.hpp"

#include "backends/yarn/answer_fields.hpp"
#include "http/url.hpp"

namespace sparkhost::detail::yarn {

namespace {

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    for (const auto each : words) {
        if (word == each) {
            return true;
        }
    }
    return false;
}

/// A NameNode that is not the active one, or not yet.
bool is_not_in_charge(int status, std::string_view exception) {
    return is_one_of(exception, {"StandbyException", "RetriableException",
                                 "ObserverRetryOnActiveException"}) ||
           status == 502 || status == 503;
}

bool has_no_room(const answer::Failure& failure) {
    return failure.exception.ends_with("QuotaExceededException") ||
           failure.message.find("could only be written to") != std::string::npos ||
           failure.message.find("could only be replicated to") != std::string::npos;
}

/// After a start the NameNode waits for its DataNodes to tell it that they are there.
bool has_no_datanode_yet(const answer::Failure& failure) {
    return failure.message.starts_with("Failed to find datanode") ||
           failure.message.find("There are 0 datanode(s) running") != std::string::npos;
}

Errc code_of_refusal(int status, const answer::Failure& failure) {
    if (failure.exception == "FileNotFoundException") {
        return Errc::not_found;
    }
    if (has_no_datanode_yet(failure)) {
        return Errc::indeterminate;
    }
    if (has_no_room(failure)) {
        return Errc::rejected;
    }
    const bool passes = failure.exception == "SafeModeException" || status / 100 == 5 ||
                        status == 408 || status == 429;
    return passes ? Errc::indeterminate : Errc::backend_failed;
}

Error no_hdfs_answer(std::string_view what) {
    return Error(Errc::backend_failed, "the answer is no " + std::string(what) +
                                           " (is this URL a NameNode's web address?)");
}

}  // namespace

HdfsRefusal read_hdfs_refusal(int status, std::string_view body) {
    const answer::Failure failure = answer::read_failure(body);
    HdfsRefusal refusal;
    std::string words = answer::failure_words(status, failure);
    if (is_not_in_charge(status, failure.exception)) {
        refusal.who = HdfsRefusal::Who::this_one;
        refusal.error =
            Error(Errc::indeterminate,
                  failure.exception == "StandbyException" ? "is in standby" : std::move(words));
        return refusal;
    }
    if (status == 401) {
        words += " (it wants a login; only simple authentication, user.name, is supported)";
    }
    if (status == 404 && failure.exception.empty()) {
        words += " (is WebHDFS there? dfs.webhdfs.enabled)";
    }
    refusal.error = Error(code_of_refusal(status, failure), std::move(words));
    return refusal;
}

Result<FileStatus> read_file_status(std::string_view body) {
    const auto value = answer::parse_object(body);
    const auto* about =
        value.is_null() ? nullptr : answer::object_at(value.get_object(), "FileStatus");
    const std::string type = about == nullptr ? std::string() : answer::text_at(*about, "type");
    if (type == "DIRECTORY") {
        return Error(Errc::backend_failed, "it is a folder");
    }
    if (type != "FILE") {
        return no_hdfs_answer("file's status");
    }
    FileStatus status;
    status.size = answer::number_at(*about, "length");
    status.modified_ms = answer::number_at(*about, "modificationTime");
    return status;
}

Result<bool> read_hdfs_verdict(std::string_view body) {
    const auto value = answer::parse_object(body);
    const auto* verdict = value.is_null() ? nullptr : value.get_object().if_contains("boolean");
    if (verdict == nullptr || !verdict->is_bool()) {
        return no_hdfs_answer("yes or no");
    }
    return verdict->get_bool();
}

Result<HdfsLocation> read_location(std::string_view location) {
    const auto scheme = location.find("://");
    const auto path = scheme == std::string_view::npos ? scheme : location.find('/', scheme + 3);
    if (!location.starts_with("http") || path == std::string_view::npos) {
        return no_hdfs_answer("redirection to a DataNode");
    }
    return HdfsLocation{std::string(location.substr(0, path)), std::string(location.substr(path))};
}

std::string hdfs_target(std::string_view path, std::string_view operation, std::string_view user) {
    std::string target = "/webhdfs/v1" + http::percent_encoded(path, "/");
    target.append("?op=").append(operation);
    if (!user.empty()) {
        target += "&user.name=" + http::percent_encoded(user);
    }
    return target;
}

}  // namespace sparkhost::detail::yarn
