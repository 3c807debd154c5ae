// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/webhdfs.hpp"

#include "backends/yarn/webhdfs_answer.hpp"

#include <utility>

namespace sparkhost::detail::yarn {

namespace {

/// A NameNode may send us to a DataNode that is gone, and each time to another one.
constexpr int most_sends = 3;

/// The slowest network that is waited for.
constexpr std::uint64_t bytes_per_second = 1u << 20;

std::chrono::milliseconds deadline_of(std::uint64_t size, std::chrono::milliseconds least) {
    return least + std::chrono::seconds(size / bytes_per_second);
}

Error at_place(const std::string& url, const Error& error) {
    return Error(error.code, url + ": " + error.text());
}

/// What was to be done, for people.
Error failed_to(const std::string& what, const std::string& path, const Error& error) {
    return Error(error.code, "cannot " + what + " hdfs:" + path + ": " + error.text());
}

bool is_redirection(int status) {
    return status == 307 || status == 302 || status == 303;
}

}  // namespace

WebHdfs::WebHdfs(boost::asio::any_io_executor executor, const Staging::Options& options)
    : request_deadline_(options.request_deadline),
      name_nodes_(std::make_shared<http::Places>(executor, options.http, options.webhdfs)),
      data_nodes_(executor, options.http) {}

/// Gives an answer of 2xx, or a redirection.
Awaitable<WebHdfs::Asked> WebHdfs::ask(Self self, std::string method, std::string target) {
    http::Round round(self->name_nodes_);
    while (const http::Place* place = round.next()) {
        http::Request request;
        request.method = method;
        request.target = target;
        request.deadline = self->request_deadline_;
        request.repeatable = true;
        Asked asked;
        asked.url = place->url;
        Result<http::Response> response = co_await place->client->send(std::move(request));
        if (!response) {
            round.was_wrong(response.error().text());
            continue;
        }
        if (response->status / 100 == 2 || is_redirection(response->status)) {
            round.was_right();
            asked.response = std::move(*response);
            co_return asked;
        }
        const HdfsRefusal refusal = read_hdfs_refusal(response->status, response->body);
        if (refusal.who == HdfsRefusal::Who::all) {
            round.was_right();
            co_return at_place(asked.url, refusal.error);
        }
        round.was_wrong(refusal.error.text());
    }
    co_return Error(Errc::indeterminate, round.words().empty()
                                             ? "no NameNode's web address is given (webhdfs)"
                                             : "no NameNode is active: " + round.words());
}

Awaitable<void> WebHdfs::make_folder(Self self, std::string user, std::string path) {
    Result<Asked> asked =
        co_await ask(self, "PUT", hdfs_target(path, "MKDIRS&permission=700", user));
    if (!asked) {
        co_return failed_to("make the folder", path, asked.error());
    }
    const auto made = read_hdfs_verdict(asked->response.body);
    if (!made || !*made) {
        const Error why = made ? Error(Errc::backend_failed, "it says no") : made.error();
        co_return failed_to("make the folder", path, at_place(asked->url, why));
    }
    co_return ok();
}

Awaitable<FileStatus> WebHdfs::status(Self self, std::string user, std::string path) {
    Result<Asked> asked = co_await ask(self, "GET", hdfs_target(path, "GETFILESTATUS", user));
    if (!asked) {
        co_return failed_to("look at", path, asked.error());
    }
    auto status = read_file_status(asked->response.body);
    if (!status) {
        co_return failed_to("look at", path, at_place(asked->url, status.error()));
    }
    co_return *status;
}

Awaitable<void> WebHdfs::remove(Self self, std::string user, std::string path) {
    Result<Asked> asked =
        co_await ask(self, "DELETE", hdfs_target(path, "DELETE&recursive=true", user));
    if (!asked && !asked.error().is(Errc::not_found)) {
        co_return failed_to("remove", path, asked.error());
    }
    const auto gone = asked ? read_hdfs_verdict(asked->response.body) : Result<bool>(false);
    if (!gone) {
        co_return failed_to("remove", path, at_place(asked->url, gone.error()));
    }
    co_return ok();  // a no is about a folder that was not there
}

/// To a DataNode. Errors: indeterminate – another one may take it.
Awaitable<void> WebHdfs::send(Self self, std::string location,
                              std::shared_ptr<const http::BodySource> source) {
    const auto where = read_location(location);
    if (!where) {
        co_return where.error();
    }
    auto node = self->data_nodes_.at(where->server);
    if (!node) {
        co_return node.error();
    }
    http::Request request;
    request.method = "PUT";
    request.target = where->target;
    request.headers.push_back({"Content-Type", "application/octet-stream"});
    request.deadline = deadline_of(source->size, self->request_deadline_);
    request.source = std::move(source);
    Result<http::Response> response = co_await (*node)->send(std::move(request));
    if (!response) {
        co_return Error(Errc::indeterminate,
                        "the DataNode " + where->server +
                            ", to which the NameNode sends us: " + response.error().text() +
                            " (this host must reach the DataNodes' web addresses by these names)");
    }
    if (response->status / 100 != 2) {
        co_return at_place(where->server,
                           read_hdfs_refusal(response->status, response->body).error);
    }
    co_return ok();
}

Awaitable<FileStatus> WebHdfs::write(Self self, std::string user, std::string path,
                                     std::shared_ptr<const http::BodySource> source) {
    const std::string target = hdfs_target(path, "CREATE&overwrite=true&permission=644", user);
    Error failure;
    for (int i = 0; i < most_sends; ++i) {
        Result<Asked> asked = co_await ask(self, "PUT", target);
        if (!asked) {
            co_return failed_to("write", path, asked.error());
        }
        if (!is_redirection(asked->response.status)) {
            const Error why(Errc::backend_failed, "it does not send us to a DataNode");
            co_return failed_to("write", path, at_place(asked->url, why));
        }
        std::string location(asked->response.header("Location"));
        const auto sent = co_await send(self, std::move(location), source);
        if (sent) {
            Result<FileStatus> status = co_await WebHdfs::status(self, user, path);
            if (status && status->size != static_cast<std::int64_t>(source->size)) {
                const Error why(Errc::backend_failed, "it has " + std::to_string(status->size) +
                                                          " bytes instead of " +
                                                          std::to_string(source->size));
                co_return failed_to("write", path, why);
            }
            co_return status;
        }
        failure = sent.error();
        if (!failure.is(Errc::indeterminate)) {
            break;
        }
    }
    co_return failed_to("write", path, failure);
}

}  // namespace sparkhost::detail::yarn
