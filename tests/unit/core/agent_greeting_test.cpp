// SPDX-License-Identifier: Apache-2.0
#include "core/agent_greeting.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace sparkhost::detail {

namespace {

const std::string good_claim =
    R"({"type":"claim","versions":[1,2],"ticket":"t","secret":"s","nonce":"n",)"
    R"("kinds":["pyspark","sql"],"pid":47,"later":true})";
const std::string good_resume =
    R"({"type":"resume","versions":[1],"ticket":"t","nonce":"n","resume_key":"k","received":12,)"
    R"("oldest":57,"latest":90,"kinds":[],"pid":47})";

const std::string good_guard =
    R"({"type":"guard","versions":[1],"ticket":"spark-1-batch-7-1","secret":"s",)"
    R"("nonce":"0123456789abcdef0123456789abcdef","driver":"driver-20261122063000-0001",)"
    R"("pid":4711,"later":true})";

AgentGreeting agent_in(const std::string& line) {
    return std::get<AgentGreeting>(read_greeting(line).value());
}

std::string with(std::string text, const std::string& from, const std::string& to) {
    const auto place = text.find(from);
    BOOST_TEST_REQUIRE(place != std::string::npos, from);
    return text.replace(place, from.size(), to);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(agent_greeting)

BOOST_AUTO_TEST_CASE(a_claim_is_read) {
    const auto greeting = agent_in(good_claim);
    BOOST_TEST(!greeting.resumes);
    BOOST_TEST(greeting.ticket == "t");
    BOOST_TEST(greeting.secret == "s");
    BOOST_TEST(greeting.nonce == "n");
    BOOST_TEST(greeting.kinds.size() == 2u);
    BOOST_TEST(greeting.pid == 47);
    BOOST_TEST(greeting.hello.received == 0);
    BOOST_TEST(greeting.hello.oldest == 1);
}

BOOST_AUTO_TEST_CASE(a_resume_is_read_with_its_numbers_and_key) {
    const auto greeting = agent_in(good_resume);
    BOOST_TEST(greeting.resumes);
    BOOST_TEST(greeting.secret == "k");
    BOOST_TEST(greeting.hello.received == 12);
    BOOST_TEST(greeting.hello.oldest == 57);
}

BOOST_AUTO_TEST_CASE(a_guard_is_read) {
    const auto claim = std::get<DriverClaim>(read_greeting(good_guard).value());
    BOOST_TEST(claim.ticket == "spark-1-batch-7-1");
    BOOST_TEST(claim.secret == "s");
    BOOST_TEST(claim.nonce == "0123456789abcdef0123456789abcdef");
    BOOST_TEST(claim.driver == "driver-20261122063000-0001");
    for (const auto& line : {with(good_guard, "driver-20261122063000-0001", ""),
                             with(good_guard, R"("pid":4711,)", "")}) {
        BOOST_TEST(read_greeting(line).has_value(), line);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_greeting_is_refused_with_the_field) {
    struct Row {
        std::string line;
        std::string words;
    };
    const std::vector<Row> rows{
        {"", "one JSON object"},
        {"GET / HTTP/1.1", "one JSON object"},
        {"[]", "one JSON object"},
        {"{}", "a claim, a resume or a guard's"},
        {R"({"type":"execute"})", "a claim, a resume or a guard's"},
        {with(good_claim, R"("secret":"s")", R"("secret":7)"), "secret"},
        {with(good_claim, R"("nonce":"n",)", ""), "nonce"},
        {with(good_claim, R"("pid":47)", R"("pid":0)"), "pid"},
        {with(good_claim, R"(["pyspark","sql"])", R"(["pyspark",1])"), "kinds"},
        {with(good_claim, "[1,2]", "1"), "versions"},
        {with(good_resume, R"("received":12)", R"("received":-1)"), "received"},
        {with(good_resume, R"("oldest":57)", R"("oldest":0)"), "oldest"},
        {with(good_resume, R"("oldest":57)", R"("oldest":1e99)"), "oldest"},
        {with(good_resume, "resume_key", "secret"), "resume_key"},
        {with(good_guard, "[1]", "1"), "versions"},
        {with(good_guard, R"("secret":"s",)", ""), "secret"},
        {with(good_guard, R"("secret":"s")", R"("secret":null)"), "secret"},
        {with(good_guard, "spark-1", "Spark-1"), "ticket"},
        {with(good_guard, "spark-1", "../x"), "ticket"},
        {with(good_guard, "spark-1-batch-7-1", ""), "ticket"},
        {with(good_guard, "spark-1-batch-7-1", std::string(64, 'a')), "ticket"},
        {with(good_guard, "abcdef0123456789abcdef", "abcdef0123456789abcde"), "nonce"},
        {with(good_guard, "abcdef0123456789abcdef", "abcdef0123456789abcdeF"), "nonce"},
        {with(good_guard, "driver-2026", "driver 2026"), "driver"},
        {with(good_guard, "driver-2026", R"(driver\u0000)"), "driver"},
        {with(good_guard, "driver-20261122063000-0001", std::string(256, 'a')), "driver"},
        {with(good_guard, R"("driver-20261122063000-0001")", "7"), "driver"},
    };
    for (const auto& row : rows) {
        const auto greeting = read_greeting(row.line);
        BOOST_TEST_REQUIRE(greeting.has_error(), row.line);
        BOOST_TEST(greeting.error().is(Errc::invalid_argument));
        BOOST_TEST(greeting.error().detail.find(row.words) != std::string::npos,
                   greeting.error().detail);
    }
}

BOOST_AUTO_TEST_CASE(an_agent_of_another_version_is_told_so) {
    for (const auto& line : {with(good_guard, "[1]", "[2]"), with(good_claim, "[1,2]", "[2,3]")}) {
        BOOST_TEST_REQUIRE(read_greeting(line).has_error());
        BOOST_TEST(read_greeting(line).error().is(Errc::not_supported));
    }
    const auto greeting = read_greeting(with(good_claim, "[1,2]", "[2,3]"));
    BOOST_TEST(write_version_refusal(greeting.error()) ==
               "{\"type\":\"refuse\",\"code\":\"version\","
               "\"detail\":\"this host speaks version 1\",\"retry\":false}\n");
}

BOOST_AUTO_TEST_CASE(verdicts_are_written_as_the_protocol_has_them) {
    const auto claim = agent_in(good_claim);
    const auto resume = agent_in(good_resume);
    const AgentVerdict granted{AgentVerdict::Code::granted, "", "key"};
    BOOST_TEST(write_verdict(claim, granted) ==
               "{\"type\":\"grant\",\"version\":1,\"resume_key\":\"key\",\"received\":0}\n");
    BOOST_TEST(write_verdict(resume, granted) ==
               "{\"type\":\"grant\",\"version\":1,\"resume_key\":\"key\",\"received\":56}\n");
    using Code = AgentVerdict::Code;
    for (const auto& [code, word, retry] : std::vector<std::tuple<Code, std::string, std::string>>{
             {Code::claimed, "claimed", "false"},
             {Code::unknown, "unknown", "false"},
             {Code::ended, "ended", "false"},
             {Code::later, "later", "true"}}) {
        BOOST_TEST(write_verdict(claim, {code, "so", ""}) ==
                   "{\"type\":\"refuse\",\"code\":\"" + word +
                       "\",\"detail\":\"so\",\"retry\":" + retry + "}\n");
    }
}

BOOST_AUTO_TEST_CASE(a_guard_is_granted_with_files_of_any_bytes) {
    ClaimAnswer answer;
    answer.code = ClaimAnswer::Code::granted;
    BOOST_TEST(write_claim_answer(answer) == "{\"type\":\"grant\",\"version\":1,\"files\":[]}\n");
    answer.files = {{"a.py", ""}, {"b", "f"}, {"c", "fo"}, {"d", "foo"}, {"e", "\xff\n\xfe\x01"}};
    answer.files.push_back({"f", std::string(3, '\0')});
    BOOST_TEST(write_claim_answer(answer) ==
               "{\"type\":\"grant\",\"version\":1,\"files\":["
               "{\"name\":\"a.py\",\"base64\":\"\"},{\"name\":\"b\",\"base64\":\"Zg==\"},"
               "{\"name\":\"c\",\"base64\":\"Zm8=\"},{\"name\":\"d\",\"base64\":\"Zm9v\"},"
               "{\"name\":\"e\",\"base64\":\"/wr+AQ==\"},{\"name\":\"f\",\"base64\":\"AAAA\"}]}\n");
    answer.files = {{"large", std::string(5u << 20, 'x')}};
    const auto line = write_claim_answer(answer);
    BOOST_TEST((answer.code == ClaimAnswer::Code::granted));
    BOOST_TEST(line.size() < agent_protocol_line);
}

BOOST_AUTO_TEST_CASE(a_grant_that_fits_in_no_line_is_a_refusal) {
    for (const auto& sizes : std::vector<std::vector<std::size_t>>{
             {7u << 20}, {3u << 20, 3u << 20, 3u << 20}, {20u << 20}}) {
        ClaimAnswer answer;
        answer.code = ClaimAnswer::Code::granted;
        for (const auto size : sizes) {
            answer.files.push_back({"large", std::string(size, 'x')});
        }
        const auto line = write_claim_answer(answer);
        BOOST_TEST((answer.code == ClaimAnswer::Code::unknown));
        BOOST_TEST(line.find("more than a grant can carry") != std::string::npos);
        BOOST_TEST(line.size() < 200u);
    }
}

BOOST_AUTO_TEST_CASE(refusals_of_guards_are_written_as_the_protocol_has_them) {
    using Code = ClaimAnswer::Code;
    for (const auto& [code, word, retry] : std::vector<std::tuple<Code, std::string, std::string>>{
             {Code::claimed, "claimed", "false"},
             {Code::unknown, "unknown", "false"},
             {Code::ended, "ended", "false"},
             {Code::later, "later", "true"}}) {
        ClaimAnswer answer;
        answer.code = code;
        answer.detail = "so";
        BOOST_TEST(write_claim_answer(answer) == "{\"type\":\"refuse\",\"code\":\"" + word +
                                                     "\",\"detail\":\"so\",\"retry\":" + retry +
                                                     "}\n");
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
