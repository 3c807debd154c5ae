// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_REST_RECORDED_EXCHANGE_HPP
#define SPARKHOST_TESTS_UNIT_REST_RECORDED_EXCHANGE_HPP

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace sparkhost::rest_test {

/// What a real Livy server was asked, and what it answered.
struct Exchange {
    std::string method, path, request_body;
    unsigned status{0};
    std::map<std::string, std::string> headers;
    std::string body;

    std::vector<std::string> log() const {
        std::vector<std::string> lines;
        const auto view = boost::json::parse(body);
        for (const auto& line : view.at("log").as_array()) {
            lines.emplace_back(line.as_string());
        }
        return lines;
    }
};

inline Exchange recorded(const std::string& name) {
    std::ifstream file(SPARKHOST_REST_TEST_DATA "/livy_exchanges.jsonl");
    for (std::string line; std::getline(file, line);) {
        const auto value = boost::json::parse(line);
        if (value.at("name").as_string() != name) {
            continue;
        }
        const auto& request = value.at("request");
        const auto& response = value.at("response");
        Exchange exchange;
        exchange.method = request.at("method").as_string();
        exchange.path = request.at("path").as_string();
        if (request.at("body").is_string()) {
            exchange.request_body = request.at("body").as_string();
        }
        exchange.status = response.at("status").to_number<unsigned>();
        for (const auto& [key, text] : response.at("headers").as_object()) {
            exchange.headers.emplace(key, text.as_string());
        }
        exchange.body = response.at("body").as_string();
        return exchange;
    }
    BOOST_FAIL("there is no recorded exchange " + name);
    return {};
}

}  // namespace sparkhost::rest_test

#endif
