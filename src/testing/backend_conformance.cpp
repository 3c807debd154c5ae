// SPDX-License-Identifier: Apache-2.0
#include <sparkhost/testing/backend_conformance.hpp>

#include "testing/backend_rig.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <utility>

namespace sparkhost::testing {
namespace backend_cases {

/// Everything a case runs on.
struct Stage {
    Stage(BackendFixture& fixture, const BackendConformanceOptions& options)
        : rig(fixture, options, loop.get_executor(), pool.get_executor()) {}

    boost::asio::thread_pool pool{2};
    boost::asio::io_context loop{1};
    Rig rig;
    bool finished{false};
    std::exception_ptr failure;

    /// False: it hangs.
    bool perform(asio::awaitable<void> task) {
        finished = false;
        asio::co_spawn(rig.strand(), std::move(task), [this](std::exception_ptr escaped) {
            failure = std::move(escaped);
            finished = true;
        });
        return run_until(loop, finished, [this] { return rig.deadline(); });
    }

    /// True: nothing is left to do.
    bool drain() {
        loop.restart();
        loop.run_for(rig.options.patience);
        return loop.stopped();
    }

    std::string problem() const {
        if (failure) {
            try {
                std::rethrow_exception(failure);
            } catch (const std::exception& thrown) {
                return thrown.what();
            } catch (...) {
                return "an exception of an unknown type escaped";
            }
        }
        return {};
    }
};

/// What a hung operation refers to must not go away under it.
void leave_behind(std::shared_ptr<Stage> stage) {
    // Not destroyed at exit either: its threads may hang as well.
    static auto* const left = new std::vector<std::shared_ptr<Stage>>;
    left->push_back(std::move(stage));
}

/// Empty: the backend did well.
std::string verdict_of(const BackendCase& backend_case, BackendFixture& fixture) {
    auto stage = std::make_shared<Stage>(fixture, backend_case.options);
    auto& rig = stage->rig;
    auto hung = [&] { return "waited in vain for " + rig.waiting_for(); };
    std::string problem;
    bool usable = stage->perform(backend_case.run(rig));
    problem = usable ? stage->problem() : hung();
    // Also after a failure: real applications must not go on running.
    usable = stage->perform(rig.tidy());
    if (problem.empty()) {
        problem = usable ? stage->problem() : "while tidying up: " + hung();
    }
    if (!rig.journal.violations.empty()) {
        auto& broken = rig.journal.violations.front();
        problem = problem.empty() ? broken : problem + "; before that: " + broken;
    }
    if (!usable || !stage->drain()) {
        leave_behind(std::move(stage));
        return problem.empty() ? "the backend is gone, but its work on the executor is not"
                               : problem;
    }
    stage->pool.join();
    return problem;
}

}  // namespace backend_cases

std::vector<BackendCase> backend_conformance_cases(BackendConformanceOptions options) {
    std::vector<BackendCase> cases;
    backend_cases::add_submit_cases(cases, options);
    backend_cases::add_watch_cases(cases, options);
    backend_cases::add_kill_cases(cases, options);
    backend_cases::add_release_cases(cases, options);
    backend_cases::add_log_cases(cases, options);
    return cases;
}

void run_backend_case(const BackendCase& backend_case, BackendFixture& fixture) {
    const auto problem = backend_cases::verdict_of(backend_case, fixture);
    if (!problem.empty()) {
        throw ConformanceFailure(problem);
    }
}

}  // namespace sparkhost::testing
