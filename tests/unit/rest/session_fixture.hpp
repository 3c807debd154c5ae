// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_REST_SESSION_FIXTURE_HPP
#define SPARKHOST_TESTS_UNIT_REST_SESSION_FIXTURE_HPP

#include <sparkhost/testing/fake_runtime.hpp>

#include "support/temp_dir.hpp"
#include "unit/rest/serve_fixture.hpp"

#include <boost/asio/detached.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <memory>
#include <string>
#include <utility>

namespace sparkhost::rest_test {

using testing::FakeAgents;
using testing::FakeStatement;

/// A host with sessions whose drivers come up by themselves, behind a router or a server.
template <class Base>
struct WithAgents : Base {
    test::TempDir dir;
    std::shared_ptr<FakeAgents> agents;
    asio::cancellation_signal leave;

    /// Options are to be set before.
    void start() {
        this->options.agent_folder = (dir / "agents").string();
        agents = std::make_shared<FakeAgents>(this->io().get_executor());
        HostPlugins plugins;
        plugins.storage = testing::make_faulty_storage(
            std::make_shared<host_test::CutStorage>(this->store, this->life.cut),
            this->life.faults);
        plugins.backends.push_back(testing::make_fake_backend(this->cluster, {.name = "fake"}));
        plugins.runtimes.push_back(testing::make_fake_runtime(agents));
        this->make_with(std::move(plugins));
        asio::co_spawn(this->io(), agents->run_on(this->cluster),
                       asio::bind_cancellation_slot(leave.slot(), asio::detached));
        Base::start();
    }

    /// Agents talk over sockets: runs until the condition holds.
    template <class Condition>
    void eventually(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + test::patience;
        this->io().restart();
        while (!condition() && this->io().run_one_until(end) != 0) {
        }
        if (!condition()) {
            BOOST_FAIL("it did not happen in time");
        }
    }
    /// The answer of a request that may have to wait for an agent.
    rest::Response eventual(rest::Request request) {
        auto pending = this->begin_request(std::move(request));
        eventually([&] { return pending->done; });
        return pending->response.value();
    }
    rest::Response eventual_get(const std::string& target) {
        return eventual(make_request(http::verb::get, target));
    }

    /// A session as soon as it has been accepted.
    SessionId open(const std::string& body = R"({"kind": "pyspark"})") {
        const auto response = this->post("/sessions", body);
        BOOST_TEST_REQUIRE(response.result_int() == 201u, response.body());
        return SessionId{body_of(response).at("id").as_int64()};
    }
    /// A session whose Spark is there.
    SessionId open_idle(const std::string& body = R"({"kind": "pyspark"})") {
        const SessionId id = open(body);
        eventual_get(path(id) + "/state?wait=300&state=starting");
        return id;
    }
    static std::string path(SessionId id) { return "/sessions/" + std::to_string(id.value); }
    static std::string path(SessionId id, std::int64_t statement) {
        return path(id) + "/statements/" + std::to_string(statement);
    }
    /// Posts code; gives the number of the statement.
    std::int64_t execute(SessionId id, const std::string& code, const std::string& kind = {}) {
        boost::json::object body;
        body.emplace("code", code);
        if (!kind.empty()) {
            body.emplace("kind", kind);
        }
        const auto response = this->post(path(id) + "/statements", boost::json::serialize(body));
        BOOST_TEST_REQUIRE(response.result_int() == 201u, response.body());
        return body_of(response).at("id").as_int64();
    }
    /// The statement when it is over.
    boost::json::value result_of(SessionId id, std::int64_t statement) {
        for (const std::string state : {"waiting", "running", "cancelling"}) {
            eventual_get(path(id, statement) + "?wait=300&state=" + state);
        }
        return body_of(this->get(path(id, statement)));
    }
    void until_running(SessionId id, std::int64_t statement) {
        eventual_get(path(id, statement) + "?wait=300&state=waiting");
    }

    ~WithAgents() {
        leave.emit(asio::cancellation_type::terminal);
        this->settle();
        agents.reset();
    }
};

/// Behind a router.
struct StartedSessions : WithAgents<RouterFixture> {
    StartedSessions() { start(); }

    rest::Response eventual_post(const std::string& target, std::string body = {}) {
        return eventual(make_request(http::verb::post, target, std::move(body)));
    }
};

}  // namespace sparkhost::rest_test

#endif
