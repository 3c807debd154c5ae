// SPDX-License-Identifier: Apache-2.0
#include "core/agent_greeting.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <tuple>
#include <vector>

namespace sparkhost::detail {

namespace {

const std::string good_claim =
    R"({"type":"claim","versions":[1,2],"ticket":"t","secret":"s","nonce":"n",)"
    R"("kinds":["pyspark","sql"],"pid":47,"later":true})";
const std::string good_resume =
    R"({"type":"resume","versions":[1],"ticket":"t","nonce":"n","resume_key":"k","received":12,)"
    R"("oldest":57,"latest":90,"kinds":[],"pid":47})";

std::string with(std::string text, const std::string& from, const std::string& to) {
    const auto place = text.find(from);
    BOOST_TEST_REQUIRE(place != std::string::npos, from);
    return text.replace(place, from.size(), to);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(agent_greeting)

BOOST_AUTO_TEST_CASE(a_claim_is_read) {
    const auto greeting = read_greeting(good_claim).value();
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
    const auto greeting = read_greeting(good_resume).value();
    BOOST_TEST(greeting.resumes);
    BOOST_TEST(greeting.secret == "k");
    BOOST_TEST(greeting.hello.received == 12);
    BOOST_TEST(greeting.hello.oldest == 57);
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
        {"{}", "a claim or a resume"},
        {R"({"type":"execute"})", "a claim or a resume"},
        {with(good_claim, R"("secret":"s")", R"("secret":7)"), "secret"},
        {with(good_claim, R"("nonce":"n",)", ""), "nonce"},
        {with(good_claim, R"("pid":47)", R"("pid":0)"), "pid"},
        {with(good_claim, R"(["pyspark","sql"])", R"(["pyspark",1])"), "kinds"},
        {with(good_claim, "[1,2]", "1"), "versions"},
        {with(good_resume, R"("received":12)", R"("received":-1)"), "received"},
        {with(good_resume, R"("oldest":57)", R"("oldest":0)"), "oldest"},
        {with(good_resume, R"("oldest":57)", R"("oldest":1e99)"), "oldest"},
        {with(good_resume, "resume_key", "secret"), "resume_key"},
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
    const auto greeting = read_greeting(with(good_claim, "[1,2]", "[2,3]"));
    BOOST_TEST_REQUIRE(greeting.has_error());
    BOOST_TEST(greeting.error().is(Errc::not_supported));
    BOOST_TEST(write_version_refusal(greeting.error()) ==
               "{\"type\":\"refuse\",\"code\":\"version\","
               "\"detail\":\"this host speaks version 1\",\"retry\":false}\n");
}

BOOST_AUTO_TEST_CASE(verdicts_are_written_as_the_protocol_has_them) {
    const auto claim = read_greeting(good_claim).value();
    const auto resume = read_greeting(good_resume).value();
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
