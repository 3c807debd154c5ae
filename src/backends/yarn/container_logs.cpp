// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/container_logs.hpp"

#include "backends/yarn/log_download.hpp"
#include "backends/yarn/rm_answer.hpp"
#include "http/places.hpp"
#include "http/url.hpp"

#include <algorithm>
#include <limits>
#include <list>
#include <utility>

namespace sparkhost::detail::yarn {

namespace {

// Neither daemon takes a position to read from, only how much of the end is wanted. So a first
// look at the end tells how long the file is, and the second asks for the rest from the position
// on, and somewhat more: meanwhile it may have grown.
constexpr std::int64_t first_look = 16 * 1024;
constexpr std::int64_t least_growth = 4 * 1024;
constexpr int most_looks = 5;
constexpr std::int64_t whole_file = std::numeric_limits<std::int64_t>::max();

constexpr std::size_t most_downloads = 4;

/// Anything but the file itself.
LogAnswer read_refusal(const LogQuestion& question, const http::Response& head) {
    const bool moved = head.status == 307 || head.status == 302;
    LogAnswer answer;
    if (moved || head.status == 404) {
        const std::string words = moved ? "does not have it (any more, or not yet)"
                                        : "does not have it (" + failure_of(404, head.body) + ")";
        answer = no_piece(LogAnswer::What::gone, question, words);
        answer.location = std::string(head.header("Location"));
        return answer;
    }
    return no_piece(LogAnswer::What::failed, question, failure_of(head.status, head.body));
}

std::string query_of(const ContainerLogs::Container& container) {
    return container.user.empty() ? "?"
                                  : "?user.name=" + http::percent_encoded(container.user) + "&";
}

/// "http://host:19888/ws/v1/history" of "…/containers/…", where a NodeManager sends us.
std::string log_service_of(std::string_view location) {
    const auto path = location.find("/containers/");
    return location.starts_with("http") && path != std::string_view::npos
               ? std::string(location.substr(0, path))
               : std::string();
}

}  // namespace

struct ContainerLogs::Impl {
    using Self = std::shared_ptr<Impl>;
    Impl(boost::asio::any_io_executor executor, Options given)
        : options(std::move(given)), clients(std::move(executor), options.http) {}

    static boost::asio::awaitable<LogAnswer> ask_node(Self self, Container container,
                                                      std::string file, LogQuestion question);
    static boost::asio::awaitable<LogAnswer> ask_log_server(Self self, Container container,
                                                            std::string file, LogQuestion question);
    static boost::asio::awaitable<LogAnswer> look(Self self, LogQuestion question);
    static boost::asio::awaitable<LogAnswer> look_once(Self self, LogQuestion question,
                                                       std::int64_t size);
    LogDownload::Self download_of(const LogQuestion& question);
    void keep(LogDownload::Self download);

    Options options;
    http::ClientTable clients;
    std::list<LogDownload::Self> downloads{};  ///< of the log server; read last first
};

/// Log servers read a file from its beginning each time, from HDFS, unpacking it: an answer that is
/// not used up is kept for the piece behind it.
LogDownload::Self ContainerLogs::Impl::download_of(const LogQuestion& question) {
    const auto found = std::find_if(
        downloads.begin(), downloads.end(),
        [&question](const LogDownload::Self& each) { return each->goes_on_with(question); });
    if (found == downloads.end()) {
        return nullptr;
    }
    LogDownload::Self download = std::move(*found);
    downloads.erase(found);
    return download;
}

void ContainerLogs::Impl::keep(LogDownload::Self download) {
    downloads.push_front(std::move(download));
    if (downloads.size() > most_downloads) {
        downloads.pop_back();
    }
}

boost::asio::awaitable<LogAnswer> ContainerLogs::Impl::look_once(Self self, LogQuestion question,
                                                                 std::int64_t size) {
    auto client = self->clients.at(question.server);
    if (!client) {
        co_return no_piece(LogAnswer::What::failed, question, client.error().text());
    }
    http::Request request;
    request.target = question.target + "size=" + std::to_string(size);
    request.headers.push_back({"Accept", "text/plain"});
    request.deadline = question.deadline;
    request.repeatable = true;
    Result<std::unique_ptr<http::Stream>> stream = co_await (*client)->stream(std::move(request));
    if (!stream) {
        co_return no_piece(LogAnswer::What::failed, question, stream.error().text());
    }
    if ((*stream)->head().status != 200) {
        co_return read_refusal(question, (*stream)->head());
    }
    auto download = std::make_shared<LogDownload>(question, size, std::move(*stream));
    LogAnswer answer = co_await LogDownload::read(download, question);
    if (question.kept && answer.what == LogAnswer::What::piece && download->has_more()) {
        self->keep(std::move(download));
    }
    co_return answer;
}

boost::asio::awaitable<LogAnswer> ContainerLogs::Impl::look(Self self, LogQuestion question) {
    using What = LogAnswer::What;
    if (LogDownload::Self download = self->download_of(question)) {
        LogAnswer answer = co_await LogDownload::read(download, question);
        if (answer.what == What::piece) {
            if (download->has_more()) {
                self->keep(std::move(download));
            }
            co_return answer;
        }  // else it had waited too long
    }
    const std::int64_t from_start = question.kept ? whole_file : question.most;
    std::int64_t size = question.offset == 0 ? from_start : -first_look;
    std::int64_t growth = least_growth;
    for (int i = 0; i < most_looks; ++i) {
        LogAnswer answer = co_await look_once(self, question, size);
        if (answer.what != What::begins_behind) {
            co_return answer;
        }
        size = -(answer.piece.total - question.offset + growth);
        growth *= 16;
    }
    co_return no_piece(What::failed, question, "the log grows faster than it is read");
}

boost::asio::awaitable<LogAnswer> ContainerLogs::Impl::ask_node(Self self, Container container,
                                                                std::string file,
                                                                LogQuestion question) {
    if (container.node.empty()) {
        LogAnswer answer;
        answer.what = LogAnswer::What::gone;
        answer.words = "is not known";
        co_return answer;
    }
    const bool named = container.node.find("://") != std::string::npos;
    question.server = named ? container.node : "http://" + container.node;
    question.target = "/ws/v1/node/containers/" + http::percent_encoded(container.id) + "/logs/" +
                      http::percent_encoded(file) + query_of(container);
    co_return co_await look(self, std::move(question));
}

boost::asio::awaitable<LogAnswer> ContainerLogs::Impl::ask_log_server(Self self,
                                                                      Container container,
                                                                      std::string file,
                                                                      LogQuestion question) {
    if (question.server.empty()) {
        LogAnswer answer;
        answer.what = LogAnswer::What::gone;
        answer.words = "is not given (log_server)";
        co_return answer;
    }
    question.kept = true;
    question.target = "/containerlogs/" + http::percent_encoded(container.id) + "/" +
                      http::percent_encoded(file) + query_of(container) +
                      "redirected_from_node=true&";
    LogAnswer answer = co_await look(self, std::move(question));
    answer.piece.aggregated = true;
    co_return answer;
}

ContainerLogs::ContainerLogs(boost::asio::any_io_executor executor, Options options)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(options))) {}

ContainerLogs::~ContainerLogs() = default;

Awaitable<LogPiece> ContainerLogs::read(Self self, Container container, std::string file,
                                        std::int64_t offset, std::int64_t most) {
    using What = LogAnswer::What;
    const std::shared_ptr<Impl> impl = self->impl_;
    LogQuestion question;
    question.offset = std::max<std::int64_t>(offset, 0);
    question.most = std::max<std::int64_t>(most, 1);
    question.deadline = impl->options.request_deadline;
    LogAnswer node = co_await Impl::ask_node(impl, container, file, question);
    if (node.what == What::piece) {
        co_return std::move(node.piece);
    }
    const std::string& given = impl->options.log_server;
    question.server = given.empty() ? log_service_of(node.location) : given + "/ws/v1/history";
    LogAnswer kept = co_await Impl::ask_log_server(impl, container, file, std::move(question));
    if (kept.what == What::piece) {
        co_return std::move(kept.piece);
    }
    const bool nowhere = node.what == What::gone && kept.what == What::gone;
    co_return Error(nowhere ? Errc::not_found : Errc::backend_failed,
                    "cannot read " + file + " of " + container.id + ": NodeManager " + node.words +
                        "; log server " + kept.words);
}

}  // namespace sparkhost::detail::yarn
