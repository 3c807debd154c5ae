// SPDX-License-Identifier: Apache-2.0
#include "core/session_json.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace sparkhost::detail {

namespace session_json_test {

Timestamp stored_at(int seconds) {
    return Timestamp(std::chrono::seconds(seconds));
}

Record stored(RecordKind kind, std::string body) {
    Record record;
    record.key = RecordKey{kind, 7};
    record.version = 3;
    record.body = std::move(body);
    return record;
}

BOOST_AUTO_TEST_SUITE(session_json_suite)

BOOST_AUTO_TEST_CASE(a_session_comes_back_as_it_was) {
    BatchRecord application;
    application.id = BatchId{7};
    application.version = 3;
    application.spec.file = "/agent.py";
    application.spec.args = {"/settings"};
    application.created = stored_at(1);
    application.ticket = "t";
    SessionPart part;
    part.spec.kind = "pyspark";
    part.spec.spec.name = "exploring";
    part.spec.spec.conf["spark.a"] = "b";
    part.spec.idle_timeout = std::chrono::seconds{0};
    part.runtime = "spark";
    part.claim = "session-7-1";
    part.secret_hash = "s";
    part.nonce = "n";
    part.resume_hash = "r";
    part.facts.emplace();
    part.facts->application_id = "local-1";
    part.facts->ui_url = "http://ui";
    part.facts->spark_version = "4.3.0";
    part.facts->runtime_version = "3.11.2";
    part.facts->pid = 42;
    part.end_reason = "idle";
    part.statements = 5;
    const auto body = encode_session(application, part);
    const auto back = decode_session(stored(RecordKind::session, body)).value();
    BOOST_TEST((back.application == application));
    BOOST_TEST((back.part == part));
    const auto bare =
        decode_session(stored(RecordKind::session, encode_session(BatchRecord{}, SessionPart{})))
            .value();
    BOOST_TEST((bare.part == SessionPart{}));
}

BOOST_AUTO_TEST_CASE(what_a_submit_hands_over_is_kept_until_the_backend_has_taken_it) {
    SessionPart part;
    part.driver_files = {{"/agents/agent.py", false}, {"/claims/7.claim", true}};
    BatchRecord application;
    for (const auto phase : {BatchPhase::reserved, BatchPhase::submitted, BatchPhase::ended}) {
        application.phase = phase;
        const auto body = encode_session(application, part);
        const auto back = decode_session(stored(RecordKind::session, body)).value();
        const bool kept = phase == BatchPhase::reserved;
        BOOST_TEST(
            (back.part.driver_files == (kept ? part.driver_files : std::vector<DriverFile>())));
    }
}

BOOST_AUTO_TEST_CASE(a_statement_comes_back_as_it_was_whatever_bytes_it_wrote) {
    StatementRecord statement;
    statement.session = SessionId{4};
    statement.version = 3;
    statement.spec = StatementSpec{StatementId{2}, "pyspark", "print('caf\xC3\xA9')"};
    statement.spec.owner = "anna";
    statement.spec.idempotency_key = "k";
    statement.cancel_requested = true;
    statement.end_session_after = std::chrono::milliseconds{1500};
    statement.created = stored_at(1);
    statement.started = stored_at(2);
    statement.completed = stored_at(3);
    statement.progress = 1;
    statement.unheeded_interrupts = 2;
    statement.output = {{OutputStream::standard_output, std::string("a\0\xff\n", 4)},
                        {OutputStream::standard_error, "b"}};
    statement.result.emplace();
    statement.result->outcome = StatementOutcome::error;
    statement.result->interrupted = true;
    statement.result->data["text/plain"] = "\xed\xb2\x80";
    statement.result->notes = {"cut"};
    statement.result->error_name = "ValueError";
    statement.result->error_value = "no";
    statement.result->traceback = {"Traceback\n", "  line\n"};
    const auto body = encode_statement(statement);
    BOOST_TEST((decode_statement(stored(RecordKind::statement, body)).value() == statement));

    StatementRecord open;
    open.session = SessionId{4};
    open.version = 3;
    open.spec.id = StatementId{0};
    BOOST_TEST(
        (decode_statement(stored(RecordKind::statement, encode_statement(open))).value() == open));
}

BOOST_AUTO_TEST_CASE(the_same_code_in_other_bytes_kinds_or_as_a_job_is_another_request) {
    StatementSpec spec;
    spec.kind = "pyspark";
    spec.code = "caf\xe9 \xed\xb2\x80";
    StatementRecord statement;
    statement.spec = spec;
    const auto body = encode_statement(statement);
    const auto again = decode_statement(stored(RecordKind::statement, body)).value().spec;
    BOOST_TEST(fingerprint(again) == fingerprint(spec));
    auto job = spec;
    job.job = true;
    auto sql = spec;
    sql.kind = "sql";
    auto longer = spec;
    longer.code += "\n";
    for (const auto& other : {job, sql, longer}) {
        BOOST_TEST(fingerprint(other) != fingerprint(spec));
    }
}

BOOST_AUTO_TEST_CASE(every_outcome_has_its_word) {
    for (const auto outcome : {StatementOutcome::ok, StatementOutcome::error,
                               StatementOutcome::cancelled, StatementOutcome::forgotten}) {
        StatementRecord statement;
        statement.session = SessionId{4};
        statement.spec.id = StatementId{0};
        statement.result.emplace();
        statement.result->outcome = outcome;
        const auto body = encode_statement(statement);
        const auto back = decode_statement(stored(RecordKind::statement, body)).value();
        BOOST_TEST((back.result->outcome == outcome));
    }
}

BOOST_AUTO_TEST_CASE(damaged_records_are_storage_failures_that_name_them) {
    for (const char* body : {"", "[]", "{}", R"({"session":4})", R"({"session":{"spec":1}})"}) {
        const auto session = decode_session(stored(RecordKind::session, body));
        BOOST_TEST_REQUIRE(session.has_error());
        BOOST_TEST(session.error().is(Errc::storage_failed));
        BOOST_TEST(session.error().detail.find("session 7") != std::string::npos);
        const auto statement = decode_statement(stored(RecordKind::statement, body));
        BOOST_TEST_REQUIRE(statement.has_error());
        BOOST_TEST(statement.error().is(Errc::storage_failed));
    }
}

BOOST_AUTO_TEST_CASE(only_equal_requests_have_the_same_fingerprint) {
    SessionSpec one;
    one.kind = "pyspark";
    SessionSpec other = one;
    BOOST_TEST(fingerprint(one) == fingerprint(other));
    other.kind = "sql";
    BOOST_TEST(fingerprint(one) != fingerprint(other));
    other = one;
    other.idle_timeout = std::chrono::seconds{1};
    BOOST_TEST(fingerprint(one) != fingerprint(other));
    other = one;
    other.spec.driver_memory = "1g";
    BOOST_TEST(fingerprint(one) != fingerprint(other));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace session_json_test

}  // namespace sparkhost::detail
