// SPDX-License-Identifier: Apache-2.0
#include "session_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>

namespace sparkhost::host_test {

/// Jobs and files: what clients of the binary API want of a session.
struct JobFixture : SessionFixture {
    StatementId job(SessionId id, std::string payload) {
        auto spec = code(std::move(payload));
        spec.job = true;
        return ask(sessions().execute(id, spec)).value().spec.id;
    }
    std::vector<std::int64_t> numbers(SessionId id, bool jobs) {
        StatementQuery query;
        query.session = id;
        query.jobs = jobs;
        const auto page = ask(sessions().list_statements(query)).value();
        std::vector<std::int64_t> found;
        for (const auto& statement : page.statements) {
            found.push_back(statement.spec.id.value);
            BOOST_TEST(statement.spec.job == jobs);
        }
        BOOST_TEST(page.total == static_cast<std::int64_t>(found.size()));
        return found;
    }
};

using Numbers = std::vector<std::int64_t>;

BOOST_FIXTURE_TEST_SUITE(host_jobs, JobFixture)

BOOST_AUTO_TEST_CASE(jobs_run_in_the_queue_of_statements_and_are_listed_for_themselves) {
    start();
    const auto id = open();
    agents->hold("statement");
    const auto first = execute(id, "a");
    const auto second = job(id, "cGF5bG9hZA==");
    const auto third = execute(id, "c");
    settle();
    BOOST_TEST((state(id, second) == StatementState::waiting));
    agents->let_go("statement");
    settle();
    BOOST_TEST(echo_of(statement(id, second)) == "cGF5bG9hZA==");
    BOOST_TEST(statement(id, second).spec.job);
    BOOST_TEST(!statement(id, first).spec.job);
    BOOST_TEST(numbers(id, false) == (Numbers{first.value, third.value}));
    BOOST_TEST(numbers(id, true) == Numbers{second.value});
}

BOOST_AUTO_TEST_CASE(a_job_outlives_the_host_and_its_number_is_not_given_again) {
    start();
    const auto id = open();
    agents->hold("statement");
    execute(id, "a");
    const auto number = job(id, "am9i");
    settle();
    restart();
    agents->let_go("statement");
    come_back(id);
    BOOST_TEST(echo_of(statement(id, number)) == "am9i");
    BOOST_TEST(agents->runs(id, "am9i") == 1u);
    restart();
    come_back(id);
    BOOST_TEST(execute(id, "next").value == number.value + 1);
    ask(sessions().erase(id)).value();
    Query left;
    left.kind = RecordKind::statement;
    BOOST_TEST(ask(store->list(left)).value().total == 0);
}

BOOST_AUTO_TEST_CASE(a_job_can_be_interrupted_and_an_empty_one_is_refused) {
    start();
    agents->answer("bG9vcA==", {.endless = true});
    const auto id = open();
    const auto number = job(id, "bG9vcA==");
    const auto behind = execute(id, "behind");
    settle();
    ask(sessions().interrupt_current(id)).value();
    settle();
    BOOST_TEST((state(id, number) == StatementState::cancelled));
    BOOST_TEST(echo_of(statement(id, behind)) == "behind");
    ask(sessions().interrupt_current(id)).value();  // nothing runs
    BOOST_TEST(ask(sessions().interrupt_current(SessionId{9})).error().is(Errc::not_found));
    StatementSpec empty;
    empty.job = true;
    BOOST_TEST(ask(sessions().execute(id, empty)).error().field == "job");
    empty.code = std::string(25u << 20, 'a');
    BOOST_TEST(ask(sessions().execute(id, empty)).error().field == "job");
}

BOOST_AUTO_TEST_CASE(a_running_session_is_given_files) {
    start();
    agents->hold("ready");
    const auto id = open();
    const SessionFile jar{SessionFile::Use::jar, "hdfs://nn/x.jar"};
    BOOST_TEST(ask(sessions().add_file(id, jar)).error().is(Errc::invalid_state));
    agents->let_go("ready");
    settle();
    ask(sessions().add_file(id, jar)).value();
    BOOST_TEST((agents->files(id) == std::vector{jar}));
    agents->fail_next("add", Error(Errc::invalid_argument, "no such file"));
    const auto refused = ask(sessions().add_file(id, jar)).error();
    BOOST_TEST(refused.is(Errc::invalid_argument));
    BOOST_TEST(refused.text().find("no such file") != std::string::npos);
    BOOST_TEST(ask(sessions().add_file(id, {})).error().field == "uri");
    BOOST_TEST(ask(sessions().add_file(SessionId{9}, jar)).error().is(Errc::not_found));
    ask(sessions().close(id)).value();
    settle();
    BOOST_TEST(ask(sessions().add_file(id, jar)).error().is(Errc::invalid_state));
}

BOOST_AUTO_TEST_CASE(files_that_are_kept_for_a_session_go_with_it) {
    namespace fs = std::filesystem;
    start();
    const auto id = open();
    const std::string content("a\0b\r\n", 5);
    const fs::path first = ask(sessions().keep_file(id, "data 1.csv", content)).value();
    const fs::path second = ask(sessions().keep_file(id, "data 1.csv", content)).value();
    BOOST_TEST(first != second);
    BOOST_TEST(first.filename() == "data 1.csv");
    BOOST_TEST(fs::file_size(first) == content.size());
    const auto others = fs::perms::group_all | fs::perms::others_all;
    BOOST_TEST(((fs::status(first.parent_path()).permissions() & others) == fs::perms::none));
    for (const auto* name : {"", ".", "..", "a/b", "/etc/passwd"}) {
        BOOST_TEST(ask(sessions().keep_file(id, name, content)).error().field == "filename");
    }
    BOOST_TEST(ask(sessions().keep_file(SessionId{9}, "x", content)).error().is(Errc::not_found));
    ask(sessions().close(id)).value();
    settle();
    BOOST_TEST(session(id).has_ended());
    BOOST_TEST(!fs::exists(first.parent_path().parent_path()));
    BOOST_TEST(ask(sessions().keep_file(id, "x", content)).error().is(Errc::invalid_state));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
