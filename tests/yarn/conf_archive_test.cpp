// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/conf_archive.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>

#include <zip.h>

namespace sparkhost::yarn_test {

using detail::yarn::make_zip;

namespace {

std::map<std::string, std::string> files_of(std::string bytes) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
    const std::unique_ptr<zip_t, decltype(&zip_discard)> archive(
        zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error), &zip_discard);
    BOOST_TEST_REQUIRE(archive != nullptr, zip_error_strerror(&error));
    std::map<std::string, std::string> files;
    const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
    for (zip_int64_t i = 0; i < count; ++i) {
        const auto index = static_cast<zip_uint64_t>(i);
        zip_stat_t status;
        BOOST_TEST_REQUIRE(zip_stat_index(archive.get(), index, 0, &status) == 0);
        zip_file_t* file = zip_fopen_index(archive.get(), index, 0);
        BOOST_TEST_REQUIRE(file != nullptr);
        std::string content(status.size, '\0');
        BOOST_TEST(zip_fread(file, content.data(), content.size()) ==
                   static_cast<zip_int64_t>(status.size));
        BOOST_TEST(zip_fclose(file) == 0);
        files[status.name] = std::move(content);
    }
    return files;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(yarn_conf_archive)

BOOST_AUTO_TEST_CASE(a_zip_has_the_files_that_were_put_into_it) {
    std::string binary;
    for (int i = 0; i < 200000; ++i) {
        binary += static_cast<char>((i * 7919) >> 5);
    }
    const std::map<std::string, std::string> files{{"__hadoop_conf__/yarn-site.xml", "<x/>"},
                                                   {"__spark_conf__.properties", "a=b\n"},
                                                   {"binary", binary},
                                                   {"empty", ""},
                                                   {"\xc3\xbc", "1"}};
    const auto zip = make_zip(files);
    BOOST_TEST_REQUIRE(zip.has_value());
    BOOST_TEST((files_of(*zip) == files));
}

BOOST_AUTO_TEST_CASE(the_same_files_give_the_same_bytes) {
    const std::map<std::string, std::string> files{{"a", "1"}, {"b/c", std::string(10000, 'x')}};
    const auto zip = make_zip(files);
    BOOST_TEST_REQUIRE(zip.has_value());
    BOOST_TEST((*make_zip(files) == *zip));
    BOOST_TEST(zip->size() < 1000U);
    // the day of both entries is 1980-01-01: no clock is asked
    BOOST_TEST(zip->substr(10, 4) == std::string("\0\0\x21\0", 4));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::yarn_test
