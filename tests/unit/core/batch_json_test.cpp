// SPDX-License-Identifier: Apache-2.0
#include "core/batch_json.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace sparkhost::detail {

namespace batch_json_test {

using Change = std::function<void(BatchRecord&)>;
struct Member {
    const char* name;
    Change set;
};

/// Each member of a record, set to something of its own.
const std::vector<Member>& members() {
    using R = BatchRecord;
    static const std::vector<Member> all{
        {"file", [](R& r) { r.spec.file = "/a/b.py"; }},
        {"args",
         [](R& r) {
             r.spec.args = {"one", "", "two \"quoted\" \\ \n \x01"};
         }},
        {"class_name", [](R& r) { r.spec.class_name = "org.Main"; }},
        {"jars",
         [](R& r) {
             r.spec.jars = {"/a.jar", "/b.jar"};
         }},
        {"py_files", [](R& r) { r.spec.py_files = {"/a.zip"}; }},
        {"files", [](R& r) { r.spec.files = {"/a.txt"}; }},
        {"archives", [](R& r) { r.spec.archives = {"/a.tgz"}; }},
        {"driver_memory", [](R& r) { r.spec.driver_memory = "1g"; }},
        {"driver_cores", [](R& r) { r.spec.driver_cores = 2; }},
        {"executor_memory", [](R& r) { r.spec.executor_memory = "2g"; }},
        {"executor_cores", [](R& r) { r.spec.executor_cores = 3; }},
        {"num_executors", [](R& r) { r.spec.num_executors = 4; }},
        {"queue", [](R& r) { r.spec.queue = "prod"; }},
        {"conf",
         [](R& r) {
             r.spec.conf = {{"spark.a", "1"}, {"spark.b", ""}};
         }},
        {"name", [](R& r) { r.spec.name = "n\xc3\xa4me"; }},
        {"owner", [](R& r) { r.spec.owner = "anna"; }},
        {"proxy_user", [](R& r) { r.spec.proxy_user = "otto"; }},
        {"backend", [](R& r) { r.spec.backend = "local"; }},
        {"idempotency_key", [](R& r) { r.spec.idempotency_key = "k"; }},
        {"retry.max_attempts", [](R& r) { r.spec.retry.max_attempts = 3; }},
        {"retry.delay", [](R& r) { r.spec.retry.delay = std::chrono::milliseconds(1500); }},
        {"retry.factor", [](R& r) { r.spec.retry.factor = 1.5; }},
        {"retry.max_delay", [](R& r) { r.spec.retry.max_delay = std::chrono::seconds(0); }},
        {"retry.jitter", [](R& r) { r.spec.retry.jitter = 0; }},
        {"retry.causes",
         [](R& r) {
             r.spec.retry.causes = {RetryCause::failed, RetryCause::unknown};
         }},
        {"attempts",
         [](R& r) {
             r.attempts = {
                 {.outcome = Outcome::failed, .ended = Timestamp(std::chrono::seconds(1))},
                 {.ticket = "t-1",
                  .ticket_data = "x",
                  .outcome = Outcome::unknown,
                  .exit_code = 3,
                  .reason = "why",
                  .application_id = "app-0",
                  .started = Timestamp(std::chrono::seconds(2)),
                  .ended = Timestamp(std::chrono::seconds(3))}};
         }},
        {"next_attempt",
         [](R& r) {
             r.next_attempt =
                 NextAttempt{Timestamp(std::chrono::seconds(9)), std::chrono::milliseconds(1234)};
         }},
        {"phase", [](R& r) { r.phase = BatchPhase::running; }},
        {"outcome", [](R& r) { r.outcome = Outcome::unknown; }},
        {"exit_code", [](R& r) { r.exit_code = 0; }},
        {"reason", [](R& r) { r.reason = "because"; }},
        {"application_id", [](R& r) { r.application_id = "app-1"; }},
        {"ui_url", [](R& r) { r.ui_url = "http://h:4040"; }},
        {"attempt", [](R& r) { r.attempt = 1; }},
        {"ticket", [](R& r) { r.ticket = "t-1"; }},
        {"ticket_data", [](R& r) { r.ticket_data = "{\"dir\":\"x\"}"; }},
        {"kill_requested", [](R& r) { r.kill_requested = true; }},
        {"erase_requested", [](R& r) { r.erase_requested = true; }},
        {"created", [](R& r) { r.created = Timestamp(std::chrono::milliseconds(1234567890123)); }},
        {"updated", [](R& r) { r.updated = Timestamp(std::chrono::milliseconds(-5)); }},
        {"timeline",
         [](R& r) {
             r.timeline = {{"accepted", Timestamp(std::chrono::milliseconds(1)), ""},
                           {"ended", Timestamp(std::chrono::milliseconds(2)), "why"}};
         }},
        {"log_tail",
         [](R& r) {
             r.log_tail = {"last", "", "line"};
         }},
    };
    return all;
}

Record stored(const BatchRecord& record) {
    Record result;
    result.key.id = 3;
    result.version = 9;
    result.body = encode_batch(record);
    return result;
}

BatchRecord empty_record() {
    BatchRecord record;
    record.id = BatchId{3};
    record.version = 9;
    return record;
}

Record with_body(std::string body) {
    Record result;
    result.key.id = 3;
    result.body = std::move(body);
    return result;
}

}  // namespace batch_json_test

using namespace batch_json_test;

BOOST_AUTO_TEST_SUITE(batch_json)

BOOST_AUTO_TEST_CASE(each_member_of_a_record_comes_back_as_it_was) {
    for (const auto& member : members()) {
        BOOST_TEST_CONTEXT(member.name) {
            auto record = empty_record();
            member.set(record);
            BOOST_TEST(!(record == empty_record()), "the member has to differ from its default");
            const auto again = decode_batch(stored(record));
            BOOST_TEST_REQUIRE(again.has_value());
            BOOST_TEST(*again == record);
        }
    }
}

BOOST_AUTO_TEST_CASE(all_members_together_come_back_as_they_were) {
    auto record = empty_record();
    for (const auto& member : members()) {
        member.set(record);
    }
    BOOST_TEST(decode_batch(stored(record)).value() == record);
}

BOOST_AUTO_TEST_CASE(every_phase_and_outcome_comes_back) {
    for (const auto phase : {BatchPhase::accepted, BatchPhase::reserved, BatchPhase::submitted,
                             BatchPhase::running, BatchPhase::attempt_ended, BatchPhase::waiting,
                             BatchPhase::ended, BatchPhase::released}) {
        for (const auto outcome : {Outcome::none, Outcome::success, Outcome::failed,
                                   Outcome::killed, Outcome::unknown}) {
            auto record = empty_record();
            record.phase = phase;
            record.outcome = outcome;
            const auto again = decode_batch(stored(record)).value();
            BOOST_TEST(again.phase == phase);
            BOOST_TEST(again.outcome == outcome);
        }
    }
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_utf8_do_not_make_a_record_unreadable) {
    auto record = empty_record();
    record.spec.args = {"caf\xe9", "\xff\xfe"};
    record.reason = "d\xe9sol\xe9";
    record.log_tail = {"\xc3"};
    const auto again = decode_batch(stored(record));
    BOOST_TEST_REQUIRE(again.has_value());
    BOOST_TEST(*again == record);
}

BOOST_AUTO_TEST_CASE(a_nul_character_comes_back) {
    auto record = empty_record();
    record.reason = std::string("a\0b", 3);
    BOOST_TEST(decode_batch(stored(record)).value().reason.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_body_with_members_of_a_newer_version_is_read) {
    auto body = encode_batch(empty_record());
    body.insert(1, "\"later\":{\"x\":[1]},");
    BOOST_TEST(decode_batch(with_body(body)).has_value());
}

BOOST_AUTO_TEST_CASE(a_damaged_body_is_a_storage_failure_that_names_the_batch) {
    const auto good = encode_batch(empty_record());
    const std::vector<std::string> bodies{
        "",
        "{",
        "[]",
        "null",
        "{}",
        good.substr(0, good.size() / 2),
        good + "x",
        R"({"spec":{},"phase":"asleep","timeline":[]})",
        R"({"spec":{},"phase":1,"timeline":[]})",
        R"({"spec":[],"phase":"accepted","timeline":[]})",
        R"({"spec":{"args":"x"},"phase":"accepted","timeline":[]})",
        R"({"spec":{"args":[1]},"phase":"accepted","timeline":[]})",
        R"({"spec":{"driver_cores":1e99},"phase":"accepted","timeline":[]})",
        R"({"spec":{"conf":[]},"phase":"accepted","timeline":[]})",
        R"({"spec":{},"phase":"accepted","outcome":"maybe","timeline":[]})",
        R"({"spec":{},"phase":"accepted"})",
        R"({"spec":{},"phase":"accepted","timeline":[[]]})",
        R"({"spec":{},"phase":"accepted","timeline":[["x"]]})",
        R"({"spec":{},"phase":"accepted","timeline":[["x","y"]]})",
        R"({"spec":{},"phase":"accepted","kill_requested":1,"timeline":[]})",
        R"({"spec":{"retry":[]},"phase":"accepted","timeline":[]})",
        R"({"spec":{"retry":{"causes":["bored"]}},"phase":"accepted","timeline":[]})",
        R"({"spec":{},"phase":"waiting","next_attempt":{},"timeline":[]})",
        R"({"spec":{},"phase":"waiting","attempts":[{}],"timeline":[]})",
    };
    for (const auto& body : bodies) {
        BOOST_TEST_CONTEXT(body) {
            const auto decoded = decode_batch(with_body(body));
            BOOST_TEST_REQUIRE(decoded.has_error());
            BOOST_TEST(decoded.error().is(Errc::storage_failed));
            BOOST_TEST(decoded.error().detail.find("batch 3") != std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_CASE(records_are_filed_under_phase_and_end) {
    struct Row {
        BatchPhase phase;
        Outcome outcome;
        bool erase;
        const char* word;
        bool after_run{false};
    };
    const std::vector<Row> rows{
        {BatchPhase::accepted, Outcome::none, false, "accepted"},
        {BatchPhase::reserved, Outcome::none, false, "reserved"},
        {BatchPhase::submitted, Outcome::none, false, "submitted"},
        {BatchPhase::running, Outcome::none, false, "running"},
        {BatchPhase::attempt_ended, Outcome::none, false, "attempt_ended"},
        {BatchPhase::waiting, Outcome::none, false, "waiting"},
        {BatchPhase::accepted, Outcome::none, false, "accepted.again", true},
        {BatchPhase::reserved, Outcome::none, false, "reserved.again", true},
        {BatchPhase::submitted, Outcome::none, false, "submitted.again", true},
        {BatchPhase::running, Outcome::none, false, "running", true},
        {BatchPhase::attempt_ended, Outcome::none, false, "attempt_ended.again", true},
        {BatchPhase::waiting, Outcome::none, false, "waiting.again", true},
        {BatchPhase::released, Outcome::failed, false, "dead", true},
        {BatchPhase::running, Outcome::none, true, "running"},
        {BatchPhase::ended, Outcome::success, false, "ended.success"},
        {BatchPhase::ended, Outcome::failed, false, "ended.dead"},
        {BatchPhase::ended, Outcome::unknown, false, "ended.dead"},
        {BatchPhase::ended, Outcome::killed, false, "ended.killed"},
        {BatchPhase::released, Outcome::success, false, "success"},
        {BatchPhase::released, Outcome::failed, false, "dead"},
        {BatchPhase::released, Outcome::killed, false, "killed"},
        {BatchPhase::released, Outcome::success, true, "ended.success"},
    };
    for (const auto& row : rows) {
        auto record = empty_record();
        record.phase = row.phase;
        record.outcome = row.outcome;
        record.erase_requested = row.erase;
        if (row.after_run) {
            record.attempts.push_back({.started = Timestamp(std::chrono::seconds(1))});
        }
        BOOST_TEST(stored_state(record) == row.word);
        const auto by_state = stored_states(record.state());
        BOOST_TEST((std::find(by_state.begin(), by_state.end(), row.word) != by_state.end()));
        const auto busy = stored_states_in_progress();
        const bool in_progress = std::find(busy.begin(), busy.end(), row.word) != busy.end();
        const bool done = row.phase == BatchPhase::released && !row.erase;
        BOOST_TEST(in_progress == (row.phase != BatchPhase::accepted && !done));
    }
}

BOOST_AUTO_TEST_CASE(the_words_of_phases_and_of_states_are_the_same_set) {
    std::multiset<std::string> by_phase;
    for (const auto phase : {BatchPhase::accepted, BatchPhase::reserved, BatchPhase::submitted,
                             BatchPhase::running, BatchPhase::attempt_ended, BatchPhase::waiting,
                             BatchPhase::ended, BatchPhase::released}) {
        for (const auto& word : stored_states(phase)) {
            by_phase.insert(word);
        }
    }
    std::multiset<std::string> by_state;
    for (const auto state : {BatchState::starting, BatchState::running, BatchState::success,
                             BatchState::dead, BatchState::killed}) {
        for (const auto& word : stored_states(state)) {
            by_state.insert(word);
        }
    }
    BOOST_TEST((by_phase == by_state));
}

BOOST_AUTO_TEST_CASE(an_event_comes_back_as_it_was) {
    for (const auto kind : {RecordKind::batch, RecordKind::session, RecordKind::statement}) {
        Event event;
        event.sequence = 12;
        event.at = Timestamp(std::chrono::milliseconds(99));
        event.type = "batch.ended";
        if (kind == RecordKind::batch) {
            event.batch = BatchId{4};
        } else {
            event.session = SessionId{4};
        }
        if (kind == RecordKind::statement) {
            event.statement = StatementId{2};
        }
        event.version = 6;
        event.state = "dead";
        event.reason = kind == RecordKind::batch ? "boom" : "";
        StoredEvent entry;
        entry.sequence = 12;
        entry.at = event.at;
        entry.type = event.type;
        entry.subject.kind = kind;
        entry.subject.id = kind == RecordKind::statement ? 77 : 4;
        entry.body = encode_event(event);
        BOOST_TEST((decode_event(entry).value() == event));
    }
}

BOOST_AUTO_TEST_CASE(a_damaged_event_is_a_storage_failure_that_names_it) {
    for (const char* body : {"", "[]", "{}", R"({"version":1})",
                             R"({"version":"x","state":"dead"})", R"({"version":1,"state":5})"}) {
        StoredEvent entry;
        entry.sequence = 12;
        entry.body = body;
        const auto decoded = decode_event(entry);
        BOOST_TEST_REQUIRE(decoded.has_error());
        BOOST_TEST(decoded.error().is(Errc::storage_failed));
        BOOST_TEST(decoded.error().detail.find("12") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(equal_requests_have_equal_fingerprints_and_others_differ) {
    BatchRecord plain;
    plain.spec.file = "/x.py";
    std::set<std::string> seen{fingerprint(plain.spec)};
    BOOST_TEST(fingerprint(plain.spec) == fingerprint(BatchSpec(plain.spec)));
    for (const auto& member : members()) {
        BatchRecord changed = plain;
        member.set(changed);
        if (!(changed.spec == plain.spec)) {
            BOOST_TEST(seen.insert(fingerprint(changed.spec)).second, member.name);
        }
    }
    BOOST_TEST(seen.size() == 26u);
}

BOOST_AUTO_TEST_CASE(moving_text_from_one_argument_to_the_next_changes_the_fingerprint) {
    BatchSpec one;
    one.args = {"ab", "c"};
    BatchSpec other;
    other.args = {"a", "bc"};
    BOOST_TEST(fingerprint(one) != fingerprint(other));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
