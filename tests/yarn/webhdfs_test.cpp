// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/staging.hpp"

#include "support/printing.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"
#include "yarn/scripted_daemon.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <vector>

namespace sparkhost::test::yarn {

using namespace detail::yarn;

namespace webhdfs_test {

using Executor = asio::any_io_executor;

const std::string folder = "hdfs://cluster/user/ada/.sparkStaging/application_1_0001";
const std::string root = "/webhdfs/v1/user/ada/.sparkStaging/application_1_0001";

std::shared_ptr<Staging> staging(Executor executor, std::vector<std::string> name_nodes) {
    Staging::Options options;
    options.webhdfs = std::move(name_nodes);
    options.request_deadline = patience;
    return std::make_shared<Staging>(executor, std::move(options));
}

Reply yes() {
    return {.body = R"({"boolean":true})"};
}

Reply refusal(const std::string& status, const std::string& exception, const std::string& message) {
    return {.body = R"({"RemoteException":{"exception":")" + exception + R"(","message":")" +
                    message + R"("}})",
            .status = status};
}

Reply standby() {
    return refusal("403 Forbidden", "StandbyException",
                   "Operation category WRITE is not supported in state standby");
}

Reply to(const ScriptedDaemon& node) {
    return {
        .status = "307 Temporary Redirect",
        .headers = "Location: " + node.url() + "/webhdfs/v1/x?op=CREATE&namenoderpcaddress=n\r\n"};
}

Reply created() {
    return {.status = "201 Created"};
}

Reply file_status(std::size_t size) {
    return {.body = R"({"FileStatus":{"length":)" + std::to_string(size) +
                    R"(,"modificationTime":1795207178078,"type":"FILE","permission":"644"}})"};
}

bool mentions(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace webhdfs_test

BOOST_AUTO_TEST_SUITE(yarn_webhdfs)

using namespace webhdfs_test;

BOOST_AUTO_TEST_CASE(a_file_is_written_to_the_data_node_that_is_named) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon name_node(executor), data_node(executor);
        const auto files = staging(executor, {name_node.url()});
        name_node.say({yes(), to(data_node), file_status(5)});
        data_node.say(created());
        const auto made = co_await Staging::make_folder(files, "ada", folder);
        BOOST_TEST(made.has_value());
        const auto status = co_await Staging::put(files, "ada", folder + "/a%20b.zip", "bytes");
        BOOST_TEST_REQUIRE(status.has_value());
        BOOST_TEST(status->size == 5);
        BOOST_TEST(status->modified_ms == 1795207178078);
        BOOST_TEST(
            name_node.asked() ==
            (std::vector<std::string>{
                "PUT " + root + "?op=MKDIRS&permission=700&user.name=ada",
                "PUT " + root + "/a%20b.zip?op=CREATE&overwrite=true&permission=644&user.name=ada",
                "GET " + root + "/a%20b.zip?op=GETFILESTATUS&user.name=ada"}));
        BOOST_TEST(data_node.asked() ==
                   std::vector<std::string>{"PUT /webhdfs/v1/x?op=CREATE&namenoderpcaddress=n"});
        BOOST_TEST(data_node.bodies() == std::vector<std::string>{"bytes"});
    });
}

BOOST_AUTO_TEST_CASE(a_large_file_of_the_host_is_sent_as_it_is_read) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon name_node(executor), data_node(executor);
        const TempDir dir;
        std::string whole;
        for (int i = 0; whole.size() < 3'000'000; ++i) {
            whole += std::to_string(i);
        }
        const auto path = dir.write("big.jar", whole);
        name_node.say({to(data_node), file_status(whole.size())});
        data_node.say(created());
        const auto files = staging(executor, {name_node.url()});
        const auto status =
            co_await Staging::copy(files, "ada", folder + "/big.jar", path.string());
        BOOST_TEST_REQUIRE(status.has_value());
        BOOST_TEST_REQUIRE(data_node.bodies().size() == 1U);
        BOOST_TEST((data_node.bodies()[0] == whole));
        const auto missing =
            co_await Staging::copy(files, "ada", folder + "/no.jar", (dir / "no.jar").string());
        BOOST_TEST_REQUIRE(missing.has_error());
        BOOST_TEST(missing.error().is(Errc::not_found));
    });
}

BOOST_AUTO_TEST_CASE(a_name_node_in_standby_is_passed_over) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon first(executor), second(executor);
        ClosedDoor closed(executor);
        first.say(standby());
        second.say({yes(), yes()});
        const auto files = staging(executor, {closed.url(), first.url(), second.url()});
        const auto made = co_await Staging::make_folder(files, "ada", folder);
        BOOST_TEST(made.has_value());
        const auto again = co_await Staging::make_folder(files, "ada", folder);
        BOOST_TEST(again.has_value());
        BOOST_TEST(first.asked().size() == 1U);
        first.say(standby());
        second.say(refusal("403 Forbidden", "RetriableException", "in startup mode"));
        const auto none = co_await Staging::remove(files, "ada", folder);
        BOOST_TEST_REQUIRE(none.has_error());
        BOOST_TEST(none.error().is(Errc::indeterminate));
        BOOST_TEST(mentions(none.error().detail, first.url() + ": is in standby"));
        BOOST_TEST(mentions(none.error().detail, closed.url() + ": "));
    });
}

BOOST_AUTO_TEST_CASE(a_data_node_that_is_gone_is_not_the_end) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon name_node(executor), lame(executor), good(executor);
        const auto files = staging(executor, {name_node.url()});
        lame.say(lost_reply());
        good.say(created());
        name_node.say({to(lame), to(good), file_status(3)});
        const auto status = co_await Staging::put(files, "ada", folder + "/x", "abc");
        BOOST_TEST(status.has_value());
        BOOST_TEST(good.bodies() == std::vector<std::string>{"abc"});
        lame.say({lost_reply(), lost_reply(), lost_reply()});
        name_node.say({to(lame), to(lame), to(lame)});
        const auto failed = co_await Staging::put(files, "ada", folder + "/x", "abc");
        BOOST_TEST_REQUIRE(failed.has_error());
        BOOST_TEST(failed.error().is(Errc::indeterminate));
        BOOST_TEST(mentions(failed.error().detail, "the DataNode " + lame.url()),
                   failed.error().detail);
    });
}

BOOST_AUTO_TEST_CASE(refusals_say_what_can_be_done) {
    struct Case {
        std::string name;
        Reply reply;
        Errc code;
        std::string words;
    };
    const std::vector<Case> cases{
        {"not allowed",
         refusal("403 Forbidden", "AccessControlException", "Permission denied: user=ada"),
         Errc::backend_failed, "HTTP status 403: Permission denied: user=ada"},
        {"quota",
         refusal("403 Forbidden", "DSQuotaExceededException", "The DiskSpace quota is exceeded"),
         Errc::rejected, "quota is exceeded"},
        {"safe mode", refusal("403 Forbidden", "SafeModeException", "Name node is in safe mode."),
         Errc::indeterminate, "safe mode"},
        {"no DataNode yet",
         refusal("403 Forbidden", "IOException",
                 "Failed to find datanode, suggest to check cluster health. excludeDatanodes=null"),
         Errc::indeterminate, "Failed to find datanode"},
        {"wants a login", {.status = "401 Unauthorized"}, Errc::backend_failed, "wants a login"},
        {"no WebHDFS",
         {.body = "<html><title>Not Found</title></html>", .status = "404 Not Found"},
         Errc::backend_failed,
         "dfs.webhdfs.enabled"},
        {"not there", refusal("404 Not Found", "FileNotFoundException", "File does not exist: /x"),
         Errc::not_found, "File does not exist"},
        {"its own fault", {.status = "500 Internal Server Error"}, Errc::indeterminate, "500"},
        {"a folder",
         {.body = R"({"FileStatus":{"type":"DIRECTORY"}})"},
         Errc::backend_failed,
         "it is a folder"},
        {"no answer", {.body = "{}"}, Errc::backend_failed, "NameNode's web address"},
        {"cut off",
         {.body = R"({"FileStatus":{"length":3)"},
         Errc::backend_failed,
         "NameNode's web address"},
    };
    for (const auto& each : cases) {
        BOOST_TEST_CONTEXT(each.name) {
            test::run([&each](Executor executor) -> asio::awaitable<void> {
                ScriptedDaemon name_node(executor);
                name_node.say(each.reply);
                const auto files = staging(executor, {name_node.url()});
                const auto status = co_await Staging::status(files, "ada", folder + "/x");
                BOOST_TEST_REQUIRE(status.has_error());
                BOOST_TEST(status.error().is(each.code), status.error().code.message());
                BOOST_TEST(mentions(status.error().detail, each.words), status.error().detail);
                BOOST_TEST(mentions(status.error().detail, name_node.url()));
                BOOST_TEST(mentions(status.error().detail, "/application_1_0001/x"));
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(a_write_that_is_not_taken_whole_is_an_error) {
    struct Case {
        std::string name;
        std::vector<Reply> name_node;
        std::vector<Reply> data_node;
        Errc code;
        std::string words;
    };
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon name_node(executor), data_node(executor);
        const auto files = staging(executor, {name_node.url()});
        const std::vector<Case> cases{
            {"no room",
             {to(data_node)},
             {refusal("403 Forbidden", "IOException",
                      "File /x could only be written to 0 of the 1 minReplication nodes.")},
             Errc::rejected,
             "could only be written to"},
            {"short",
             {to(data_node), file_status(2)},
             {created()},
             Errc::backend_failed,
             "it has 2 bytes instead of 3"},
            {"no DataNode", {created()}, {}, Errc::backend_failed, "does not send us to"},
            {"nowhere",
             {{.status = "307 Temporary Redirect", .headers = "Location: /elsewhere\r\n"}},
             {},
             Errc::backend_failed,
             "no redirection to a DataNode"},
        };
        for (const auto& each : cases) {
            BOOST_TEST_CONTEXT(each.name) {
                name_node.say(each.name_node);
                data_node.say(each.data_node);
                const auto status = co_await Staging::put(files, "ada", folder + "/x", "abc");
                BOOST_TEST_REQUIRE(status.has_error());
                BOOST_TEST(status.error().is(each.code), status.error().code.message());
                BOOST_TEST(mentions(status.error().detail, each.words), status.error().detail);
                BOOST_TEST(name_node.left() + data_node.left() == 0U);
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(what_is_gone_is_removed) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        ScriptedDaemon name_node(executor);
        const auto files = staging(executor, {name_node.url()});
        name_node.say({yes(),
                       {.body = R"({"boolean":false})"},
                       refusal("404 Not Found", "FileNotFoundException", "not there")});
        for (int i = 0; i < 3; ++i) {
            const auto removed = co_await Staging::remove(files, "ada", folder);
            BOOST_TEST(removed.has_value());
        }
        BOOST_TEST(name_node.asked()[0] ==
                   "DELETE " + root + "?op=DELETE&recursive=true&user.name=ada");
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::yarn
