// SPDX-License-Identifier: Apache-2.0
#include "kubernetes/kubernetes_host.hpp"

#include <boost/test/unit_test.hpp>

#include <array>

// A whole life on the cluster - submit, run, kill or end, release - with something going wrong at
// its first, second, third … request.

namespace sparkhost::test::k8s {

namespace exactly_once_test {

constexpr std::size_t too_many_requests = 60;

/// What becomes of the request in which the host dies.
enum class Fate { dropped, processed, processed_after_everything };
constexpr std::array fates{Fate::dropped, Fate::processed, Fate::processed_after_everything};

enum class Course { killed_while_running, killed_at_once, succeeds };
constexpr std::array courses{Course::killed_while_running, Course::killed_at_once,
                             Course::succeeds};

const char* to_word(Fate fate) {
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

const char* to_word(Course course) {
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
class Journey {
public:
    explicit Journey(Course course) : course_(course) {
        host.cluster.with([](Cluster& c) { c.kubelet.makes_executors = false; });
        host.start();
    }

    /// As far as it goes. False: the cluster holds a request.
    bool go_on() {
        if (!id_) {
            id_ = find_or_submit();
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
    void meet(Fault fault) {
        host.cluster.with([&](Cluster& c) { c.server.plan(fault); });
    }
    void crash(Fate fate) {
        host.crash();
        host.cluster.with([&](Cluster& c) {
            c.server.heal();
            if (fate == Fate::dropped) {
                c.server.drop_held();
            } else if (fate == Fate::processed) {
                c.server.let_go();
            }
        });
        host.start();
    }
    /// After all that could still happen has happened.
    void check() {
        const auto ticket = record().ticket;
        host.cluster.with([](Cluster& c) { c.server.let_go(); });
        let_another_run_through();
        const auto starts = host.cluster.starts_of_mark("mine");
        if (course_ == Course::killed_at_once) {
            BOOST_TEST(starts <= 1u);
        } else {
            BOOST_TEST(starts == 1u);
        }
        BOOST_TEST(record().state() ==
                   (course_ == Course::succeeds ? BatchState::success : BatchState::killed));
        host.until("nothing to be left of " + ticket, [&] { return left(ticket).empty(); });
        BOOST_TEST(host.all().size() == 2u);
    }

    KubernetesHost host;

private:
    bool reach(const std::string& what, const std::function<bool()>& holds) {
        host.until(what, [&] { return holds() || host.held() > 0; });
        return host.held() == 0;
    }
    BatchRecord record() { return host.find(*id_); }
    bool runs() { return host.cluster.starts_of_mark("mine") > 0; }
    bool is_final() { return record().has_ended(); }
    std::vector<std::string> left(const std::string& ticket) {
        return host.cluster.with([&](Cluster& c) { return c.left(ticket); });
    }
    BatchId find_or_submit() {
        const auto program = course_ == Course::succeeds ? "succeeds" : "endless";
        return host.ask(host.host().submit(scripted_spec(program, "mine"))).value().id;
    }
    void let_another_run_through() {
        const auto other =
            host.ask(host.host().submit(scripted_spec("succeeds", "other"))).value().id;
        host.until("another batch to run through",
                   [&] { return host.find(other).phase == BatchPhase::released; });
    }

    Course course_;
    std::optional<BatchId> id_{};
    bool killed_{false};
};

/// Tries `once(n)` for n = 0, 1, 2 … until it says that there is no n-th request.
void for_each_request(const std::function<bool(std::size_t)>& once) {
    std::size_t tried = 0;
    while (once(tried)) {
        ++tried;
        BOOST_TEST_REQUIRE(tried < too_many_requests);
    }
    BOOST_TEST(tried >= 3u);
}

}  // namespace exactly_once_test

BOOST_AUTO_TEST_SUITE(kubernetes_exactly_once)

using namespace exactly_once_test;

BOOST_AUTO_TEST_CASE(a_host_that_dies_in_any_request_starts_user_code_once) {
    for (const auto course : courses) {
        for (const auto fate : fates) {
            for_each_request([&](std::size_t n) {
                BOOST_TEST_CONTEXT(to_word(course) << ", request " << n << " " << to_word(fate)) {
                    Journey journey(course);
                    journey.meet({.kind = Fault::Kind::hold, .skip = n, .times = Fault::always});
                    const bool through = journey.go_on();
                    if (!through) {
                        journey.crash(fate);
                        while (!journey.go_on()) {
                            journey.host.cluster.with([](Cluster& c) { c.server.let_go(); });
                        }
                    }
                    journey.host.cluster.with([](Cluster& c) { c.server.heal(); });
                    journey.check();
                    return !through;
                }
                return false;
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(a_request_or_answer_that_is_lost_anywhere_changes_no_end) {
    for (const auto course : courses) {
        for (const auto kind : {Fault::Kind::lose_request, Fault::Kind::lose_answer}) {
            for_each_request([&](std::size_t n) {
                BOOST_TEST_CONTEXT(to_word(course)
                                   << ", request " << n << " lost "
                                   << (kind == Fault::Kind::lose_answer ? "after" : "before")) {
                    Journey journey(course);
                    journey.meet({.kind = kind, .skip = n});
                    BOOST_TEST(journey.go_on());
                    const bool happened = journey.host.cluster.with(
                        [](Cluster& c) { return c.server.faults_met() > 0; });
                    journey.check();
                    return happened;
                }
                return false;
            });
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::k8s
