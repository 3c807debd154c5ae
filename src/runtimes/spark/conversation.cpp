// SPDX-License-Identifier: Apache-2.0
#include "runtimes/spark/conversation.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <utility>

namespace sparkhost::detail::spark {

namespace {

constexpr std::size_t read_at_most = 64u << 10;

/// Waits with cancellation as a value, not as an exception; what the caller had chosen is restored.
asio::awaitable<WakeReason> wait_quietly(std::shared_ptr<Waiter> waiter) {
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto reason = co_await Waiter::wait(std::move(waiter));
    co_await asio::this_coro::throw_if_cancelled(throwing);
    co_return reason;
}

Error wait_was_cancelled() {
    return Error(asio::error::operation_aborted, "the wait was cancelled");
}

}  // namespace

Talk::Talk(SessionRuntime::AttachRequest request)
    : connection_(std::move(request.connection)),
      sink_(std::move(request.sink)),
      machine_(request.hello) {}

Awaitable<void> Talk::run() {
    auto executor = co_await asio::this_coro::executor;
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto written = [self = shared_from_this()](std::exception_ptr) {
        self->writer_ended_->wake(WakeReason::changed);
    };
    asio::co_spawn(executor, write_until_it_ends(), std::move(written));
    Error error;
    try {
        error = co_await read_until_it_ends();
    } catch (const std::exception& failure) {
        error = Error(Errc::backend_failed, failure.what());
    }
    ended_ = true;
    over_ = over_.value_or(error);
    connection_->close();
    wake_writer();
    end_calls(*over_);
    co_await Waiter::wait(writer_ended_);
    co_await asio::this_coro::throw_if_cancelled(throwing);
    if (bye_) {
        co_return ok();
    }
    co_return error;
}

/// Gives why nothing more can be read.
asio::awaitable<Error> Talk::read_until_it_ends() {
    LineReader lines;
    for (;;) {
        auto bytes = co_await connection_->read_some(read_at_most);
        // A cancellation that came when the bytes had come already is not heard again.
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) {
            co_return Error(asio::error::operation_aborted, "the conversation was left");
        }
        if (!bytes) {
            co_return Error(Errc::backend_failed, bytes.error().text());
        }
        if (bytes->empty()) {
            co_return Error(Errc::backend_failed, "the agent's connection has ended");
        }
        auto complete = lines.feed(*bytes);
        if (!complete) {
            co_return complete.error();
        }
        for (const auto& line : *complete) {
            if (auto received = receive(line); !received) {
                co_return received.error();
            }
        }
        wake_writer();  // there may be something to acknowledge
    }
}

asio::awaitable<void> Talk::write_until_it_ends() {
    while (!ended_) {
        if (const auto through = machine_.take_acknowledgement()) {
            unsent_ += write_ack(*through);
        }
        if (unsent_.empty()) {
            writer_ = std::make_shared<Waiter>();
            co_await Waiter::wait(writer_);
            writer_.reset();
            continue;
        }
        auto batch = std::exchange(unsent_, {});
        auto wrote = co_await connection_->write(std::move(batch));
        if (!wrote) {
            connection_->close();  // the reader then says that it is over
            co_return;
        }
    }
}

Result<void> Talk::receive(const std::string& line) {
    auto message = read_message(line);
    if (!message) {
        return message.error();
    }
    auto is_new = machine_.accept(*message);
    if (!is_new) {
        return is_new.error();
    }
    if (*is_new) {
        tell(*message);
    }
    return ok();
}

void Talk::tell(AgentMessage& message) {
    if (const auto* ping = std::get_if<AgentPing>(&message.body)) {
        return say(write_pong(ping->id));
    }
    if (auto* completion = std::get_if<AgentCompletion>(&message.body)) {
        return answer<Completion>(completions_, completion->request,
                                  std::move(completion->completion));
    }
    if (const auto* added = std::get_if<AgentAdded>(&message.body)) {
        Result<void> taken = ok();
        if (added->fault) {
            taken = Error(Errc::invalid_argument, *added->fault);
        }
        return answer<void>(additions_, added->request, std::move(taken));
    }
    if (const auto* rejected = std::get_if<AgentRejected>(&message.body)) {
        return reject(message, *rejected);
    }
    tell_statement(message);
    tell_session(message);
}

void Talk::tell_statement(AgentMessage& message) {
    auto* output = std::get_if<AgentOutput>(&message.body);
    const auto statement = find(message.statement);
    if (output && !message.statement && sink_) {
        sink_->stray_output(output->stream, std::move(output->bytes));
    }
    if (!statement) {
        return;  // nobody has asked for it
    }
    if (output) {
        statement->sink->output(output->stream, std::move(output->bytes));
    } else if (const auto* progress = std::get_if<AgentProgress>(&message.body)) {
        if (progress->total > 0) {
            statement->sink->progress(static_cast<double>(progress->completed) /
                                      static_cast<double>(progress->total));
        }
    } else if (const auto* unheeded = std::get_if<AgentUnheeded>(&message.body)) {
        statement->sink->unheeded(unheeded->attempts);
    } else if (auto* result = std::get_if<AgentResult>(&message.body)) {
        statements_.erase(*message.statement);  // one that comes again is the same
        statement->answer = std::move(result->result);
        statement->waiter->wake(WakeReason::changed);
    }
}

void Talk::tell_session(AgentMessage& message) {
    if (auto* bye = std::get_if<AgentBye>(&message.body)) {
        bye_ = true;
        const Error error(Errc::stopped, "the session has ended: " + bye->end.reason);
        over_ = error;
        end_calls(error);
        if (sink_) {
            sink_->ended(std::move(bye->end));
        }
    }
    if (!sink_) {
        return;
    }
    if (auto* ready = std::get_if<AgentReady>(&message.body)) {
        sink_->ready(std::move(ready->facts));
    } else if (auto* failed = std::get_if<AgentFailed>(&message.body)) {
        sink_->failed(std::move(failed->why));
    } else if (const auto* status = std::get_if<AgentStatus>(&message.body)) {
        if (status->state == AgentStatus::State::busy && message.statement) {
            sink_->busy(*message.statement);
        } else if (status->state == AgentStatus::State::idle) {
            sink_->idle();
        }
    }
}

void Talk::reject(const AgentMessage& message, const AgentRejected& rejected) {
    const auto statement = find(message.statement);
    if (!statement) {
        return;
    }
    auto code = Errc::invalid_argument;
    if (rejected.code == "queue_full") {
        code = Errc::rejected;
    } else if (rejected.code == "ending") {
        code = Errc::stopped;
    }
    statements_.erase(*message.statement);
    machine_.settle(*message.statement);
    statement->answer = Error(code, rejected.detail);
    statement->waiter->wake(WakeReason::changed);
}

Talk::StatementPtr Talk::find(const std::optional<StatementId>& statement) const {
    const auto found = statement ? statements_.find(*statement) : statements_.end();
    return found == statements_.end() ? nullptr : found->second;
}

Awaitable<StatementResult> Talk::execute(StatementSpec statement,
                                         std::shared_ptr<OutputSink> sink) {
    if (over_) {
        co_return *over_;
    }
    auto entry = std::make_shared<Statement>();
    entry->sink = std::move(sink);
    if (!statements_.emplace(statement.id, entry).second) {
        co_return Error(Errc::invalid_state, "this statement is being executed already");
    }
    machine_.begin(statement.id);
    say(write_execute(machine_.next_command(), statement));
    const WakeReason woken = co_await wait_quietly(entry->waiter);
    if (woken == WakeReason::cancelled) {
        co_return wait_was_cancelled();
    }
    co_return std::move(*entry->answer);
}

template <class T>
Awaitable<T> Talk::ask(Calls<T>& calls, std::function<std::string(std::int64_t)> line) {
    if (over_) {
        co_return *over_;
    }
    const auto number = ++last_request_;
    auto call = std::make_shared<Call<T>>();
    calls.emplace(number, call);
    say(line(number));
    const auto reason = co_await wait_quietly(call->waiter);
    calls.erase(number);
    if (reason == WakeReason::cancelled) {
        co_return wait_was_cancelled();
    }
    co_return std::move(*call->answer);
}

template <class T>
void Talk::answer(Calls<T>& calls, std::int64_t request, Result<T> answer) {
    const auto call = calls.find(request);
    if (call != calls.end()) {
        call->second->answer = std::move(answer);
        call->second->waiter->wake(WakeReason::changed);
        calls.erase(call);
    }
}

template <class T>
void Talk::end_asked(Calls<T>& calls, const Error& error) {
    for (const auto& [number, call] : std::exchange(calls, {})) {
        call->answer = error;
        call->waiter->wake(WakeReason::changed);
    }
}

Awaitable<Completion> Talk::complete(Conversation::CompletionRequest request) {
    return ask<Completion>(completions_, [request = std::move(request)](std::int64_t number) {
        return write_complete(number, request);
    });
}

Awaitable<void> Talk::add(SessionFile file) {
    return ask<void>(additions_, [file = std::move(file)](std::int64_t number) {
        return write_add(number, file);
    });
}

void Talk::interrupt(const InterruptRequest& request) {
    if (!over_) {
        say(write_interrupt(machine_.next_command(), request));
    }
}

void Talk::settle(StatementId statement) {
    machine_.settle(statement);
    wake_writer();
}

void Talk::settle_session() {
    machine_.settle_session();
    wake_writer();
}

void Talk::close() {
    if (!over_ && !std::exchange(close_asked_, true)) {
        say(write_close(machine_.next_command()));
    }
}

void Talk::abandon() {
    sink_.reset();
    ended_ = true;
    if (!over_) {
        over_ = Error(Errc::backend_failed, "the conversation has been given up");
    }
    connection_->close();
    wake_writer();
    end_calls(*over_);
}

void Talk::end_calls(const Error& error) {
    for (const auto& [id, statement] : std::exchange(statements_, {})) {
        statement->answer = error;
        statement->waiter->wake(WakeReason::changed);
    }
    end_asked(completions_, error);
    end_asked(additions_, error);
}

void Talk::say(std::string line) {
    unsent_ += line;
    wake_writer();
}

void Talk::wake_writer() {
    if (writer_) {
        writer_->wake(WakeReason::changed);
    }
}

}  // namespace sparkhost::detail::spark
