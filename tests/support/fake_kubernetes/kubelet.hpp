// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_KUBELET_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_KUBELET_HPP

// Scheduler and kubelet in one: takes pods through their life by a script, and writes down every
// time that user code began.
//
// What a pod runs is said by its arguments: "program=succeeds" (prints one, two, three), "fails"
// (exit code 3), "endless", "unschedulable", "bad-image", "oom", "evicted"; "mark=…" is what its
// user code is counted under. Nothing said: "succeeds".

#include "support/fake_kubernetes/lifecycle.hpp"
#include "support/fake_kubernetes/store.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost::test::k8s {

/// One time that user code began.
struct UserCodeStart {
    std::string ticket;  ///< the pod's label sparkhost.io/ticket
    std::string mark;
    std::string pod;
    std::string uid;
};

struct PodLog {
    struct Line {
        WallTime at;
        std::string text;
    };
    std::vector<Line> lines{};
    bool complete{false};
};

class Kubelet {
public:
    /// Where a pod can be held on its way.
    enum class Step { bind, create, start, finish, terminate };

    Kubelet(Store& store, boost::asio::any_io_executor executor);

    bool writes_events{true};
    /// Running drivers ask for one executor, with the labels that their spark.properties demand.
    bool makes_executors{true};
    std::function<void(const std::string& uid)> log_changed{};
    std::function<void()> after_each{};  ///< after each step

    void hold(Step step) { gates_[step].closed = true; }
    void let_go(Step step);
    bool let_one_go(Step step);
    std::size_t held(Step step) { return gates_[step].waiting.size(); }

    const std::vector<UserCodeStart>& starts() const { return starts_; }
    std::size_t starts_of_mark(const std::string& mark) const;
    std::size_t starts_of_ticket(const std::string& ticket) const;
    std::size_t running() const;

    void print(const std::string& pod, const std::string& line);
    /// The program of this pod ends by itself.
    void end(const std::string& pod, int exit_code, const std::string& reason = {});
    std::shared_ptr<const PodLog> log_of(const std::string& uid) const;

private:
    struct Run {
        std::string ns;
        std::string name;
        std::string program;
        std::string mark;
        std::string ticket;
        bool bound{false};
        bool creating{false};
        bool runs{false};
        bool ended{false};
        bool terminating{false};
        bool mounting{false};
        std::string last_mount_fault{};
        std::string started_at{};
        std::string ip{};
        std::shared_ptr<PodLog> log{std::make_shared<PodLog>()};
    };
    struct Gate {
        bool closed{false};
        std::deque<std::string> waiting{};
    };

    void see(const StoreEvent& event);
    void schedule(Step step, const std::string& uid);
    void perform(Step step, const std::string& uid);
    void bind(Run& run, const ObjectPtr& pod);
    void create(Run& run, const ObjectPtr& pod);
    void start(Run& run, const ObjectPtr& pod);
    void finish(Run& run, const ObjectPtr& pod);
    void terminate(Run& run, const ObjectPtr& pod);
    void end_program(Run& run, const ObjectPtr& pod, int exit_code, const std::string& reason);
    std::string properties_of(const Object& pod) const;
    void make_executor(const Object& driver);
    void remove_executor(const Object& driver);
    std::string mount_fault(const Object& pod) const;
    std::string source_fault(const std::string& ns, const char* plural, const std::string& name,
                             const json::object& source) const;
    json::object status(const Run& run, const Object& pod, const std::string& phase,
                        json::object state) const;
    void set_status(const ObjectPtr& pod, json::object status);
    void write_event(const Object& pod, const std::string& type, const std::string& reason,
                     const std::string& message, const std::string& component = "kubelet");
    Run* find(const std::string& pod);

    Store& store_;
    boost::asio::any_io_executor executor_;
    std::map<Step, Gate> gates_{};
    std::map<std::string, Run> runs_{};            ///< by uid
    std::map<std::string, std::string> uid_of_{};  ///< by name
    std::vector<UserCodeStart> starts_{};
    std::map<std::string, std::size_t> starts_of_mark_{};
    std::map<std::string, std::size_t> starts_of_ticket_{};
    std::vector<std::string> mounting_{};
    std::size_t next_ip_{2};
};

}  // namespace sparkhost::test::k8s

#endif
