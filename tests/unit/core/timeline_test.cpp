// SPDX-License-Identifier: Apache-2.0
#include "core/timeline.hpp"
#include "core/batch_machine.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace sparkhost::detail {

namespace timeline_test {

using Steps = std::vector<TimelineEntry>;

Timestamp at(int seconds) {
    return Timestamp(std::chrono::seconds(seconds));
}

BatchRecord record_in(BatchPhase phase) {
    BatchRecord record;
    record.id = BatchId{7};
    record.phase = phase;
    record.ticket = "t-7-1";
    record.created = at(5);
    record.timeline = {{"accepted", at(5), {}}, {"submitted", at(6), {}}};
    return record;
}

/// "what@second reason", without the entries that the record had from the start.
std::vector<std::string> steps_of(const BatchRecord& record) {
    std::vector<std::string> steps;
    for (std::size_t index = 2; index < record.timeline.size(); ++index) {
        const auto& entry = record.timeline[index];
        const auto second =
            std::chrono::duration_cast<std::chrono::seconds>(entry.at.time_since_epoch()).count();
        steps.push_back(entry.what + "@" + std::to_string(second) +
                        (entry.reason.empty() ? "" : " " + entry.reason));
    }
    return steps;
}

ApplicationStatus report_of(Steps steps) {
    ApplicationStatus report;
    report.ticket = "t-7-1";
    report.steps = std::move(steps);
    return report;
}

}  // namespace timeline_test

using namespace timeline_test;
using Words = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(timeline)

BOOST_AUTO_TEST_CASE(steps_are_entered_as_the_rules_say) {
    struct Row {
        std::string name;
        Steps first;
        Steps second;
        Words wanted;
    };
    const std::vector<Row> rows{
        {"in their order",
         {{"pod_created", at(7), ""}, {"scheduled", at(8), "node-1"}},
         {},
         {"pod_created@7", "scheduled@8 node-1"}},
        {"once, although they are repeated",
         {{"pod_created", at(7), ""}},
         {{"pod_created", at(7), ""}, {"scheduled", at(8), ""}},
         {"pod_created@7", "scheduled@8"}},
        {"again where the time is another",
         {{"waiting", at(7), "no room"}},
         {{"waiting", at(9), "no image"}},
         {"waiting@7 no room", "waiting@9 no image"}},
        {"with the clearer reason",
         {{"waiting", at(7), "no room"}},
         {{"waiting", at(7), "no room for 4 cores"}},
         {"waiting@7 no room for 4 cores"}},
        {"not before the batch was accepted",
         {{"pod_created", at(1), ""}},
         {{"pod_created", at(2), ""}},
         {"pod_created@5"}},
        {"without the host's own names and none",
         {{"ended", at(7), ""}, {"context_up", at(7), ""}, {"", at(7), ""}},
         {{std::string(65, 'x'), at(7), ""}},
         {}},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.name) {
            auto record = record_in(BatchPhase::submitted);
            merge_steps(record, row.first);
            merge_steps(record, row.second);
            BOOST_TEST(steps_of(record) == row.wanted, boost::test_tools::per_element());
        }
    }
}

BOOST_AUTO_TEST_CASE(only_an_attempt_under_way_takes_steps) {
    const Steps steps{{"scheduled", at(8), ""}};
    for (const auto phase : {BatchPhase::accepted, BatchPhase::reserved, BatchPhase::submitted,
                             BatchPhase::running, BatchPhase::attempt_ended, BatchPhase::waiting,
                             BatchPhase::ended, BatchPhase::released}) {
        BOOST_TEST_CONTEXT(to_string(phase)) {
            auto record = record_in(phase);
            BOOST_TEST(has_new_step(record, steps) == needs_slot(phase));
            merge_steps(record, steps);
            BOOST_TEST(steps_of(record).empty() == !needs_slot(phase));
        }
    }
}

BOOST_AUTO_TEST_CASE(each_attempt_has_steps_of_its_own) {
    auto record = record_in(BatchPhase::submitted);
    merge_steps(record, {{"scheduled", at(8), ""}});
    record.timeline.push_back({"attempt_ended", at(9), {}});
    BOOST_TEST(has_new_step(record, {{"scheduled", at(12), ""}}));
    merge_steps(record, {{"scheduled", at(12), ""}});
    const Words wanted{"scheduled@8", "attempt_ended@9", "scheduled@12"};
    BOOST_TEST(steps_of(record) == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_backend_that_talks_much_does_not_make_the_record_grow) {
    auto record = record_in(BatchPhase::submitted);
    Steps steps{{"pod_created", at(7), ""}};
    for (int second = 10; second < 1010; ++second) {
        steps.push_back({"waiting", at(second), std::string(5000, 'x')});
    }
    steps.push_back({"scheduled", at(2000), ""});
    merge_steps(record, steps);
    const auto once = record;
    merge_steps(record, steps);
    BOOST_TEST(record == once);
    BOOST_TEST(record.timeline.size() == 2 + max_steps);
    BOOST_TEST((record.timeline.back().at == at(1009)), "the last reason is the one that counts");
    BOOST_TEST(record.timeline.back().reason.size() < max_step_reason + 10);
    BOOST_TEST(!has_new_step(record, steps), "what finds no room is not news for ever");
}

BOOST_AUTO_TEST_CASE(a_reason_is_cut_between_characters) {
    auto record = record_in(BatchPhase::submitted);
    std::string reason(max_step_reason - 1, 'x');
    reason += "ü and more";
    merge_steps(record, {{"waiting", at(7), reason}});
    BOOST_TEST(record.timeline.back().reason == std::string(max_step_reason - 1, 'x') + " …");
}

BOOST_AUTO_TEST_CASE(a_step_of_a_new_name_is_news_and_a_further_one_is_not) {
    auto record = record_in(BatchPhase::submitted);
    const Steps waits{{"waiting", at(7), "no room"}};
    const auto first = interpret(record, report_of(waits), at(20));
    BOOST_TEST_REQUIRE(first.has_value());
    BOOST_TEST((first->event == BatchEvent::progressed));
    BOOST_TEST(apply(record, *first).size() == 1u);
    BOOST_TEST(!interpret(record, report_of(waits), at(21)).has_value());
    const Steps again{{"waiting", at(7), "no room"}, {"waiting", at(9), "no image"}};
    BOOST_TEST(!interpret(record, report_of(again), at(22)).has_value());
    const Steps further{
        {"waiting", at(7), "no room"}, {"waiting", at(9), "no image"}, {"scheduled", at(10), ""}};
    const auto second = interpret(record, report_of(further), at(23));
    BOOST_TEST_REQUIRE(second.has_value());
    apply(record, *second);
    const Words wanted{"waiting@7 no room", "waiting@9 no image", "scheduled@10"};
    BOOST_TEST(steps_of(record) == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_steps_of_an_end_come_before_it) {
    auto record = record_in(BatchPhase::submitted);
    auto report = report_of({{"waiting", at(7), "no image"}});
    report.state = ApplicationState::ended;
    report.outcome = Outcome::failed;
    report.ended = at(9);
    report.reason = "gave up";
    const auto end = interpret(record, report, at(20));
    BOOST_TEST_REQUIRE(end.has_value());
    apply(record, *end);
    const Words wanted{"waiting@7 no image", "ended@9 gave up"};
    BOOST_TEST(steps_of(record) == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
