// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/manager_machine.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace sparkhost::test::yarn {

using namespace detail::yarn;

namespace manager_test {

using End = ManagerOutcome::End;
using Heard = Result<detail::http::Response>;

Heard reply(int status, std::string body) {
    detail::http::Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

Heard info(const std::string& state, int started_on = 1) {
    return reply(200, R"({"clusterInfo":{"state":"STARTED","haState":")" + state +
                          R"(","startedOn":)" + std::to_string(started_on) + "}}");
}

const Heard active = info("ACTIVE");
const Heard refused = Error(Errc::backend_failed, "connection refused");
const Heard broken = Error(Errc::indeterminate, "the answer broke off");
const Heard absent =
    reply(404, R"({"RemoteException":{"exception":"NotFoundException","message":"not found"}})");

/// What is said, in order, and whom it is asked of: "0i" the first one's info, "1r" the request to
/// the second.
struct Case {
    std::string name{};
    Inquiry inquiry{Inquiry::facts};
    std::vector<Heard> heard{};
    std::string asked{};
    End end{End::unheard};
    std::string words{};  ///< that are among those told
};

void check(const Case& each) {
    BOOST_TEST_CONTEXT(each.name) {
        ManagerMachine machine({"http://a", "http://b"}, each.inquiry);
        std::string asked;
        for (const auto& heard : each.heard) {
            BOOST_TEST_REQUIRE((machine.step() != ManagerMachine::Step::over));
            asked += (asked.empty() ? "" : " ") + std::to_string(machine.which()) +
                     "irp"[static_cast<int>(machine.step())];
            machine.heard(heard);
        }
        BOOST_TEST(asked == each.asked);
        BOOST_TEST_REQUIRE((machine.step() == ManagerMachine::Step::over));
        BOOST_TEST((machine.outcome().end == each.end));
        const std::string& words = machine.outcome().words;
        BOOST_TEST(words.find(each.words) != std::string::npos, words);
    }
}

}  // namespace manager_test

BOOST_AUTO_TEST_SUITE(yarn_manager_machine)

using namespace manager_test;

BOOST_AUTO_TEST_CASE(the_active_one_is_asked) {
    const std::vector<Case> cases{
        {"the first",
         Inquiry::facts,
         {active, reply(200, "x")},
         "0i 0r",
         End::answered,
         "http://a"},
        {"standby first",
         Inquiry::facts,
         {info("STANDBY"), active, reply(200, "x")},
         "0i 1i 1r",
         End::answered,
         "http://b"},
        {"refuses connections",
         Inquiry::changes,
         {refused, active, reply(202, "")},
         "0i 1i 1r",
         End::answered,
         "http://b"},
        {"recovers",
         Inquiry::changes,
         {info("INITIALIZING"), refused},
         "0i 1i",
         End::unheard,
         "http://a: is INITIALIZING; http://b: connection refused"},
        {"is no ResourceManager",
         Inquiry::facts,
         {reply(200, "<html>"), reply(503, "away")},
         "0i 1i",
         End::unheard,
         "http://b: HTTP status 503: away"},
        {"which it is",
         Inquiry::none,
         {info("STANDBY"), active},
         "0i 1i",
         End::answered,
         "http://b"},
    };
    for (const auto& each : cases) {
        check(each);
    }
}

BOOST_AUTO_TEST_CASE(what_is_missing_counts_only_where_it_stayed_active) {
    const std::vector<Case> cases{
        {"absent", Inquiry::facts, {active, absent, active}, "0i 0r 0p", End::answered, "http://a"},
        {"absent from a change",
         Inquiry::changes,
         {active, absent, active},
         "0i 0r 0p",
         End::answered,
         "http://a"},
        {"started again",
         Inquiry::facts,
         {active, absent, info("ACTIVE", 2)},
         "0i 0r 0p",
         End::changed,
         "http://a: has been started again meanwhile"},
        {"recovers again",
         Inquiry::facts,
         {active, absent, info("INITIALIZING", 1)},
         "0i 0r 0p",
         End::changed,
         "http://a: was ACTIVE and is INITIALIZING now"},
        {"dies",
         Inquiry::facts,
         {active, absent, broken},
         "0i 0r 0p",
         End::changed,
         "http://a: was ACTIVE; the answer broke off"},
        {"a list",
         Inquiry::lists,
         {active, reply(200, "x"), active},
         "0i 0r 0p",
         End::answered,
         "http://a"},
        {"an empty list of one that recovers",
         Inquiry::lists,
         {active, reply(200, R"({"apps":null})"), info("INITIALIZING")},
         "0i 0r 0p",
         End::changed,
         "is INITIALIZING now"},
    };
    for (const auto& each : cases) {
        check(each);
    }
}

BOOST_AUTO_TEST_CASE(a_change_is_sent_once) {
    const std::vector<Case> cases{
        {"may have been heard",
         Inquiry::changes,
         {active, broken},
         "0i 0r",
         End::unclear,
         "http://a: the answer broke off"},
        {"was not heard",
         Inquiry::changes,
         {active, refused, active, reply(202, "")},
         "0i 0r 1i 1r",
         End::answered,
         "http://b"},
        {"went to standby",
         Inquiry::changes,
         {active, reply(307, "This is standby RM. The redirect url is: /"), active, reply(202, "")},
         "0i 0r 1i 1r",
         End::answered,
         "http://b"},
        {"nobody is active",
         Inquiry::changes,
         {active, reply(200, "Can not find any active RM. Will retry in next 5 seconds."),
          info("STANDBY")},
         "0i 0r 1i",
         End::unheard,
         "http://a: was ACTIVE and is in standby now; http://b: is STANDBY"},
        {"is refused",
         Inquiry::changes,
         {active, reply(400, "no")},
         "0i 0r",
         End::answered,
         "http://a"},
        {"a question may be asked again",
         Inquiry::facts,
         {active, broken, active, reply(200, "x")},
         "0i 0r 1i 1r",
         End::answered,
         "http://b"},
    };
    for (const auto& each : cases) {
        check(each);
    }
}

BOOST_AUTO_TEST_CASE(without_addresses_nobody_is_asked) {
    const ManagerMachine machine({}, Inquiry::facts);
    BOOST_TEST((machine.step() == ManagerMachine::Step::over));
    BOOST_TEST((machine.outcome().end == End::unheard));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::yarn
