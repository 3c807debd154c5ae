// SPDX-License-Identifier: Apache-2.0
// submit, kill and release against a model of the API server: cut off at each request, with the
// last request lost, performed, or still on its way and performed at any later moment.
#include "backends/kubernetes/kill_machine.hpp"
#include "backends/kubernetes/release_machine.hpp"
#include "backends/kubernetes/submission_machine.hpp"

#include "kubernetes/model_cluster.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace kubernetes = sparkhost::detail::kubernetes;
using kubernetes::ApiAction;
using kubernetes::ApiAnswer;
using kubernetes::ApiVerdict;
using kubernetes::KillMachine;
using kubernetes::Move;
using kubernetes::ObjectKind;
using kubernetes::ReleaseMachine;
using kubernetes::SubmissionMachine;
using kubernetes::test::answer_of;
using kubernetes::test::foreign_identity;
using kubernetes::test::ModelCluster;
using kubernetes::test::our_identity;
using sparkhost::Errc;
using sparkhost::Result;

namespace {

kubernetes::ObjectList all_objects() {
    kubernetes::ObjectList list;
    list.has_secret = true;
    list.claims = 1;
    return list;
}

SubmissionMachine a_submission() {
    kubernetes::SubmissionPlan plan;
    plan.identity = our_identity();
    plan.objects = all_objects();
    return SubmissionMachine(std::move(plan));
}

/// What happens around the requests of one operation.
struct Weather {
    std::optional<int> cut_at{};  ///< the process dies before the answer to this request
    bool cut_is_performed{false};
    std::optional<int> bad_at{};  ///< this request is answered with `bad` instead
    ApiVerdict bad{ApiVerdict::unknown};
    bool bad_is_performed{false};
    std::optional<ApiAction> late{};  ///< a dead process's request, performed …
    int late_before{0};               ///< … before this request of ours
};

struct Outcome {
    std::optional<Result<void>> result{};  ///< empty: cut off
    std::optional<ApiAction> in_flight{};  ///< when it was cut off
    int requests{0};
};

bool succeeded(const Outcome& outcome) {
    return outcome.result && *outcome.result;
}

bool failed_with(const Outcome& outcome, Errc code) {
    return outcome.result && !*outcome.result && outcome.result->error().is(code);
}

/// "There is none" about what is there would be a lie, and no machine can see through that.
bool is_a_lie(const ApiAction& action, ApiVerdict verdict) {
    return verdict == ApiVerdict::missing && action.verb != ApiAction::Verb::create &&
           action.verb != ApiAction::Verb::create_tombstone;
}

template <class Machine>
Outcome play(ModelCluster& cluster, Machine& machine, const Weather& weather = {}) {
    Outcome outcome;
    Move move = machine.begin();
    while (const auto* next = std::get_if<ApiAction>(&move)) {
        const ApiAction action = *next;
        const int request = outcome.requests++;
        if (weather.late && weather.late_before == request) {
            cluster.perform(*weather.late);
        }
        if (weather.cut_at == request) {
            if (weather.cut_is_performed) {
                cluster.perform(action);
            }
            outcome.in_flight = action;
            return outcome;
        }
        ApiAnswer answer = answer_of(weather.bad);
        if (weather.bad_at == request && !is_a_lie(action, weather.bad)) {
            if (weather.bad_is_performed) {
                cluster.perform(action);
            }
        } else {
            answer = cluster.perform(action);
        }
        move = machine.resume(answer);
        BOOST_TEST_REQUIRE(outcome.requests < 100);
    }
    outcome.result = std::get<Result<void>>(move);
    return outcome;
}

Outcome play_submit(ModelCluster& cluster, const Weather& weather = {}) {
    auto machine = a_submission();
    return play(cluster, machine, weather);
}

Outcome play_kill(ModelCluster& cluster, const Weather& weather = {}) {
    KillMachine machine(our_identity());
    return play(cluster, machine, weather);
}

Outcome play_release(ModelCluster& cluster, const Weather& weather = {}) {
    ReleaseMachine machine(our_identity(), all_objects());
    return play(cluster, machine, weather);
}

bool driver_may_run(ModelCluster& cluster) {
    const auto* pod = cluster.find(ObjectKind::pod);
    return pod != nullptr && pod->started && !pod->view.deleting && !pod->view.has_ended();
}

constexpr int more_than_any_requests = 14;

/// Calls `check` for each way the first submit can die: at each request, which is performed at
/// once, never, or later by `late`.
template <class Check>
void for_each_death_of_a_submit(Check check) {
    for (int cut = 0; cut < 5; ++cut) {
        for (bool performed : {false, true}) {
            ModelCluster cluster;
            Weather weather;
            weather.cut_at = cut;
            weather.cut_is_performed = performed;
            const auto first = play_submit(cluster, weather);
            BOOST_TEST_REQUIRE(first.in_flight.has_value());
            for (int late = 0; late < more_than_any_requests; ++late) {
                BOOST_TEST_CONTEXT("cut at " << cut << ", performed " << performed
                                             << ", late before " << late) {
                    ModelCluster copy = cluster;
                    Weather next;
                    next.late = first.in_flight;
                    next.late_before = late;
                    check(copy, next, *first.in_flight);
                }
            }
        }
    }
}

const std::vector<ApiVerdict> all_failures{
    ApiVerdict::missing, ApiVerdict::unauthenticated,  ApiVerdict::forbidden,
    ApiVerdict::quota,   ApiVerdict::namespace_ending, ApiVerdict::invalid,
    ApiVerdict::busy,    ApiVerdict::unsent,           ApiVerdict::unknown,
    ApiVerdict::exists,  ApiVerdict::conflict};

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_machines_together)

BOOST_AUTO_TEST_CASE(a_submit_after_a_death_starts_the_driver_once) {
    for_each_death_of_a_submit(
        [](ModelCluster& cluster, const Weather& next, const ApiAction& late) {
            const auto again = play_submit(cluster, next);
            BOOST_TEST_REQUIRE(succeeded(again));
            cluster.perform(late);
            BOOST_TEST(cluster.starts == 1);
            BOOST_TEST(driver_may_run(cluster));
        });
}

BOOST_AUTO_TEST_CASE(after_a_kill_nothing_starts_any_more) {
    for_each_death_of_a_submit(
        [](ModelCluster& cluster, const Weather& next, const ApiAction& late) {
            const auto killed = play_kill(cluster, next);
            BOOST_TEST_REQUIRE(succeeded(killed));
            const int before = cluster.starts;
            BOOST_TEST(!driver_may_run(cluster));
            cluster.perform(late);
            cluster.perform(late);
            BOOST_TEST(cluster.starts == before);
            BOOST_TEST(before <= 1);
            BOOST_TEST(!driver_may_run(cluster));
        });
}

BOOST_AUTO_TEST_CASE(a_submit_after_a_kill_starts_nothing) {
    for_each_death_of_a_submit(
        [](ModelCluster& cluster, const Weather& next, const ApiAction& late) {
            const auto killed = play_kill(cluster, next);
            BOOST_TEST_REQUIRE(succeeded(killed));
            const int before = cluster.starts;
            const auto again = play_submit(cluster);
            const bool fits = succeeded(again) || failed_with(again, Errc::invalid_state);
            BOOST_TEST(fits);
            cluster.perform(late);
            BOOST_TEST(cluster.starts == before);
        });
}

BOOST_AUTO_TEST_CASE(a_kill_that_dies_and_is_repeated_is_a_kill) {
    for_each_death_of_a_submit(
        [](ModelCluster& cluster, const Weather& next, const ApiAction& late) {
            for (int cut = 0; cut < 6; ++cut) {
                for (bool performed : {false, true}) {
                    ModelCluster copy = cluster;
                    Weather dying = next;
                    dying.cut_at = cut;
                    dying.cut_is_performed = performed;
                    const auto first = play_kill(copy, dying);
                    for (int kill_late = 0; first.in_flight && kill_late < 6; ++kill_late) {
                        ModelCluster world = copy;
                        Weather second;
                        second.late = first.in_flight;
                        second.late_before = kill_late;
                        const auto again = play_kill(world, second);
                        BOOST_TEST_REQUIRE(succeeded(again));
                        const int before = world.starts;
                        world.perform(*first.in_flight);
                        world.perform(late);
                        BOOST_TEST(!driver_may_run(world));
                        BOOST_TEST(world.starts == before);
                    }
                }
            }
        });
}

BOOST_AUTO_TEST_CASE(what_is_given_up_never_starts) {
    for_each_death_of_a_submit(
        [](ModelCluster& cluster, const Weather& next, const ApiAction& late) {
            for (int bad = 0; bad < 5; ++bad) {
                for (auto verdict : all_failures) {
                    ModelCluster world = cluster;
                    Weather weather = next;
                    weather.bad_at = bad;
                    weather.bad = verdict;
                    const auto again = play_submit(world, weather);
                    if (!failed_with(again, Errc::backend_failed)) {
                        continue;
                    }
                    BOOST_TEST(world.starts == 0);
                    world.perform(late);
                    BOOST_TEST(world.starts == 0);
                }
            }
        });
}

BOOST_AUTO_TEST_CASE(any_answer_at_any_request_is_put_right_by_asking_again) {
    for (int bad = 0; bad < 5; ++bad) {
        for (auto verdict : all_failures) {
            for (bool performed : {false, true}) {
                BOOST_TEST_CONTEXT(bad << ' ' << to_string(verdict) << ' ' << performed) {
                    ModelCluster cluster;
                    Weather weather;
                    weather.bad_at = bad;
                    weather.bad = verdict;
                    weather.bad_is_performed = performed;
                    const auto first = play_submit(cluster, weather);
                    if (succeeded(first)) {
                        BOOST_TEST(cluster.starts == 1);
                    } else if (failed_with(first, Errc::backend_failed)) {
                        BOOST_TEST(cluster.starts == 0);
                        play_submit(cluster);
                        BOOST_TEST(cluster.starts <= 1);
                    } else {
                        const auto again = play_submit(cluster);
                        BOOST_TEST(succeeded(again));
                        BOOST_TEST(cluster.starts == 1);
                    }
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_kill_that_fails_says_so_and_can_be_repeated) {
    for (bool running : {false, true}) {
        for (int bad = 0; bad < 6; ++bad) {
            for (auto verdict : all_failures) {
                BOOST_TEST_CONTEXT(running << ' ' << bad << ' ' << to_string(verdict)) {
                    ModelCluster cluster;
                    if (running) {
                        play_submit(cluster);
                    }
                    Weather weather;
                    weather.bad_at = bad;
                    weather.bad = verdict;
                    weather.bad_is_performed = verdict == ApiVerdict::unknown;
                    const auto first = play_kill(cluster, weather);
                    const bool fits = succeeded(first) || failed_with(first, Errc::backend_failed);
                    BOOST_TEST(fits);
                    const auto again = play_kill(cluster);
                    BOOST_TEST(succeeded(again));
                    BOOST_TEST(!driver_may_run(cluster));
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_release_leaves_nothing_whatever_happens_on_its_way) {
    for (bool was_killed : {false, true}) {
        for (int cut = 0; cut < more_than_any_requests; ++cut) {
            for (bool performed : {false, true}) {
                BOOST_TEST_CONTEXT(was_killed << ' ' << cut << ' ' << performed) {
                    ModelCluster cluster;
                    play_submit(cluster);
                    if (was_killed) {
                        play_kill(cluster);
                    }
                    cluster.end_driver();
                    Weather weather;
                    weather.cut_at = cut;
                    weather.cut_is_performed = performed;
                    play_release(cluster, weather);
                    const auto again = play_release(cluster);
                    BOOST_TEST(succeeded(again));
                    BOOST_TEST(cluster.objects.empty());
                    BOOST_TEST(cluster.starts == 1);
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_release_that_meets_any_failure_can_be_repeated) {
    for (int bad = 0; bad < more_than_any_requests; ++bad) {
        for (auto verdict : all_failures) {
            ModelCluster cluster;
            play_submit(cluster);
            cluster.end_driver();
            Weather weather;
            weather.bad_at = bad;
            weather.bad = verdict;
            play_release(cluster, weather);
            const auto again = play_release(cluster);
            BOOST_TEST_CONTEXT(bad << ' ' << to_string(verdict)) {
                BOOST_TEST(succeeded(again));
                BOOST_TEST(cluster.objects.empty());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_release_keeps_the_finalizers_of_others) {
    ModelCluster cluster;
    play_submit(cluster);
    cluster.find(ObjectKind::pod)->view.finalizers = {
        "example.org/first", std::string(kubernetes::end_recorded_finalizer), "example.org/last"};
    cluster.end_driver();
    BOOST_TEST(succeeded(play_release(cluster)));
    const std::vector<std::string> left{"example.org/first", "example.org/last"};
    BOOST_TEST(cluster.find(ObjectKind::pod)->view.finalizers == left,
               boost::test_tools::per_element());
    BOOST_TEST(succeeded(play_release(cluster)));
}

BOOST_AUTO_TEST_CASE(what_is_a_strangers_is_left_alone) {
    ModelCluster cluster;
    for (auto kind :
         {ObjectKind::config_map, ObjectKind::secret, ObjectKind::service, ObjectKind::pod}) {
        cluster.put(kind, foreign_identity());
    }
    const auto submitted = play_submit(cluster);
    BOOST_TEST(failed_with(submitted, Errc::backend_failed));
    BOOST_TEST(succeeded(play_kill(cluster)));
    BOOST_TEST(succeeded(play_release(cluster)));
    BOOST_TEST(cluster.objects.size() == 4U);
    for (const auto& [key, object] : cluster.objects) {
        BOOST_TEST(!object.view.deleting);
    }
}

BOOST_AUTO_TEST_CASE(a_kill_after_the_end_changes_nothing) {
    ModelCluster cluster;
    play_submit(cluster);
    cluster.end_driver();
    BOOST_TEST(succeeded(play_kill(cluster)));
    BOOST_TEST(!cluster.find(ObjectKind::pod)->view.deleting);
    BOOST_TEST(!cluster.find(ObjectKind::config_map)->view.killed);
}

BOOST_AUTO_TEST_CASE(a_kill_of_what_runs_is_two_requests) {
    ModelCluster cluster;
    play_submit(cluster);
    const auto killed = play_kill(cluster);
    BOOST_TEST(killed.requests == 2);
    BOOST_TEST(cluster.find(ObjectKind::pod)->view.deleting);
}

BOOST_AUTO_TEST_CASE(a_pod_without_our_finalizer_is_killed_behind_a_tombstone) {
    ModelCluster cluster;
    cluster.put(ObjectKind::config_map, our_identity());
    cluster.put(ObjectKind::pod, our_identity(), false);
    BOOST_TEST(succeeded(play_kill(cluster)));
    BOOST_TEST(cluster.find(ObjectKind::config_map)->view.killed);
    BOOST_TEST(cluster.find(ObjectKind::pod) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_kill_says_when_there_was_no_driver) {
    ModelCluster cluster;
    KillMachine unused(our_identity());
    BOOST_TEST(succeeded(play(cluster, unused)));
    BOOST_TEST(unused.found_no_driver());

    ModelCluster other;
    play_submit(other);
    KillMachine running(our_identity());
    BOOST_TEST(succeeded(play(other, running)));
    BOOST_TEST(!running.found_no_driver());
}

BOOST_AUTO_TEST_SUITE_END()
