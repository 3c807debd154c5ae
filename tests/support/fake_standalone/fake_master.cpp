// SPDX-License-Identifier: Apache-2.0
#include "support/fake_standalone/fake_master.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace sparkhost::test::alone {

namespace json = boost::json;

namespace master_detail {

const std::string worker_id = "worker-20261122062900-127.0.0.1-41000";
const std::string version = "3.5.9";

HttpAnswer json_answer(json::object object, int status = 200) {
    HttpAnswer answer;
    answer.status = status;
    object["serverSparkVersion"] = version;
    answer.body = json::serialize(object);
    return answer;
}

HttpAnswer error_answer(int status, const std::string& message) {
    return json_answer({{"action", "ErrorResponse"}, {"message", message}}, status);
}

std::string not_alive(const std::string& status) {
    return "Current state is not alive: " + status + ". ";
}

json::object driver_row(const Driver& driver) {
    return {{"id", driver.id},
            {"starttime", "1763793000000"},
            {"state", driver.state},
            {"cores", 1},
            {"memory", 1024},
            {"submitdate", "Sun Nov 22 06:30:00 UTC 2026"},
            {"worker", driver.state == "SUBMITTED" ? "None" : worker_id},
            {"mainclass", "io.sparkhost.guard.DriverGuard"}};
}

}  // namespace master_detail

using namespace master_detail;

HttpAnswer Master::handle(const HttpRequest& request) {
    const std::string prefix = "/v1/submissions/";
    if (!token.empty() && request.authorization != "Bearer " + token) {
        return {.status = 403, .type = "text/html", .body = "<html>Forbidden</html>"};
    }
    const std::string& target = request.target;
    if (request.method == "POST" && target == prefix + "create") {
        return create(request.body);
    }
    if (request.method == "POST" && target.starts_with(prefix + "kill/")) {
        return kill(target.substr(prefix.size() + 5));
    }
    if (request.method == "GET" && target.starts_with(prefix + "status/")) {
        return status_of(target.substr(prefix.size() + 7));
    }
    if (request.method == "GET" && target == "/json/") {
        return page();
    }
    if (request.method == "GET" && target.starts_with("/log/?")) {
        return log(request);
    }
    return {.status = 404, .type = "text/html", .body = "<html>Not Found</html>"};
}

HttpAnswer Master::create(const std::string& body) {
    json::object response{{"action", "CreateSubmissionResponse"}, {"success", false}};
    try {
        auto value = json::parse(body);
        auto& object = value.as_object();
        // 3.5 needs each of them
        for (const char* needed : {"appResource", "mainClass", "appArgs", "environmentVariables",
                                   "sparkProperties", "clientSparkVersion"}) {
            (void)object.at(needed);
        }
        (void)object.at("sparkProperties").as_object().at("spark.app.name");
        if (!refusal.empty()) {
            return error_answer(400, refusal);
        }
        if (status != "ALIVE") {
            response["message"] =
                not_alive(status) + "Can only accept driver submissions in ALIVE state.";
            return json_answer(std::move(response));
        }
        const auto driver = drivers_.create(std::move(object));
        response["success"] = true;
        response["submissionId"] = driver->id;
        response["message"] = "Driver successfully submitted as " + driver->id;
        return json_answer(std::move(response));
    } catch (const std::exception& failure) {
        return error_answer(400, std::string("Malformed request: ") + failure.what());
    }
}

HttpAnswer Master::status_of(const std::string& id) const {
    json::object response{
        {"action", "SubmissionStatusResponse"}, {"submissionId", id}, {"success", false}};
    if (status != "ALIVE") {
        response["message"] =
            "Exception from the cluster:\njava.lang.Exception: " + not_alive(status) +
            "\n\tat org.apache.spark.X.y(X.scala:1)";
        return json_answer(std::move(response));
    }
    if (const auto driver = drivers_.find(id)) {
        response["success"] = true;
        response["driverState"] = driver->state;
        response["workerId"] = worker_id;
        response["workerHostPort"] = "127.0.0.1:41000";
        if (!driver->message.empty()) {
            response["message"] = "Exception from the cluster:\n" + driver->message +
                                  "\n\tat org.apache.spark.X.y(X.scala:1)";
        }
    }
    return json_answer(std::move(response));
}

HttpAnswer Master::kill(const std::string& id) {
    json::object response{
        {"action", "KillSubmissionResponse"}, {"submissionId", id}, {"success", false}};
    if (status != "ALIVE") {
        response["message"] = not_alive(status) + "Can only kill drivers in ALIVE state.";
        return json_answer(std::move(response));
    }
    const bool killed = drivers_.kill(id);
    response["success"] = killed;
    response["message"] = killed ? "Kill request for " + id + " submitted"
                                 : "Driver " + id + " has already finished or does not exist";
    return json_answer(std::move(response));
}

HttpAnswer Master::page() const {
    json::array active;
    json::array completed;
    for (const auto& each : drivers_.all()) {
        if (!drivers_.knows(each->id)) {
            continue;
        }
        if (!each->is_over()) {
            active.push_back(driver_row(*each));
        } else if (!drivers_.hides_completed) {
            completed.push_back(driver_row(*each));
        }
    }
    json::array workers;
    if (has_workers) {
        workers.push_back(json::object{{"id", worker_id},
                                       {"host", "127.0.0.1"},
                                       {"port", 41000},
                                       {"webuiaddress", url},
                                       {"cores", 2},
                                       {"coresused", 0},
                                       {"coresfree", 2},
                                       {"memory", 4096},
                                       {"memoryused", 0},
                                       {"memoryfree", 4096},
                                       {"state", "ALIVE"},
                                       {"lastheartbeat", 1763793000000}});
    }
    const bool alive = status == "ALIVE";
    return json_answer({{"url", "spark://127.0.0.1:7077"},
                        {"workers", alive ? std::move(workers) : json::array()},
                        {"activeapps", json::array()},
                        {"completedapps", json::array()},
                        {"activedrivers", alive ? std::move(active) : json::array()},
                        {"completeddrivers", alive ? std::move(completed) : json::array()},
                        {"status", status}});
}

HttpAnswer Master::log(const HttpRequest& request) const {
    const std::string id = request.parameter("driverId");
    const std::string type = request.parameter("logType");
    DriverPtr driver;
    for (const auto& each : drivers_.all()) {
        driver = each->id == id ? each : driver;
    }
    HttpAnswer answer;
    answer.type = "text/plain;charset=utf-8";
    const std::string path = "/spark/work/" + id + "/" + type;
    if (!driver) {
        answer.body = "==== Bytes 0-0 of 0 of " + path + " ====\nError getting logs";
        return answer;
    }
    const std::string& text = type == "stdout" ? driver->out : driver->error;
    const std::size_t wanted = std::stoull(request.parameter("byteLength"));
    const std::string offset = request.parameter("offset");
    const std::size_t from = text.size() - std::min(wanted, text.size());
    const auto begin =
        std::min<std::size_t>(offset.empty() ? from : std::stoull(offset), text.size());
    const auto end = std::min<std::size_t>(begin + wanted, text.size());
    answer.body = "==== Bytes " + std::to_string(begin) + "-" + std::to_string(end) + " of " +
                  std::to_string(text.size()) + " of " + path + " ====\n" +
                  text.substr(begin, end - begin);
    return answer;
}

}  // namespace sparkhost::test::alone
