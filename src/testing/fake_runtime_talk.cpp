// SPDX-License-Identifier: Apache-2.0
#include "testing/fake_runtime_talk.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <sstream>
#include <utility>

namespace sparkhost::detail::fake_agents {

namespace {

/// True: woken. False: cancelled.
asio::awaitable<bool> wait_for_answer(WaiterPtr waiter) {
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto reason = co_await Waiter::wait(std::move(waiter));
    co_await asio::this_coro::throw_if_cancelled(throwing);
    co_return reason != WakeReason::cancelled;
}

Error nobody_waits() {
    return Error(asio::error::operation_aborted, "the wait was cancelled");
}

}  // namespace

Talk::Talk(WorldPtr world, SessionRuntime::AttachRequest request)
    : world_(std::move(world)),
      connection_(std::move(request.connection)),
      sink_(std::move(request.sink)) {}

/// Reads the line that says who is there, then waits for the end of the connection.
asio::awaitable<void> Talk::listen(std::shared_ptr<Talk> self) {
    std::string line;
    for (;;) {
        auto bytes = co_await self->connection_->read_some(1024);
        if (!bytes || bytes->empty()) {
            break;
        }
        line += *bytes;
        if (!self->driver_ && line.find('\n') != std::string::npos) {
            self->find_driver(line);
        }
    }
    self->lost_ = true;
    self->wake();
}

void Talk::find_driver(const std::string& line) {
    std::istringstream words(line);
    std::string head;
    SessionId session;
    words >> head >> session.value >> link_;
    driver_ = world_->find(session);
    if (!driver_ || head != "fake-session") {
        return connection_->close();
    }
    driver_->attach(link_, weak_from_this());
    for (auto& act : std::exchange(early_, {})) {
        command(std::move(act));
    }
}

Awaitable<void> Talk::run() {
    auto executor = co_await asio::this_coro::executor;
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto listened = [self = shared_from_this()](std::exception_ptr) {
        self->lost_ = true;
        self->listened_->wake(WakeReason::changed);
    };
    asio::co_spawn(executor, listen(shared_from_this()), std::move(listened));
    Error error;
    try {
        error = co_await tell_until_it_ends();
    } catch (const std::exception& failure) {
        error = Error(Errc::backend_failed, failure.what());
    }
    lost_ = true;
    over_ = over_.value_or(error);
    connection_->close();
    end_calls(*over_);
    co_await Waiter::wait(listened_);
    co_await asio::this_coro::throw_if_cancelled(throwing);
    if (end_told_) {
        co_return ok();
    }
    co_return error;
}

/// Gives why nothing more is told.
asio::awaitable<Error> Talk::tell_until_it_ends() {
    for (;;) {
        while (!mailbox_.empty()) {
            const auto message = std::move(mailbox_.front());
            mailbox_.pop_front();
            message(*this);
        }
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) {
            co_return Error(asio::error::operation_aborted, "the conversation was left");
        }
        if (lost_) {
            co_return Error(Errc::backend_failed, "the agent's connection has ended");
        }
        news_ = std::make_shared<Waiter>();
        co_await Waiter::wait(news_);
        news_.reset();
    }
}

Awaitable<StatementResult> Talk::execute(StatementSpec statement,
                                         std::shared_ptr<OutputSink> sink) {
    if (over_) {
        co_return *over_;
    }
    auto call = std::make_shared<Call<StatementResult>>();
    call->sink = std::move(sink);
    if (!statements_.emplace(statement.id, call).second) {
        co_return Error(Errc::invalid_state, "this statement is being executed already");
    }
    command([statement](Driver& driver) { driver.execute(statement); });
    const bool answered = co_await wait_for_answer(call->waiter);
    if (!answered) {
        co_return nobody_waits();
    }
    co_return std::move(*call->answer);
}

template <class T>
Awaitable<T> Talk::ask(Calls<T>& calls, std::function<void(Driver&, std::int64_t)> question) {
    if (over_) {
        co_return *over_;
    }
    const auto number = ++last_number_;
    auto call = std::make_shared<Call<T>>();
    calls.emplace(number, call);
    command([number, question](Driver& driver) { question(driver, number); });
    const bool answered = co_await wait_for_answer(call->waiter);
    calls.erase(number);
    if (!answered) {
        co_return nobody_waits();
    }
    co_return std::move(*call->answer);
}

template <class T>
void Talk::told(Calls<T>& calls, std::int64_t number, Result<T> answer) {
    const auto found = calls.find(number);
    if (found != calls.end()) {
        found->second->answer = std::move(answer);
        found->second->waiter->wake(WakeReason::changed);
    }
}

Awaitable<Completion> Talk::complete(Conversation::CompletionRequest request) {
    return ask<Completion>(completions_, [request](Driver& driver, std::int64_t number) {
        driver.complete(number, request);
    });
}

Awaitable<void> Talk::add(SessionFile file) {
    return ask<void>(additions_,
                     [file](Driver& driver, std::int64_t number) { driver.add(number, file); });
}

void Talk::interrupt(InterruptRequest request) {
    if (!over_) {
        command([request](Driver& driver) { driver.interrupt(request); });
    }
}

void Talk::settle(StatementId statement) {
    command([statement](Driver& driver) { driver.settle(statement); });
}

void Talk::settle_session() {
    command([ready = ready_told_, end = end_told_](Driver& driver) {
        driver.settle_session(ready, end);
    });
}

void Talk::close() {
    if (!over_) {
        command([](Driver& driver) { driver.close(); });
    }
}

void Talk::abandon() {
    abandoned_ = true;
    lost_ = true;
    sink_.reset();
    mailbox_.clear();
    if (!over_) {
        over_ = Error(Errc::backend_failed, "the conversation has been given up");
    }
    connection_->close();
    end_calls(*over_);
    wake();
}

/// What reaches the driver by a connection that is no longer its own is lost.
void Talk::command(Command act) {
    if (lost_) {
        return;
    }
    if (!driver_) {
        early_.push_back(std::move(act));
    } else if (driver_->link == link_) {
        act(*driver_);
    }
}

void Talk::hear(Message message) {
    if (!abandoned_) {
        mailbox_.push_back(std::move(message));
        wake();
    }
}

void Talk::told_ready(const SessionFacts& facts) {
    ready_told_ = true;
    if (const auto sink = sink_) {
        sink->ready(facts);
    }
}

void Talk::told_failed(const StatementResult& why) {
    if (const auto sink = sink_) {
        sink->failed(why);
    }
}

void Talk::told_ended(const SessionEnd& end) {
    end_told_ = true;
    over_ = Error(Errc::stopped, "the session has ended: " + end.reason);
    end_calls(*over_);
    if (const auto sink = sink_) {
        sink->ended(end);
    }
    command([](Driver& driver) { driver.end_was_told(); });
}

void Talk::told_busy(StatementId statement) {
    if (const auto sink = sink_) {
        sink->busy(statement);
    }
}

void Talk::told_idle() {
    if (const auto sink = sink_) {
        sink->idle();
    }
}

void Talk::told_stray(const OutputChunk& chunk) {
    if (const auto sink = sink_) {
        sink->stray_output(chunk.stream, chunk.text);
    }
}

void Talk::told_output(StatementId statement, const OutputChunk& chunk) {
    if (const auto sink = sink_of(statement)) {
        sink->output(chunk.stream, chunk.text);
    }
}

void Talk::told_progress(StatementId statement, double fraction) {
    if (const auto sink = sink_of(statement)) {
        sink->progress(fraction);
    }
}

void Talk::told_unheeded(StatementId statement, std::int64_t interrupts) {
    if (const auto sink = sink_of(statement)) {
        sink->unheeded(interrupts);
    }
}

void Talk::told_result(StatementId statement, const StatementResult& result) {
    answer(statement, result);
}

void Talk::told_refusal(StatementId statement, const Error& error) {
    answer(statement, error);
}

void Talk::told_completion(std::int64_t number, const Completion& completion) {
    told<Completion>(completions_, number, completion);
}

void Talk::told_added(std::int64_t number, const Result<void>& added) {
    told<void>(additions_, number, added);
}

/// Null: nobody has asked for it.
std::shared_ptr<OutputSink> Talk::sink_of(StatementId statement) const {
    const auto found = statements_.find(statement);
    return found == statements_.end() ? nullptr : found->second->sink;
}

void Talk::answer(StatementId statement, Result<StatementResult> result) {
    const auto found = statements_.find(statement);
    if (found == statements_.end()) {
        return;  // one that comes again is the same
    }
    const auto call = found->second;
    statements_.erase(found);
    call->answer = std::move(result);
    call->waiter->wake(WakeReason::changed);
}

void Talk::end_calls(const Error& error) {
    for (const auto& [id, call] : std::exchange(statements_, {})) {
        call->answer = error;
        call->waiter->wake(WakeReason::changed);
    }
    const auto end = [&error](auto calls) {
        for (const auto& [number, call] : calls) {
            call->answer = error;
            call->waiter->wake(WakeReason::changed);
        }
    };
    end(std::exchange(completions_, {}));
    end(std::exchange(additions_, {}));
}

void Talk::wake() {
    if (const auto sleeping = news_) {
        sleeping->wake(WakeReason::changed);
    }
}

namespace {

/// Keeps what a conversation is about alive while one of its member coroutines runs.
template <class T>
Awaitable<T> hold_talk(std::shared_ptr<Talk> talk, Awaitable<T> op) {
    auto result = co_await std::move(op);
    (void)talk;
    co_return result;
}

class FakeConversation final : public Conversation {
public:
    explicit FakeConversation(std::shared_ptr<Talk> talk) : talk_(std::move(talk)) {}
    ~FakeConversation() override { talk_->abandon(); }

    Awaitable<void> run() override { return hold_talk(talk_, talk_->run()); }
    Awaitable<StatementResult> execute(StatementSpec statement,
                                       std::shared_ptr<OutputSink> sink) override {
        return hold_talk(talk_, talk_->execute(std::move(statement), std::move(sink)));
    }
    void interrupt(InterruptRequest request) override { talk_->interrupt(request); }
    void settle(StatementId statement) override { talk_->settle(statement); }
    void settle_session() override { talk_->settle_session(); }
    Awaitable<Completion> complete(CompletionRequest request) override {
        return hold_talk(talk_, talk_->complete(std::move(request)));
    }
    Awaitable<void> add(SessionFile file) override {
        return hold_talk(talk_, talk_->add(std::move(file)));
    }
    void close() override { talk_->close(); }

private:
    std::shared_ptr<Talk> talk_;
};

}  // namespace

std::unique_ptr<Conversation> make_conversation(WorldPtr world,
                                                SessionRuntime::AttachRequest request) {
    auto talk = std::make_shared<Talk>(std::move(world), std::move(request));
    return std::make_unique<FakeConversation>(std::move(talk));
}

}  // namespace sparkhost::detail::fake_agents
