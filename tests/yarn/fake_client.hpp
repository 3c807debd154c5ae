// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_YARN_FAKE_CLIENT_HPP
#define SPARKHOST_TESTS_YARN_FAKE_CLIENT_HPP

// Asks the fake cluster as curl would, for the tests of the fake itself.

#include "http/client.hpp"
#include "support/fake_yarn/fake_yarn.hpp"
#include "support/fake_yarn/localizer.hpp"
#include "support/run.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>

namespace sparkhost::test::yarn {

namespace json = boost::json;

struct Asked {
    int status{0};  ///< 0: the connection broke, or there was none
    std::string body{};
    std::string location{};
    json::object object() const { return json::parse(body).as_object(); }
};

inline Asked ask(const std::string& url, const std::string& method, const std::string& target,
                 const std::string& body = {}) {
    auto call = [&](boost::asio::any_io_executor executor) -> boost::asio::awaitable<Asked> {
        detail::http::ClientOptions options;
        options.url = url;
        detail::http::Client client(executor, options);
        detail::http::Request request;
        request.method = method;
        request.target = target;
        request.body = body;
        auto answer = co_await client.send(std::move(request));
        Asked asked;
        if (answer) {
            asked.status = answer->status;
            asked.body = answer->body;
            asked.location = std::string(answer->header("Location"));
        }
        co_return asked;
    };
    boost::asio::io_context io(1);
    return run_on(io, call);
}

/// A cluster and what can be asked of its first ResourceManager.
struct FakeFixture {
    static constexpr const char* apps = "/ws/v1/cluster/apps";

    Asked rm(const std::string& method, const std::string& target, const std::string& body = {}) {
        return ask(cluster.urls().resource_manager, method, target, body);
    }
    std::string new_id() {
        const auto answer = rm("POST", std::string(apps) + "/new-application").object();
        return json::value_to<std::string>(answer.at("application-id"));
    }
    /// A launch context whose files are in HDFS, but for what `change` does to it.
    json::object context(const std::string& id) {
        json::array resources;
        for (const auto* name : {"__spark_conf__", "__sparkhost_guard__.jar"}) {
            const auto path = "/user/ann/staging/" + id + "/" + name;
            const auto time = cluster.with([&](Cluster& c) {
                c.hdfs.put(path, "bytes", "ann");
                return c.hdfs.find(path)->modified_ms;
            });
            const json::object value{{"resource", "hdfs://namenode:8020" + path},
                                     {"type", "FILE"},
                                     {"visibility", "APPLICATION"},
                                     {"size", 5},
                                     {"timestamp", time}};
            resources.push_back(json::object{{"key", name}, {"value", value}});
        }
        const json::object class_path{{"key", "CLASSPATH"},
                                      {"value", "{{PWD}}<CPS>{{PWD}}/__sparkhost_guard__.jar"}};
        const json::object staging{{"key", "SPARK_YARN_STAGING_DIR"},
                                   {"value", "hdfs://namenode:8020/user/ann/staging/" + id}};
        const json::object spec{
            {"commands",
             json::object{
                 {"command", "java --class io.sparkhost.guard.DriverGuard --arg @granted"}}},
            {"environment", json::object{{"entry", json::array{class_path, staging}}}},
            {"local-resources", json::object{{"entry", std::move(resources)}}}};
        return {{"application-id", id},
                {"application-name", "a name"},
                {"application-type", "SPARK"},
                {"queue", "default"},
                {"max-app-attempts", 1},
                {"application-tags", json::object{{"tag", json::array{"Mine"}}}},
                {"resource", json::object{{"memory", 896}, {"vCores", 1}}},
                {"am-container-spec", spec}};
    }
    Asked post(const json::object& context) {
        return rm("POST", std::string(apps) + "?user.name=ann", json::serialize(context));
    }
    std::string submit() {
        const auto id = new_id();
        BOOST_TEST(post(context(id)).status == 202);
        return id;
    }
    json::object show(const std::string& id) {
        return rm("GET", std::string(apps) + "/" + id).object().at("app").as_object();
    }
    std::string text(const std::string& id, const std::string& field) {
        return json::value_to<std::string>(show(id).at(field));
    }
    void until_state(const std::string& id, const std::string& state) {
        cluster.wait(id + " to be " + state, [=](Cluster& c) {
            const auto found = c.active().applications.find(id);
            return found != c.active().applications.end() && found->second->state == state;
        });
    }
    Asked kill(const std::string& id) {
        return rm("PUT", std::string(apps) + "/" + id + "/state?user.name=ann",
                  R"({"state":"KILLED"})");
    }
    /// Its guard has been granted the claim: this runs then.
    void grant(const std::string& id, const std::string& program) {
        until_state(id, "ACCEPTED");
        cluster.wait("its ApplicationMaster",
                     [=](Cluster& c) { return c.masters.last_of(id) != nullptr; });
        cluster.with([&](Cluster& c) {
            ClaimAnswer answer;
            answer.code = ClaimAnswer::Code::granted;
            answer.files.push_back(
                {"arguments.json", R"(["Main","mark=m","program=)" + program + "\"]"});
            c.masters.answered(c.masters.last_of(id), std::move(answer));
        });
    }

    FakeYarn cluster{};
};

}  // namespace sparkhost::test::yarn

#endif
