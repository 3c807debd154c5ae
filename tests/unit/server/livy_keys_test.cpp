// SPDX-License-Identifier: Apache-2.0
#include "livy_keys.hpp"

#include "livy_conf.hpp"
#include "options.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace server;

namespace {

std::string source_text(const std::string& name) {
    std::ifstream stream(std::string(SPARKHOST_SOURCE_DIR) + "/" + name);
    BOOST_TEST_REQUIRE(stream.good(), name);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> known_keys() {
    std::vector<std::string> keys;
    std::istringstream lines(source_text("tests/unit/server/livy_keys.txt"));
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with('#')) {
            keys.push_back(line);
        }
    }
    return keys;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(server_livy_keys)

BOOST_AUTO_TEST_CASE(every_key_of_livy_has_its_fate) {
    const auto keys = known_keys();
    BOOST_TEST(keys.size() > 200u);
    for (const auto& key : keys) {
        BOOST_TEST((find_livy_key(current_spelling(key)) != nullptr), key);
    }
    BOOST_TEST((find_livy_key("livy.something.else") == nullptr));
}

BOOST_AUTO_TEST_CASE(no_row_is_for_a_key_that_livy_does_not_have) {
    const auto keys = known_keys();
    std::set<const LivyKey*> used;
    for (const auto& key : keys) {
        used.insert(find_livy_key(current_spelling(key)));
    }
    for (const LivyKey& row : livy_keys()) {
        BOOST_TEST(used.contains(&row), row.key << " is never reached");
    }
    for (const LivySpelling& spelling : livy_spellings()) {
        BOOST_TEST((std::ranges::find(keys, spelling.old) != keys.end()), spelling.old);
        BOOST_TEST((std::ranges::find(keys, spelling.current) != keys.end()), spelling.current);
    }
}

BOOST_AUTO_TEST_CASE(what_is_mapped_names_options_that_exist_and_the_rest_says_why) {
    for (const LivyKey& row : livy_keys()) {
        BOOST_TEST((row.fate == LivyFate::mapped) == !row.options.empty(), row.key);
        BOOST_TEST((row.fate == LivyFate::mapped || !row.why.empty()), row.key);
        std::istringstream names{std::string(row.options)};
        for (std::string name; names >> name;) {
            BOOST_TEST((find_option(name) != nullptr), name);
        }
    }
}

// Where this fails, docs/livy_conf.md is to have this table.
BOOST_AUTO_TEST_CASE(the_docs_have_the_same_table) {
    const auto table = livy_conf_markdown();
    BOOST_TEST(source_text("docs/livy_conf.md").find("\n" + table) != std::string::npos, table);
}

BOOST_AUTO_TEST_CASE(the_docs_have_the_old_spellings) {
    const auto docs = source_text("docs/livy_conf.md");
    for (const LivySpelling& spelling : livy_spellings()) {
        BOOST_TEST(docs.find("`" + std::string(spelling.old) + "`") != std::string::npos,
                   spelling.old);
    }
}

BOOST_AUTO_TEST_SUITE_END()
