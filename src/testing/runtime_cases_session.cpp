// SPDX-License-Identifier: Apache-2.0
#include "testing/runtime_conformance_rig.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>

namespace sparkhost::testing::runtime_cases {

namespace {

Case a_kind_it_does_not_speak_is_refused(Rig& rig) {
    auto request = rig.plan();
    request.session.kind = "no-language-of-this-world";
    const auto refused = co_await rig.runtime().prepare(std::move(request));
    expect_error(refused, Errc::invalid_argument);
    expect(refused.error().field == "kind", "the error does not name the field \"kind\"");
}

Case its_kinds_are_known(Rig& rig) {
    const auto traits = rig.runtime().traits();
    expect(!traits.name.empty(), "traits().name is empty");
    expect(std::ranges::find(traits.kinds, rig.fixture().kind()) != traits.kinds.end(),
           "traits().kinds lacks the fixture's kind");
    auto request = rig.plan();
    request.session.kind.clear();  // each statement says its own
    value_of(co_await rig.runtime().prepare(std::move(request)));
}

Case preparing_starts_nothing_and_gives_the_same_again(Rig& rig) {
    auto request = rig.plan();
    request.attempt = 3;
    request.session.spec.name = "exploring";
    request.session.spec.conf["spark.executor.cores"] = "2";
    const auto first = co_await rig.prepare(request);
    const auto second = co_await rig.prepare(request);
    expect(first.store_uuid == request.store_uuid, "the store's uuid is not passed on");
    expect(first.attempt == 3, "the attempt is not passed on");
    expect(!first.subject.empty(), "there is no subject");
    expect(first.spec.name == "exploring", "the session's spec is not passed on");
    expect(first.spec.conf.contains("spark.executor.cores"), "the session's conf is not passed on");
    expect(first.subject == second.subject && first.spec == second.spec,
           "the same request gave another answer");
    const auto other = co_await rig.prepare(rig.plan());
    expect(other.subject != first.subject, "two sessions have the same subject");
    co_await rig.open();
    co_await rig.echo();  // what was started wrongly has shown itself by now
    expect(rig.greeted(request.ticket).greetings.empty(), "an agent came that was not launched");
}

std::string text_of_file(const std::string& path) {
    std::ifstream file(path);
    expect(file.good(), "a driver file cannot be read: " + path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Case a_driver_elsewhere_is_given_all_it_needs(Rig& rig) {
    constexpr std::size_t most = 900u << 10;  // what a ConfigMap holds, and some room
    auto request = rig.plan();
    request.shares_files = false;
    request.agent_endpoint = "tcp:host.example:4711";
    const auto launch = co_await rig.prepare(request);
    const auto again = co_await rig.prepare(request);
    expect(launch.driver_files == again.driver_files && launch.spec == again.spec,
           "the same request gave another answer");
    const auto folder = std::filesystem::path(request.claim_file).parent_path().string();
    std::set<std::string> names;
    std::size_t size = 0;
    bool has_claim = false;
    for (const auto& file : launch.driver_files) {
        const auto content = text_of_file(file.path);
        size += content.size();
        const bool is_claim = file.path == request.claim_file;
        has_claim = has_claim || is_claim;
        expect(is_claim == file.secret, "the claim file, and nothing else, is secret");
        expect(names.insert(std::filesystem::path(file.path).filename().string()).second,
               "two driver files have the same name");
        expect(is_claim || content.find(folder) == std::string::npos,
               "a driver file names a folder of this host: " + file.path);
    }
    expect(has_claim, "the claim file is not among the driver files");
    expect(size < most, "the driver files are too large for a ConfigMap");
    SessionRuntime::ReleaseRequest over;
    over.ticket = request.ticket;
    value_of(co_await rig.runtime().release(over));
}

Case releasing_can_be_repeated(Rig& rig) {
    auto request = rig.plan();
    SessionRuntime::ReleaseRequest over;
    over.ticket = request.ticket;
    co_await rig.prepare(std::move(request));
    value_of(co_await rig.runtime().release(over));
    value_of(co_await rig.runtime().release(over));
    SessionRuntime::ReleaseRequest unknown;
    unknown.ticket = "nobody-knows-this-ticket-1";
    value_of(co_await rig.runtime().release(unknown));
}

Case an_agent_claims_its_ticket_and_says_once_that_it_is_ready(Rig& rig) {
    co_await rig.open_fresh();
    const auto& greeting = rig.greeted(rig.ticket()).greetings.at(0);
    const auto kind = rig.fixture().kind();
    expect(!greeting.resumes, "the first greeting is no claim");
    expect(!greeting.nonce.empty(), "the claim has no nonce");
    expect(std::ranges::find(greeting.kinds, kind) != greeting.kinds.end(),
           "the claim lacks the kind");
    co_await rig.echo();
    expect(rig.told().ready.size() == 1, "ready came twice");
    const auto facts = rig.told().ready.at(0);
    co_await rig.lose_connection();
    co_await rig.reconnect();
    rig.converse();
    co_await rig.until_ready();  // it was not settled
    expect(rig.told().ready.at(0) == facts, "the facts of a session have changed");
    expect(rig.greeted(rig.ticket()).greetings.back().resumes, "a granted agent claimed again");
}

Case a_closed_session_ends_with_all_that_was_asked_answered(Rig& rig) {
    co_await rig.open();
    co_await rig.echo();
    std::optional<Asked> running;
    std::optional<Asked> waiting;
    if (rig.options.interrupts) {
        running = rig.begin(Program::endless_after_line);
        waiting = rig.begin(Program::echoes);
        co_await rig.until_begun(*running);
    }
    rig.talk().close();
    rig.talk().close();
    const auto late = rig.begin(Program::echoes);
    value_of(co_await rig.until_run_ends("the session was closed"));
    expect(rig.told().ended.has_value(), "run() ended in success without ended()");
    expect(!rig.told().ended->reason.empty(), "the end has no reason");
    expect_error(**late.answer, Errc::stopped);
    expect(rig.runs(late) == 0, "a statement of a closed session ran");
    if (running) {
        const bool cancelled = running->answer->value().has_value() &&
                               (**running->answer)->outcome == StatementOutcome::cancelled;
        expect(cancelled, "a statement that ran at the end is not cancelled");
        expect(running->heard->out == "begun\n", "output was lost at the end");
        expect(rig.runs(*waiting) == 0, "a statement that waited ran at the end");
    }
}

}  // namespace

void add_prepare_cases(std::vector<RuntimeCase>& cases, const RuntimeConformanceOptions& options) {
    // First: it wants a session that has not been used, and leaves it to the others.
    cases.push_back({"an_agent_claims_its_ticket_and_says_once_that_it_is_ready", options,
                     an_agent_claims_its_ticket_and_says_once_that_it_is_ready});
    cases.insert(cases.end(), {{"a_kind_it_does_not_speak_is_refused", options,
                                a_kind_it_does_not_speak_is_refused},
                               {"its_kinds_are_known", options, its_kinds_are_known},
                               {"preparing_starts_nothing_and_gives_the_same_again", options,
                                preparing_starts_nothing_and_gives_the_same_again},
                               {"a_driver_elsewhere_is_given_all_it_needs", options,
                                a_driver_elsewhere_is_given_all_it_needs},
                               {"releasing_can_be_repeated", options, releasing_can_be_repeated}});
}

void add_end_cases(std::vector<RuntimeCase>& cases, const RuntimeConformanceOptions& options) {
    cases.push_back({"a_closed_session_ends_with_all_that_was_asked_answered", options,
                     a_closed_session_ends_with_all_that_was_asked_answered});
}

}  // namespace sparkhost::testing::runtime_cases
