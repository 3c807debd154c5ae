// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_TWIN_TWIN_LIFE_HPP
#define SPARKHOST_TESTS_UNIT_TWIN_TWIN_LIFE_HPP

#include "twin.hpp"

#include <sparkhost/storages/memory.hpp>

#include <boost/asio/co_spawn.hpp>

namespace sparkhost::twin {

/// One host. Everything of it runs on one context in this thread, and only when asked to.
struct Twin::Life {
    std::shared_ptr<asio::io_context> io{std::make_shared<asio::io_context>(1)};
    CoursePtr course{};
    std::optional<Host> host{};
    bool over{false};    ///< run() has completed
    bool rested{false};  ///< at the last look nothing was under way
    std::set<BatchId> watched{};

    void make_host(Twin& twin, const Scenario& scenario);
};

template <class T>
void Twin::ask(std::size_t step, Awaitable<T> call, std::function<void(Result<T>)> answered) {
    Life& life = *lives_.back();
    auto over = [this, course = life.course, step, answered = std::move(answered)](
                    std::exception_ptr escaped, Result<T> answer) {
        if (!course->pass("answer to: " + scenario_.steps[step].name)) {
            return;
        }
        if (escaped) {
            complain(Fault::wrong_answer, scenario_.steps[step].name + ": an exception");
        } else {
            answered(std::move(answer));
        }
        this->answered(step);
        ask_next();
    };
    asio::co_spawn(*life.io, std::move(call), std::move(over));
}

template <class T>
Result<T> Twin::from_store(Awaitable<T> call) {
    std::optional<Result<T>> answer;
    asio::co_spawn(*lives_.back()->io, std::move(call),
                   [&](std::exception_ptr, Result<T> result) { answer = std::move(result); });
    settle();
    return answer.value();
}

}  // namespace sparkhost::twin

#endif
