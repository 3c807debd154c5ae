// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/submission_machine.hpp"

#include "kubernetes/model_cluster.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <variant>
#include <vector>

namespace kubernetes = sparkhost::detail::kubernetes;
using kubernetes::ApiAction;
using kubernetes::ApiAnswer;
using kubernetes::ApiVerdict;
using kubernetes::Move;
using kubernetes::ObjectKind;
using kubernetes::SubmissionMachine;
using kubernetes::SubmissionPlan;
using kubernetes::test::answer_of;
using kubernetes::test::foreign_identity;
using kubernetes::test::our_identity;
using sparkhost::Errc;
using sparkhost::Result;
using Verb = kubernetes::ApiAction::Verb;

namespace {

const std::vector<ApiVerdict> all_refusals{ApiVerdict::forbidden, ApiVerdict::quota,
                                           ApiVerdict::namespace_ending, ApiVerdict::invalid,
                                           ApiVerdict::missing};
const std::vector<ApiVerdict> all_doubts{ApiVerdict::unauthenticated, ApiVerdict::busy,
                                         ApiVerdict::unsent, ApiVerdict::unknown};

SubmissionPlan full_plan() {
    SubmissionPlan plan;
    plan.identity = our_identity();
    plan.objects.has_secret = true;
    plan.objects.has_service = true;
    plan.objects.claims = 1;
    return plan;
}

/// "create ConfigMap", or "indeterminate: words".
std::string told(const Move& move) {
    if (const auto* action = std::get_if<ApiAction>(&move)) {
        std::string verb;
        switch (action->verb) {
            case Verb::create:
                verb = "create ";
                break;
            case Verb::create_tombstone:
                verb = "tombstone ";
                break;
            case Verb::read:
                verb = "read ";
                break;
            case Verb::remove:
                verb = "remove ";
                break;
            case Verb::unfinalize:
                verb = "unfinalize ";
                break;
        }
        return verb + std::string(to_string(action->kind));
    }
    const auto& result = std::get<Result<void>>(move);
    if (result) {
        return "success";
    }
    for (const auto& [code, word] : {std::pair{Errc::indeterminate, "indeterminate"},
                                     {Errc::backend_failed, "backend_failed"},
                                     {Errc::invalid_state, "invalid_state"}}) {
        if (result.error().is(code)) {
            return word;
        }
    }
    return "another error";
}

ApiAnswer ours(bool killed = false, bool refused = false) {
    auto answer = answer_of(ApiVerdict::done);
    answer.object.identity = our_identity();
    answer.object.uid = "uid-1";
    answer.object.killed = killed;
    answer.object.refused = refused;
    answer.object.reason = refused ? "no room" : "";
    return answer;
}

ApiAnswer strangers() {
    auto answer = ours();
    answer.object.identity = foreign_identity();
    return answer;
}

/// A machine that has been given these answers, and its last move.
struct Played {
    explicit Played(std::vector<ApiAnswer> answers, SubmissionPlan plan = full_plan())
        : machine(std::move(plan)), move(machine.begin()) {
        for (const auto& each : answers) {
            BOOST_TEST_REQUIRE(std::holds_alternative<ApiAction>(move));
            move = machine.resume(each);
        }
    }
    std::string then(const ApiAnswer& answer) {
        move = machine.resume(answer);
        return told(move);
    }
    std::string words() const {
        const auto* result = std::get_if<Result<void>>(&move);
        return result != nullptr && !*result ? result->error().text() : std::string();
    }
    SubmissionMachine machine;
    Move move;
};

std::vector<ApiAnswer> times(std::size_t count, const ApiAnswer& answer) {
    return std::vector<ApiAnswer>(count, answer);
}

const std::vector<std::string> part_names{"ConfigMap", "Secret", "Service", "PersistentVolumeClaim",
                                          "pod"};

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_submission_machine)

BOOST_AUTO_TEST_CASE(it_makes_the_pod_last) {
    Played played({});
    for (std::size_t i = 0; i < part_names.size(); ++i) {
        BOOST_TEST(told(played.move) == "create " + part_names[i]);
        played.move = played.machine.resume(ours());
    }
    BOOST_TEST(told(played.move) == "success");
}

BOOST_AUTO_TEST_CASE(what_it_makes_after_the_config_map_is_owned_by_it) {
    Played played({});
    BOOST_TEST(std::get<ApiAction>(played.move).owner == "");
    played.move = played.machine.resume(ours());
    BOOST_TEST(std::get<ApiAction>(played.move).owner == "uid-1");
}

BOOST_AUTO_TEST_CASE(a_taken_name_is_looked_at_and_adopted_when_it_is_ours) {
    for (std::size_t i = 0; i < part_names.size(); ++i) {
        for (auto verdict : {ApiVerdict::exists, ApiVerdict::conflict}) {
            BOOST_TEST_CONTEXT(part_names[i] << ' ' << to_string(verdict)) {
                Played played(times(i, ours()));
                BOOST_TEST(played.then(answer_of(verdict)) == "read " + part_names[i]);
                const bool last = i + 1 == part_names.size();
                BOOST_TEST(played.then(ours()) ==
                           (last ? "success" : "create " + part_names[i + 1]));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(without_an_answer_to_trust_it_is_asked_again_later) {
    for (std::size_t i = 0; i < part_names.size(); ++i) {
        for (auto verdict : all_doubts) {
            BOOST_TEST_CONTEXT(part_names[i] << ' ' << to_string(verdict)) {
                Played creating(times(i, ours()));
                BOOST_TEST(creating.then(answer_of(verdict)) == "indeterminate");
                Played reading(times(i, ours()));
                reading.then(answer_of(ApiVerdict::exists));
                BOOST_TEST(reading.then(answer_of(verdict)) == "indeterminate");
                Played after_refusal(times(i, ours()));
                after_refusal.then(answer_of(ApiVerdict::quota));
                BOOST_TEST(after_refusal.then(answer_of(verdict)) == "indeterminate");
                BOOST_TEST(after_refusal.words().find("says quota") != std::string::npos);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_is_believed_only_when_the_object_is_not_there) {
    for (std::size_t i = 0; i < part_names.size(); ++i) {
        for (auto verdict : all_refusals) {
            BOOST_TEST_CONTEXT(part_names[i] << ' ' << to_string(verdict)) {
                Played made_before(times(i, ours()));
                BOOST_TEST(made_before.then(answer_of(verdict)) == "read " + part_names[i]);
                const bool last = i + 1 == part_names.size();
                BOOST_TEST(made_before.then(ours()) ==
                           (last ? "success" : "create " + part_names[i + 1]));

                Played never_made(times(i, ours()));
                never_made.then(answer_of(verdict));
                BOOST_TEST(never_made.then(answer_of(ApiVerdict::missing)) ==
                           (i == 0 ? "backend_failed" : "read ConfigMap"));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(it_gives_up_only_behind_a_tombstone) {
    for (std::size_t i = 1; i < part_names.size(); ++i) {
        BOOST_TEST_CONTEXT(part_names[i]) {
            Played played(times(i, ours()));
            played.then(answer_of(ApiVerdict::invalid));
            BOOST_TEST(played.then(answer_of(ApiVerdict::missing)) == "read ConfigMap");
            BOOST_TEST(played.then(ours()) == "remove ConfigMap");
            BOOST_TEST(std::get<ApiAction>(played.move).uid == "uid-1");
            BOOST_TEST(played.then(answer_of(ApiVerdict::done)) == "tombstone ConfigMap");
            BOOST_TEST(std::get<ApiAction>(played.move).refusal == "says invalid");
            BOOST_TEST(played.then(answer_of(ApiVerdict::done)) == "read pod");
            BOOST_TEST(played.then(answer_of(ApiVerdict::missing)) == "backend_failed");
            BOOST_TEST(played.words() == "says invalid");
        }
    }
}

namespace {

/// Refused at the pod, up to the given step of giving up.
Played giving_up(std::vector<ApiAnswer> then) {
    auto answers = times(4, ours());
    answers.push_back(answer_of(ApiVerdict::invalid));
    answers.push_back(answer_of(ApiVerdict::missing));
    answers.insert(answers.end(), then.begin(), then.end());
    return Played(std::move(answers));
}

}  // namespace

BOOST_AUTO_TEST_CASE(while_it_gives_up_any_doubt_leaves_it_open) {
    const auto done = answer_of(ApiVerdict::done);
    const std::vector<std::vector<ApiAnswer>> steps{
        {}, {ours()}, {ours(), done}, {ours(), done, done}};
    for (std::size_t i = 0; i < steps.size(); ++i) {
        for (auto verdict : all_doubts) {
            BOOST_TEST_CONTEXT("step " << i << ' ' << to_string(verdict)) {
                BOOST_TEST(giving_up(steps[i]).then(answer_of(verdict)) == "indeterminate");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(while_it_gives_up_others_may_interfere) {
    const auto done = answer_of(ApiVerdict::done);
    const auto missing = answer_of(ApiVerdict::missing);
    BOOST_TEST(giving_up({}).then(missing) == "tombstone ConfigMap");
    BOOST_TEST(giving_up({}).then(ours(true)) == "read pod");
    BOOST_TEST(giving_up({}).then(ours(false, true)) == "read pod");
    BOOST_TEST(giving_up({}).then(strangers()) == "read pod");
    BOOST_TEST(giving_up({ours()}).then(missing) == "tombstone ConfigMap");
    BOOST_TEST(giving_up({ours()}).then(answer_of(ApiVerdict::conflict)) == "read ConfigMap");
    BOOST_TEST(giving_up({ours(), done}).then(answer_of(ApiVerdict::exists)) == "read ConfigMap");
    for (auto verdict : all_refusals) {
        BOOST_TEST(giving_up({ours(), done}).then(answer_of(verdict)) == "read pod");
    }
    BOOST_TEST(giving_up({ours(), done, done}).then(strangers()) == "backend_failed");
    // a create that came late made it after all: the watch says what becomes of it
    BOOST_TEST(giving_up({ours(), done, done}).then(ours()) == "success");
}

BOOST_AUTO_TEST_CASE(a_killed_ticket_is_an_invalid_state) {
    Played played({answer_of(ApiVerdict::exists)});
    BOOST_TEST(played.then(ours(true)) == "invalid_state");
}

BOOST_AUTO_TEST_CASE(a_refused_ticket_stays_refused_for_the_same_reason) {
    Played played({answer_of(ApiVerdict::exists), ours(false, true)});
    BOOST_TEST(told(played.move) == "read ConfigMap");
    BOOST_TEST(played.then(ours(false, true)) == "read pod");
    BOOST_TEST(played.then(answer_of(ApiVerdict::missing)) == "backend_failed");
    BOOST_TEST(played.words() == "no room");
}

BOOST_AUTO_TEST_CASE(a_strangers_object_is_never_adopted) {
    for (std::size_t i = 0; i < part_names.size(); ++i) {
        BOOST_TEST_CONTEXT(part_names[i]) {
            Played played(times(i, ours()));
            played.then(answer_of(ApiVerdict::exists));
            BOOST_TEST(played.then(strangers()) == (i == 0 ? "backend_failed" : "read ConfigMap"));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_name_that_gets_free_is_taken) {
    Played played({answer_of(ApiVerdict::exists)});
    BOOST_TEST(played.then(answer_of(ApiVerdict::missing)) == "create ConfigMap");
}

BOOST_AUTO_TEST_CASE(names_that_come_and_go_do_not_keep_it_for_ever) {
    Played played({});
    int turns = 0;
    while (std::holds_alternative<ApiAction>(played.move) && ++turns < 1000) {
        played.then(answer_of(turns % 2 == 1 ? ApiVerdict::exists : ApiVerdict::missing));
    }
    BOOST_TEST(told(played.move) == "indeterminate");
    BOOST_TEST(turns < 100);
}

BOOST_AUTO_TEST_CASE(where_the_operator_wants_it_a_quota_is_waited_for) {
    auto plan = full_plan();
    plan.wait_for_quota = true;
    for (std::size_t i = 0; i < part_names.size(); ++i) {
        Played played(times(i, ours()), plan);
        played.then(answer_of(ApiVerdict::quota));
        BOOST_TEST(played.then(answer_of(ApiVerdict::missing)) == "indeterminate");
        BOOST_TEST(played.words() == "says quota");
    }
}

BOOST_AUTO_TEST_CASE(contents_that_are_gone_are_needed_only_where_there_is_nothing_to_adopt) {
    auto plan = full_plan();
    plan.unreadable = "cannot read /x";
    Played adopting({}, plan);
    BOOST_TEST(told(adopting.move) == "read ConfigMap");
    BOOST_TEST(adopting.then(ours()) == "read Secret");
    BOOST_TEST(adopting.then(ours()) == "create Service");

    Played nothing({}, plan);
    BOOST_TEST(nothing.then(answer_of(ApiVerdict::missing)) == "backend_failed");
    BOOST_TEST(nothing.words() == "cannot read /x");

    Played half({ours()}, plan);
    BOOST_TEST(half.then(answer_of(ApiVerdict::missing)) == "read ConfigMap");
}

BOOST_AUTO_TEST_CASE(a_plan_without_secret_service_and_claims_is_two_objects) {
    SubmissionPlan plan;
    plan.identity = our_identity();
    plan.objects.has_service = false;
    Played played({}, plan);
    BOOST_TEST(told(played.move) == "create ConfigMap");
    BOOST_TEST(played.then(ours()) == "create pod");
    BOOST_TEST(played.then(ours()) == "success");
}

BOOST_AUTO_TEST_SUITE_END()
