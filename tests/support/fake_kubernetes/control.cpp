// SPDX-License-Identifier: Apache-2.0
#include "support/fake_kubernetes/control.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <stdexcept>

namespace sparkhost::test::k8s {

namespace control_detail {

std::string text(const json::object& order, const char* key, std::string otherwise = {}) {
    const auto* value = order.if_contains(key);
    return value ? std::string(value->as_string()) : otherwise;
}

std::int64_t number(const json::object& order, const char* key, std::int64_t otherwise) {
    const auto* value = order.if_contains(key);
    return value ? value->to_number<std::int64_t>() : otherwise;
}

Kubelet::Step step_of(const json::object& order) {
    using Step = Kubelet::Step;
    static const std::map<std::string, Step> steps{{"bind", Step::bind},
                                                   {"create", Step::create},
                                                   {"start", Step::start},
                                                   {"finish", Step::finish},
                                                   {"terminate", Step::terminate}};
    return steps.at(text(order, "step"));
}

Fault fault_of(const json::object& order) {
    using Kind = Fault::Kind;
    static const std::map<std::string, Kind> kinds{{"lose_request", Kind::lose_request},
                                                   {"lose_answer", Kind::lose_answer},
                                                   {"answer", Kind::answer},
                                                   {"hold", Kind::hold}};
    Fault fault;
    fault.kind = kinds.at(text(order, "kind", "answer"));
    fault.skip = static_cast<std::size_t>(number(order, "skip", 0));
    fault.times = static_cast<std::size_t>(number(order, "times", 1));
    fault.method = text(order, "method");
    fault.path = text(order, "path");
    fault.status = static_cast<int>(number(order, "status", 500));
    fault.retry_after = static_cast<int>(number(order, "retry_after", -1));
    return fault;
}

json::value starts(const Kubelet& kubelet) {
    json::array list;
    for (const auto& each : kubelet.starts()) {
        list.push_back(json::object{
            {"ticket", each.ticket}, {"mark", each.mark}, {"pod", each.pod}, {"uid", each.uid}});
    }
    return list;
}

json::value figures(const Cluster& cluster) {
    return json::object{{"requests", cluster.server.requests()},
                        {"streams", cluster.server.streams()},
                        {"connections", cluster.server.connections()},
                        {"running", cluster.kubelet.running()}};
}

json::value perform(Cluster& cluster, const json::object& order) {
    const auto what = text(order, "do");
    auto& server = cluster.server;
    auto& kubelet = cluster.kubelet;
    if (what == "starts") {
        return starts(kubelet);
    }
    if (what == "figures") {
        return figures(cluster);
    }
    if (what == "fault") {
        server.plan(fault_of(order));
    } else if (what == "heal") {
        server.heal();
    } else if (what == "hold") {
        kubelet.hold(step_of(order));
    } else if (what == "let_go") {
        kubelet.let_go(step_of(order));
    } else if (what == "end") {
        kubelet.end(text(order, "pod"), static_cast<int>(number(order, "exit_code", 0)));
    } else if (what == "print") {
        kubelet.print(text(order, "pod"), text(order, "line"));
    } else if (what == "cut_streams") {
        server.cut_streams(number(order, "within_a_line", 0) != 0);
    } else if (what == "expire") {
        cluster.store.compact();
        server.expire_watches();
    } else if (what == "go_away") {
        server.go_away();
    } else if (what == "come_back") {
        server.come_back();
    } else if (what == "namespace") {
        cluster.add_namespace(text(order, "name"));
    } else if (what == "quota") {
        cluster.api.pod_quota[text(order, "namespace")] =
            static_cast<std::size_t>(number(order, "pods", 0));
    } else if (what == "events") {
        kubelet.writes_events = number(order, "on", 1) != 0;
    } else {
        throw std::invalid_argument("unknown order: " + what);
    }
    return json::object{};
}

}  // namespace control_detail

std::string control(FakeKubernetes& fake, const std::string& line) {
    try {
        const auto order = json::parse(line).as_object();
        const auto answer =
            fake.with([&](Cluster& cluster) { return control_detail::perform(cluster, order); });
        return json::serialize(json::object{{"ok", answer}});
    } catch (const std::exception& failure) {
        return json::serialize(json::object{{"error", failure.what()}});
    }
}

}  // namespace sparkhost::test::k8s
