// SPDX-License-Identifier: Apache-2.0
#include "testing/runtime_conformance_rig.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <utility>

namespace sparkhost::testing::runtime_cases {

/// Hands what a statement says in one conversation to the rig.
class RigOutputSink final : public OutputSink {
public:
    RigOutputSink(Rig& rig, std::shared_ptr<Heard> heard, Slot<StatementResult> answer)
        : rig_(rig), heard_(std::move(heard)), answer_(std::move(answer)) {}

    void output(Stream stream, std::string chunk) override {
        if (answer_->has_value()) {
            rig_.violation("output was told after the statement's result");
        }
        if (!rig_.strand().running_in_this_thread()) {
            rig_.violation("output was not called on the executor run() was awaited on");
        }
        (stream == Stream::standard_output ? heard_->out : heard_->err) += chunk;
        rig_.notify();
    }

private:
    Rig& rig_;
    std::shared_ptr<Heard> heard_;
    Slot<StatementResult> answer_;
};

std::string plain_text(const StatementResult& result) {
    const auto found = result.data.find("text/plain");
    return found == result.data.end() ? std::string() : found->second;
}

StatementSpec Rig::next_statement(Program program, std::string& mark) {
    StatementSpec spec;
    spec.id = StatementId{next_statement_++};
    spec.kind = fixture_.kind();
    mark = name_ + "-" + std::to_string(spec.id.value);
    spec.code = fixture_.code(program, mark);
    return spec;
}

Asked Rig::begin(Program program) {
    std::string mark;
    auto spec = next_statement(program, mark);
    return begin(std::move(spec), std::move(mark));
}

Asked Rig::begin(StatementSpec spec, std::string mark) {
    Asked asked;
    asked.spec = std::move(spec);
    asked.mark = std::move(mark);
    asked.heard = std::make_shared<Heard>();
    asked.give_up = std::make_shared<asio::cancellation_signal>();
    asked.place = std::make_shared<std::size_t>(0);
    asked.answer = std::make_shared<std::optional<Result<StatementResult>>>();
    auto sink = std::make_shared<RigOutputSink>(*this, asked.heard, asked.answer);
    auto over = [this, slot = asked.answer, place = asked.place](std::exception_ptr escaped,
                                                                 Result<StatementResult> result) {
        if (escaped) {
            violation("an exception escaped from execute()");
            result = Errc::backend_failed;
        }
        slot->emplace(std::move(result));
        *place = ++answers_;
        notify();
    };
    asio::co_spawn(strand_, talk_->execute(asked.spec, std::move(sink)),
                   asio::bind_cancellation_slot(asked.give_up->slot(), std::move(over)));
    asked_.push_back(asked);
    if (std::ranges::find(unsettled_, asked.spec.id) == unsettled_.end()) {
        unsettled_.push_back(asked.spec.id);
    }
    return asked;
}

Asked Rig::take_up(const Asked& earlier) {
    return begin(earlier.spec, earlier.mark);
}

asio::awaitable<Result<StatementResult>> Rig::answer(Asked asked) {
    std::function<bool()> over = [asked] { return asked.is_over(); };
    co_await wait("the result of a statement", std::move(over));
    co_return **asked.answer;
}

asio::awaitable<StatementResult> Rig::result(Asked asked) {
    co_return value_of(co_await answer(std::move(asked)));
}

asio::awaitable<void> Rig::echo() {
    const auto result = co_await this->result(begin(Program::echoes));
    expect(result.outcome == StatementOutcome::ok, "the session is not usable any more");
}

asio::awaitable<void> Rig::until_busy(Asked asked) {
    std::function<bool()> begun = [this, asked] {
        return asked.is_over() ||
               std::ranges::find(told_->busy, asked.spec.id) != told_->busy.end();
    };
    co_await wait("a statement to begin (busy)", std::move(begun));
    expect(!asked.is_over(), "an endless statement has ended");
}

asio::awaitable<void> Rig::until_begun(Asked asked) {
    std::function<bool()> begun = [asked] {
        return asked.is_over() || asked.heard->out.size() >= std::string("begun\n").size();
    };
    co_await wait("the first line of a statement", std::move(begun));
    expect(!asked.is_over(), "an endless statement has ended");
}

void Rig::interrupt(const Asked& asked) {
    InterruptRequest request;
    request.statement = asked.spec.id;
    talk_->interrupt(request);
}

Slot<Completion> Rig::complete(Conversation::CompletionRequest request) {
    auto slot = std::make_shared<std::optional<Result<Completion>>>();
    auto over = [this, slot](std::exception_ptr escaped, Result<Completion> result) {
        if (escaped) {
            violation("an exception escaped from complete()");
            result = Errc::backend_failed;
        }
        slot->emplace(std::move(result));
        notify();
    };
    asio::co_spawn(strand_, talk_->complete(std::move(request)), std::move(over));
    return slot;
}

asio::awaitable<Completion> Rig::finish(Slot<Completion> slot) {
    std::function<bool()> over = [slot] { return slot->has_value(); };
    co_await wait("completions", std::move(over));
    co_return value_of(std::move(**slot));
}

}  // namespace sparkhost::testing::runtime_cases
