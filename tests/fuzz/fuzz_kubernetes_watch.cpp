// SPDX-License-Identifier: Apache-2.0
// What an API server (or whoever answers in its place) sends. Beyond not crashing: lines are the
// same in whatever pieces they arrive, texts stay bounded, and whatever is said of a pod, in
// whatever order, its report never goes back.
#include "backends/kubernetes/api_reader.hpp"
#include "backends/kubernetes/api_text.hpp"
#include "backends/kubernetes/pod_tracking.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace sparkhost::detail::kubernetes;

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

std::vector<std::string> lines_of(std::string_view stream, std::size_t piece) {
    EventLines lines;
    std::vector<std::string> all;
    while (!stream.empty()) {
        lines.feed(stream.substr(0, piece));
        stream.remove_prefix(stream.size() < piece ? stream.size() : piece);
        for (auto line = lines.next(); line && *line; line = lines.next()) {
            all.emplace_back(**line);
        }
    }
    return all;
}

void check_bounds(const PodView& pod) {
    require(pod.name.size() <= 512 && pod.message.size() <= 1000 && pod.given_up.size() <= 1000);
    require(pod.driver.message.size() <= 1000 && pod.obstacle.message.size() <= 1000);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view stream(reinterpret_cast<const char*>(data), size);
    const auto lines = lines_of(stream, size + 1);
    require(lines == lines_of(stream, 1));
    PodTracking tracking("t");
    auto before = tracking.status();
    Moment now;
    for (const auto& line : lines) {
        const auto event = read_watch_event(line);
        if (event) {
            check_bounds(event->pod);
            tracking.see(event->pod, now, false);
        }
        if (const auto page = read_pod_page(line)) {
            require(!page->resource_version.empty());
            for (const auto& pod : page->pods) {
                check_bounds(pod);
                tracking.see(pod, now, true);
            }
        }
        if (const auto events = read_event_page(line)) {
            tracking.see(*events, now);
        }
        read_status(410, line, line);
        now.wall += std::chrono::seconds(20);
        now.steady += std::chrono::seconds(20);
        tracking.check({}, now);
        const auto after = tracking.status();
        require(after.state >= before.state && after.steps.size() <= 12);
        require((after.outcome != sparkhost::Outcome::none) ==
                (after.state == sparkhost::ApplicationState::ended));
        require(before.outcome == sparkhost::Outcome::none || after == before);
        before = after;
    }
    return 0;
}
