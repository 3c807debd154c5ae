// SPDX-License-Identifier: Apache-2.0
#include "support/fake_cluster/traffic.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace sparkhost::test {

namespace asio = boost::asio;

namespace traffic_detail {

bool matches(const Fault& fault, const HttpRequest& request) {
    return (fault.method.empty() || fault.method == request.method) &&
           request.target.find(fault.path) != std::string::npos &&
           (!fault.when || fault.when(request));
}

}  // namespace traffic_detail

void Traffic::decide(bool dropped) {
    for (const auto& each : std::exchange(held_, {})) {
        each->decided = true;
        each->dropped = dropped;
        each->timer.cancel();
    }
}

std::size_t Traffic::requests(const std::string& method, const std::string& path) const {
    return static_cast<std::size_t>(
        std::count_if(request_log.begin(), request_log.end(), [&](const std::string& line) {
            return line.starts_with(method) && line.find(path) != std::string::npos;
        }));
}

std::optional<Fault> Traffic::meet(const HttpRequest& request) {
    request_log.push_back(request.method + " " + request.target);
    for (auto& each : faults_) {
        if (!traffic_detail::matches(each, request)) {
            continue;
        }
        if (each.skip > 0) {
            --each.skip;
            continue;
        }
        if (each.times == 0) {
            continue;
        }
        each.times -= each.times == Fault::always ? 0 : 1;
        ++faults_met_;
        return each;
    }
    return std::nullopt;
}

asio::awaitable<bool> Traffic::hold() {
    const auto held = std::make_shared<Held>(io_);
    held_.push_back(held);
    note();
    while (!held->decided) {
        boost::system::error_code ignored;
        auto token = asio::redirect_error(asio::use_awaitable, ignored);
        co_await held->timer.async_wait(token);
    }
    co_return !held->dropped;
}

}  // namespace sparkhost::test
