// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/masters.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost::detail::standalone {

namespace {

using Verdict = SubmissionAnswer::Verdict;

SubmissionAnswer failed_answer(const Error& error) {
    SubmissionAnswer answer;
    answer.verdict = error.is(Errc::backend_failed) ? Verdict::not_alive : Verdict::not_now;
    answer.words = error.text();
    return answer;
}

http::Request submission_request(std::string method, std::string target,
                                 std::chrono::milliseconds deadline) {
    http::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.deadline = deadline;
    request.repeatable = true;
    return request;
}

}  // namespace

Result<std::vector<std::string>> master_urls(std::string_view master, int port) {
    constexpr std::string_view scheme = "spark://";
    std::vector<std::string> urls;
    if (!master.starts_with(scheme)) {
        return Error(Errc::invalid_argument, "must begin with spark://");
    }
    master.remove_prefix(scheme.size());
    while (true) {
        const auto end = std::min(master.find(','), master.size());
        const std::string_view each = master.substr(0, end);
        const auto colon = each.rfind(':');
        const bool has_port =
            colon != std::string_view::npos && colon > 0 && colon + 1 < each.size() &&
            each.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
        if (!has_port || each.find_first_of("/@?# ") != std::string_view::npos) {
            return Error(Errc::invalid_argument, "\"" + std::string(each) + "\" is no host:port");
        }
        urls.push_back("http://" + std::string(each.substr(0, colon)) + ":" + std::to_string(port));
        if (end == master.size()) {
            return urls;
        }
        master.remove_prefix(end + 1);
    }
}

Masters::Masters(boost::asio::any_io_executor executor, Options options)
    : request_deadline_(options.request_deadline),
      rest_(std::make_shared<http::Places>(executor, options.http, options.rest_urls)),
      web_(std::make_shared<http::Places>(executor, options.http, options.web_urls)),
      workers_(executor, options.http) {}

boost::asio::awaitable<SubmissionAnswer> Masters::ask(Self self, http::Request request) {
    SubmissionAnswer answer;
    http::Round round(self->rest_);
    while (const http::Place* place = round.next()) {
        http::Request copy = request;
        Result<http::Response> response = co_await place->client->send(std::move(copy));
        answer = response ? read_submission_answer(response->status, response->body)
                          : failed_answer(response.error());
        round.was_wrong(answer.words);
        const bool may_go_on = answer.verdict == Verdict::not_alive ||
                               (answer.verdict == Verdict::not_now && request.repeatable);
        if (!may_go_on) {
            round.was_right();
            break;
        }
    }
    if (answer.verdict == Verdict::not_alive || answer.verdict == Verdict::not_now) {
        answer.verdict = Verdict::not_now;
        answer.words = round.words();
    }
    co_return answer;
}

boost::asio::awaitable<SubmissionAnswer> Masters::create(Self self, std::string body) {
    http::Request request =
        submission_request("POST", "/v1/submissions/create", self->request_deadline_);
    request.headers.push_back({"Content-Type", "application/json;charset=UTF-8"});
    request.body = std::move(body);
    request.repeatable = false;  // each makes a driver
    SubmissionAnswer answer = co_await ask(self, std::move(request));
    co_return answer;
}

boost::asio::awaitable<SubmissionAnswer> Masters::status(Self self, std::string driver) {
    http::Request request =
        submission_request("GET", "/v1/submissions/status/" + driver, self->request_deadline_);
    SubmissionAnswer answer = co_await ask(self, std::move(request));
    co_return answer;
}

boost::asio::awaitable<SubmissionAnswer> Masters::kill(Self self, std::string driver) {
    http::Request request =
        submission_request("POST", "/v1/submissions/kill/" + driver, self->request_deadline_);
    SubmissionAnswer answer = co_await ask(self, std::move(request));
    co_return answer;
}

Awaitable<ClusterView> Masters::look(Self self) {
    http::Round round(self->web_);
    while (const http::Place* place = round.next()) {
        http::Request request = submission_request("GET", "/json/", self->request_deadline_);
        Result<http::Response> response = co_await place->client->send(std::move(request));
        if (!response) {
            round.was_wrong(response.error().text());
        } else if (response->status != 200) {
            round.was_wrong("HTTP status " + std::to_string(response->status));
        } else if (auto view = read_cluster_view(response->body)) {
            if (view->alive) {
                round.was_right();
                co_return std::move(*view);
            }
            round.was_wrong("is " + view->status);
        } else {
            round.was_wrong("is no master's web page");
        }
    }
    co_return Error(Errc::backend_failed, "no Spark master is alive: " + round.words());
}

Awaitable<std::string> Masters::ask_worker(Self self, std::string url, std::string target) {
    auto asked = self->workers_.at(url);
    if (!asked) {
        co_return asked.error();
    }
    http::Request request = submission_request("GET", std::move(target), self->request_deadline_);
    Result<http::Response> response = co_await (*asked)->send(std::move(request));
    if (!response) {
        co_return Error(Errc::backend_failed, url + ": " + response.error().text());
    }
    if (response->status != 200) {
        co_return Error(Errc::backend_failed,
                        url + ": HTTP status " + std::to_string(response->status));
    }
    co_return std::move(response->body);
}

}  // namespace sparkhost::detail::standalone
