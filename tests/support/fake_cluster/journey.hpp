// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_CLUSTER_JOURNEY_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_CLUSTER_JOURNEY_HPP

// A whole life on a cluster - submit, run, kill or end, release - with something going wrong at
// its first, second, third … request.
//
// `World` says what a cluster is like:
//     using Fake = FakeStandalone;
//     static BatchSpec spec(std::string program, std::string mark);
//     static bool matters(const HttpRequest&);       // a request whose loss could change anything
//     static std::size_t least(Course);              // such requests there are in any case
//     static bool all_over(Cluster&);                // no driver runs
//     static std::vector<std::string> left(Fake&);   // what should not be there at the end

#include "support/fake_cluster/host_rig.hpp"
#include "support/fake_cluster/traffic.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost::test {

/// What becomes of the request in which the host dies.
enum class Fate { dropped, processed, processed_after_everything };
inline constexpr std::array fates{Fate::dropped, Fate::processed, Fate::processed_after_everything};

enum class Course { killed_while_running, killed_at_once, succeeds };
inline constexpr std::array courses{Course::killed_while_running, Course::killed_at_once,
                                    Course::succeeds};

inline const char* to_word(Fate fate) {
    switch (fate) {
        case Fate::dropped:
            return "dropped";
        case Fate::processed:
            return "processed";
        case Fate::processed_after_everything:
            return "processed after everything";
    }
    return "";
}

inline const char* to_word(Course course) {
    switch (course) {
        case Course::killed_while_running:
            return "killed while running";
        case Course::killed_at_once:
            return "killed at once";
        case Course::succeeds:
            return "succeeds";
    }
    return "";
}

/// A host, and what a user wants of it; both go on after a crash.
template <class World>
class Journey {
public:
    explicit Journey(Course course) : course_(course) { host.start(); }

    /// As far as it goes. False: the cluster holds a request.
    bool go_on() {
        if (!id_) {
            const auto program = course_ == Course::succeeds ? "succeeds" : "endless";
            id_ = submit(program, "mine");
        }
        if (course_ == Course::killed_while_running && !killed_) {
            if (!reach("running", [&] { return runs() || is_final(); })) {
                return false;
            }
        }
        if (course_ != Course::succeeds && !killed_) {
            auto wish = host.begin(host.host().kill(*id_));
            if (!reach("a kill", [&] { return wish->done(); })) {
                return false;
            }
            killed_ = wish->answer && wish->answer->has_value();
            BOOST_TEST(killed_);
        }
        return reach("the release",
                     [&] { return is_final() && record().phase == BatchPhase::released; });
    }
    void meet(const Fault& fault) {
        host.cluster.with([&](auto& c) { c.traffic.plan(fault); });
    }
    void crash(Fate fate) {
        host.crash();
        host.cluster.with([&](auto& c) {
            c.traffic.heal();
            if (fate == Fate::dropped) {
                c.traffic.drop_held();
            } else if (fate == Fate::processed) {
                c.traffic.let_go();
            }
        });
        host.start();
    }
    /// Is killed while the cluster holds a request, and nothing else goes wrong.
    void kill_meanwhile(Fate fate) {
        course_ = Course::killed_at_once;
        killed_ = true;
        auto wish = host.begin(host.host().kill(*id_));
        host.cluster.with([fate](auto& c) {
            fate == Fate::dropped ? c.traffic.drop_held() : c.traffic.let_go();
        });
        host.until("the kill", [&] { return wish->done(); });
        BOOST_TEST(go_on());
    }
    /// After all that could still happen has happened.
    void check() {
        const auto ticket = record().ticket;
        host.cluster.with([](auto& c) { c.traffic.let_go(); });
        let_another_run_through();
        const auto starts = host.cluster.starts("mine");
        const bool succeeded = record().state() == BatchState::success;
        if (course_ == Course::killed_at_once) {
            BOOST_TEST(starts <= 1u);
            BOOST_TEST((succeeded || record().state() == BatchState::killed), record().reason);
        } else {
            BOOST_TEST(starts == 1u);
            BOOST_TEST(record().state() ==
                       (course_ == Course::succeeds ? BatchState::success : BatchState::killed));
        }
        host.until("nothing to be left of " + ticket, [&] { return !is_left(ticket); });
        auto all_over = [](auto& c) { return World::all_over(c); };
        host.until("every driver to be over", [&] { return host.cluster.with(all_over); });
        for (const auto& each : World::left(host.cluster)) {
            BOOST_ERROR(each);
        }
        BOOST_TEST(host.all().size() == 2u);
    }

    HostRig<typename World::Fake> host;

private:
    bool reach(const std::string& what, const std::function<bool()>& holds) {
        host.until(what, [&] { return holds() || host.held() > 0; });
        return host.held() == 0;
    }
    BatchRecord record() { return host.find(*id_); }
    bool runs() { return host.cluster.starts("mine") > 0; }
    bool is_final() { return record().has_ended(); }
    /// What is killed at once may never have had a ticket.
    bool is_left(const std::string& ticket) {
        return !ticket.empty() &&
               (std::filesystem::exists(host.backend.work_dir + "/tickets/" + ticket) ||
                std::filesystem::exists(host.backend.work_dir + "/claims/" + ticket));
    }
    BatchId submit(const std::string& program, const std::string& mark) {
        return host.ask(host.host().submit(World::spec(program, mark))).value().id;
    }
    void let_another_run_through() {
        const auto other = submit("succeeds", "other");
        host.until("another batch to run through",
                   [&] { return host.find(other).phase == BatchPhase::released; });
    }

    Course course_;
    std::optional<BatchId> id_{};
    bool killed_{false};
};

namespace journey_detail {

constexpr std::size_t too_many_requests = 80;

/// Tries `once(n)` for n = 0, 1, 2 … until it says that there is no n-th request.
inline void for_each_request(std::size_t least, const std::function<bool(std::size_t)>& once) {
    std::size_t tried = 0;
    while (once(tried)) {
        ++tried;
        BOOST_TEST_REQUIRE(tried < too_many_requests);
    }
    BOOST_TEST(tried >= least);
}

}  // namespace journey_detail

/// A host that dies in any request that matters starts user code once.
template <class World>
void die_in_each_request(Course course) {
    for (const auto fate : fates) {
        journey_detail::for_each_request(World::least(course), [&](std::size_t n) {
            BOOST_TEST_CONTEXT(to_word(course) << ", request " << n << " " << to_word(fate)) {
                Journey<World> journey(course);
                journey.meet({.kind = Fault::Kind::hold,
                              .skip = n,
                              .times = Fault::always,
                              .when = World::matters});
                const bool through = journey.go_on();
                if (!through) {
                    journey.crash(fate);
                    while (!journey.go_on()) {
                        journey.host.cluster.with([](auto& c) { c.traffic.let_go(); });
                    }
                }
                journey.host.cluster.with([](auto& c) { c.traffic.heal(); });
                journey.check();
                return !through;
            }
            return false;
        });
    }
}

/// A kill in the middle of any request keeps its promise.
template <class World>
void kill_in_each_request() {
    for (const auto fate : {Fate::dropped, Fate::processed}) {
        journey_detail::for_each_request(World::least(Course::succeeds), [&](std::size_t n) {
            BOOST_TEST_CONTEXT("killed in request " << n << " " << to_word(fate)) {
                Journey<World> journey(Course::succeeds);
                journey.meet({.kind = Fault::Kind::hold, .skip = n, .when = World::matters});
                const bool through = journey.go_on();
                if (!through) {
                    journey.kill_meanwhile(fate);
                }
                journey.check();
                return !through;
            }
            return false;
        });
    }
}

/// A request, or an answer, that is lost anywhere changes no end.
template <class World>
void lose_each_request(Course course) {
    for (const auto kind : {Fault::Kind::lose_request, Fault::Kind::lose_answer}) {
        journey_detail::for_each_request(World::least(course), [&](std::size_t n) {
            BOOST_TEST_CONTEXT(to_word(course)
                               << ", request " << n << " lost "
                               << (kind == Fault::Kind::lose_answer ? "after" : "before")) {
                Journey<World> journey(course);
                journey.meet({.kind = kind, .skip = n, .when = World::matters});
                BOOST_TEST(journey.go_on());
                const bool happened =
                    journey.host.cluster.with([](auto& c) { return c.traffic.faults_met() > 0; });
                journey.check();
                return happened;
            }
            return false;
        });
    }
}

}  // namespace sparkhost::test

#endif
