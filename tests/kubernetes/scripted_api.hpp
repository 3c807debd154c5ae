// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_KUBERNETES_SCRIPTED_API_HPP
#define SPARKHOST_TESTS_KUBERNETES_SCRIPTED_API_HPP

#include "backends/kubernetes/tracker.hpp"
#include "waiter.hpp"

#include <boost/asio/awaitable.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::test {

namespace asio = boost::asio;
namespace http = detail::http;

/// What a watch says, one piece after the other, as the test pushes them.
struct ScriptedWatch {
    std::deque<Result<std::string>> pieces{};
    std::shared_ptr<detail::Waiter> reader{};
    bool closed{false};

    void push(Result<std::string> piece) {
        pieces.push_back(std::move(piece));
        if (reader) {
            reader->wake(detail::WakeReason::changed);
        }
    }
    void say(const std::string& line) { push(line + "\n"); }
    void end() { push(std::string()); }
};

class ScriptedStream final : public http::Stream {
public:
    ScriptedStream(std::shared_ptr<ScriptedWatch> watch, http::Response head)
        : watch_(std::move(watch)), head_(std::move(head)) {}
    ~ScriptedStream() override { watch_->closed = true; }
    const http::Response& head() const override { return head_; }
    Awaitable<std::string> read_some(std::chrono::milliseconds) override { return read(watch_); }

private:
    static Awaitable<std::string> read(std::shared_ptr<ScriptedWatch> watch) {
        if (watch->pieces.empty()) {
            watch->reader = std::make_shared<detail::Waiter>();
            co_await detail::Waiter::wait(watch->reader);
        }
        if (watch->pieces.empty()) {
            co_return Error(Errc::backend_failed, "cancelled");
        }
        auto piece = std::move(watch->pieces.front());
        watch->pieces.pop_front();
        co_return piece;
    }

    std::shared_ptr<ScriptedWatch> watch_;
    http::Response head_;
};

/// Answers as the test says, and keeps what was asked.
class ScriptedApi final : public detail::kubernetes::TrackerApi {
public:
    /// What a request gets; the default is an empty list at version 10, and 404 for the rest.
    std::function<Result<http::Response>(const http::Request&)> answer{};
    /// The head of the next watches' answers; the default is 200.
    std::function<Result<http::Response>(const http::Request&)> open{};

    std::string tombstones{};  ///< ConfigMaps that kills without a pod have left; not in `asked`
    std::vector<std::string> asked{};  ///< "GET /api/…", with " body" behind where there is one
    std::vector<http::Request> requests{};
    std::vector<std::shared_ptr<ScriptedWatch>> watches{};
    std::shared_ptr<detail::Waiter> gate{};  ///< requests wait for it, if set

    Awaitable<http::Response> send(http::Request request) override {
        return respond(this, std::move(request));
    }
    Awaitable<std::unique_ptr<http::Stream>> stream(http::Request request) override {
        return open_stream(this, std::move(request));
    }
    std::size_t count(const std::string& words) const {
        std::size_t found = 0;
        for (const auto& each : asked) {
            found += each.find(words) != std::string::npos ? 1 : 0;
        }
        return found;
    }

private:
    void keep(const http::Request& request) {
        asked.push_back(request.method + " " + request.target +
                        (request.body.empty() ? "" : " " + request.body));
        requests.push_back(request);
    }
    /// Comes before each list of pods.
    static bool is_for_tombstones(const http::Request& request) {
        return request.target.find("/configmaps?") != std::string::npos;
    }
    static Awaitable<http::Response> respond(ScriptedApi* self, http::Request request) {
        if (is_for_tombstones(request)) {
            co_return list(self->tombstones);
        }
        self->keep(request);
        if (self->gate) {
            co_await detail::Waiter::wait(self->gate);
        }
        if (self->answer) {
            co_return self->answer(request);
        }
        co_return empty_list(request);
    }
    static Awaitable<std::unique_ptr<http::Stream>> open_stream(ScriptedApi* self,
                                                                http::Request request) {
        self->keep(request);
        http::Response head;
        head.status = 200;
        if (self->open) {
            auto made = self->open(request);
            if (!made) {
                co_return made.error();
            }
            head = std::move(*made);
        }
        auto watch = std::make_shared<ScriptedWatch>();
        self->watches.push_back(watch);
        std::unique_ptr<http::Stream> stream =
            std::make_unique<ScriptedStream>(std::move(watch), std::move(head));
        co_return stream;
    }

public:
    static http::Response response(int status, std::string body) {
        http::Response made;
        made.status = status;
        made.body = std::move(body);
        return made;
    }
    static http::Response list(const std::string& items, const std::string& version = "10",
                               const std::string& more = {}) {
        return response(200, R"({"kind":"PodList","metadata":{"resourceVersion":")" + version +
                                 R"(","continue":")" + more + R"("},"items":[)" + items + "]}");
    }
    static http::Response empty_list(const http::Request& request) {
        return request.target.find("/pods?") != std::string::npos ? list("") : response(404, "{}");
    }
};

}  // namespace sparkhost::test

#endif
