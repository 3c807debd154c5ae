// SPDX-License-Identifier: Apache-2.0

// Replays requests that a real Livy server has answered, and compares the answers.

#include "unit/rest/recorded_exchange.hpp"
#include "unit/rest/router_fixture.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

using namespace sparkhost;
using namespace sparkhost::rest_test;

namespace {

struct GoldenFixture : RouterFixture {
    GoldenFixture() {
        options.max_running = 100;
        RouterFixture::start();
    }

    rest::Response replay(const Exchange& exchange) {
        const auto method = http::string_to_verb(exchange.method);
        auto request = make_request(method, exchange.path, exchange.request_body,
                                    {{"X-Requested-By", "test"}});
        auto response = handle(request);
        return response ? std::move(*response) : router->not_found(request);
    }

    /// Status, headers and body are Livy's.
    void same(const std::string& name) {
        BOOST_TEST_CONTEXT(name) {
            const Exchange exchange = recorded(name);
            const auto response = replay(exchange);
            check_head(exchange, response);
            BOOST_TEST(response.body() == exchange.body);
        }
    }

    static void check_head(const Exchange& exchange, const rest::Response& response) {
        BOOST_TEST(response.result_int() == exchange.status);
        for (const auto& [field, text] : exchange.headers) {
            BOOST_TEST(header(response, field) == text);
        }
    }

    void create_until(std::int64_t next) {
        while (create().value + 1 < next) {
        }
    }

    void write_log(BatchId id, const std::vector<std::string>& view) {
        for (const auto& line : view) {
            if (line != "stdout: " && line != "\nstderr: ") {
                cluster->append_log(ticket(id), line);
            }
        }
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rest_livy_golden, GoldenFixture)

BOOST_AUTO_TEST_CASE(an_empty_server_answers_as_livy) {
    for (const char* name :
         {"batches-empty", "batch-unknown", "batch-state-unknown", "batch-log-unknown",
          "batch-delete-unknown", "unknown-path", "metrics-json", "metrics-ping",
          "metrics-healthcheck", "sessions-empty", "sessions-trailing-slash", "session-unknown",
          "session-unknown-name", "session-delete-unknown", "sessions-bad-from", "sessions-put-405",
          "create-session-bad-kind"}) {
        same(name);
    }
}

BOOST_AUTO_TEST_CASE(the_version_has_livys_keys_and_a_version_that_clients_can_read) {
    const Exchange exchange = recorded("version");
    const auto response = replay(exchange);
    check_head(exchange, response);
    const auto ours = body_of(response).as_object();
    const auto theirs = boost::json::parse(exchange.body).as_object();
    BOOST_TEST_REQUIRE(ours.size() == theirs.size());
    for (auto a = ours.begin(), b = theirs.begin(); a != ours.end(); ++a, ++b) {
        BOOST_TEST(a->key() == b->key());
        BOOST_TEST(a->value().is_string());
    }
    BOOST_TEST(ours.at("version").as_string().starts_with("0.9.0-"));
}

BOOST_AUTO_TEST_CASE(refused_requests_read_as_livys) {
    same("create-batch-no-file");
    same("create-batch-relative-file");
    same("batch-post-id-405");
    BOOST_TEST(get("/batches").body() == recorded("batches-empty").body);
}

BOOST_AUTO_TEST_CASE(a_wrong_method_of_the_collection_names_livys_methods) {
    Exchange exchange = recorded("sessions-put-405");
    exchange.path = "/batches";
    const auto response = replay(exchange);
    check_head(exchange, response);
    BOOST_TEST(response.body() == exchange.body);
}

BOOST_AUTO_TEST_CASE(an_unknown_field_names_livys_known_properties) {
    const Exchange exchange = recorded("create-batch-unknown-field");
    const auto response = replay(exchange);
    check_head(exchange, response);
    const auto split = [](const std::string& body) {
        const auto text = boost::json::parse(body).as_string();
        const std::string_view all(text.data(), text.size());
        const auto list = all.find("properties: ") + 12;
        const auto end = all.find("])", list);
        std::set<std::string> names;
        for (auto at = all.find('"', list); at < end; at = all.find('"', at)) {
            const auto close = all.find('"', at + 1);
            names.emplace(all.substr(at + 1, close - at - 1));
            at = close + 1;
        }
        return std::make_pair(std::string(all.substr(0, list)), names);
    };
    const auto ours = split(response.body());
    const auto theirs = split(exchange.body);
    BOOST_TEST(ours.first == theirs.first);
    BOOST_TEST(ours.second.size() == 16u);
    BOOST_TEST(ours.second == theirs.second, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(malformed_json_is_answered_with_a_bare_string) {
    const Exchange exchange = recorded("create-batch-malformed");
    const auto response = replay(exchange);
    check_head(exchange, response);
    BOOST_TEST(body_of(response).is_string());
    BOOST_TEST(boost::json::parse(exchange.body).is_string());
}

BOOST_AUTO_TEST_CASE(a_batch_lives_as_in_livy) {
    create_until(3);
    same("create-batch-ok-doas-proxyuser");
    const BatchId id{3};
    begin_running(id);
    same("batch-running");
    same("batch-by-name");
    same("batch-state");
    write_log(id, recorded("batch-log").log());
    finish(id);
    same("batch-success");
    same("batch-log");
    same("batch-log-from0-size3");
    same("batch-log-size-neg");
    same("batch-log-badfrom");
}

BOOST_AUTO_TEST_CASE(a_taken_name_is_refused_in_livys_words_with_the_holders_id) {
    create_until(3);
    replay(recorded("create-batch-ok-doas-proxyuser"));
    Exchange exchange = recorded("create-batch-duplicate-name");
    const auto response = replay(exchange);
    check_head(exchange, response);
    const auto at = exchange.body.find("session 4");
    BOOST_TEST_REQUIRE(at != std::string::npos);
    exchange.body.replace(at, 9, "session 3");
    BOOST_TEST(response.body() == exchange.body);
}

BOOST_AUTO_TEST_CASE(a_batch_dies_as_in_livy) {
    create_until(5);
    same("create-batch-fail");
    const BatchId id{5};
    begin_running(id);
    write_log(id, recorded("batch-dead-log").log());
    finish(id, Outcome::failed, 1);
    const auto record = find(id);
    if (record.reason.empty()) {
        same("batch-dead");
        same("batch-dead-log");
        return;
    }
    // Livy's lines, then ours: why.
    auto lines = recorded("batch-dead-log").log();
    lines.push_back(record.reason);
    boost::json::array expected(lines.begin(), lines.end());
    BOOST_TEST(body_of(get("/batches/5")).at("state").as_string() == "dead");
    BOOST_TEST((body_of(get("/batches/5/log?size=20")).at("log") == expected));
}

BOOST_AUTO_TEST_CASE(a_batch_is_deleted_as_in_livy) {
    create_until(6);
    create();
    const BatchId id{6};
    begin_running(id);
    auto pending = begin_request(make_request(http::verb::delete_, "/batches/6"));
    if (!pending->done) {
        cluster->end(ticket(id), Outcome::killed, 143);
        settle();
    }
    BOOST_TEST_REQUIRE(pending->done);
    const Exchange exchange = recorded("batch-delete-running");
    check_head(exchange, *pending->response);
    BOOST_TEST(pending->response->body() == exchange.body);
    same("batch-after-delete");
}

BOOST_AUTO_TEST_CASE(pages_are_cut_as_in_livy) {
    create_until(5);
    same("batches-paging-beyond");
    const Exchange exchange = recorded("batches-paging");
    const auto response = replay(exchange);
    check_head(exchange, response);
    const auto ours = body_of(response);
    const auto theirs = boost::json::parse(exchange.body);
    BOOST_TEST(ours.at("from") == theirs.at("from"));
    BOOST_TEST(ours.at("total") == theirs.at("total"));
    const auto& sessions = ours.at("sessions").as_array();
    BOOST_TEST_REQUIRE(sessions.size() == theirs.at("sessions").as_array().size());
    for (std::size_t i = 0; i < sessions.size(); ++i) {
        const auto& a = sessions[i].as_object();
        const auto& b = theirs.at("sessions").at(i).as_object();
        BOOST_TEST((a.at("id") == b.at("id")));
        BOOST_TEST_REQUIRE(a.size() == b.size());
        BOOST_TEST(std::equal(a.begin(), a.end(), b.begin(),
                              [](const auto& x, const auto& y) { return x.key() == y.key(); }));
    }
}

BOOST_AUTO_TEST_SUITE_END()
