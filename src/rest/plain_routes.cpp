// SPDX-License-Identifier: Apache-2.0
#include "rest/metrics.hpp"
#include "rest/process_stats.hpp"
#include "rest/route.hpp"
#include "rest/router_state.hpp"

#include <sparkhost/version.hpp>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <chrono>
#include <ctime>
#include <utility>

namespace sparkhost::detail::rest {

namespace plain {

constexpr std::string_view page =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\"><head><meta charset=\"utf-8\"><title>sparkhost</title></head>\n"
    "<body><h1>sparkhost " SPARKHOST_VERSION
    "</h1>\n"
    "<p>A job server for Apache Spark. It speaks the REST dialect of Apache Livy.</p>\n"
    "<ul><li>Batches: batches</li><li>Sessions: sessions</li><li>Version: version</li><li>Health: "
    "healthz, readyz</li>\n"
    "<li>Figures for Prometheus: metrics</li></ul></body></html>\n";

asio::awaitable<Answer> get_root(Call) {
    co_return make_response(http::status::ok, html_type, std::string(page));
}

asio::awaitable<Answer> get_health(Call) {
    co_return make_response(http::status::ok, json_type, healthy_json);
}

std::string why_not_ready(const HostStatus& status) {
    if (status.draining) {
        return "the server is shutting down";
    }
    if (!status.problem.empty()) {
        return status.problem;
    }
    return status.ready ? "the storage does not work" : "the server is starting";
}

/// As ISO 8601 has it.
std::string utc_text(Timestamp time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const std::time_t whole = seconds.time_since_epoch().count();
    std::tm parts{};
    ::gmtime_r(&whole, &parts);
    std::array<char, 32> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text.data(), size};
}

/// Those that are not followed at the moment. Work is accepted for them all the same, and waits.
void add_troubled_backends(boost::json::object& body, const HostStatus& status) {
    boost::json::object troubled;
    for (const auto& backend : status.backends) {
        if (!backend.watching && backend.watching_since) {
            boost::json::object trouble;
            trouble.emplace("since", utc_text(*backend.watching_since));
            trouble.emplace("error", backend.problem);
            troubled.emplace(backend.name, std::move(trouble));
        }
    }
    if (!troubled.empty()) {
        body.emplace("backends", std::move(troubled));
    }
}

asio::awaitable<Answer> get_ready(Call call) {
    const HostStatus status = call.state->host->status();
    boost::json::object body;
    if (status.ready && !status.draining && status.storage_healthy) {
        body.emplace("status", "ok");
        add_troubled_backends(body, status);
        co_return make_response(http::status::ok, json_type, boost::json::serialize(body));
    }
    body.emplace("status", "unavailable");
    body.emplace("reason", why_not_ready(status));
    add_troubled_backends(body, status);
    if (status.storage_failing_since) {
        boost::json::object trouble;
        trouble.emplace("since", utc_text(*status.storage_failing_since));
        trouble.emplace("error", status.storage_error);
        body.emplace("storage", std::move(trouble));
    }
    auto response =
        make_response(http::status::service_unavailable, json_type, boost::json::serialize(body));
    response.set(http::field::retry_after, "5");
    co_return response;
}

asio::awaitable<Answer> get_metrics(Call call) {
    co_return make_response(http::status::ok, metrics_type,
                            metrics_text(call.state->host->status(), read_process_stats()));
}

// Livy's own paths under /metrics, for probes that know them; they say as much as Livy's do.
asio::awaitable<Answer> get_livy_metrics(Call) {
    co_return make_response(
        http::status::ok, "application/json",
        "{\"version\":\"4.0.0\",\"gauges\":{},\"counters\":{},\"histograms\":{},"
        "\"meters\":{},\"timers\":{}}");
}

asio::awaitable<Answer> get_livy_ping(Call) {
    co_return make_response(http::status::ok, "text/plain;charset=iso-8859-1", "pong\n");
}

asio::awaitable<Answer> get_livy_healthcheck(Call) {
    co_return make_response(http::status::not_implemented, "application/json", "{}");
}

constexpr std::array table{
    Route{http::verb::get, "", &get_root},
    Route{http::verb::get, "healthz", &get_health},
    Route{http::verb::get, "readyz", &get_ready},
    Route{http::verb::get, "metrics", &get_metrics},
    Route{http::verb::get, "metrics/metrics", &get_livy_metrics},
    Route{http::verb::get, "metrics/ping", &get_livy_ping},
    Route{http::verb::get, "metrics/healthcheck", &get_livy_healthcheck},
};

}  // namespace plain

std::span<const Route> plain_routes() {
    return plain::table;
}

}  // namespace sparkhost::detail::rest
