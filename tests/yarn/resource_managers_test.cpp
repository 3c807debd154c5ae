// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/resource_managers.hpp"

#include "support/printing.hpp"
#include "support/run.hpp"
#include "yarn/scripted_daemon.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <vector>

namespace sparkhost::test::yarn {

using namespace detail::yarn;

namespace rms_test {

using Executor = asio::any_io_executor;
using Managers = std::shared_ptr<ResourceManagers>;
using Verdict = RmReply::Verdict;

const std::string id = "application_1795207165420_0001";

Managers managers(Executor executor, std::vector<std::string> urls, std::string user = {}) {
    ResourceManagers::Options options;
    options.urls = std::move(urls);
    options.user = std::move(user);
    options.request_deadline = patience;
    return std::make_shared<ResourceManagers>(executor, std::move(options));
}

Reply info(const std::string& state, int started_on = 1) {
    return {.body = R"({"clusterInfo":{"state":"STARTED","haState":")" + state +
                    R"(","startedOn":)" + std::to_string(started_on) + "}}"};
}

Reply failure(const std::string& status, const std::string& exception, const std::string& message) {
    return {.body = R"({"RemoteException":{"exception":")" + exception + R"(","message":")" +
                    message + R"("}})",
            .status = status};
}

Reply absent() {
    return {.body = recording("not-found.json"), .status = "404 Not Found"};
}

bool mentions(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace rms_test

BOOST_AUTO_TEST_SUITE(yarn_resource_managers)

using namespace rms_test;

BOOST_AUTO_TEST_CASE(a_submission_goes_to_the_active_one_as_its_user) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon standby(executor), active(executor);
        standby.say(info("STANDBY"));
        active.say({info("ACTIVE"), {.status = "202 Accepted"}});
        const Managers all = managers(executor, {standby.url(), active.url()}, "host user");
        const RmReply reply = co_await ResourceManagers::submit(all, "ada", "{\"x\":1}");
        BOOST_TEST((reply.verdict == Verdict::done), reply.words);
        BOOST_TEST(standby.asked() ==
                   std::vector<std::string>{"GET /ws/v1/cluster/info?user.name=host%20user"});
        BOOST_TEST_REQUIRE(active.asked().size() == 2U);
        BOOST_TEST(active.asked()[1] == "POST /ws/v1/cluster/apps?user.name=ada");
        BOOST_TEST(active.bodies()[1] == "{\"x\":1}");
        // who was right is asked first from now on
        active.say({info("ACTIVE"), {.status = "202 Accepted"}});
        const RmReply next = co_await ResourceManagers::submit(all, "ada", "{}");
        BOOST_TEST((next.verdict == Verdict::done));
        BOOST_TEST(standby.asked().size() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(who_is_active_is_asked_once_for_all_who_want_to_know) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon active(executor);
        active.say({info("ACTIVE"), {.status = "202 Accepted"}, {.status = "202 Accepted"}});
        const Managers all = managers(executor, {active.url()});
        auto both = asio::experimental::make_parallel_group(
            asio::co_spawn(executor, ResourceManagers::kill(all, "", id), asio::deferred),
            asio::co_spawn(executor, ResourceManagers::kill(all, "", id), asio::deferred));
        auto [order, failed_1, reply_1, failed_2, reply_2] =
            co_await both.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
        BOOST_TEST((reply_1.verdict == Verdict::done), reply_1.words);
        BOOST_TEST((reply_2.verdict == Verdict::done), reply_2.words);
        BOOST_TEST(active.asked().size() == 3U);
    });
}

BOOST_AUTO_TEST_CASE(who_waits_for_anothers_question_asks_itself_when_that_fails) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon active(executor);
        active.say(std::vector<Reply>(4, lost_reply()));  // as often as a question is repeated
        active.say({info("ACTIVE"), {.status = "202 Accepted"}});
        const Managers all = managers(executor, {active.url()});
        auto both = asio::experimental::make_parallel_group(
            asio::co_spawn(executor, ResourceManagers::kill(all, "", id), asio::deferred),
            asio::co_spawn(executor, ResourceManagers::kill(all, "", id), asio::deferred));
        auto [order, failed_1, reply_1, failed_2, reply_2] =
            co_await both.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
        BOOST_TEST((reply_1.verdict == Verdict::unclear), reply_1.words);
        BOOST_TEST((reply_2.verdict == Verdict::done), reply_2.words);
        BOOST_TEST(active.left() == 0U);
    });
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_to_one_that_is_not_active) {
    for (const char* state : {"INITIALIZING", "STANDBY", "STOPPING"}) {
        BOOST_TEST_CONTEXT(state) {
            test::run([state](Executor executor) -> asio::awaitable<void> {
                ScriptedDaemon daemon(executor);
                ClosedDoor closed(executor);
                for (int i = 0; i < 5; ++i) {
                    daemon.say(info(state));
                }
                const Managers all = managers(executor, {closed.url(), daemon.url()});
                const RmReply posted = co_await ResourceManagers::submit(all, "ada", "{}");
                BOOST_TEST((posted.verdict == Verdict::unclear));
                BOOST_TEST(mentions(posted.words, daemon.url() + ": is " + state), posted.words);
                BOOST_TEST(mentions(posted.words, closed.url() + ": "), posted.words);
                const RmReply killed = co_await ResourceManagers::kill(all, "ada", id);
                BOOST_TEST((killed.verdict == Verdict::unclear));
                const AppLook look = co_await ResourceManagers::application(all, id);
                BOOST_TEST((look.verdict == AppLook::Verdict::unknown));
                const auto list = co_await ResourceManagers::list(all, "tag", Listed::active);
                BOOST_TEST_REQUIRE(list.has_error());
                BOOST_TEST(list.error().is(Errc::backend_failed));
                const auto fresh = co_await ResourceManagers::new_application(all, "ada");
                BOOST_TEST(fresh.has_error());
                BOOST_TEST(daemon.asked() ==
                           std::vector<std::string>(5, "GET /ws/v1/cluster/info"));
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(what_a_submission_is_answered_is_understood) {
    struct Case {
        std::string name;
        Reply reply;
        Verdict verdict;
        std::string words;
    };
    const std::vector<Case> cases{
        {"accepted, also for a queue that there is not",
         {.status = "202 Accepted"},
         Verdict::done,
         ""},
        {"wrong",
         failure("400 Bad Request", "BadRequestException",
                 "Requested more memory than configured max"),
         Verdict::refused, "HTTP status 400: Requested more memory than configured max"},
        {"not allowed",
         failure("403 Forbidden", "ForbiddenException", "App submission via REST is disabled"),
         Verdict::refused, "yarn.webapp.enable-rest-app-submissions"},
        {"wants a login",
         {.status = "401 Unauthorized"},
         Verdict::refused,
         "HTTP status 401 (it wants a login"},
        {"the same id twice at once",
         failure("400 Bad Request", "BadRequestException",
                 "Application with id application_1_1 is already present! Cannot add a duplicate!"),
         Verdict::unclear, "Cannot add a duplicate"},
        {"its own fault", failure("500 Internal Server Error", "NullPointerException", "oops"),
         Verdict::unclear, "HTTP status 500: oops"},
        {"lost", lost_reply(), Verdict::unclear, "may have heard it, or not"},
        {"cut off",
         {.body = "{", .status = "202 Accepted", .fault = Reply::Fault::cut},
         Verdict::unclear,
         "may have heard it, or not"},
    };
    for (const auto& each : cases) {
        BOOST_TEST_CONTEXT(each.name) {
            test::run([&each](Executor executor) -> asio::awaitable<void> {
                ScriptedDaemon daemon(executor);
                daemon.say({info("ACTIVE"), each.reply});
                const Managers all = managers(executor, {daemon.url()});
                const RmReply reply = co_await ResourceManagers::submit(all, "ada", "{}");
                BOOST_TEST((reply.verdict == each.verdict), reply.words);
                BOOST_TEST(mentions(reply.words, each.words), reply.words);
                BOOST_TEST((reply.words.empty() || mentions(reply.words, daemon.url())));
                BOOST_TEST(daemon.asked().size() == 2U);
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(an_application_is_found_or_certainly_absent_or_unknown) {
    struct Case {
        std::string name;
        std::vector<Reply> replies;
        AppLook::Verdict verdict;
    };
    using Look = AppLook::Verdict;
    const Reply running{.body = recording("app-running.json")};
    Reply cut = running;
    cut.fault = Reply::Fault::cut;
    const std::vector<Case> cases{
        {"there", {info("ACTIVE"), running}, Look::found},
        {"absent", {info("ACTIVE"), absent(), info("ACTIVE")}, Look::absent},
        {"it recovers", {info("INITIALIZING")}, Look::unknown},
        {"it went away", {info("ACTIVE"), absent(), info("STANDBY")}, Look::unknown},
        {"it is another one by now", {info("ACTIVE"), absent(), info("ACTIVE", 2)}, Look::unknown},
        {"a gateway's word",
         {info("ACTIVE"), {.body = "<html>", .status = "404 Not Found"}, info("ACTIVE")},
         Look::unknown},
        {"another application",
         {info("ACTIVE"), {.body = recording("app-finished.json")}},
         Look::unknown},
        {"no application", {info("ACTIVE"), {.body = "{}"}}, Look::unknown},
        {"its own fault", {info("ACTIVE"), {.status = "500 Internal Server Error"}}, Look::unknown},
    };
    for (const auto& each : cases) {
        BOOST_TEST_CONTEXT(each.name) {
            test::run([&each](Executor executor) -> asio::awaitable<void> {
                ScriptedDaemon daemon(executor);
                daemon.say(each.replies);
                const Managers all = managers(executor, {daemon.url()});
                const AppLook look = co_await ResourceManagers::application(all, id);
                BOOST_TEST((look.verdict == each.verdict), look.words);
                BOOST_TEST((look.verdict != Look::found || look.sight.id == id));
                BOOST_TEST((look.verdict == Look::found || mentions(look.words, daemon.url())));
                BOOST_TEST(daemon.left() == 0U);
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(a_kill_is_done_refused_or_about_nothing) {
    struct Case {
        std::string name;
        std::vector<Reply> replies;
        Verdict verdict;
    };
    const std::vector<Case> cases{
        {"begun", {info("ACTIVE"), {.status = "202 Accepted"}}, Verdict::done},
        {"over", {info("ACTIVE"), {.body = R"({"state":"KILLED"})"}}, Verdict::done},
        {"absent", {info("ACTIVE"), absent(), info("ACTIVE")}, Verdict::absent},
        {"perhaps absent", {info("ACTIVE"), absent(), info("INITIALIZING")}, Verdict::unclear},
        {"not allowed",
         {info("ACTIVE"), failure("403 Forbidden", "ForbiddenException", "not yours")},
         Verdict::refused},
        {"lost", {info("ACTIVE"), lost_reply()}, Verdict::unclear},
    };
    for (const auto& each : cases) {
        BOOST_TEST_CONTEXT(each.name) {
            test::run([&each](Executor executor) -> asio::awaitable<void> {
                ScriptedDaemon daemon(executor);
                daemon.say(each.replies);
                const Managers all = managers(executor, {daemon.url()});
                const RmReply reply = co_await ResourceManagers::kill(all, "ada", id);
                BOOST_TEST((reply.verdict == each.verdict), reply.words);
                BOOST_TEST(daemon.left() == 0U);
                BOOST_TEST_REQUIRE(daemon.asked().size() >= 2U);
                BOOST_TEST(daemon.asked()[1] ==
                           "PUT /ws/v1/cluster/apps/" + id + "/state?user.name=ada");
                BOOST_TEST(mentions(daemon.bodies()[1], R"("state":"KILLED")"));
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(a_list_is_believed_only_from_one_that_stayed_active) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon daemon(executor);
        daemon.say({info("ACTIVE"), {.body = recording("apps.json")}, info("ACTIVE")});
        const Managers all = managers(executor, {daemon.url()});
        const auto full = co_await ResourceManagers::list(all, "sparkhost-0f3c", Listed::active);
        BOOST_TEST_REQUIRE(full.has_value());
        BOOST_TEST(full->size() == 1U);
        BOOST_TEST(mentions(daemon.asked()[1], "applicationTags=sparkhost-0f3c&states=NEW,"));
        daemon.say({info("ACTIVE"), {.body = R"({"apps":null})"}, info("ACTIVE")});
        const auto empty = co_await ResourceManagers::list(all, "t", Listed::active);
        BOOST_TEST_REQUIRE(empty.has_value());
        BOOST_TEST(empty->empty());
        daemon.say({info("ACTIVE"), {.body = R"({"apps":null})"}, info("INITIALIZING")});
        const auto lied = co_await ResourceManagers::list(all, "t", Listed::active);
        BOOST_TEST_REQUIRE(lied.has_error());
        BOOST_TEST(mentions(lied.error().detail, "has changed meanwhile"), lied.error().detail);
        daemon.say({info("ACTIVE"), {.body = "{}"}, info("ACTIVE")});
        const auto strange = co_await ResourceManagers::list(all, "t", Listed::active);
        BOOST_TEST_REQUIRE(strange.has_error());
        BOOST_TEST(mentions(strange.error().detail, daemon.url()), strange.error().detail);
    });
}

BOOST_AUTO_TEST_CASE(an_id_is_asked_for) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon daemon(executor);
        daemon.say({info("ACTIVE"), {.body = recording("new-application.json")}});
        const Managers all = managers(executor, {daemon.url()});
        const auto fresh = co_await ResourceManagers::new_application(all, "ada");
        BOOST_TEST_REQUIRE(fresh.has_value());
        BOOST_TEST(*fresh == "application_1795207665278_0001");
        BOOST_TEST(daemon.asked()[1] == "POST /ws/v1/cluster/apps/new-application?user.name=ada");
        daemon.say({info("ACTIVE"), {.status = "401 Unauthorized"}});
        const auto refused = co_await ResourceManagers::new_application(all, "ada");
        BOOST_TEST_REQUIRE(refused.has_error());
        BOOST_TEST(mentions(refused.error().detail, daemon.url() + ": HTTP status 401"),
                   refused.error().detail);
    });
}

BOOST_AUTO_TEST_CASE(the_active_one_tells_its_version) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon daemon(executor);
        daemon.say({.body = recording("info-active.json")});
        const Managers one = managers(executor, {daemon.url()});
        const auto there = co_await ResourceManagers::active(one);
        BOOST_TEST_REQUIRE(there.has_value());
        BOOST_TEST(there->version == "3.3.6");
        ClosedDoor closed(executor);
        const Managers away = managers(executor, {closed.url()});
        const auto none = co_await ResourceManagers::active(away);
        BOOST_TEST_REQUIRE(none.has_error());
        BOOST_TEST(mentions(none.error().detail, "no ResourceManager is active: " + closed.url()),
                   none.error().detail);
    });
}

BOOST_AUTO_TEST_CASE(a_wrong_address_is_refused) {
    asio::io_context io;
    BOOST_CHECK_THROW(managers(io.get_executor(), {"rm1:8088"}), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::yarn
