// SPDX-License-Identifier: Apache-2.0
#include "host_fixture.hpp"

#include <boost/test/unit_test.hpp>

namespace sparkhost::host_test {

BOOST_FIXTURE_TEST_SUITE(host_keys, HostFixture)

BOOST_AUTO_TEST_CASE(the_same_request_with_the_same_key_gives_the_first_batch) {
    start();
    auto wanted = spec("nightly");
    wanted.idempotency_key = "k";
    const auto first = submit(wanted).id;
    BOOST_TEST(submit(wanted).id == first);
    finish(first);
    const auto again = submit(wanted);
    BOOST_TEST(again.id == first);
    BOOST_TEST(again.state() == BatchState::success);
    BOOST_TEST(ask(host().list({})).value().total == 1);
    restart();
    BOOST_TEST(submit(wanted).id == first);
}

BOOST_AUTO_TEST_CASE(a_full_queue_still_answers_a_repeated_request) {
    options.max_running = 1;
    options.max_queued = 1;
    start();
    submit();
    auto wanted = spec();
    wanted.idempotency_key = "k";
    const auto first = submit(wanted).id;
    BOOST_TEST(ask(host().submit(spec())).error().is(Errc::rejected));
    BOOST_TEST(submit(wanted).id == first);
    wanted.idempotency_key = "another";
    BOOST_TEST(ask(host().submit(wanted)).error().is(Errc::rejected));
}

BOOST_AUTO_TEST_CASE(another_request_with_the_same_key_is_refused) {
    start();
    auto wanted = spec();
    wanted.idempotency_key = "k";
    submit(wanted);
    wanted.args = {"other"};
    const auto answer = ask(host().submit(wanted));
    BOOST_TEST(answer.error().is(Errc::already_exists));
    BOOST_TEST(answer.error().field == "idempotency_key");
}

BOOST_AUTO_TEST_CASE(keys_of_different_owners_are_different) {
    start();
    auto wanted = spec();
    wanted.idempotency_key = "k";
    wanted.owner = "anna";
    const auto first = submit(wanted).id;
    wanted.owner = "otto";
    BOOST_TEST(submit(wanted).id != first);
}

BOOST_AUTO_TEST_CASE(the_key_of_an_erased_batch_does_not_start_it_again) {
    start();
    auto wanted = spec();
    wanted.idempotency_key = "k";
    ask(host().erase(submit(wanted).id)).value();
    const auto answer = ask(host().submit(wanted));
    BOOST_TEST(answer.error().is(Errc::already_exists));
    BOOST_TEST(answer.error().field == "idempotency_key");
}

BOOST_AUTO_TEST_CASE(a_key_is_forgotten_when_its_time_has_passed) {
    for (const bool erased : {false, true}) {
        BOOST_TEST_CONTEXT(erased) {
            HostFixture fixture;
            fixture.options.idempotency_retention = 1h;
            fixture.start();
            auto wanted = spec();
            wanted.idempotency_key = "k";
            const auto first = fixture.submit(wanted).id;
            fixture.finish(first);
            if (erased) {
                fixture.ask(fixture.host().erase(first)).value();
            }
            fixture.advance(59min);
            if (erased) {
                BOOST_TEST(fixture.ask(fixture.host().submit(wanted)).has_error());
            } else {
                BOOST_TEST(fixture.submit(wanted).id == first);
            }
            fixture.advance(2min);
            BOOST_TEST(fixture.submit(wanted).id == BatchId{1});
            BOOST_TEST(fixture.submit(wanted).id == BatchId{1});
        }
    }
}

BOOST_AUTO_TEST_CASE(many_submits_with_one_key_at_the_same_time_make_one_batch) {
    start();
    auto wanted = spec();
    wanted.idempotency_key = "k";
    faults().hold_commits();
    std::vector<PendingPtr<BatchRecord>> calls;
    for (int i = 0; i < 10; ++i) {
        calls.push_back(begin(host().submit(wanted)));
    }
    BOOST_TEST(faults().held() == 10u);
    faults().let_go();
    settle();
    for (const auto& call : calls) {
        BOOST_TEST_REQUIRE(call->done());
        BOOST_TEST(call->answer->value().id == BatchId{0});
    }
    BOOST_TEST(ask(host().list({})).value().total == 1);
    BOOST_TEST(cluster->submitted().size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
