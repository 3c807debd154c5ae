// SPDX-License-Identifier: Apache-2.0
#include "core/host_calls.hpp"

#include <sparkhost/sessions.hpp>

#include <utility>

namespace sparkhost {

namespace session_calls {

constexpr auto for_ever = std::chrono::milliseconds::max();
constexpr std::chrono::milliseconds completion_limit{std::chrono::seconds{5}};
constexpr std::chrono::milliseconds file_limit{std::chrono::minutes{5}};  // it may be far away

Awaitable<SessionRecord> wait_for_session(std::shared_ptr<HostImpl> impl, SessionId id,
                                          std::chrono::milliseconds timeout,
                                          std::function<bool(const SessionRecord&)> enough) {
    WaitPlan<SessionRecord> plan;
    plan.subject = id;
    plan.timeout = timeout;
    plan.read = [id](HostImpl& host) { return host.find_session(id); };
    plan.enough = std::move(enough);
    return wait_until(std::move(impl), std::move(plan));
}

Awaitable<StatementRecord> wait_for_statement(std::shared_ptr<HostImpl> impl, SessionId session,
                                              StatementId id, std::chrono::milliseconds timeout,
                                              std::function<bool(const StatementRecord&)> enough) {
    WaitPlan<StatementRecord> plan;
    plan.subject = Subject(session, id);
    plan.timeout = timeout;
    plan.read = [session, id](HostImpl& host) { return host.find_statement(session, id); };
    plan.enough = std::move(enough);
    return wait_until(std::move(impl), std::move(plan));
}

bool never_enough(const SessionRecord&) {
    return false;
}

Awaitable<void> erase_session(std::shared_ptr<HostImpl> impl, SessionId id) {
    auto wished =
        co_await on_host(impl, impl->wish(key_of(id), detail::BatchEvent::erase_requested));
    if (!wished) {
        co_return wished.error();
    }
    auto gone = co_await wait_for_session(impl, id, for_ever, &never_enough);
    co_return erased(gone.error());
}

std::size_t size_of(const std::vector<OutputChunk>& chunks) {
    std::size_t size = 0;
    for (const auto& chunk : chunks) {
        size += chunk.text.size();
    }
    return size;
}

Awaitable<std::vector<OutputChunk>> next_output(std::shared_ptr<HostImpl> impl, Subject statement,
                                                std::shared_ptr<std::size_t> position) {
    for (;;) {
        auto waiter = std::make_shared<detail::Waiter>();
        auto output =
            co_await on_host(impl, impl->output_or_register(statement, *position, waiter));
        if (!output) {
            co_return output.error();
        }
        if (*output) {
            *position += size_of(**output);
            co_return std::move(**output);
        }
        const auto reason = co_await woken(waiter);
        post_to(impl, [impl, statement, waiter] {
            const SessionId session{statement.id};
            const StatementId id{statement.statement};
            if (const auto open = impl->find_open(session, id)) {
                std::erase(open->followers, waiter);
            }
        });
        if (reason == detail::WakeReason::stopped) {
            co_return Errc::stopped;
        }
        if (reason == detail::WakeReason::cancelled) {
            co_return Error(boost::asio::error::operation_aborted, "the wait was cancelled");
        }
    }
}

template <class T>
boost::asio::awaitable<void> ask_and_tell(std::shared_ptr<HostImpl> impl,
                                          boost::asio::awaitable<Result<T>> question,
                                          std::shared_ptr<Result<T>> answer, WaiterPtr done) {
    *answer = co_await std::move(question);
    (void)impl;
    done->wake(detail::WakeReason::changed);
}

/// What is asked of an agent may never be answered: code that holds the interpreter's lock keeps
/// it from doing so.
template <class T>
Awaitable<T> answered_in_time(std::shared_ptr<HostImpl> impl,
                              boost::asio::awaitable<Result<T>> question,
                              std::chrono::milliseconds limit) {
    Result<T> unanswered = Error(Errc::timed_out, "the session's agent has not answered in time");
    auto answer = std::make_shared<Result<T>>(unanswered);
    auto done = std::make_shared<detail::Waiter>();
    auto signal = std::make_shared<HostImpl::Signal>();
    const Subject nobody;
    auto begin = [impl, question = std::move(question), answer, done, signal, nobody,
                  limit]() mutable {
        *signal = impl->spawn_cancellable(ask_and_tell<T>(impl, std::move(question), answer, done),
                                          [done] { done->wake(detail::WakeReason::stopped); });
        impl->register_waiter(nobody, done, impl->clock->steady_now() + limit);
    };
    post_to(impl, std::move(begin));
    const auto reason = co_await woken(done);
    post_to(impl, [impl, done, signal, nobody] {
        impl->unregister(nobody, done);
        if (*signal) {
            (*signal)->emit(boost::asio::cancellation_type::terminal);
        }
    });
    if (reason == detail::WakeReason::changed) {
        co_return *answer;
    }
    if (reason == detail::WakeReason::timed_out) {
        co_return unanswered;
    }
    if (reason == detail::WakeReason::cancelled) {
        co_return Error(boost::asio::error::operation_aborted, "the wait was cancelled");
    }
    co_return Errc::stopped;
}

}  // namespace session_calls

Awaitable<SessionRecord> Sessions::open(SessionSpec spec) {
    return on_host(host_, host_->open_session(std::move(spec)));
}

Awaitable<SessionRecord> Sessions::find(SessionId id) {
    return on_host(host_, host_->find_session(id));
}

Awaitable<SessionRecord> Sessions::find(std::string name) {
    return on_host(host_, host_->find_session_named(std::move(name)));
}

Awaitable<SessionPage> Sessions::list(SessionQuery query) {
    return on_host(host_, host_->list_sessions(std::move(query)));
}

Awaitable<SessionRecord> Sessions::wait_until_started(SessionId id) {
    auto started = [](const SessionRecord& record) {
        return record.state() != SessionState::starting;
    };
    return quietly(session_calls::wait_for_session(host_, id, session_calls::for_ever, started));
}

Awaitable<SessionRecord> Sessions::wait(SessionId id) {
    auto ended = [](const SessionRecord& record) { return record.has_ended(); };
    return quietly(session_calls::wait_for_session(host_, id, session_calls::for_ever, ended));
}

Awaitable<SessionRecord> Sessions::wait_for_change(SessionChangeRequest change) {
    auto changed = [change](const SessionRecord& record) {
        return change.not_state ? record.state() != *change.not_state
                                : record.version != change.seen_version;
    };
    return quietly(session_calls::wait_for_session(host_, change.id, change.timeout, changed));
}

Awaitable<SessionRecord> Sessions::close(SessionId id) {
    return on_host(host_, host_->close_session(id));
}

Awaitable<void> Sessions::erase(SessionId id) {
    return quietly(session_calls::erase_session(host_, id));
}

Awaitable<LogPage> Sessions::read_log(SessionLogRequest request) {
    BatchLogRequest lines;
    lines.offset = request.offset;
    lines.limit = request.limit;
    lines.follow = request.follow;
    return read_log_of(host_, key_of(request.id), lines);
}

Awaitable<StatementRecord> Sessions::execute(SessionId id, StatementSpec statement) {
    return on_host(host_, host_->execute(id, std::move(statement)));
}

Awaitable<StatementRecord> Sessions::find_statement(SessionId session, StatementId id) {
    return on_host(host_, host_->find_statement(session, id));
}

Awaitable<StatementPage> Sessions::list_statements(StatementQuery query) {
    return on_host(host_, host_->list_statements(query));
}

Awaitable<StatementRecord> Sessions::wait(SessionId session, StatementId id) {
    auto ended = [](const StatementRecord& record) { return record.has_ended(); };
    return quietly(
        session_calls::wait_for_statement(host_, session, id, session_calls::for_ever, ended));
}

Awaitable<StatementRecord> Sessions::wait_for_change(StatementChangeRequest change) {
    auto changed = [change](const StatementRecord& record) {
        return change.not_state ? record.state() != *change.not_state
                                : record.version != change.seen_version;
    };
    return quietly(session_calls::wait_for_statement(host_, change.session, change.id,
                                                     change.timeout, changed));
}

OutputFollower Sessions::follow_output(SessionId session, StatementId id, std::size_t position) {
    return OutputFollower(host_, session, id, position);
}

Awaitable<std::vector<OutputChunk>> OutputFollower::next() {
    return quietly(session_calls::next_output(host_, Subject(session_, statement_), position_));
}

Awaitable<StatementRecord> Sessions::interrupt(SessionId session, InterruptRequest request) {
    return on_host(host_, host_->interrupt(session, request));
}

Awaitable<void> Sessions::interrupt_current(SessionId session) {
    return on_host(host_, host_->interrupt_current(session));
}

Awaitable<void> Sessions::add_file(SessionId session, SessionFile file) {
    return quietly(session_calls::answered_in_time<void>(
        host_, host_->add_file(session, std::move(file)), session_calls::file_limit));
}

Awaitable<std::string> Sessions::keep_file(SessionId session, std::string name,
                                           std::string_view content) {
    return on_host(host_, host_->keep_file(session, std::move(name), content));
}

Awaitable<SessionRecord> Sessions::touch(SessionId id) {
    return on_host(host_, host_->touch(id));
}

Awaitable<Completion> Sessions::complete(SessionId session,
                                         Conversation::CompletionRequest request) {
    return quietly(session_calls::answered_in_time<Completion>(
        host_, host_->complete(session, std::move(request)), session_calls::completion_limit));
}

}  // namespace sparkhost
