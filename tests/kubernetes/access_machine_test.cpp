// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/access_machine.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <vector>

namespace sparkhost::detail::kubernetes {

namespace {

using namespace std::chrono_literals;

const Result<void> allowed = ok();
const Result<void> away = Error(Errc::indeterminate, "cannot be reached");
const Result<void> refused = Error(Errc::backend_failed, "create pods");
const Result<void> refused_more = Error(Errc::backend_failed, "create pods, get pods/log");

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_access_machine)

BOOST_AUTO_TEST_CASE(what_is_not_allowed_is_told_once_and_that_it_is_in_the_end) {
    struct Step {
        const Result<void>& answer;
        std::optional<std::string> news;
        std::chrono::milliseconds pause;  ///< before the next
    };
    const std::vector<std::vector<Step>> courses{
        {{allowed, std::nullopt, 1s}},
        {{away, std::nullopt, 2s},
         {away, std::nullopt, 4s},
         {away, std::nullopt, 8s},
         {away, std::nullopt, 15s},
         {away, std::nullopt, 15s},
         {allowed, std::nullopt, 15s}},
        {{away, std::nullopt, 2s},
         {refused, "create pods", 30s},
         {refused, std::nullopt, 30s},
         {away, std::nullopt, 15s},
         {refused, std::nullopt, 30s},
         {refused_more, "create pods, get pods/log", 30s},
         {allowed, "", 30s}},
    };
    for (const auto& course : courses) {
        AccessMachine machine;
        BOOST_TEST((machine.pause() == 1s));
        for (const auto& step : course) {
            BOOST_TEST(!machine.is_settled());
            const auto news = machine.asked(step.answer);
            BOOST_TEST((news == step.news));
            BOOST_TEST((machine.pause() == step.pause));
        }
        BOOST_TEST(machine.is_settled());
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::kubernetes
