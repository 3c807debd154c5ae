// SPDX-License-Identifier: Apache-2.0
#include "rest/route.hpp"

#include "rest/router_state.hpp"
#include "unit/rest/router_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <stdexcept>
#include <string>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::rest_test;
using detail::rest::Call;
using detail::rest::Dialect;
using detail::rest::match_route;
using detail::rest::parse_target;
using detail::rest::Route;

namespace {

asio::awaitable<rest::Answer> show_id(Call call) {
    co_return detail::rest::make_response(http::status::ok, "text/plain", call.id);
}

asio::awaitable<rest::Answer> throw_error(Call) {
    throw std::runtime_error("the secret is 42");
    co_return rest::Answer{};
}

asio::awaitable<rest::Answer> throw_oddly(Call) {
    throw 42;
    co_return rest::Answer{};
}

asio::awaitable<rest::Answer> be_cancelled(Call) {
    throw boost::system::system_error(asio::error::operation_aborted);
    co_return rest::Answer{};
}

const std::array table{
    Route{http::verb::get, "", &show_id, Dialect::plain},
    Route{http::verb::post, "things", &show_id, Dialect::livy},
    Route{http::verb::get, "things", &show_id, Dialect::livy},
    Route{http::verb::delete_, "things/{}", &show_id, Dialect::livy},
    Route{http::verb::get, "things/{}/part", &show_id, Dialect::native},
    Route{http::verb::get, "things/{}/parts/{}", &show_id, Dialect::livy},
};

struct EdgeFixture : RouterFixture {
    std::shared_ptr<rest::RouterState> state;

    EdgeFixture() {
        RouterFixture::start();
        rest::RouterOptions chosen;
        chosen.log = [this](const LogEvent& event) {
            BOOST_TEST((event.level == LogLevel::error));
            logged.push_back(event.message);
        };
        state = std::make_shared<rest::RouterState>(host(), std::move(chosen));
        state->routes.push_back({http::verb::get, "livy", &throw_error, Dialect::livy});
        state->routes.push_back({http::verb::get, "native", &throw_error, Dialect::native});
        state->routes.push_back({http::verb::get, "odd", &throw_oddly, Dialect::livy});
        state->routes.push_back({http::verb::get, "cancelled", &be_cancelled, Dialect::livy});
        state->routes.push_back({http::verb::get, "show/{}", &show_id, Dialect::plain});
    }

    rest::Response edge(const std::string& target) {
        std::optional<rest::Response> response;
        auto over = [&response](std::exception_ptr escaped, std::optional<rest::Answer> answer) {
            BOOST_TEST(!escaped);
            if (answer) {
                response = std::move(answer->response);
            }
        };
        asio::co_spawn(
            io(), detail::rest::answer_request(state, make_request(http::verb::get, target)), over);
        settle();
        BOOST_TEST_REQUIRE(response.has_value());
        return std::move(*response);
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(rest_route)

BOOST_AUTO_TEST_CASE(paths_find_their_routes) {
    struct Row {
        http::verb method;
        std::string path;
        const Route* route;
        std::string id;
        std::string allow;
    };
    const std::vector<Row> rows{
        {http::verb::get, "/", &table[0], "", ""},
        {http::verb::head, "/", &table[0], "", ""},
        {http::verb::post, "/", nullptr, "", "GET, HEAD"},
        {http::verb::post, "/things", &table[1], "", ""},
        {http::verb::get, "/things", &table[2], "", ""},
        {http::verb::get, "/things/", &table[2], "", ""},
        {http::verb::put, "/things/", nullptr, "", "POST, GET, HEAD"},
        {http::verb::delete_, "/things/a%2Fb", &table[3], "a/b", ""},
        {http::verb::get, "/things/a", nullptr, "", "DELETE"},
        {http::verb::head, "/things/a", nullptr, "", "DELETE"},
        {http::verb::delete_, "/things/a/", nullptr, "", ""},
        {http::verb::get, "/things/a/part", &table[4], "a", ""},
        {http::verb::get, "/things/a/part/", nullptr, "", ""},
        {http::verb::get, "/things/a/parts", nullptr, "", ""},
        {http::verb::get, "/things/a/part/x", nullptr, "", ""},
        {http::verb::get, "/thing", nullptr, "", ""},
        {http::verb::get, "/%7B%7D", nullptr, "", ""},
    };
    for (const Row& row : rows) {
        BOOST_TEST_CONTEXT(http::to_string(row.method) << " " << row.path) {
            const auto match = match_route(table, row.method, *parse_target(row.path));
            BOOST_TEST((match.route == row.route));
            BOOST_TEST(match.id == row.id);
            BOOST_TEST((row.route || match.allow == row.allow));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_path_may_name_two_things) {
    const auto match = match_route(table, http::verb::get, *parse_target("/things/a/parts/b%20c"));
    BOOST_TEST((match.route == &table[5]));
    BOOST_TEST(match.id == "a");
    BOOST_TEST(match.sub_id == "b c");
}

BOOST_AUTO_TEST_CASE(a_wrong_method_still_tells_the_dialect) {
    const auto match = match_route(table, http::verb::post, *parse_target("/things/a/part"));
    BOOST_TEST((match.dialect == Dialect::native));
}

BOOST_FIXTURE_TEST_CASE(what_escapes_a_handler_is_a_500_that_tells_nothing, EdgeFixture) {
    for (const std::string path : {"/livy", "/native", "/odd"}) {
        const auto response = edge(path);
        BOOST_TEST(response.result_int() == 500u);
        BOOST_TEST(response.body().find("secret") == std::string::npos);
        BOOST_TEST(header(response, "X-Frame-Options") == "SAMEORIGIN");
    }
    BOOST_TEST(header(edge("/native"), "Content-Type") == "application/problem+json");
}

BOOST_FIXTURE_TEST_CASE(what_escapes_a_handler_is_logged, EdgeFixture) {
    logged.clear();
    edge("/livy?x=1");
    BOOST_TEST_REQUIRE(logged.size() == 1u);
    BOOST_TEST(logged[0] == "/livy?x=1: the secret is 42");
    edge("/odd");
    BOOST_TEST(logged.back() == "/odd: an exception of an unknown type");
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_handler_is_503, EdgeFixture) {
    logged.clear();
    const auto response = edge("/cancelled");
    BOOST_TEST(response.result_int() == 503u);
    BOOST_TEST(header(response, "Retry-After") == "5");
    BOOST_TEST(logged.empty());
}

BOOST_FIXTURE_TEST_CASE(handlers_get_the_decoded_id, EdgeFixture) {
    BOOST_TEST(edge("/show/a%20b").body() == "a b");
}

BOOST_AUTO_TEST_SUITE_END()
