// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/tracker.hpp"

#include "kubernetes/pod_json.hpp"
#include "kubernetes/scripted_api.hpp"
#include "support/printing.hpp"
#include "support/run.hpp"

#include <sparkhost/testing/manual_clock.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>

namespace sparkhost::detail::kubernetes {

namespace {

using namespace std::chrono_literals;
using namespace sparkhost::test;
using Words = std::vector<std::string>;

const std::string ticket = PodJson().ticket;

class WordySink final : public EventSink {
public:
    void snapshot_begin() override { words.push_back("begin"); }
    void status(ApplicationStatus report) override {
        const int state = static_cast<int>(report.state);
        words.push_back(report.ticket + " " + std::to_string(state) + "/" +
                        std::string(to_string(report.outcome)));
        last = std::move(report);
    }
    void snapshot_complete() override {
        words.push_back("complete");
        trouble_now.clear();  // as a host takes it
    }
    void trouble(std::string reason) override { trouble_now = std::move(reason); }
    Words words{};
    std::string trouble_now{};
    ApplicationStatus last{};
};

/// A tracker that runs on the test's context.
struct Rig {
    std::shared_ptr<ScriptedApi> api{std::make_shared<ScriptedApi>()};
    std::shared_ptr<WordySink> sink{std::make_shared<WordySink>()};
    std::shared_ptr<testing::ManualClock> clock{std::make_shared<testing::ManualClock>()};
    TrackerOptions options{};
    Words logged{};
    std::shared_ptr<Tracker> tracker{};
    asio::cancellation_signal cancel{};
    std::optional<Result<void>> result{};

    Rig() {
        options.store_uuid = "store-1";
        options.namespaces = {"jobs"};
        options.follow_executors = false;
    }
    void start(asio::any_io_executor executor) {
        BackendContext context;
        context.clock = clock;
        context.log = [this](const LogEvent& event) { logged.push_back(event.message); };
        tracker = std::make_shared<Tracker>(options, api, context, sink);
        asio::co_spawn(executor, Tracker::run(tracker),
                       asio::bind_cancellation_slot(cancel.slot(),
                                                    [this](std::exception_ptr, Result<void> ended) {
                                                        result = std::move(ended);
                                                    }));
    }
    ScriptedWatch& watch() { return *api->watches.back(); }
};

/// Lets everything run until `holds`; nothing in these tests waits for anything real.
template <class Condition>
asio::awaitable<void> until(Condition holds) {
    const auto executor = co_await asio::this_coro::executor;
    for (int turn = 0; turn < 2000 && !holds(); ++turn) {
        co_await asio::post(executor, asio::use_awaitable);
    }
    BOOST_TEST_REQUIRE(holds(), "it does not come to this");
}

asio::awaitable<void> settle() {
    const auto executor = co_await asio::this_coro::executor;
    for (int turn = 0; turn < 100; ++turn) {
        co_await asio::post(executor, asio::use_awaitable);
    }
}

asio::awaitable<void> watches(Rig& rig, std::size_t count = 1) {
    auto open = [&] { return rig.api->watches.size() >= count; };
    co_await until(open);
}

asio::awaitable<void> end(Rig& rig) {
    rig.cancel.emit(asio::cancellation_type::all);
    auto over = [&] { return rig.result.has_value(); };
    co_await until(over);
    BOOST_TEST(rig.result->has_value());
    const auto words = rig.sink->words.size();
    co_await settle();
    BOOST_TEST(rig.sink->words.size() == words);
}

template <class Function>
void with(Rig& rig, Function function) {
    sparkhost::test::run([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        rig.start(executor);
        co_await function();
        co_await end(rig);
        rig.clock->advance(1h);  // nobody sleeps any more
    });
}

#define CHECK_WORDS(found, ...)                                          \
    do {                                                                 \
        const Words wanted{__VA_ARGS__};                                 \
        BOOST_TEST((found) == wanted, boost::test_tools::per_element()); \
    } while (false)

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_tracker)

BOOST_AUTO_TEST_CASE(a_snapshot_comes_first_and_then_what_changes) {
    Rig rig;
    rig.api->answer = [](const http::Request&) { return ScriptedApi::list(running_pod().text()); };
    with(rig, [&]() -> asio::awaitable<void> {
        co_await watches(rig);
        CHECK_WORDS(rig.sink->words, ticket + " 1/none", "complete");
        rig.watch().say(ended_pod(0).event("MODIFIED"));
        auto told = [&] { return rig.sink->words.size() == 3; };
        co_await until(told);
        BOOST_TEST(rig.sink->words.back() == ticket + " 3/success");
    });
    BOOST_TEST(rig.api->asked.at(0) ==
               "GET /api/v1/namespaces/jobs/pods?labelSelector=sparkhost.io%2Fstore%3Dstore-1%2C"
               "spark-role%3Ddriver&limit=500");
    BOOST_TEST(rig.api->asked.at(1).find(
                   "&watch=1&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds=240") !=
               std::string::npos);
    BOOST_TEST(rig.watch().closed);
}

BOOST_AUTO_TEST_CASE(a_list_comes_in_pages) {
    Rig rig;
    rig.api->answer = [](const http::Request& request) {
        return request.target.find("continue=a%2Fb") == std::string::npos
                   ? ScriptedApi::list(PodJson().text(), "10", "a/b")
                   : ScriptedApi::list("", "10");
    };
    with(rig, [&]() -> asio::awaitable<void> { co_await watches(rig); });
    CHECK_WORDS(rig.sink->words, ticket + " 0/none", "complete");
}

BOOST_AUTO_TEST_CASE(a_watch_that_ends_goes_on_from_the_last_version) {
    Rig rig;
    with(rig, [&]() -> asio::awaitable<void> {
        co_await watches(rig);
        rig.watch().say(R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"77"}}})");
        rig.watch().end();
        co_await watches(rig, 2);
        rig.watch().push(Error(Errc::timed_out, "silent"));
        co_await watches(rig, 3);
    });
    BOOST_TEST(rig.api->count("resourceVersion=77") == 2U);
    CHECK_WORDS(rig.sink->words, "complete");
    BOOST_TEST(rig.logged.empty());
}

BOOST_AUTO_TEST_CASE(an_expired_version_gives_a_new_snapshot) {
    Rig rig;
    std::string items = running_pod().text();
    rig.api->answer = [&](const http::Request&) { return ScriptedApi::list(items); };
    with(rig, [&]() -> asio::awaitable<void> {
        co_await watches(rig);
        items.clear();
        rig.watch().say(running_pod().event("MODIFIED"));
        rig.watch().say(recording("watch-410.json"));
        co_await rig.clock->until_sleepers(1);
        rig.clock->advance(1s);
        co_await watches(rig, 2);
    });
    CHECK_WORDS(rig.sink->words, ticket + " 1/none", "complete", "begin", ticket + " 3/unknown",
                "complete");
    BOOST_TEST_REQUIRE(rig.logged.size() == 1U);
    BOOST_TEST(rig.logged[0].ends_with(" has expired (410): listing again"));
    BOOST_TEST(rig.sink->trouble_now.empty());
}

BOOST_AUTO_TEST_CASE(what_is_not_understood_ends_the_connection_and_not_the_watch) {
    for (const auto& bad : {Result<std::string>(std::string("nonsense\n")),
                            Result<std::string>(Error(Errc::backend_failed, "reset"))}) {
        Rig rig;
        with(rig, [&]() -> asio::awaitable<void> {
            co_await watches(rig);
            rig.watch().push(bad);
            co_await rig.clock->until_sleepers(1);
            BOOST_TEST(rig.api->watches.size() == 1U);
            rig.clock->advance(1s);
            co_await watches(rig, 2);
        });
        BOOST_TEST(rig.api->count("resourceVersion=10") == 2U);
    }
}

BOOST_AUTO_TEST_CASE(a_forbidden_watch_is_told_once_and_tried_again) {
    Rig rig;
    bool allowed = false;
    rig.api->answer = [&](const http::Request&) {
        return allowed ? ScriptedApi::list("") : ScriptedApi::response(403, recording("403.json"));
    };
    with(rig, [&]() -> asio::awaitable<void> {
        for (int round = 0; round < 3; ++round) {
            co_await rig.clock->until_sleepers(1);
            rig.clock->advance(1min);
            co_await settle();
        }
        BOOST_TEST(rig.sink->words.empty());
        BOOST_TEST_REQUIRE(rig.logged.size() == 1U);
        BOOST_TEST(rig.logged[0].starts_with("watching the drivers in namespace 'jobs': the API"));
        BOOST_TEST(rig.sink->trouble_now == rig.logged[0]);
        allowed = true;
        rig.clock->advance(1min);
        co_await watches(rig);
    });
    BOOST_TEST(rig.logged.size() == 2U);
    BOOST_TEST(rig.sink->trouble_now.empty());
    CHECK_WORDS(rig.sink->words, "complete");
}

BOOST_AUTO_TEST_CASE(what_is_not_allowed_is_trouble_until_it_is) {
    Rig rig;
    std::size_t asked = 0;
    Result<void> access = Error(Errc::indeterminate, "away");
    rig.options.check_access = [&]() -> Awaitable<void> {
        ++asked;
        co_return access;
    };
    const auto ask_again = [&]() -> asio::awaitable<void> {
        const auto before = asked;
        co_await settle();
        rig.clock->advance(1min);
        auto again = [&] { return asked > before; };
        co_await until(again);
        co_await settle();
    };
    with(rig, [&]() -> asio::awaitable<void> {
        co_await watches(rig);
        co_await ask_again();
        BOOST_TEST(rig.logged.empty());
        BOOST_TEST(rig.sink->trouble_now == "");

        access = Error(Errc::backend_failed, "must be allowed to: create pods");
        co_await ask_again();
        co_await ask_again();
        CHECK_WORDS(rig.logged, "must be allowed to: create pods");
        BOOST_TEST(rig.sink->trouble_now == rig.logged[0]);

        rig.watch().say(recording("watch-410.json"));
        co_await settle();
        rig.clock->advance(1s);
        co_await watches(rig, 2);
        CHECK_WORDS(rig.sink->words, "complete", "begin", "complete");
        BOOST_TEST(rig.sink->trouble_now == rig.logged[0], "a new list allows nothing");

        access = ok();
        co_await ask_again();
        BOOST_TEST(rig.sink->trouble_now == "");
        const auto last = asked;
        rig.clock->advance(1h);
        co_await settle();
        BOOST_TEST(asked == last);
    });
}

BOOST_AUTO_TEST_CASE(a_snapshot_is_complete_when_all_namespaces_are) {
    Rig rig;
    rig.options.namespaces = {"a", "b"};
    bool allowed = false;
    rig.api->answer = [&](const http::Request& request) {
        const bool first = request.target.find("/namespaces/a/") != std::string::npos;
        return first || allowed ? ScriptedApi::list("") : ScriptedApi::response(500, "{}");
    };
    with(rig, [&]() -> asio::awaitable<void> {
        co_await watches(rig);
        co_await rig.clock->until_sleepers(1);
        rig.watch().say(running_pod().event("ADDED"));
        co_await settle();
        CHECK_WORDS(rig.sink->words, ticket + " 1/none");
        allowed = true;
        rig.clock->advance(1min);
        co_await watches(rig, 2);
        CHECK_WORDS(rig.sink->words, ticket + " 1/none", "complete");
        rig.watch().say(recording("watch-410.json"));
        co_await rig.clock->until_sleepers(1);
        rig.clock->advance(1min);
        co_await watches(rig, 3);
        CHECK_WORDS(rig.sink->words, ticket + " 1/none", "complete", "begin", ticket + " 1/none",
                    "complete");
    });
}

BOOST_AUTO_TEST_CASE(it_ends_wherever_it_is_cancelled) {
    Rig in_request;
    in_request.api->gate = std::make_shared<Waiter>();
    with(in_request, [&]() -> asio::awaitable<void> {
        auto asked = [&] { return !in_request.api->asked.empty(); };
        co_await until(asked);
    });
    BOOST_TEST(in_request.sink->words.empty());
    Rig in_pause;
    in_pause.api->answer = [](const http::Request&) { return Error(Errc::backend_failed, "no"); };
    with(in_pause, [&]() -> asio::awaitable<void> { co_await in_pause.clock->until_sleepers(1); });
    Rig at_once;
    with(at_once, [&]() -> asio::awaitable<void> { co_return; });
}

BOOST_AUTO_TEST_CASE(what_cannot_start_is_given_up_and_says_so_on_the_pod) {
    Rig rig;
    rig.api->answer = [](const http::Request& request) {
        return request.target.find("/pods?") != std::string::npos
                   ? ScriptedApi::list("")
                   : ScriptedApi::response(200, "{}");
    };
    with(rig, [&]() -> asio::awaitable<void> {
        co_await watches(rig);
        const auto pod = waiting_pod("InvalidImageName", "x");
        rig.watch().say(pod.event("ADDED"));
        co_await rig.clock->until_sleepers(1);
        rig.clock->advance(1s);
        auto removed = [&] { return rig.api->count("DELETE ") == 1; };
        co_await until(removed);
        rig.watch().say(deleted(ended_pod(137, "ContainerStatusUnknown")).event("MODIFIED"));
        auto ended = [&] { return rig.sink->last.state == ApplicationState::ended; };
        co_await until(ended);
    });
    BOOST_TEST(rig.api->count("PATCH /api/v1/namespaces/jobs/pods/" + ticket + "-driver {") == 1U);
    BOOST_TEST(rig.api->count(R"("sparkhost.io/given-up":"not a valid name)") == 1U);
    BOOST_TEST(rig.api->count(R"("preconditions":{"uid":"uid-1"})") == 1U);
    BOOST_TEST((rig.sink->last.outcome == Outcome::failed));
    BOOST_TEST(rig.sink->last.reason.starts_with("not a valid name"));
}

BOOST_AUTO_TEST_CASE(a_pod_that_comes_after_the_kill_is_removed_with_its_finalizer) {
    Rig rig;
    bool reachable = false;
    rig.api->answer = [&](const http::Request& request) -> Result<http::Response> {
        if (request.target.find("/pods?") != std::string::npos) {
            return ScriptedApi::list("");
        }
        if (!reachable) {
            return Error(Errc::backend_failed, "no route");
        }
        return ScriptedApi::response(200, PodJson().text());
    };
    with(rig, [&]() -> asio::awaitable<void> {
        co_await watches(rig);
        rig.tracker->killed(ticket, "jobs");
        CHECK_WORDS(rig.sink->words, "complete", ticket + " 3/killed");
        rig.watch().say(PodJson().event("ADDED"));
        co_await rig.clock->until_sleepers(1);
        BOOST_TEST(rig.api->count("DELETE ") == 1U);
        reachable = true;
        rig.clock->advance(10s);
        auto unprotected = [&] { return rig.api->count(R"("finalizers":[])") == 1; };
        co_await until(unprotected);
    });
    BOOST_TEST(rig.sink->words.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_driver_that_waits_is_asked_about) {
    Rig rig;
    rig.api->answer = [](const http::Request& request) {
        return request.target.find("/events?") != std::string::npos
                   ? ScriptedApi::response(200, R"({"kind":"EventList","items":[{"reason":)"
                                                R"("FailedMount","message":"no such secret",)"
                                                R"("firstTimestamp":"2026-01-01T00:00:03Z"}]})")
                   : ScriptedApi::empty_list(request);
    };
    with(rig, [&]() -> asio::awaitable<void> {
        co_await watches(rig);
        rig.watch().say(waiting_pod("ContainerCreating").event("ADDED"));
        for (int second = 0; second < 4; ++second) {
            co_await rig.clock->until_sleepers(1);
            rig.clock->advance(1s);
            co_await settle();
        }
        BOOST_TEST(rig.sink->last.reason == "a volume cannot be mounted: no such secret");
        BOOST_TEST(rig.api->count("/events?") == 1U);
        BOOST_TEST(rig.api->count("fieldSelector=involvedObject.uid%3Duid-1") == 1U);
        // it stays so: is there still a ConfigMap? There is none, so it can never start
        for (int second = 0; second < 20 && rig.sink->last.state != ApplicationState::ended;
             ++second) {
            co_await rig.clock->until_sleepers(1);
            rig.clock->advance(1s);
            co_await settle();
        }
        BOOST_TEST((rig.sink->last.outcome == Outcome::failed));
        BOOST_TEST(rig.api->count("/configmaps/" + ticket + "-conf") == 1U);
        BOOST_TEST(rig.api->count("DELETE ") == 1U);
    });
}

BOOST_AUTO_TEST_CASE(the_first_executor_means_that_there_is_a_context) {
    Rig rig;
    rig.options.follow_executors = true;
    rig.api->answer = [](const http::Request& request) {
        const bool executors = request.target.find("executor") != std::string::npos;
        return ScriptedApi::list(executors ? "" : running_pod().text());
    };
    with(rig, [&]() -> asio::awaitable<void> {
        co_await watches(rig, 2);
        const std::string executor =
            R"({"type":"ADDED","object":{"kind":"PartialObjectMetadata","metadata":{"name":"e-1",)"
            R"("uid":"e","creationTimestamp":"2026-01-01T00:00:20Z","labels":)"
            R"({"spark-app-selector":"spark-0123"}}}})";
        for (std::size_t i = 0; i < rig.api->requests.size(); ++i) {
            const auto& request = rig.api->requests[i];
            if (request.target.find("watch=1") != std::string::npos &&
                request.target.find("spark-exec-id%3D1") != std::string::npos) {
                BOOST_TEST(request.headers.at(0).value ==
                           "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
            }
        }
        for (const auto& watch : rig.api->watches) {
            watch->say(executor);  // it is no driver: that watch leaves it alone
        }
        auto up = [&] { return rig.sink->last.state == ApplicationState::context_up; };
        co_await until(up);
        BOOST_TEST(rig.sink->last.application_id == "spark-0123");
    });
}

BOOST_AUTO_TEST_CASE(operations_are_heard) {
    Rig rig;
    with(rig, [&]() -> asio::awaitable<void> {
        co_await watches(rig);
        rig.tracker->repeat(ticket, "jobs");
        rig.tracker->repeat(ticket, "elsewhere");
        CHECK_WORDS(rig.sink->words, "complete", ticket + " 0/none");
        rig.tracker->kill_requested(ticket, "jobs");
        rig.watch().say(ended_pod(1).event("ADDED"));
        auto told = [&] { return rig.sink->words.size() == 3; };
        co_await until(told);
        BOOST_TEST(rig.sink->words.back() == ticket + " 3/killed");
        rig.tracker->released(ticket);
        BOOST_TEST(rig.tracker->table().size() == 0U);
    });
    rig.tracker->repeat(ticket, "jobs");  // after the watch: nobody is told
    BOOST_TEST(rig.sink->words.size() == 3U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::kubernetes
