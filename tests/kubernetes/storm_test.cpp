// SPDX-License-Identifier: Apache-2.0
#include "kubernetes/kubernetes_rig.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

// Thousands of applications on one watch, while everything goes wrong that can.

namespace sparkhost::test::k8s {

namespace storm_test {

/// How many applications; SPARKHOST_STORM_SIZE for more than the suite has time for.
std::size_t crowd() {
    const char* const wanted = std::getenv("SPARKHOST_STORM_SIZE");
    return wanted ? static_cast<std::size_t>(std::atoi(wanted)) : 1000;
}

/// What a subscriber of the watch sees, and whether a state ever goes back.
class Subscriber final : public EventSink {
public:
    std::map<std::string, ApplicationStatus> latest;
    std::vector<std::string> went_back;
    std::size_t snapshots{0};
    std::size_t ended{0};

    void status(ApplicationStatus report) override {
        auto& known = latest[report.ticket];
        const bool back =
            report.state < known.state ||
            (known.state == ApplicationState::ended &&
             (report.outcome != known.outcome || report.exit_code != known.exit_code));
        if (back && !known.ticket.empty()) {
            went_back.push_back(report.ticket);
        }
        const bool ends = report.state == ApplicationState::ended;
        ended += ends && known.state != ApplicationState::ended ? 1 : 0;
        known = std::move(report);
    }
    void snapshot_complete() override { ++snapshots; }
};

/// Pods as this store's backend would have made them; their lives are told by hand, so that
/// thousands fit into a test.
class Crowd {
public:
    Crowd() {
        rig.cluster.with([](Cluster& c) {
            c.kubelet.hold(Kubelet::Step::bind);
            c.kubelet.writes_events = false;
            c.server.keeps_request_log = false;
            c.store.keep_history(50'000);
        });
        auto opened = rig.open();
        BOOST_TEST_REQUIRE(opened.has_value(), (opened ? "" : opened.error().text()));
        model_ = model();
    }
    ~Crowd() {
        stop_.emit(boost::asio::cancellation_type::terminal);
        if (watch_) {
            const auto over = rig.finish(watch_);
            (void)over;
        }
    }

    void watch() {
        watch_ = rig.begin(rig.backend().watch(seen), stop_.slot());
        until("a snapshot", [&] { return seen->snapshots > 0; });
    }
    void add(std::size_t count) {
        rig.cluster.with([&](Cluster& c) {
            for (std::size_t i = 0; i < count; ++i) {
                add_one(c);
            }
        });
    }
    /// Running, then over: every third has failed.
    void set_phase(const std::string& phase, std::size_t from, std::size_t to) {
        rig.cluster.with([&](Cluster& c) {
            for (auto i = from; i < to && i < tickets.size(); ++i) {
                tell(c, i, phase == "Over" ? (fails(i) ? "Failed" : "Succeeded") : phase);
            }
        });
    }
    static bool fails(std::size_t i) { return i % 3 == 0; }
    void until(const std::string& what, const std::function<bool()>& holds) {
        rig.run_until(what, holds);
    }
    void until_all_have_ended() {
        until("all ends", [&] { return seen->ended == tickets.size(); });
    }
    void check() {
        BOOST_TEST(seen->went_back.size() == 0u);
        BOOST_TEST(seen->latest.size() == tickets.size());
        for (std::size_t i = 0; i < tickets.size(); ++i) {
            const auto& end = seen->latest[tickets[i]];
            const auto expected = fails(i) ? Outcome::failed : Outcome::success;
            if (end.outcome != expected || end.exit_code != (fails(i) ? 3 : 0)) {
                BOOST_ERROR(tickets[i] + ": " + std::string(to_string(end.outcome)));
            }
        }
    }
    void trouble(const std::function<void(Cluster&)>& what) { rig.cluster.with(what); }

    KubernetesRig rig{};
    std::shared_ptr<Subscriber> seen{std::make_shared<Subscriber>()};
    std::vector<std::string> tickets{};

private:
    /// A pod that the backend itself has made.
    json::object model() {
        const auto wanted = rig.request("endless", "model");
        const auto ticket = rig.reserve(wanted);
        BOOST_TEST_REQUIRE(rig.submit(wanted, ticket).has_value());
        return rig.cluster.with([&](Cluster& c) {
            const auto config_map = c.store.all(*find_resource("configmaps")).front();
            config_map_model_ = config_map->data;
            const auto pod = c.pods().front();
            auto data = pod->data;
            object_in(data, "metadata").erase("managedFields");
            c.store.remove(pod);
            return data;
        });
    }
    void add_one(Cluster& c) {
        auto data = model_;
        const auto number = std::to_string(tickets.size() + 1000);
        const auto ticket = "spark-5f6e7d8c-batch-" + number + "-1";
        // without one a driver that does not start for some seconds would be given up
        auto config_map = config_map_model_;
        object_in(object_in(config_map, "metadata"), "labels")["sparkhost.io/ticket"] = ticket;
        c.store.create(*find_resource("configmaps"), "jobs", ticket + "-conf",
                       std::move(config_map));
        auto& labels = object_in(object_in(data, "metadata"), "labels");
        labels["sparkhost.io/ticket"] = ticket;
        labels["spark-app-selector"] = "spark-" + number;
        c.store.create(*find_resource("pods"), "jobs", ticket + "-driver", std::move(data));
        tickets.push_back(ticket);
    }
    void tell(Cluster& c, std::size_t i, const std::string& phase) {
        const auto pod = c.store.find(*find_resource("pods"), "jobs", tickets[i] + "-driver");
        auto data = pod->data;
        const auto now = timestamp(std::chrono::system_clock::now());
        json::object state{{"running", json::object{{"startedAt", now}}}};
        if (phase != "Running") {
            state = {{"terminated", json::object{{"exitCode", phase == "Failed" ? 3 : 0},
                                                 {"reason", "Completed"},
                                                 {"startedAt", now},
                                                 {"finishedAt", now}}}};
        }
        object_in(data, "spec")["nodeName"] = "n1";
        auto& status = object_in(data, "status");
        status["phase"] = phase;
        status["containerStatuses"] =
            json::array{json::object{{"name", "spark-kubernetes-driver"}, {"state", state}}};
        c.store.replace(pod, std::move(data));
    }

    json::object model_{};
    json::object config_map_model_{};
    boost::asio::cancellation_signal stop_{};
    KubernetesRig::Slot watch_{};
};

}  // namespace storm_test

BOOST_AUTO_TEST_SUITE(kubernetes_storms)

using namespace storm_test;

BOOST_AUTO_TEST_CASE(one_watch_follows_a_crowd_through_repeated_and_mixed_up_changes) {
    Crowd crowd_here;
    crowd_here.watch();
    crowd_here.trouble([](Cluster& c) {
        c.server.duplicates = true;
        c.server.reorders = true;
    });
    crowd_here.add(crowd());
    crowd_here.set_phase("Running", 0, crowd());
    crowd_here.trouble([](Cluster& c) { c.server.replay(500); });
    crowd_here.set_phase("Over", 0, crowd());
    crowd_here.trouble([](Cluster& c) { c.server.replay(500); });
    crowd_here.until_all_have_ended();
    crowd_here.check();
}

BOOST_AUTO_TEST_CASE(a_watch_that_is_cut_again_and_again_loses_nothing) {
    Crowd crowd_here;
    crowd_here.watch();
    crowd_here.add(crowd());
    const auto step = crowd() / 10;
    for (std::size_t from = 0; from < crowd(); from += step) {
        crowd_here.set_phase("Running", from, from + step);
        crowd_here.trouble([&](Cluster& c) { c.server.cut_streams(from % (2 * step) == 0); });
        crowd_here.set_phase("Over", from, from + step);
        const auto least = from + step;
        crowd_here.until("the watch to go on", [&] { return crowd_here.seen->ended >= least; });
    }
    crowd_here.until_all_have_ended();
    crowd_here.check();
}

BOOST_AUTO_TEST_CASE(after_a_410_thousands_of_changes_are_found_by_a_new_list) {
    Crowd crowd_here;
    crowd_here.add(crowd());
    crowd_here.watch();
    crowd_here.trouble([](Cluster& c) { c.server.silent = true; });
    crowd_here.set_phase("Running", 0, crowd());
    crowd_here.set_phase("Over", 0, crowd());
    crowd_here.trouble([](Cluster& c) {
        c.store.compact();
        c.server.silent = false;
        c.server.cut_streams();
    });
    crowd_here.until_all_have_ended();
    BOOST_TEST(crowd_here.seen->snapshots >= 2u);
    crowd_here.check();
}

BOOST_AUTO_TEST_CASE(a_server_that_restarts_and_then_asks_to_slow_down_loses_nothing) {
    Crowd crowd_here;
    crowd_here.add(crowd());
    crowd_here.watch();
    crowd_here.set_phase("Running", 0, crowd() / 2);
    crowd_here.trouble([](Cluster& c) { c.server.go_away(); });
    crowd_here.set_phase("Over", 0, crowd());
    crowd_here.trouble([](Cluster& c) {
        c.server.plan({.kind = Fault::Kind::answer, .times = 3, .status = 429, .retry_after = 0});
        c.server.plan({.kind = Fault::Kind::answer, .times = 2, .status = 500});
        c.server.come_back();
    });
    crowd_here.until_all_have_ended();
    crowd_here.check();
}

BOOST_AUTO_TEST_CASE(a_slow_stream_in_small_pieces_is_read_to_its_end) {
    Crowd crowd_here;
    crowd_here.watch();
    crowd_here.trouble([](Cluster& c) { c.server.piece = 997; });
    const auto some = crowd() / 5;
    crowd_here.add(some);
    crowd_here.set_phase("Over", 0, some);
    crowd_here.until_all_have_ended();
    crowd_here.check();
}

BOOST_AUTO_TEST_CASE(submissions_in_a_storm_of_429_and_500_start_each_driver_once) {
    KubernetesRig rig;
    BOOST_TEST_REQUIRE(rig.open().has_value());
    rig.cluster.with([](Cluster& c) { c.kubelet.makes_executors = false; });
    constexpr std::size_t count = 40;
    struct Work {
        SubmitRequest request;
        Ticket ticket;
        KubernetesRig::Slot slot;
    };
    std::vector<Work> all(count);
    for (std::size_t i = 0; i < count; ++i) {
        all[i].request = rig.request("succeeds", "storm-" + std::to_string(i));
        all[i].ticket = rig.reserve(all[i].request);
    }
    for (const int status : {429, 500, 503}) {
        rig.plan({.kind = Fault::Kind::answer,
                  .skip = 7,
                  .times = 20,
                  .method = "POST",
                  .status = status,
                  .retry_after = 0});
    }
    rig.plan({.kind = Fault::Kind::lose_answer, .skip = 30, .times = 10, .method = "POST"});
    for (std::size_t open = count; open > 0;) {
        for (auto& each : all) {
            each.slot = rig.begin(rig.backend().submit(each.request, each.ticket));
        }
        open = 0;
        for (auto& each : all) {
            const auto result = rig.finish(each.slot);
            // What is in doubt is asked again, as a host does.
            BOOST_TEST((result || result.error().is(Errc::indeterminate)),
                       (result ? "" : result.error().text()));
            open += result ? 0 : 1;
        }
    }
    for (std::size_t i = 0; i < count; ++i) {
        const auto mark = "storm-" + std::to_string(i);
        rig.cluster.wait("user code",
                         [&](Cluster& c) { return c.kubelet.starts_of_mark(mark) > 0; });
        BOOST_TEST(rig.settled_starts(all[i].ticket) == 1u);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::k8s
