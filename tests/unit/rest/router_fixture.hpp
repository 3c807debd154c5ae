// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_REST_ROUTER_FIXTURE_HPP
#define SPARKHOST_TESTS_UNIT_REST_ROUTER_FIXTURE_HPP

#include <sparkhost/rest/router.hpp>

#include "unit/core/host_fixture.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::rest_test {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using host_test::HostFixture;
using namespace std::chrono_literals;

using Headers = std::initializer_list<std::pair<std::string, std::string>>;

inline rest::Request make_request(http::verb method, const std::string& target,
                                  std::string body = {}, Headers headers = {}) {
    rest::Request request{method, target, 11};
    request.set(http::field::host, "localhost:8998");
    for (const auto& [name, value] : headers) {
        request.set(name, value);
    }
    request.body() = std::move(body);
    return request;
}

/// An answer that is still to come.
struct PendingAnswer {
    asio::cancellation_signal cancel;
    bool done{false};
    std::optional<rest::Response> response;
};
using PendingAnswerPtr = std::shared_ptr<PendingAnswer>;

/// A router in front of a real host on a manual clock.
struct RouterFixture : HostFixture {
    rest::RouterOptions router_options{};
    std::optional<rest::Router> router;

    void start() {
        if (!life.host) {
            make();
        }
        if (!life.running) {
            HostFixture::start();
        }
        router.emplace(host(), router_options);
    }

    PendingAnswerPtr begin_request(rest::Request request) {
        auto pending = std::make_shared<PendingAnswer>();
        auto over = [pending](std::exception_ptr escaped, std::optional<rest::Response> response) {
            pending->done = true;
            BOOST_TEST(!escaped, "the router threw");
            pending->response = std::move(response);
        };
        asio::co_spawn(io(), router->handle(std::move(request)),
                       asio::bind_cancellation_slot(pending->cancel.slot(), std::move(over)));
        settle();
        return pending;
    }

    std::optional<rest::Response> handle(rest::Request request) {
        auto pending = begin_request(std::move(request));
        BOOST_TEST_REQUIRE(pending->done, "the request is still waiting");
        return std::move(pending->response);
    }

    rest::Response answer(http::verb method, const std::string& target, std::string body = {},
                          Headers headers = {}) {
        auto response = handle(make_request(method, target, std::move(body), headers));
        BOOST_TEST_REQUIRE(response.has_value(), "no route for " + target);
        return std::move(*response);
    }
    rest::Response get(const std::string& target, Headers headers = {}) {
        return answer(http::verb::get, target, {}, headers);
    }
    rest::Response post(const std::string& target, std::string body, Headers headers = {}) {
        return answer(http::verb::post, target, std::move(body), headers);
    }
    PendingAnswerPtr begin_get(const std::string& target, Headers headers = {}) {
        return begin_request(make_request(http::verb::get, target, {}, headers));
    }

    BatchId create(const std::string& body = R"({"file": "/jobs/job.py"})") {
        const auto response = post("/batches", body);
        BOOST_TEST_REQUIRE(response.result_int() == 201u, response.body());
        return BatchId{boost::json::parse(response.body()).at("id").as_int64()};
    }
    void begin_running(BatchId id) {
        cluster->start(ticket(id));
        settle();
    }
};

inline std::string header(const rest::Response& response, const std::string& name) {
    const auto found = response.find(name);
    return found == response.end() ? "" : std::string(found->value());
}

inline boost::json::value body_of(const rest::Response& response) {
    return boost::json::parse(response.body());
}

}  // namespace sparkhost::rest_test

#endif
