// SPDX-License-Identifier: Apache-2.0
#include <sparkhost/testing/runtime_conformance.hpp>

#include "testing/runtime_conformance_rig.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <utility>

namespace sparkhost::testing {
namespace runtime_cases {

/// Everything cases run on.
struct RuntimeStage {
    RuntimeStage(RuntimeFixture& fixture, const RuntimeConformanceOptions& options)
        : rig(fixture, options, loop.get_executor()) {}

    asio::io_context loop{1};
    Rig rig;
    bool finished{false};
    std::exception_ptr failure{};

    /// False: it hangs.
    bool perform(asio::awaitable<void> task) {
        finished = false;
        failure = nullptr;
        asio::co_spawn(rig.strand(), std::move(task), [this](std::exception_ptr escaped) {
            failure = std::move(escaped);
            finished = true;
        });
        return backend_cases::run_until(loop, finished, [this] { return rig.deadline(); });
    }

    /// True: nothing is left to do.
    bool drain() {
        loop.restart();
        loop.run_for(rig.options.patience);
        return loop.stopped();
    }

    /// What the last task came to; empty: it did well.
    std::string problem() {
        std::string text;
        if (failure) {
            try {
                std::rethrow_exception(failure);
            } catch (const std::exception& thrown) {
                text = thrown.what();
            } catch (...) {
                text = "an exception of an unknown type escaped";
            }
        }
        const auto broken = rig.take_violation();
        if (!text.empty() && !broken.empty()) {
            text += "; before that: ";
        }
        return text + broken;
    }
};

/// What a hung operation refers to must not go away under it.
void leave_runtime_behind(std::shared_ptr<RuntimeStage> stage) {
    static auto* const left = new std::vector<std::shared_ptr<RuntimeStage>>;
    left->push_back(std::move(stage));
}

/// Some cases on one stage.
class Performance {
public:
    Performance(RuntimeFixture& fixture, const RuntimeConformanceOptions& options)
        : fixture_(fixture), stage_(std::make_shared<RuntimeStage>(fixture, options)) {}

    /// What is wrong; empty: the runtime did well.
    std::string play(const RuntimeCase& runtime_case) {
        stage_->rig.use(runtime_case.options);
        auto problem = perform(runtime_case.run(stage_->rig));
        if (problem.empty()) {
            problem = perform(stage_->rig.end_case());
        }
        if (!problem.empty()) {
            stage_->rig.spoil();
        }
        return problem;
    }
    /// Ends everything, also after a failure: real drivers must not go on running.
    std::string finish() {
        auto problem = hangs_ ? std::string() : perform(stage_->rig.tidy());
        const bool hung = hangs_;
        const auto last = perform(fixture_.end_all());
        problem = problem.empty() ? last : problem;
        if (hung || hangs_ || !stage_->drain()) {
            leave_runtime_behind(std::move(stage_));
            return problem.empty() && !hung ? "its work on the executor is left behind" : problem;
        }
        return problem;
    }
    bool hangs() const { return hangs_; }

private:
    std::string perform(asio::awaitable<void> task) {
        if (stage_->perform(std::move(task))) {
            return stage_->problem();
        }
        hangs_ = true;
        const auto broken = stage_->rig.take_violation();
        return "waited in vain for " + stage_->rig.waiting_for() +
               (broken.empty() ? "" : "; before that: " + broken);
    }

    RuntimeFixture& fixture_;
    std::shared_ptr<RuntimeStage> stage_;
    bool hangs_{false};
};

}  // namespace runtime_cases

std::vector<RuntimeCase> runtime_conformance_cases(RuntimeConformanceOptions options) {
    std::vector<RuntimeCase> cases;
    runtime_cases::add_prepare_cases(cases, options);
    runtime_cases::add_statement_cases(cases, options);
    runtime_cases::add_interrupt_cases(cases, options);
    runtime_cases::add_connection_cases(cases, options);
    runtime_cases::add_end_cases(cases, options);
    return cases;
}

void run_runtime_case(const RuntimeCase& runtime_case, RuntimeFixture& fixture) {
    runtime_cases::Performance performance(fixture, runtime_case.options);
    auto problem = performance.play(runtime_case);
    const auto last = performance.finish();
    if (problem.empty() && !last.empty()) {
        problem = "while tidying up: " + last;
    }
    if (!problem.empty()) {
        throw ConformanceFailure(problem);
    }
}

void run_runtime_cases(const std::vector<RuntimeCase>& cases, RuntimeFixture& fixture) {
    if (cases.empty()) {
        return;
    }
    runtime_cases::Performance performance(fixture, cases.front().options);
    std::string problems;
    for (const auto& each : cases) {
        const auto problem = performance.play(each);
        if (!problem.empty()) {
            problems += each.name + ": " + problem + '\n';
        }
        if (performance.hangs()) {
            break;
        }
    }
    const auto last = performance.finish();
    if (!last.empty()) {
        problems += "while tidying up: " + last + '\n';
    }
    if (!problems.empty()) {
        throw ConformanceFailure(problems);
    }
}

}  // namespace sparkhost::testing
