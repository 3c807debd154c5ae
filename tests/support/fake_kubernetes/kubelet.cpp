// SPDX-License-Identifier: Apache-2.0
#include "support/fake_kubernetes/kubelet.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace sparkhost::test::k8s {

namespace kubelet_detail {

std::string argument(const Object& pod, const std::string& name, const std::string& otherwise) {
    const auto& container = array_at(pod.data, {"spec", "containers"})->at(0).as_object();
    const auto* args = array_at(container, {"args"});
    for (std::size_t i = 0; args && i < args->size(); ++i) {
        const auto* text = (*args)[i].if_string();
        if (text && std::string_view(*text).starts_with(name + "=")) {
            return std::string(*text).substr(name.size() + 1);
        }
    }
    return otherwise;
}

std::string now_text() {
    return timestamp(std::chrono::system_clock::now());
}

}  // namespace kubelet_detail

Kubelet::Kubelet(Store& store, boost::asio::any_io_executor executor)
    : store_(store), executor_(std::move(executor)) {
    store_.listen([this](const StoreEvent& event) { see(event); });
}

void Kubelet::see(const StoreEvent& event) {
    const auto& object = *event.object;
    if (object.type->kind == "ConfigMap" || object.type->kind == "Secret") {
        for (const auto& uid : std::exchange(mounting_, {})) {
            schedule(Step::start, uid);
        }
        return;
    }
    if (object.type->kind != "Pod") {
        return;
    }
    if (event.change == Change::deleted) {
        const auto found = runs_.find(object.uid);
        if (found != runs_.end()) {
            found->second.log->complete = true;
            if (log_changed) {
                log_changed(object.uid);
            }
            runs_.erase(found);
        }
        return;
    }
    if (event.change == Change::added) {
        Run run;
        run.ns = object.ns;
        run.name = object.name;
        run.program = kubelet_detail::argument(object, "program", "succeeds");
        run.mark = kubelet_detail::argument(object, "mark", "");
        run.ticket = object.label("sparkhost.io/ticket");
        uid_of_[object.name] = object.uid;
        runs_.emplace(object.uid, std::move(run));
        schedule(Step::bind, object.uid);
        return;
    }
    auto& run = runs_.at(object.uid);
    if (object.is_deleting() && run.bound && !run.terminating) {
        run.terminating = true;
        schedule(Step::terminate, object.uid);
    }
}

void Kubelet::schedule(Step step, const std::string& uid) {
    boost::asio::post(executor_, [this, step, uid] {
        auto& gate = gates_[step];
        if (gate.closed) {
            gate.waiting.push_back(uid);
        } else {
            perform(step, uid);
        }
        if (after_each) {
            after_each();
        }
    });
}

void Kubelet::let_go(Step step) {
    gates_[step].closed = false;
    for (const auto& uid : std::exchange(gates_[step].waiting, {})) {
        schedule(step, uid);
    }
}

bool Kubelet::let_one_go(Step step) {
    auto& waiting = gates_[step].waiting;
    if (waiting.empty()) {
        return false;
    }
    const auto uid = waiting.front();
    waiting.pop_front();
    perform(step, uid);
    return true;
}

void Kubelet::perform(Step step, const std::string& uid) {
    const auto found = runs_.find(uid);
    if (found == runs_.end()) {
        return;
    }
    auto& run = found->second;
    const auto pod = store_.find(*find_resource("pods"), run.ns, run.name);
    switch (step) {
        case Step::bind:
            return bind(run, pod);
        case Step::create:
            return create(run, pod);
        case Step::start:
            return start(run, pod);
        case Step::finish:
            return finish(run, pod);
        case Step::terminate:
            return terminate(run, pod);
    }
}

void Kubelet::bind(Run& run, const ObjectPtr& pod) {
    if (pod->is_deleting()) {
        return;  // nobody places what is going
    }
    auto data = pod->data;
    auto& state = object_in(data, "status");
    json::object placed{{"type", "PodScheduled"},
                        {"status", "True"},
                        {"lastProbeTime", nullptr},
                        {"lastTransitionTime", kubelet_detail::now_text()}};
    if (run.program == "unschedulable") {
        const std::string why = "0/1 nodes are available: 1 Insufficient cpu.";
        placed["status"] = "False";
        placed["reason"] = "Unschedulable";
        placed["message"] = why;
        state["conditions"] = json::array{std::move(placed)};
        store_.replace(pod, std::move(data));
        write_event(*pod, "Warning", "FailedScheduling", why, "default-scheduler");
        return;
    }
    state["conditions"] = json::array{std::move(placed)};
    object_in(data, "spec")["nodeName"] = "n1";
    run.bound = true;
    run.ip =
        "10.1." + std::to_string(next_ip_ / 250 % 250) + "." + std::to_string(next_ip_ % 250 + 1);
    ++next_ip_;
    store_.replace(pod, std::move(data));
    write_event(*pod, "Normal", "Scheduled",
                "Successfully assigned " + run.ns + "/" + run.name + " to n1", "default-scheduler");
    schedule(Step::create, pod->uid);
}

void Kubelet::create(Run& run, const ObjectPtr& pod) {
    if (run.terminating) {
        return;
    }
    run.creating = true;
    json::object waiting{{"reason", "ContainerCreating"}};
    set_status(pod, status(run, *pod, "Pending", {{"waiting", std::move(waiting)}}));
    schedule(Step::start, pod->uid);
}

void Kubelet::start(Run& run, const ObjectPtr& pod) {
    if (run.terminating || run.runs || run.ended) {
        return;
    }
    const auto fault = mount_fault(*pod);
    if (!fault.empty()) {
        mounting_.push_back(pod->uid);
        if (fault != run.last_mount_fault) {
            run.last_mount_fault = fault;
            write_event(*pod, "Warning", "FailedMount", fault);
        }
        return;
    }
    if (run.program == "bad-image") {
        const auto image =
            text_at(array_at(pod->data, {"spec", "containers"})->at(0).as_object(), {"image"});
        const auto why = "Back-off pulling image \"" + image + "\"";
        json::object waiting{{"reason", "ImagePullBackOff"}, {"message", why}};
        set_status(pod, status(run, *pod, "Pending", {{"waiting", std::move(waiting)}}));
        write_event(*pod, "Warning", "Failed", "Failed to pull image \"" + image + "\"");
        return;
    }
    write_event(*pod, "Normal", "Pulled", "Container image already present on machine");
    write_event(*pod, "Normal", "Created", "Container created");
    write_event(*pod, "Normal", "Started", "Container started");
    run.runs = true;
    run.started_at = kubelet_detail::now_text();
    const bool is_executor = pod->label("spark-role") == "executor";
    if (!is_executor) {
        starts_.push_back({run.ticket, run.mark, run.name, pod->uid});
        ++starts_of_mark_[run.mark];
        ++starts_of_ticket_[run.ticket];
    }
    json::object state{{"running", json::object{{"startedAt", run.started_at}}}};
    set_status(pod, status(run, *pod, "Running", std::move(state)));
    if (makes_executors && pod->label("spark-role") == "driver") {
        make_executor(*pod);
    }
    if (run.program == "succeeds") {
        for (const auto* line : {"one", "two", "three"}) {
            print(run.name, line);
        }
    } else if (run.program == "endless") {
        print(run.name, "begun");
    }
    if (run.program != "endless") {
        schedule(Step::finish, pod->uid);
    }
}

void Kubelet::finish(Run& run, const ObjectPtr& pod) {
    if (!run.runs) {
        return;
    }
    const bool killed = run.program == "oom" || run.program == "evicted";
    const int exit_code = run.program == "fails" ? 3 : killed ? 137 : 0;
    end_program(run, pod, exit_code, run.program == "oom" ? "OOMKilled" : "");
}

void Kubelet::end_program(Run& run, const ObjectPtr& pod, int exit_code,
                          const std::string& reason) {
    run.runs = false;
    run.ended = true;
    run.log->complete = true;
    const auto usual = exit_code == 0 ? "Completed" : "Error";
    json::object terminated{{"exitCode", exit_code},
                            {"reason", reason.empty() ? usual : reason},
                            {"startedAt", run.started_at},
                            {"finishedAt", kubelet_detail::now_text()},
                            {"containerID", "process://" + pod->uid}};
    auto made = status(run, *pod, exit_code == 0 ? "Succeeded" : "Failed",
                       {{"terminated", std::move(terminated)}});
    if (run.program == "evicted") {
        made["reason"] = "Evicted";
        made["message"] = "The node was low on resource: memory.";
    }
    set_status(pod, std::move(made));
    remove_executor(*pod);
    if (log_changed) {
        log_changed(pod->uid);
    }
}

void Kubelet::terminate(Run& run, const ObjectPtr& pod) {
    auto current = pod;
    if (run.runs) {
        end_program(run, pod, 143, "");
    } else if (run.creating && !run.ended) {
        run.ended = true;
        json::object terminated{
            {"exitCode", 137},
            {"reason", "ContainerStatusUnknown"},
            {"message", "The container could not be located when the pod was terminated"},
            {"startedAt", nullptr},
            {"finishedAt", nullptr}};
        set_status(pod, status(run, *pod, "Failed", {{"terminated", std::move(terminated)}}));
    }
    current = store_.find(*pod->type, pod->ns, pod->name);
    DeleteOptions now;
    now.grace_seconds = 0;
    if (current && current->uid == pod->uid) {
        delete_object(store_, current, now);
    }
}

void Kubelet::print(const std::string& pod, const std::string& line) {
    if (auto* run = find(pod)) {
        run->log->lines.push_back({std::chrono::system_clock::now(), line});
        if (log_changed) {
            log_changed(uid_of_[pod]);
        }
    }
}

void Kubelet::end(const std::string& pod, int exit_code, const std::string& reason) {
    auto* run = find(pod);
    const auto object = run ? store_.find(*find_resource("pods"), run->ns, pod) : nullptr;
    if (object && run->runs) {
        end_program(*run, object, exit_code, reason);
    }
}

Kubelet::Run* Kubelet::find(const std::string& pod) {
    const auto uid = uid_of_.find(pod);
    const auto run = uid == uid_of_.end() ? runs_.end() : runs_.find(uid->second);
    return run == runs_.end() ? nullptr : &run->second;
}

std::shared_ptr<const PodLog> Kubelet::log_of(const std::string& uid) const {
    const auto found = runs_.find(uid);
    return found == runs_.end() ? nullptr : found->second.log;
}

std::size_t Kubelet::starts_of_mark(const std::string& mark) const {
    const auto found = starts_of_mark_.find(mark);
    return found == starts_of_mark_.end() ? 0 : found->second;
}

std::size_t Kubelet::starts_of_ticket(const std::string& ticket) const {
    const auto found = starts_of_ticket_.find(ticket);
    return found == starts_of_ticket_.end() ? 0 : found->second;
}

std::size_t Kubelet::running() const {
    const auto runs = [](const auto& each) { return each.second.runs; };
    return static_cast<std::size_t>(std::count_if(runs_.begin(), runs_.end(), runs));
}

}  // namespace sparkhost::test::k8s
