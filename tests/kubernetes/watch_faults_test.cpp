// SPDX-License-Identifier: Apache-2.0
// The watch on the fake cluster, over real connections that break in every way.
#include "kubernetes/kubernetes_rig.hpp"
#include "support/printing.hpp"
#include "waiter.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost::test {

namespace {

using detail::Waiter;
using detail::WakeReason;

/// Keeps what is reported, and notes each report that goes back.
class WatchfulSink final : public EventSink {
public:
    void snapshot_begin() override { wake(); }
    void status(ApplicationStatus report) override {
        auto& known = last[report.ticket];
        const bool back = report.state < known.state;
        const bool changed_end = known.state == ApplicationState::ended && report != known;
        if (back || changed_end) {
            faults.push_back(report.ticket + ": " + report.reason);
        }
        known = std::move(report);
        wake();
    }
    void snapshot_complete() override {
        ++snapshots;
        wake();
    }
    ApplicationState state_of(const Ticket& ticket) const {
        const auto found = last.find(ticket.id);
        return found == last.end() ? ApplicationState::submitted : found->second.state;
    }

    std::map<std::string, ApplicationStatus> last{};
    std::vector<std::string> faults{};
    int snapshots{0};
    std::shared_ptr<Waiter> waiter{};

private:
    void wake() {
        if (waiter) {
            waiter->wake(WakeReason::changed);
        }
    }
};

Awaitable<void> wait_until(std::shared_ptr<WatchfulSink> sink, std::function<bool()> holds) {
    while (!holds()) {
        sink->waiter = std::make_shared<Waiter>();
        co_await Waiter::wait(sink->waiter);
    }
    co_return ok();
}

struct WatchFault {
    const char* name;
    std::function<void(k8s::Cluster&)> happens;
    int snapshots{1};  ///< at least
};

const std::vector<WatchFault>& watch_faults() {
    static const std::vector<WatchFault> all{
        {"none", [](k8s::Cluster&) {}},
        {"streams are cut", [](k8s::Cluster& c) { c.server.cut_streams(); }},
        {"streams are cut within a line", [](k8s::Cluster& c) { c.server.cut_streams(true); }},
        {"streams end in order", [](k8s::Cluster& c) { c.server.end_streams(); }},
        {"versions expire", [](k8s::Cluster& c) { c.server.expire_watches(); }, 2},
        {"old changes are told again", [](k8s::Cluster& c) { c.server.replay(50); }},
        {"changes are told twice", [](k8s::Cluster& c) { c.server.duplicates = true; }},
        {"changes swap", [](k8s::Cluster& c) { c.server.reorders = true; }},
        {"lines come in pieces", [](k8s::Cluster& c) { c.server.piece = 97; }},
        {"the API server restarts",
         [](k8s::Cluster& c) {
             c.server.go_away();
             c.server.come_back();
         }},
        {"watches are refused for a while",
         [](k8s::Cluster& c) {
             k8s::Fault fault;
             fault.kind = k8s::Fault::Kind::answer;
             fault.path = "watch=1";
             fault.times = 3;
             fault.status = 503;
             c.server.plan(fault);
             c.server.cut_streams();
         }},
    };
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_watch_faults)

BOOST_AUTO_TEST_CASE(nothing_is_lost_or_goes_back_whatever_happens_to_the_watch) {
    for (const auto& fault : watch_faults()) {
        BOOST_TEST_CONTEXT(fault.name) {
            KubernetesRig rig;
            BOOST_TEST_REQUIRE(rig.open().has_value());
            auto sink = std::make_shared<WatchfulSink>();
            rig.begin(rig.backend().watch(sink));
            const auto wait = [&](std::function<bool()> holds) {
                const auto done = rig.begin(wait_until(sink, std::move(holds)));
                BOOST_TEST(rig.finish(done).has_value());
            };
            const auto start = [&](const char* program) {
                const auto wanted = rig.request(program);
                auto ticket = rig.reserve(wanted);
                const auto submitted = rig.submit(wanted, ticket);
                BOOST_TEST_REQUIRE(submitted.has_value());
                return ticket;
            };
            const auto stays = start("endless");
            const auto killed = start("endless");
            const auto before = start("succeeds");
            wait([&] {
                return sink->snapshots > 0 && sink->state_of(stays) >= ApplicationState::started &&
                       sink->state_of(killed) >= ApplicationState::started;
            });
            // what the list has told may come before the watch begins
            rig.run_until("the watch", [&] {
                return rig.cluster.with([](k8s::Cluster& c) {
                    return c.server.requests("GET", "spark-role%3Ddriver&watch=1") > 0;
                });
            });
            rig.cluster.with([&](k8s::Cluster& c) { fault.happens(c); });
            const auto fails = start("fails");
            const auto memory = start("oom");
            const auto succeeds = start("succeeds");
            BOOST_TEST(rig.kill(killed).has_value());
            wait([&] {
                for (const auto& each : {before, fails, memory, succeeds, killed}) {
                    if (sink->state_of(each) != ApplicationState::ended) {
                        return false;
                    }
                }
                return true;
            });
            BOOST_TEST(sink->faults.empty());
            BOOST_TEST(sink->snapshots >= fault.snapshots);
            BOOST_TEST((sink->last[before.id].outcome == Outcome::success));
            BOOST_TEST((sink->last[succeeds.id].outcome == Outcome::success));
            BOOST_TEST((sink->last[fails.id].outcome == Outcome::failed));
            BOOST_TEST(sink->last[fails.id].exit_code.value_or(-1) == 3);
            BOOST_TEST((sink->last[memory.id].outcome == Outcome::failed));
            BOOST_TEST(sink->last[memory.id].reason.find("OOMKilled") != std::string::npos);
            BOOST_TEST((sink->last[killed.id].outcome == Outcome::killed));
            BOOST_TEST((sink->state_of(stays) >= ApplicationState::started));
            BOOST_TEST((sink->state_of(stays) < ApplicationState::ended));
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_killed_before_it_exists_is_reported) {
    KubernetesRig rig;
    BOOST_TEST_REQUIRE(rig.open().has_value());
    auto sink = std::make_shared<WatchfulSink>();
    rig.begin(rig.backend().watch(sink));
    const auto ticket = rig.reserve(rig.request());
    BOOST_TEST(rig.kill(ticket).has_value());
    const auto done = rig.begin(
        wait_until(sink, [&] { return sink->state_of(ticket) == ApplicationState::ended; }));
    BOOST_TEST(rig.finish(done).has_value());
    BOOST_TEST((sink->last[ticket.id].outcome == Outcome::killed));
}

BOOST_AUTO_TEST_CASE(a_bad_image_and_no_node_are_explained) {
    KubernetesRig rig;
    BOOST_TEST_REQUIRE(rig.open().has_value());
    auto sink = std::make_shared<WatchfulSink>();
    rig.begin(rig.backend().watch(sink));
    for (const auto& [program, words] :
         std::map<std::string, std::string>{{"bad-image", "cannot pull the image"},
                                            {"unschedulable", "no node takes the driver"}}) {
        const auto wanted = rig.request(program);
        const auto ticket = rig.reserve(wanted);
        BOOST_TEST_REQUIRE(rig.submit(wanted, ticket).has_value());
        const auto done =
            rig.begin(wait_until(sink, [&] { return !sink->last[ticket.id].reason.empty(); }));
        BOOST_TEST(rig.finish(done).has_value());
        BOOST_TEST(sink->last[ticket.id].reason.starts_with(words), sink->last[ticket.id].reason);
        BOOST_TEST((sink->state_of(ticket) == ApplicationState::submitted));
        BOOST_TEST(sink->last[ticket.id].steps.back().what == "waiting");
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
