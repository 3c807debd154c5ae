// SPDX-License-Identifier: Apache-2.0

// Sessions and batches on backends whose drivers do not share this host's files; and how the host
// says what it knows of its backends.

#include "session_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>
#include <utility>

namespace sparkhost {

using namespace host_test;

namespace host_elsewhere_test {

struct ElsewhereFixture : SessionFixture {
    ElsewhereFixture() {
        options.agent_address = "tcp:127.0.0.1:0";
        auto add = std::move(add_plugins);
        add_plugins = [this, add](HostPlugins& plugins) {
            add(plugins);
            plugins.backends.push_back(
                testing::make_fake_backend(cluster, {.name = "elsewhere", .shares_files = false}));
        };
    }
    /// A crash that gives the port back, as that of a process does.
    void die() {
        crash();
        clear_away(crashed.back());
        crashed.pop_back();
    }
    static SessionSpec spec_elsewhere() {
        auto spec = session_spec();
        spec.spec.backend = "elsewhere";
        return spec;
    }
    SessionRuntime::SessionRequest prepared(SessionId id) { return agents->prepared(id).value(); }
    bool has_claim_file(SessionId id) { return std::filesystem::exists(prepared(id).claim_file); }
};

}  // namespace host_elsewhere_test

using host_elsewhere_test::ElsewhereFixture;

BOOST_FIXTURE_TEST_SUITE(host_elsewhere, ElsewhereFixture)

BOOST_AUTO_TEST_CASE(a_driver_elsewhere_gets_copies_and_an_address_that_it_can_dial) {
    start();
    const auto id = open(spec_elsewhere());
    BOOST_TEST(!prepared(id).shares_files);
    BOOST_TEST(prepared(id).agent_endpoint.starts_with("tcp:127.0.0.1:"));
    const auto files = cluster->driver_files(ticket(id));
    BOOST_TEST_REQUIRE(files.size() == 1u);
    BOOST_TEST(files.begin()->second.size() > 20u, "the secret");
    const auto here = open();
    BOOST_TEST(prepared(here).shares_files);
    BOOST_TEST(prepared(here).agent_endpoint.starts_with("unix:"));
    BOOST_TEST(cluster->driver_files(ticket(here)).empty());
    for (const auto session : {id, here}) {
        settle();
        BOOST_TEST((state(session) == SessionState::idle));
        const auto number = execute(session, "1 + 1");
        settle();
        BOOST_TEST((state(session, number) == StatementState::available));
    }
}

BOOST_AUTO_TEST_CASE(a_submit_that_is_repeated_finds_the_files_that_were_handed_over) {
    for (const char* moment : {"submit", "submit_reply"}) {
        BOOST_TEST_CONTEXT("dies at " << moment) {
            cluster->hold(moment);
            cluster->hold("watch");  // which would tell that it runs
            start();
            const auto id = ask(sessions().open(spec_elsewhere())).value().id;
            settle();
            BOOST_TEST((session(id).application.phase == BatchPhase::reserved));
            die();
            cluster->let_go("watch");
            start();
            come_back(id);
            settle();
            BOOST_TEST((session(id).application.phase == BatchPhase::running));
            BOOST_TEST(cluster->driver_files(ticket(id)).size() == 1u);
            BOOST_TEST(cluster->starts(ticket(id)) == 1u);
            stop().value();
            next_life();
        }
    }
}

BOOST_AUTO_TEST_CASE(a_claim_does_not_take_the_secret_from_a_submit_that_may_be_repeated) {
    cluster->hold("submit_reply");
    cluster->hold("watch");
    start();
    const auto id = ask(sessions().open(spec_elsewhere())).value().id;
    settle();
    agents->start(id);  // it runs, although the host does not know yet
    settle();
    BOOST_TEST_REQUIRE(session(id).facts.has_value(), "its agent has claimed");
    BOOST_TEST((session(id).application.phase == BatchPhase::reserved));
    BOOST_TEST(has_claim_file(id), "the submit may have to be made again");
    cluster->let_go("submit_reply");
    settle();
    BOOST_TEST((session(id).application.phase >= BatchPhase::submitted));
    BOOST_TEST(!has_claim_file(id), "nobody needs it any more");
    cluster->let_go("watch");
}

BOOST_AUTO_TEST_CASE(a_session_that_could_not_reach_this_host_is_refused) {
    options.agent_address = "";
    start();
    const auto refused = ask(sessions().open(spec_elsewhere()));
    BOOST_TEST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().is(Errc::not_supported));
    BOOST_TEST(ask(sessions().open(session_spec())).has_value());
    auto batch = spec();
    batch.backend = "elsewhere";
    BOOST_TEST(ask(host().submit(batch)).has_value(), "batches need no way back");
}

BOOST_AUTO_TEST_CASE(a_driver_elsewhere_cannot_be_given_a_file_of_this_host) {
    start();
    const auto id = open(spec_elsewhere());
    settle();
    const auto kept = ask(sessions().keep_file(id, "x.jar", "content"));
    BOOST_TEST_REQUIRE(!kept.has_value());
    BOOST_TEST(kept.error().is(Errc::not_supported));
    options.local_file_roots = {"/data"};
    SessionFile file;
    file.uri = "/opt/in/the/image.jar";
    BOOST_TEST(ask(sessions().add_file(id, file)).has_value());
}

BOOST_AUTO_TEST_CASE(sessions_elsewhere_outlive_the_host) {
    start();
    const auto id = open(spec_elsewhere());
    settle();
    const auto address = prepared(id).agent_endpoint;
    die();
    start();
    come_back(id);
    BOOST_TEST((state(id) == SessionState::idle));
    const auto other = open(spec_elsewhere());
    BOOST_TEST(prepared(other).agent_endpoint == address, "which is what agents know");
}

BOOST_AUTO_TEST_CASE(a_session_stays_where_it_runs_when_another_backend_is_the_default) {
    start();
    const auto id = open();
    settle();
    BOOST_TEST(session(id).application.spec.backend == "fake");
    stop().value();
    next_life();
    add_plugins = [this, add = std::move(add_plugins)](HostPlugins& plugins) {
        add(plugins);
        std::swap(plugins.backends.front(), plugins.backends.back());
    };
    start();
    come_back(id);
    BOOST_TEST((state(id) == SessionState::idle));
    BOOST_TEST(host().status().backends[0].name == "elsewhere");
}

BOOST_AUTO_TEST_CASE(an_unknown_backend_is_told_with_those_there_are) {
    start();
    auto wanted = spec();
    wanted.backend = "moon";
    const auto refused = ask(host().submit(wanted));
    BOOST_TEST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().is(Errc::invalid_argument));
    BOOST_TEST(refused.error().field == "backend");
    BOOST_TEST(refused.error().detail == "there is no backend 'moon'; there is fake, elsewhere");
    auto session = session_spec();
    session.spec.backend = "moon";
    BOOST_TEST(ask(sessions().open(session)).error().field == "backend");
}

BOOST_AUTO_TEST_CASE(the_status_says_which_backends_are_followed) {
    cluster->hold("watch");
    start();
    const auto at_first = host().status().backends;
    BOOST_TEST_REQUIRE(at_first.size() == 2u);
    BOOST_TEST(at_first[0].name == "fake");
    BOOST_TEST(at_first[1].name == "elsewhere");
    BOOST_TEST(!at_first[0].watching);
    cluster->let_go("watch");
    settle();
    BOOST_TEST(host().status().backends[0].watching);
    const auto since = host().status().backends[0].watching_since.value();
    advance(5s);
    cluster->trouble("connection refused");
    settle();
    const auto in_trouble = host().status().backends[0];
    BOOST_TEST(!in_trouble.watching);
    BOOST_TEST(in_trouble.problem == "connection refused");
    BOOST_TEST((in_trouble.watching_since.value() == since + 5s));
    cluster->trouble("");
    settle();
    BOOST_TEST(host().status().backends[0].watching);
    BOOST_TEST(host().status().backends[0].problem.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost
