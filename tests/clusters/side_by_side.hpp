// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_CLUSTERS_SIDE_BY_SIDE_HPP
#define SPARKHOST_TESTS_CLUSTERS_SIDE_BY_SIDE_HPP

#include <sparkhost/testing/backend_conformance.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::test {

/// Cases of the kit, several at a time: one of them alone mostly waits for its cluster.
class SideBySide {
public:
    using Case = testing::BackendCase;
    using Fixture = std::unique_ptr<testing::BackendFixture>;

    SideBySide(std::vector<Case> cases, std::function<Fixture(const Case&)> make)
        : cases_(std::move(cases)), make_(std::move(make)), verdicts_(cases_.size()) {}

    /// Waits for this case, and lets those after it begin. Empty: the backend did well.
    std::string verdict(const Case& asked) {
        const auto at = std::find_if(cases_.begin(), cases_.end(),
                                     [&](const Case& each) { return each.name == asked.name; });
        const auto first = static_cast<std::size_t>(at - cases_.begin());
        for (auto i = first; i < std::min(first + at_a_time, cases_.size()); ++i) {
            if (!verdicts_[i].valid()) {
                verdicts_[i] = std::async(std::launch::async, [this, i] { return run(cases_[i]); });
            }
        }
        return verdicts_.at(first).get();
    }

private:
    static constexpr std::size_t at_a_time = 3;

    std::string run(const Case& each) const {
        try {
            const auto fixture = make_(each);
            testing::run_backend_case(each, *fixture);
        } catch (const std::exception& failure) {
            return failure.what();
        }
        return {};
    }

    std::vector<Case> cases_;
    std::function<Fixture(const Case&)> make_;
    std::vector<std::future<std::string>> verdicts_;
};

}  // namespace sparkhost::test

#endif
