// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/container_logs.hpp"

#include "support/printing.hpp"
#include "support/run.hpp"
#include "yarn/scripted_daemon.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost::test::yarn {

using namespace detail::yarn;

namespace container_logs_test {

using Executor = asio::any_io_executor;
using Logs = std::shared_ptr<ContainerLogs>;

const std::string container = "container_e08_1795207165420_0001_01_000001";

Logs logs(Executor executor, std::string log_server = {}) {
    ContainerLogs::Options options;
    options.log_server = std::move(log_server);
    options.request_deadline = patience;
    return std::make_shared<ContainerLogs>(executor, std::move(options));
}

ContainerLogs::Container at(const std::string& node) {
    return {.id = container, .node = node, .user = "ada"};
}

/// As a daemon answers about a file, of which so much is asked for.
Reply page(const std::string& file, std::int64_t size) {
    const auto all = static_cast<std::int64_t>(file.size());
    const auto count = std::min(size < 0 ? -size : size, all);
    const auto from = size < 0 ? all - count : 0;
    return {.body = "Container: " + container + " on node1:45454\nLogAggregationType: LOCAL\n" +
                    "====\nLogType:stdout\nLogLastModifiedTime:now\nLogLength:" +
                    std::to_string(all) + "\nLogContents:\n" +
                    file.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(count)) +
                    "\nEnd of LogType:stdout.This log file belongs to a running container\n****\n"};
}

/// The size that is in "…size=N".
std::int64_t size_in(const std::string& asked) {
    return std::stoll(asked.substr(asked.find("size=") + 5));
}

std::string text_of(std::size_t size) {
    std::string text;
    for (int i = 0; text.size() < size; ++i) {
        text += std::to_string(i) + " \xE2\x82\xAC\n";
    }
    text.resize(size);
    return text;
}

Reply not_here() {
    return {.body = "Cannot find this log on the local disk.", .status = "404 Not Found"};
}

constexpr std::int64_t first_look = 16 * 1024;

bool mentions(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace container_logs_test

BOOST_AUTO_TEST_SUITE(yarn_container_logs)

using namespace container_logs_test;

BOOST_AUTO_TEST_CASE(a_file_is_read_from_its_beginning) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon node(executor);
        const Logs all = logs(executor);
        node.say(page("one\ntwo\n", 4096));
        const auto piece = co_await ContainerLogs::read(all, at(node.node()), "stdout", 0, 4096);
        BOOST_TEST_REQUIRE(piece.has_value());
        BOOST_TEST(piece->begin == 0);
        BOOST_TEST(piece->total == 8);
        BOOST_TEST(piece->text == "one\ntwo\n");
        BOOST_TEST(!piece->aggregated);
        BOOST_TEST(node.asked() ==
                   std::vector<std::string>{"GET /ws/v1/node/containers/" + container +
                                            "/logs/stdout?user.name=ada&size=4096"});
    });
}

BOOST_AUTO_TEST_CASE(what_is_new_at_the_end_is_one_request) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon node(executor);
        const Logs all = logs(executor);
        const std::string file = text_of(100'000);
        node.say({page(file, -first_look), page(file, -first_look)});
        const auto piece =
            co_await ContainerLogs::read(all, at(node.node()), "stdout", 99'990, 4096);
        BOOST_TEST_REQUIRE(piece.has_value());
        BOOST_TEST(piece->begin == 99'990);
        BOOST_TEST(piece->total == 100'000);
        BOOST_TEST(piece->text == file.substr(99'990));
        const auto nothing =
            co_await ContainerLogs::read(all, at(node.node()), "stdout", 100'000, 4096);
        BOOST_TEST_REQUIRE(nothing.has_value());
        BOOST_TEST(nothing->text == "");
        BOOST_TEST(nothing->begin == 100'000);
        BOOST_TEST(node.left() == 0U);
    });
}

BOOST_AUTO_TEST_CASE(exactly_the_bytes_that_are_wanted_are_given_while_the_file_grows) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon node(executor);
        const Logs all = logs(executor);
        const std::string file = text_of(300'000);
        const std::int64_t offset = 100'001;  // in the middle of a character
        // by the second look it has grown by more than was added for that
        const std::int64_t second = -(200'000 - offset + 4096);
        const std::int64_t third = -(250'000 - offset + 4096 * 16);
        node.say({page(file.substr(0, 200'000), -first_look), page(file.substr(0, 250'000), second),
                  page(file, third)});
        const auto piece =
            co_await ContainerLogs::read(all, at(node.node()), "stdout", offset, 5000);
        BOOST_TEST_REQUIRE(piece.has_value());
        BOOST_TEST(piece->begin == offset);
        BOOST_TEST(piece->total == 300'000);
        BOOST_TEST(piece->text == file.substr(static_cast<std::size_t>(offset), 5000));
        BOOST_TEST_REQUIRE(node.asked().size() == 3U);
        BOOST_TEST(size_in(node.asked()[0]) == -first_look);
        BOOST_TEST(size_in(node.asked()[1]) == second);
        BOOST_TEST(size_in(node.asked()[2]) == third);
    });
}

BOOST_AUTO_TEST_CASE(a_file_that_became_shorter_has_nothing_more) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon node(executor);
        const Logs all = logs(executor);
        node.say(page("short", -first_look));
        const auto piece = co_await ContainerLogs::read(all, at(node.node()), "stderr", 100, 10);
        BOOST_TEST_REQUIRE(piece.has_value());
        BOOST_TEST(piece->total == 5);
        BOOST_TEST(piece->begin == 5);
        BOOST_TEST(piece->text == "");
    });
}

BOOST_AUTO_TEST_CASE(the_log_server_has_what_the_node_has_not) {
    struct Case {
        std::string name;
        std::vector<Reply> node;
        bool given;  ///< as an option, or by the node's redirection
    };
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon node(executor), server(executor);
        const Reply moved{.status = "307 Temporary Redirect",
                          .headers = "Location: " + server.url() + "/ws/v1/history/containers/" +
                                     container + "/logs/stdout?redirected_from_node=true\r\n"};
        const std::vector<Case> cases{
            {"404", {not_here()}, true},
            {"307", {moved}, true},
            {"307 and no option", {moved}, false},
            {"lost, however often", {lost_reply(), lost_reply(), lost_reply()}, true}};
        for (const auto& each : cases) {
            BOOST_TEST_CONTEXT(each.name) {
                const Logs all = logs(executor, each.given ? server.url() : "");
                node.say(each.node);
                server.say(page("one\n", 1'000'000));
                const auto piece =
                    co_await ContainerLogs::read(all, at(node.node()), "stdout", 0, 10);
                BOOST_TEST_REQUIRE(piece.has_value());
                BOOST_TEST(piece->text == "one\n");
                BOOST_TEST(piece->aggregated);
                BOOST_TEST(node.left() == 0U);
                BOOST_TEST(mentions(server.asked().back(),
                                    "GET /ws/v1/history/containerlogs/" + container +
                                        "/stdout?user.name=ada&redirected_from_node=true&size="));
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(a_file_of_the_log_server_is_fetched_once) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon server(executor);
        const Logs all = logs(executor, server.url());
        const std::string file = text_of(500'000);
        server.say(page(file, 500'000));
        std::string read;
        while (read.size() < file.size()) {
            const auto piece = co_await ContainerLogs::read(
                all, at(""), "stdout", static_cast<std::int64_t>(read.size()), 64 * 1024);
            BOOST_TEST_REQUIRE(piece.has_value());
            BOOST_TEST_REQUIRE(piece->begin == static_cast<std::int64_t>(read.size()));
            read += piece->text;
        }
        BOOST_TEST((read == file));
        BOOST_TEST(server.asked().size() == 1U);
        // from somewhere else it begins anew
        server.say({page(file, -first_look), page(file, -(500'000 - 70'000 + 4096))});
        const auto other = co_await ContainerLogs::read(all, at(""), "stdout", 70'000, 1000);
        BOOST_TEST_REQUIRE(other.has_value());
        BOOST_TEST(other->text == file.substr(70'000, 1000));
    });
}

BOOST_AUTO_TEST_CASE(what_nobody_has_is_not_found) {
    struct Case {
        std::string name;
        Reply node;
        Reply server;
    };
    const std::vector<Case> cases{
        {"404", not_here(), {.body = "<html>", .status = "404 Not Found"}},
        {"not collected", not_here(), {.body = "Can not find logs for container:" + container}},
        {"sent back", not_here(), {.status = "307 Temporary Redirect"}}};
    for (const auto& each : cases) {
        BOOST_TEST_CONTEXT(each.name) {
            test::run([&each](Executor executor) -> asio::awaitable<void> {
                ScriptedDaemon node(executor), server(executor);
                node.say(each.node);
                server.say(each.server);
                const Logs all = logs(executor, server.url());
                const auto piece =
                    co_await ContainerLogs::read(all, at(node.node()), "stdout", 0, 10);
                BOOST_TEST_REQUIRE(piece.has_error());
                BOOST_TEST(piece.error().is(Errc::not_found));
                BOOST_TEST(mentions(piece.error().detail, "NodeManager " + node.url()));
                BOOST_TEST(mentions(piece.error().detail, "log server " + server.url()));
            });
        }
    }
    test::run([](Executor executor) -> asio::awaitable<void> {
        const Logs all = logs(executor);
        const auto piece = co_await ContainerLogs::read(all, at(""), "stdout", 0, 10);
        BOOST_TEST_REQUIRE(piece.has_error());
        BOOST_TEST(piece.error().is(Errc::not_found));
        BOOST_TEST(mentions(piece.error().detail, "(log_server)"));
    });
}

BOOST_AUTO_TEST_CASE(who_cannot_be_asked_is_named) {
    struct Case {
        std::string name;
        Reply reply;
        std::string words;
    };
    Reply cut = page("one\ntwo\n", 10);
    cut.body.resize(cut.body.find("two"));
    Reply broken = cut;
    broken.fault = Reply::Fault::cut;
    const std::vector<Case> cases{
        {"not allowed",
         {.body = "User [ada] is not authorized to view the logs",
          .status = "500 Internal Server Error"},
         "HTTP status 500: User [ada] is not authorized"},
        {"something else", {.body = "<html>login</html>"}, "is no log of a container"},
        {"ends early", cut, "is cut off"},
        {"breaks off", broken, ""},
    };
    for (const auto& each : cases) {
        BOOST_TEST_CONTEXT(each.name) {
            test::run([&each](Executor executor) -> asio::awaitable<void> {
                ScriptedDaemon node(executor), server(executor);
                node.say(each.reply);
                server.say(not_here());
                const Logs all = logs(executor, server.url());
                const auto piece =
                    co_await ContainerLogs::read(all, at(node.node()), "stdout", 0, 100);
                BOOST_TEST_REQUIRE(piece.has_error());
                BOOST_TEST(piece.error().is(Errc::backend_failed), piece.error().detail);
                BOOST_TEST(mentions(piece.error().detail, node.url()), piece.error().detail);
                BOOST_TEST(mentions(piece.error().detail, each.words), piece.error().detail);
            });
        }
    }
    test::run([](Executor executor) -> asio::awaitable<void> {
        ClosedDoor gone(executor);
        const Logs all = logs(executor);
        const auto piece = co_await ContainerLogs::read(all, at(gone.node()), "stdout", 0, 10);
        BOOST_TEST_REQUIRE(piece.has_error());
        BOOST_TEST(piece.error().is(Errc::backend_failed));
        BOOST_TEST(mentions(piece.error().detail, gone.url()), piece.error().detail);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::yarn
