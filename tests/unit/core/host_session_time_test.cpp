// SPDX-License-Identifier: Apache-2.0
#include "session_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>

namespace sparkhost::host_test {

/// Looks at sessions as listings do, which is no sign of life.
struct TimeFixture : SessionFixture {
    std::optional<SessionRecord> listed(SessionId id) {
        auto page = ask(sessions().list({})).value();
        const auto found = std::ranges::find(page.sessions, id, &SessionRecord::id);
        return found == page.sessions.end() ? std::nullopt : std::optional(std::move(*found));
    }
    bool has_ended(SessionId id) { return listed(id).value().has_ended(); }
};

BOOST_FIXTURE_TEST_SUITE(host_session_time, TimeFixture)

BOOST_AUTO_TEST_CASE(an_idle_session_is_ended_and_a_busy_one_is_not) {
    options.session_idle_timeout = std::chrono::seconds{100};
    start();
    const auto idle = open();
    auto patient = session_spec();
    patient.idle_timeout = std::chrono::seconds{0};
    const auto forever = open(patient);
    const auto busy = open();
    agents->hold("statement");
    execute(busy, "long");
    advance(std::chrono::seconds{101});
    BOOST_TEST(session(idle).has_ended());
    BOOST_TEST(session(idle).application.reason.find("idle for 100 s") != std::string::npos);
    BOOST_TEST((state(busy) == SessionState::busy));
    BOOST_TEST((state(forever) == SessionState::idle));
    agents->finish(busy, {});
    settle();
    advance(std::chrono::seconds{99});
    BOOST_TEST((state(busy) == SessionState::idle));
    execute(busy, "again");
    agents->finish(busy, {});
    settle();
    advance(std::chrono::seconds{99});
    BOOST_TEST((state(busy) == SessionState::idle));
    advance(std::chrono::seconds{2});
    BOOST_TEST(session(busy).has_ended());
}

BOOST_AUTO_TEST_CASE(a_session_that_is_touched_is_not_idle) {
    options.session_idle_timeout = std::chrono::seconds{100};
    start();
    const auto id = open();
    advance(std::chrono::seconds{99});
    BOOST_TEST((ask(sessions().touch(id)).value().state() == SessionState::idle));
    advance(std::chrono::seconds{99});
    BOOST_TEST(!has_ended(id));
    session(id);  // looking at it is not using it
    advance(std::chrono::seconds{2});
    BOOST_TEST(has_ended(id));
    BOOST_TEST(ask(sessions().touch(SessionId{99})).error().is(Errc::not_found));
}

BOOST_AUTO_TEST_CASE(a_session_lives_no_longer_than_its_ttl) {
    start();
    auto wanted = session_spec();
    wanted.ttl = std::chrono::seconds{100};
    const auto id = open(wanted);
    agents->hold("statement");
    const auto number = execute(id, "long");
    advance(std::chrono::seconds{60});
    BOOST_TEST((state(id) == SessionState::busy));
    restart();
    come_back(id);
    advance(std::chrono::seconds{39});
    BOOST_TEST((state(id) == SessionState::busy));
    advance(std::chrono::seconds{2});
    BOOST_TEST(session(id).has_ended());
    BOOST_TEST(session(id).application.reason.find("lived for 100 s") != std::string::npos);
    BOOST_TEST((state(id, number) == StatementState::cancelled));
}

BOOST_AUTO_TEST_CASE(a_session_that_nobody_asks_for_is_erased) {
    options.session_idle_timeout = std::chrono::seconds{0};
    start();
    auto wanted = session_spec("dear");
    wanted.heartbeat_timeout = std::chrono::seconds{60};
    const auto id = open(wanted);
    const auto other = open();
    for (int minute = 0; minute < 3; ++minute) {
        advance(std::chrono::seconds{59});
        BOOST_TEST((state(id) == SessionState::idle));  // a sign of life
    }
    advance(std::chrono::seconds{59});
    BOOST_TEST(!has_ended(id));  // none
    advance(std::chrono::seconds{2});
    BOOST_TEST(!listed(id));
    BOOST_TEST(ask(sessions().find(id)).error().is(Errc::not_found));
    BOOST_TEST(agents->exit_code(id).value_or(-1) == 0);
    BOOST_TEST((state(other) == SessionState::idle));
    BOOST_TEST(open(wanted).value > id.value);  // its name is free
}

BOOST_AUTO_TEST_CASE(a_restart_gives_clients_time_to_come_back) {
    start();
    auto wanted = session_spec();
    wanted.heartbeat_timeout = std::chrono::seconds{60};
    const auto id = open(wanted);
    advance(std::chrono::seconds{50});
    restart();
    come_back(id);
    advance(std::chrono::seconds{59});
    BOOST_TEST(!has_ended(id));
    advance(std::chrono::seconds{2});
    BOOST_TEST(!listed(id));
}

BOOST_AUTO_TEST_CASE(times_that_no_clock_can_be_told_are_refused) {
    start();
    for (const auto seconds : {std::chrono::seconds{0}, std::chrono::seconds{-1},
                               std::chrono::seconds{std::chrono::years{101}}}) {
        auto ttl = session_spec();
        ttl.ttl = seconds;
        BOOST_TEST(ask(sessions().open(ttl)).error().field == "ttl");
        auto heartbeat = session_spec();
        heartbeat.heartbeat_timeout = seconds;
        BOOST_TEST(ask(sessions().open(heartbeat)).error().field == "heartbeatTimeoutInSecond");
    }
}

BOOST_AUTO_TEST_CASE(what_has_ended_is_erased_after_its_retention) {
    options.session_idle_timeout = std::chrono::seconds{0};
    options.session_retention = std::chrono::seconds{600};
    options.batch_retention = std::chrono::seconds{1200};
    start();
    const auto living = open();
    const auto id = open(session_spec("old"));
    execute(id, "code");
    ask(sessions().close(id)).value();
    const auto batch = submit().id;
    finish(batch);
    advance(std::chrono::seconds{590});
    BOOST_TEST(has_ended(id));
    advance(std::chrono::seconds{60});
    BOOST_TEST(!listed(id));
    BOOST_TEST(!has_ended(living));
    BOOST_TEST(find(batch).has_ended());
    restart();
    advance(std::chrono::seconds{1300});
    BOOST_TEST(ask(host().find(batch)).error().is(Errc::not_found));
    BOOST_TEST(!has_ended(living));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
