// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/api_reader.hpp"

#include "backends/kubernetes/api_text.hpp"
#include "kubernetes/pod_json.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

namespace sparkhost::detail::kubernetes {

namespace {

using namespace std::chrono_literals;
using test::recording;

Timestamp at(std::chrono::sys_days day, std::chrono::milliseconds time) {
    return day + time;
}

std::vector<std::string> lines_of(std::string_view stream, std::size_t piece) {
    EventLines lines;
    std::vector<std::string> all;
    while (!stream.empty()) {
        lines.feed(stream.substr(0, piece));
        stream.remove_prefix(std::min(piece, stream.size()));
        for (auto line = lines.next(); line && *line; line = lines.next()) {
            all.emplace_back(**line);
        }
    }
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_api_reader)

BOOST_AUTO_TEST_CASE(a_stream_has_the_same_lines_in_whatever_pieces_it_comes) {
    const auto stream = recording("watch-kill.ndjson");
    const auto whole = lines_of(stream, stream.size());
    BOOST_TEST(whole.size() == 9U);
    for (const std::size_t piece : {1UL, 7UL, 4096UL, 6000UL}) {
        BOOST_TEST(lines_of(stream, piece) == whole, boost::test_tools::per_element());
    }
    BOOST_TEST(lines_of("\n\r\na\r\nb\n\nc", 2) == (std::vector<std::string>{"a", "b"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_line_that_never_ends_is_an_error) {
    EventLines lines(10);
    lines.feed("0123456789");
    BOOST_TEST(lines.next().has_value());
    lines.feed("0");
    BOOST_TEST(lines.next().error().is(Errc::backend_failed));
    EventLines complete(10);
    complete.feed("0123456789a\nb\n");
    BOOST_TEST(!complete.next().has_value());
}

BOOST_AUTO_TEST_CASE(the_recorded_kill_is_read) {
    std::vector<WatchEvent> events;
    for (const auto& line : lines_of(recording("watch-kill.ndjson"), 1000)) {
        auto event = read_watch_event(line);
        BOOST_TEST_REQUIRE(event.has_value());
        if (event->pod.name == "demo-killme01-driver") {
            events.push_back(*event);
        }
    }
    BOOST_TEST_REQUIRE(events.size() == 8U);
    const auto& first = events.front();
    BOOST_TEST((first.type == WatchEvent::Type::added));
    BOOST_TEST(first.pod.name_space == "jobs");
    BOOST_TEST(first.pod.resource_version == "531");
    BOOST_TEST(first.pod.application_id == "spark-731644810a9252ebaafb0c9ffa7787e6");
    BOOST_TEST((first.pod.phase == PodPhase::pending));
    BOOST_TEST((first.pod.driver.state == ContainerView::State::none));
    BOOST_TEST((events[1].pod.scheduled.value == ConditionView::Value::yes));
    BOOST_TEST(events[2].pod.driver.reason == "ContainerCreating");
    BOOST_TEST((events[3].pod.driver.state == ContainerView::State::running));
    BOOST_TEST(!events[3].pod.deletion.has_value());
    BOOST_TEST(events[4].pod.deletion.has_value());
    BOOST_TEST(*events[4].pod.deletion_grace == 10);
    BOOST_TEST(events[5].pod.driver.exit_code == 143);
    BOOST_TEST((events[5].pod.driver.finished ==
                at(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20), 20h + 31min + 34s)));
    BOOST_TEST((events.back().type == WatchEvent::Type::deleted));
}

BOOST_AUTO_TEST_CASE(the_recorded_refusals_are_read) {
    const auto event = read_watch_event(recording("watch-410.json"));
    BOOST_TEST_REQUIRE(event.has_value());
    BOOST_TEST((event->type == WatchEvent::Type::error));
    BOOST_TEST(event->status.code == 410);
    BOOST_TEST(event->status.reason == "Expired");
    const auto list = read_status(410, recording("list-410.json"), "");
    BOOST_TEST(list.message == "The resourceVersion for the provided list is too old.");
    const auto forbidden = read_status(403, recording("403.json"), "7");
    BOOST_TEST(forbidden.reason == "Forbidden");
    BOOST_TEST((forbidden.retry_after == 7s));
    const auto proxy = read_status(502, "<html>\x01 bad gateway", "Wed, 21 Oct 2026");
    BOOST_TEST(proxy.code == 502);
    BOOST_TEST(proxy.message == "<html>? bad gateway");
    BOOST_TEST((proxy.retry_after == 0s));
}

BOOST_AUTO_TEST_CASE(a_page_is_read_and_what_is_no_pod_is_left_out) {
    test::PodJson pod;
    const auto page = read_pod_page(
        R"({"kind":"PodList","metadata":{"resourceVersion":"9","continue":"abc"},"items":[)" +
        pod.text() + R"(,7,{"metadata":{"name":"x"}},{"metadata":[]}]})");
    BOOST_TEST_REQUIRE(page.has_value());
    BOOST_TEST(page->resource_version == "9");
    BOOST_TEST(page->continue_token == "abc");
    BOOST_TEST_REQUIRE(page->pods.size() == 1U);
    BOOST_TEST(page->pods[0].ticket == pod.ticket);
    BOOST_TEST(page->pods[0].protected_by_us);
    for (const char* bad :
         {"", "{}", "[]", R"({"kind":"PodList"})", R"({"kind":"PodList","metadata":{}})",
          R"({"kind":"Status","metadata":{"resourceVersion":"9"}})"}) {
        BOOST_TEST(read_pod_page(bad).error().is(Errc::backend_failed));
    }
}

BOOST_AUTO_TEST_CASE(hostile_lines_are_errors_and_wrong_types_are_nothing) {
    const std::string deep(5000, '[');
    for (const std::string& bad :
         {std::string(), std::string("nonsense"), std::string("{"), deep,
          std::string(R"({"type":"ADDED"})"), std::string(R"({"type":"NEW","object":{}})"),
          std::string("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"\xff\"}}}"),
          std::string(R"({"type":"ADDED","object":{}} trailing)")}) {
        BOOST_TEST(!read_watch_event(bad).has_value());
    }
    const auto odd = read_watch_event(
        R"({"type":"ADDED","object":{"metadata":{"name":7,"labels":[],"finalizers":{},)"
        R"("deletionGracePeriodSeconds":"x"},"spec":[],"status":{"phase":true,"conditions":[1,{}],)"
        R"("containerStatuses":[null,{"name":"spark-kubernetes-driver","state":{"terminated":)"
        R"({"exitCode":99999999999,"finishedAt":"soon"}}}]}}})");
    BOOST_TEST_REQUIRE(odd.has_value());
    BOOST_TEST(odd->pod.name.empty());
    BOOST_TEST(odd->pod.driver.exit_code == std::numeric_limits<int>::max());
    BOOST_TEST(!odd->pod.driver.finished.has_value());
}

BOOST_AUTO_TEST_CASE(the_driver_is_told_from_other_containers) {
    auto pod = test::running_pod();
    pod.others = R"(,{"name":"proxy","state":{"waiting":{"reason":"ImagePullBackOff"}}})";
    const auto view = pod.view();
    BOOST_TEST((view.driver.state == ContainerView::State::running));
    BOOST_TEST(view.obstacle.name == "proxy");
    const auto renamed =
        read_watch_event(R"({"type":"ADDED","object":{"status":{"containerStatuses":[)"
                         R"({"name":"main","state":{"terminated":{"exitCode":3}}}]}}})");
    BOOST_TEST(renamed->pod.driver.exit_code == 3);  // the only one
}

BOOST_AUTO_TEST_CASE(times_are_read) {
    const auto day = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20);
    BOOST_TEST((read_time("2026-11-20T20:31:34Z") == at(day, 20h + 31min + 34s)));
    BOOST_TEST((read_time("2026-11-20T20:31:34.123456Z") == at(day, 20h + 31min + 34s + 123ms)));
    BOOST_TEST((read_time("2026-11-20T22:31:34.5+02:00") == at(day, 20h + 31min + 34s + 500ms)));
    for (const char* bad : {"", "now", "2026-13-20T20:31:34Z", "2026-11-20T25:31:34Z",
                            "2026-11-20 20:31:34Z", "2026-11-20T20:31:34", "2026-11-20T20:31:34Zx",
                            "-026-11-20T20:31:34Z", "2026-02-30T20:31:34Z"}) {
        BOOST_TEST(!read_time(bad).has_value(), bad);
    }
}

BOOST_AUTO_TEST_CASE(texts_are_cut_between_characters) {
    BOOST_TEST(bounded_text("abc", 3) == "abc");
    BOOST_TEST(bounded_text("a\xc3\xa4z", 2) == "a");
    BOOST_TEST(bounded_text("a\xc3\xa4z", 3) == "a\xc3\xa4");
    BOOST_TEST(bounded_text("a\nb\tc") == "a b c");
}

BOOST_AUTO_TEST_CASE(events_are_read_in_the_order_of_time) {
    const auto events = read_event_page(
        R"({"kind":"EventList","items":[)"
        R"({"reason":"Pulled","message":"done","firstTimestamp":"2026-01-01T00:00:09Z",)"
        R"("lastTimestamp":"2026-01-01T00:00:09Z"},)"
        R"({"reason":"FailedMount","eventTime":"2026-01-01T00:00:03.000001Z","firstTimestamp":null,)"
        R"("series":{"lastObservedTime":"2026-01-01T00:00:05Z"}},)"
        R"({"reason":"Odd","metadata":{"creationTimestamp":"2026-01-01T00:00:01Z"}}]})");
    BOOST_TEST_REQUIRE(events.has_value());
    BOOST_TEST_REQUIRE(events->size() == 3U);
    BOOST_TEST((*events)[0].reason == "Odd");
    BOOST_TEST((*events)[1].reason == "FailedMount");
    BOOST_TEST(((*events)[1].last - (*events)[1].first == 2s));
    BOOST_TEST((*events)[2].message == "done");
    BOOST_TEST(!read_event_page("[]").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::kubernetes
