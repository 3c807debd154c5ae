// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/rm_answer.hpp"

#include "support/printing.hpp"
#include "yarn/scripted_daemon.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

namespace sparkhost::test::yarn {

using namespace detail::yarn;

BOOST_AUTO_TEST_SUITE(yarn_rm_answer)

BOOST_AUTO_TEST_CASE(only_an_active_manager_is_active) {
    const auto active = read_info(recording("info-active.json"));
    BOOST_TEST_REQUIRE(active.has_value());
    BOOST_TEST(active->active);
    BOOST_TEST(active->started_on == 1795207665278);
    BOOST_TEST(active->version == "3.3.6");
    const auto initializing = read_info(recording("info-initializing.json"));
    BOOST_TEST_REQUIRE(initializing.has_value());
    BOOST_TEST(!initializing->active);
    BOOST_TEST(initializing->ha_state == "INITIALIZING");
    const auto stopping =
        read_info(R"({"clusterInfo":{"state":"STOPPED","haState":"ACTIVE","startedOn":1}})");
    BOOST_TEST_REQUIRE(stopping.has_value());
    BOOST_TEST(!stopping->active);
}

BOOST_AUTO_TEST_CASE(a_running_application_is_read) {
    const auto sight = read_application(recording("app-running.json"));
    BOOST_TEST_REQUIRE(sight.has_value());
    BOOST_TEST(sight->id == "application_1795207165420_0001");
    BOOST_TEST((sight->state == AppState::running));
    BOOST_TEST((sight->final_status == FinalStatus::undefined));
    BOOST_TEST(sight->tracking_url == "http://rm1:8088/proxy/application_1795207165420_0001/");
    BOOST_TEST(sight->am_host == "node1:8042");
    BOOST_TEST(sight->am_container == "container_e08_1795207165420_0001_01_000001");
    BOOST_TEST(sight->user == "ada");
    BOOST_TEST(sight->tags == std::vector<std::string>{"sparkhost-0f3c"});
    BOOST_TEST(sight->started_ms == 1795207175624);
    BOOST_TEST(sight->launched_ms == 1795207178078);
    BOOST_TEST(sight->finished_ms == 0);
}

BOOST_AUTO_TEST_CASE(an_application_that_is_over_is_read) {
    const auto good = read_application(recording("app-finished.json"));
    BOOST_TEST_REQUIRE(good.has_value());
    BOOST_TEST((good->state == AppState::finished));
    BOOST_TEST((good->final_status == FinalStatus::succeeded));
    BOOST_TEST(good->finished_ms == 1795205919958);
    const auto bad = read_application(recording("app-failed.json"));
    BOOST_TEST_REQUIRE(bad.has_value());
    BOOST_TEST((bad->state == AppState::failed));
    BOOST_TEST((bad->final_status == FinalStatus::failed));
    BOOST_TEST(bad->diagnostics.find("exitCode: 15") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_state_has_its_word) {
    const std::vector<std::pair<std::string, AppState>> states{{"NEW", AppState::new_},
                                                               {"NEW_SAVING", AppState::new_saving},
                                                               {"SUBMITTED", AppState::submitted},
                                                               {"ACCEPTED", AppState::accepted},
                                                               {"RUNNING", AppState::running},
                                                               {"FINISHED", AppState::finished},
                                                               {"FAILED", AppState::failed},
                                                               {"KILLED", AppState::killed}};
    for (const auto& [word, state] : states) {
        BOOST_TEST_CONTEXT(word) {
            const auto sight = read_application(
                R"({"app":{"id":"application_1_0001","finalStatus":"KILLED","state":")" + word +
                R"("}})");
            BOOST_TEST_REQUIRE(sight.has_value());
            BOOST_TEST((sight->state == state));
            BOOST_TEST((sight->final_status == FinalStatus::killed));
        }
    }
}

BOOST_AUTO_TEST_CASE(an_application_without_a_container_names_none) {
    const auto sight = read_application(
        R"({"app":{"id":"application_1_0001","state":"ACCEPTED","trackingUrl":"N/A",
            "amHostHttpAddress":"N/A","amContainerLogs":"N/A","applicationTags":"",
            "diagnostics":"waiting"}})");
    BOOST_TEST_REQUIRE(sight.has_value());
    BOOST_TEST(sight->tracking_url == "");
    BOOST_TEST(sight->am_host == "");
    BOOST_TEST(sight->am_container == "");
    BOOST_TEST(sight->tags.empty());
    BOOST_TEST(sight->diagnostics == "waiting");
}

BOOST_AUTO_TEST_CASE(lists_of_every_form_are_read) {
    for (const char* empty : {R"({"apps":null})", R"({"apps":{}})", R"({"apps":{"app":[]}})",
                              R"({"apps":{"app":null}})"}) {
        BOOST_TEST_CONTEXT(empty) {
            const auto none = read_applications(empty);
            BOOST_TEST_REQUIRE(none.has_value());
            BOOST_TEST(none->empty());
        }
    }
    const auto one = read_applications(recording("apps.json"));
    BOOST_TEST_REQUIRE(one.has_value());
    BOOST_TEST_REQUIRE(one->size() == 1U);
    BOOST_TEST(one->front().id == "application_1795207665278_0002");
}

BOOST_AUTO_TEST_CASE(what_is_something_else_is_no_answer) {
    const std::string whole = recording("app-running.json");
    const std::vector<std::string> bodies{
        "",
        "<html><title>Login</title></html>",
        "[]",
        "{}",
        whole.substr(0, whole.size() / 2),
        R"({"app":null,"apps":[],"clusterInfo":1})",
        R"({"app":{"id":"application_1_0001","state":"DREAMING"},"apps":{"app":[1]}})",
        R"({"app":{"state":"RUNNING"},"apps":{"app":[{"state":"RUNNING"}]}})"};
    for (const auto& body : bodies) {
        BOOST_TEST_CONTEXT(body) {
            BOOST_TEST(read_info(body).has_error());
            BOOST_TEST(read_new_application(body).has_error());
            BOOST_TEST(read_application(body).has_error());
            BOOST_TEST(read_applications(body).has_error());
        }
    }
}

BOOST_AUTO_TEST_CASE(diagnostics_that_are_no_text_do_not_hide_an_application) {
    const auto sight = read_application(
        "{\"app\":{\"id\":\"application_1_0001\",\"state\":\"FAILED\",\"diagnostics\":\"a\xff "
        "b\"}}");
    BOOST_TEST_REQUIRE(sight.has_value());
    BOOST_TEST(sight->diagnostics == "a\xEF\xBF\xBD b");
}

BOOST_AUTO_TEST_CASE(a_new_id_is_read) {
    const auto id = read_new_application(recording("new-application.json"));
    BOOST_TEST_REQUIRE(id.has_value());
    BOOST_TEST(*id == "application_1795207665278_0001");
}

BOOST_AUTO_TEST_CASE(only_a_manager_can_say_that_there_is_none) {
    BOOST_TEST(is_not_found(404, recording("not-found.json")));
    BOOST_TEST(!is_not_found(200, recording("not-found.json")));
    BOOST_TEST(!is_not_found(404, "<html><title>Not Found</title></html>"));
    BOOST_TEST(!is_not_found(404, recording("bad-request.json")));
}

BOOST_AUTO_TEST_CASE(refusals_have_words) {
    struct Case {
        int status;
        std::string body;
        std::string words;
    };
    const std::vector<Case> cases{
        {404, recording("not-found.json"),
         "HTTP status 404: app with id: application_1_1 not found"},
        {400, recording("bad-request.json"),
         "HTTP status 400: javax.xml.bind.UnmarshalException - with linked exception: "
         "[javax.xml.stream.XMLStreamException: com.fasterxml.jackson.core.io.JsonEOFException: "
         "Unexpected end-of-input: expected close marker for Object (start marker at [Source: "
         "(BufferedReader); line: 1, column: 1])"},
        {403, R"({"RemoteException":{"exception":"ForbiddenException"}})",
         "HTTP status 403: ForbiddenException"},
        {401, "<html>\n<head><title>Error 401 Authentication required</title></head></html>",
         "HTTP status 401: Error 401 Authentication required"},
        {502, "\n  upstream went away  \nmore", "HTTP status 502: upstream went away"},
        {500, "", "HTTP status 500"},
        {500, "{}", "HTTP status 500"},
    };
    for (const auto& each : cases) {
        BOOST_TEST(failure_of(each.status, each.body) == each.words);
    }
    BOOST_TEST(failure_of(500, std::string(100'000, 'x')).size() < 2000U);
}

BOOST_AUTO_TEST_CASE(ids_are_recognized) {
    for (const char* good : {"application_1795207665278_0001", "application_1_1",
                             "application_1795207665278_1234567"}) {
        BOOST_TEST(is_application_id(good), good);
    }
    for (const char* bad : {"", "application_", "application_1", "application_1_", "application__1",
                            "application_1_2_3", "application_1_x", "application_1_2/..",
                            "driver-1", " application_1_1"}) {
        BOOST_TEST(!is_application_id(bad), bad);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::yarn
