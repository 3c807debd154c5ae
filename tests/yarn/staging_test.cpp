// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/staging.hpp"

#include "support/printing.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <sys/stat.h>

namespace sparkhost::test::yarn {

using namespace detail::yarn;

namespace staging_test {

namespace asio = boost::asio;
using Executor = asio::any_io_executor;

std::shared_ptr<Staging> staging(Executor executor) {
    return std::make_shared<Staging>(executor, Staging::Options());
}

unsigned mode_of(const std::filesystem::path& path) {
    struct stat status {};
    BOOST_TEST_REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777U;
}

std::int64_t modified_ms(const std::filesystem::path& path) {
    struct stat status {};
    BOOST_TEST_REQUIRE(::stat(path.c_str(), &status) == 0);
    return std::int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1'000'000;
}

}  // namespace staging_test

BOOST_AUTO_TEST_SUITE(yarn_staging)

using namespace staging_test;

BOOST_AUTO_TEST_CASE(files_of_a_shared_folder_are_for_the_nodes_to_read) {
    const TempDir dir;
    test::run([&dir](Executor executor) -> asio::awaitable<void> {
        const auto files = staging(executor);
        const std::string folder = "file://" + dir.path().string() + "/all/application_1_0001";
        for (int i = 0; i < 2; ++i) {
            const auto made = co_await Staging::make_folder(files, "ada", folder);
            BOOST_TEST(made.has_value());
        }
        const auto put = co_await Staging::put(files, "ada", folder + "/a%20b.zip", "bytes");
        BOOST_TEST_REQUIRE(put.has_value());
        const auto path = dir / "all/application_1_0001/a b.zip";
        BOOST_TEST(read_text(path) == "bytes");
        BOOST_TEST(mode_of(path.parent_path()) == 0700U);
        BOOST_TEST(mode_of(path) == 0644U);
        BOOST_TEST(put->size == 5);
        BOOST_TEST(put->modified_ms == modified_ms(path));
        BOOST_TEST(put->modified_ms % 1000 == 0, "all versions of Java see this time alike");
        const auto again = co_await Staging::put(files, "ada", folder + "/a%20b.zip", "more bytes");
        BOOST_TEST_REQUIRE(again.has_value());
        BOOST_TEST(read_text(path) == "more bytes");
        const auto status = co_await Staging::status(files, "ada", folder + "/a%20b.zip");
        BOOST_TEST_REQUIRE(status.has_value());
        BOOST_TEST(status->size == 10);
        BOOST_TEST(status->modified_ms == again->modified_ms);
    });
}

BOOST_AUTO_TEST_CASE(a_file_of_the_host_is_copied) {
    const TempDir dir;
    const std::string whole(2'500'000, 'x');
    const auto from = dir.write("app.jar", whole);
    test::run([&](Executor executor) -> asio::awaitable<void> {
        const auto files = staging(executor);
        const std::string to = "file:" + dir.path().string() + "/copy.jar";
        const auto copied = co_await Staging::copy(files, "ada", to, from.string());
        BOOST_TEST_REQUIRE(copied.has_value());
        BOOST_TEST(copied->size == 2'500'000);
        BOOST_TEST((read_text(dir / "copy.jar") == whole));
        const auto missing =
            co_await Staging::copy(files, "ada", to, (dir / "missing.jar").string());
        BOOST_TEST_REQUIRE(missing.has_error());
        BOOST_TEST(missing.error().is(Errc::not_found));
        const auto is_folder = co_await Staging::copy(files, "ada", to, dir.path().string());
        BOOST_TEST(is_folder.has_error());
        BOOST_TEST((read_text(dir / "copy.jar") == whole), "what was there stays");
    });
    const auto count = std::distance(std::filesystem::directory_iterator(dir.path()), {});
    BOOST_TEST(count == 2, "no drafts are left behind");
}

BOOST_AUTO_TEST_CASE(a_folder_is_removed_with_all_that_is_in_it) {
    const TempDir dir;
    dir.write("all/one/deep/file", "x");
    dir.write("kept", "x");
    std::filesystem::create_symlink(dir / "kept", dir / "all/one/link");
    test::run([&](Executor executor) -> asio::awaitable<void> {
        const auto files = staging(executor);
        const std::string folder = "file://" + dir.path().string() + "/all/one/";
        for (int i = 0; i < 2; ++i) {
            const auto removed = co_await Staging::remove(files, "ada", folder);
            BOOST_TEST(removed.has_value());
        }
        BOOST_TEST(!std::filesystem::exists(dir / "all/one"));
        BOOST_TEST(std::filesystem::exists(dir / "all"));
        BOOST_TEST(std::filesystem::exists(dir / "kept"));
    });
}

BOOST_AUTO_TEST_CASE(what_cannot_be_looked_at_is_named) {
    const TempDir dir;
    test::run([&](Executor executor) -> asio::awaitable<void> {
        const auto files = staging(executor);
        const std::string root = "file://" + dir.path().string();
        const auto missing = co_await Staging::status(files, "ada", root + "/missing");
        BOOST_TEST_REQUIRE(missing.has_error());
        BOOST_TEST(missing.error().is(Errc::not_found));
        BOOST_TEST(missing.error().detail.find("/missing") != std::string::npos);
        const auto folder = co_await Staging::status(files, "ada", root);
        BOOST_TEST_REQUIRE(folder.has_error());
        BOOST_TEST(folder.error().is(Errc::backend_failed));
        const auto nowhere = co_await Staging::put(files, "ada", root + "/no/folder/x", "x");
        BOOST_TEST_REQUIRE(nowhere.has_error());
        BOOST_TEST(nowhere.error().is(Errc::not_found));
    });
}

BOOST_AUTO_TEST_CASE(uris_of_other_kinds_are_refused) {
    test::run([](Executor executor) -> asio::awaitable<void> {
        const auto files = staging(executor);
        for (const char* uri : {"", "/tmp/x", "s3a://bucket/x", "viewfs://c/x", "local:/x",
                                "file:x", "file://", "file:///", "file:////", "file://other/x",
                                "file:///a/../b", "file:///a/%2e%2e/b", "hdfs://nn", "hdfs://nn/",
                                "hdfs:x", "hdfs://nn/a/../..", "hdfs://nn/a%00b", "hdfs://nn/.."}) {
            BOOST_TEST_CONTEXT(uri) {
                const auto removed = co_await Staging::remove(files, "ada", uri);
                BOOST_TEST_REQUIRE(removed.has_error());
                BOOST_TEST(removed.error().is(Errc::invalid_argument), removed.error().detail);
                const auto status = co_await Staging::status(files, "ada", uri);
                BOOST_TEST_REQUIRE(status.has_error());
                BOOST_TEST(status.error().is(Errc::invalid_argument));
            }
        }
        const auto unasked = co_await Staging::status(files, "ada", "hdfs://nn/x");
        BOOST_TEST_REQUIRE(unasked.has_error());
        BOOST_TEST(unasked.error().is(Errc::indeterminate));
        BOOST_TEST(unasked.error().detail.find("webhdfs") != std::string::npos);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::yarn
