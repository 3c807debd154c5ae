// SPDX-License-Identifier: Apache-2.0
#include "fake_runtime_fixture.hpp"

#include <sparkhost/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

namespace sparkhost::testing::fake_runtime_test {

namespace {

/// A fake backend besides, and agents that come up on its cluster by themselves.
struct ClusterFixture : Fixture {
    std::shared_ptr<FakeCluster> cluster{std::make_shared<FakeCluster>()};
    std::unique_ptr<Backend> backend{make_fake_backend(cluster)};
    asio::cancellation_signal stop{};
    bool launching{false};
    Ticket ticket{};

    ClusterFixture() {
        BackendContext context;
        context.store_uuid = "01234567-89ab";
        test::run_on(io, [&] { return backend->open(context); }).value();
        run_cluster();
    }
    void run_cluster() {
        launching = true;
        asio::co_spawn(io, agents->run_on(cluster),
                       asio::bind_cancellation_slot(
                           stop.slot(), [this](std::exception_ptr) { launching = false; }));
    }
    void reserve() {
        auto wanted = prepare(request()).value();
        ticket = test::run_on(io, [&] { return backend->reserve(wanted); }).value();
    }
    void submit() {
        reserve();
        test::run_on(io, [&] { return backend->submit(SubmitRequest{}, ticket); }).value();
    }
    void kill() {
        test::run_on(io, [&] { return backend->kill(ticket); }).value();
    }
    ApplicationStatus status() { return cluster->status(ticket.id).value(); }

    ~ClusterFixture() {
        stop.emit(asio::cancellation_type::terminal);
        settle();
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(fake_runtime_cluster, ClusterFixture)

BOOST_AUTO_TEST_CASE(an_agent_comes_up_when_it_is_submitted_and_is_reported_to_the_end) {
    submit();
    connect();
    attach();
    converse();
    BOOST_TEST((status().state == ApplicationState::context_up));
    BOOST_TEST(status().application_id == "fake-session-7");
    BOOST_TEST(session->facts.size() == 1u);
    talk->close();
    test::run_on(io, [&] { return agents->until_ended(id); });
    settle();
    BOOST_TEST((status().outcome == Outcome::success));
    BOOST_TEST((status().exit_code == std::optional<int>(0)));
}

BOOST_AUTO_TEST_CASE(nothing_runs_before_the_submit_has_had_its_effect) {
    cluster->hold("submit");
    reserve();
    auto answer = ask(backend->submit(SubmitRequest{}, ticket));
    BOOST_TEST(agents->calls("dial") == 0u);
    cluster->let_go("submit");
    connect();
    BOOST_TEST(agents->is_connected(id));
}

BOOST_AUTO_TEST_CASE(a_killed_application_loses_its_agent) {
    submit();
    connect();
    attach();
    converse();
    kill();
    test::run_on(io, [&] { return agents->until_ended(id); });
    settle();
    BOOST_TEST((status().outcome == Outcome::killed));
    BOOST_TEST(over->value().error().is(Errc::backend_failed));
}

BOOST_AUTO_TEST_CASE(a_crash_and_a_refusal_are_failures_of_the_application) {
    submit();
    connect();
    agents->crash(id);
    BOOST_TEST((status().outcome == Outcome::failed));
    BOOST_TEST((status().exit_code == std::optional<int>(1)));
    auto second = request();
    second.attempt = 2;
    second.ticket = "01234567-session-7-2";
    host->gate->verdict.code = AgentVerdict::Code::unknown;
    auto wanted = prepare(second).value();
    ticket = test::run_on(io, [&] { return backend->reserve(wanted); }).value();
    test::run_on(io, [&] { return backend->submit(wanted, ticket); }).value();
    test::run_on(io, [&] { return agents->until_ended(id); });
    BOOST_TEST((status().exit_code == std::optional<int>(11)));
}

BOOST_AUTO_TEST_CASE(a_spark_that_fails_is_a_failure_of_the_application) {
    agents->fail_start({});
    submit();
    connect();
    attach();
    converse();
    BOOST_TEST((status().outcome == Outcome::failed));
    BOOST_TEST((status().exit_code == std::optional<int>(13)));
}

BOOST_AUTO_TEST_CASE(launching_can_be_left_and_taken_up_again) {
    submit();
    connect();
    stop.emit(asio::cancellation_type::terminal);
    settle();
    BOOST_TEST(!launching);
    BOOST_TEST(agents->is_connected(id));
    kill();
    BOOST_TEST(!agents->exit_code(id).has_value());
    run_cluster();
    test::run_on(io, [&] { return agents->until_ended(id); });
    BOOST_TEST(agents->dials(id) == 1u);
}

BOOST_AUTO_TEST_CASE(other_applications_of_the_cluster_are_left_alone) {
    SubmitRequest batch;
    batch.subject = "batch-7";
    ticket = test::run_on(io, [&] { return backend->reserve(batch); }).value();
    test::run_on(io, [&] { return backend->submit(batch, ticket); }).value();
    settle();
    BOOST_TEST((status().state == ApplicationState::submitted));
    BOOST_TEST(agents->calls("dial") == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::testing::fake_runtime_test
