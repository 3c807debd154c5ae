// SPDX-License-Identifier: Apache-2.0
#include "core/batch_machine.hpp"
#include "core/session_machine.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <tuple>

// docs/states.md draws the machines; here the drawings are compared with the tables.

namespace sparkhost::detail {

namespace states_drawing {

/// The arrows of the n-th diagram of docs/states.md: from, to, label (empty where it has none).
using Arrow = std::tuple<std::string, std::string, std::string>;
std::set<Arrow> drawn(std::size_t number) {
    std::ifstream in(std::string(SPARKHOST_SOURCE_DIR) + "/docs/states.md");
    std::set<Arrow> arrows;
    std::size_t diagrams = 0;
    bool inside = false;
    for (std::string line; std::getline(in, line);) {
        if (line == "```mermaid") {
            inside = true;
        } else if (line == "```" && inside) {
            inside = false;
            ++diagrams;
        } else if (inside && diagrams == number && line.find("-->") != std::string::npos) {
            std::istringstream words(line);
            std::string from;
            std::string arrow;
            std::string to;
            std::string colon;
            std::string label;
            words >> from >> arrow >> to >> colon >> label;
            if (from != "[*]" && to != "[*]") {
                arrows.emplace(from, to, label);
            }
        }
    }
    return arrows;
}

}  // namespace states_drawing

using states_drawing::Arrow;
using states_drawing::drawn;

BOOST_AUTO_TEST_SUITE(states_drawing_suite)

BOOST_AUTO_TEST_CASE(the_drawing_of_a_batch_is_the_table) {
    std::set<Arrow> edges;
    for (const auto& edge : batch_edges()) {
        edges.emplace(to_string(edge.from), to_string(edge.to), to_string(edge.event));
    }
    const auto picture = drawn(0);
    BOOST_TEST_REQUIRE(!picture.empty());
    for (const auto& [from, to, label] : picture) {
        BOOST_TEST(edges.contains({from, to, label}),
                   "drawn but not in the table: " << from << " -> " << to << " : " << label);
    }
    for (const auto& [from, to, label] : edges) {
        BOOST_TEST(picture.contains({from, to, label}),
                   "in the table but not drawn: " << from << " -> " << to << " : " << label);
    }
}

BOOST_AUTO_TEST_CASE(the_drawing_of_an_application_is_its_table) {
    std::set<Arrow> edges;
    for (const auto& edge : application_edges()) {
        edges.emplace(to_string(edge.from), to_string(edge.to), "");
    }
    BOOST_TEST_REQUIRE(!drawn(1).empty());
    BOOST_TEST((drawn(1) == edges));
}

BOOST_AUTO_TEST_CASE(the_drawing_of_a_session_is_its_table) {
    std::set<Arrow> edges;
    for (const auto& edge : session_edges()) {
        edges.emplace(to_string(edge.from), to_string(edge.to), edge.event);
    }
    BOOST_TEST_REQUIRE(!drawn(2).empty());
    BOOST_TEST((drawn(2) == edges));
}

BOOST_AUTO_TEST_CASE(the_drawing_of_a_statement_is_its_table) {
    std::set<Arrow> edges;
    for (const auto& edge : statement_edges()) {
        edges.emplace(to_string(edge.from), to_string(edge.to), to_string(edge.event));
    }
    BOOST_TEST_REQUIRE(!drawn(3).empty());
    BOOST_TEST((drawn(3) == edges));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
