// SPDX-License-Identifier: Apache-2.0

// How a session ends: asked to, idle, or by itself, and its statements with it.

#include "core/host_impl.hpp"
#include "core/session_json.hpp"

#include <boost/asio/cancellation_type.hpp>

#include <utility>

namespace sparkhost {

namespace session_end {

/// How long the last words of an agent whose application is over may take to be read.
constexpr std::chrono::milliseconds farewell{std::chrono::seconds{5}};

}  // namespace session_end

void cancel_task(HostImpl::Signal& signal) {
    if (auto ended = std::exchange(signal, nullptr)) {
        ended->emit(boost::asio::cancellation_type::terminal);
    }
}

/// The end has been asked for. An agent that is there can stop Spark in order; what does not end
/// by itself is killed.
void HostImpl::ask_to_end(const ActivePtr& session) {
    SessionLife& life = *session->session;
    life.end_asked = true;
    if (!life.talk || options.session_close_grace.count() == 0) {
        return;
    }
    session->progress.ending_itself = true;
    life.talk->close();
    spawn_cancellable(end_of_close_grace(session));
}

boost::asio::awaitable<void> HostImpl::end_of_close_grace(ActivePtr session) {
    auto self = shared_from_this();
    co_await clock->sleep_until(clock->steady_now() + options.session_close_grace);
    session->progress.ending_itself = false;
    if (!session->record.has_ended()) {
        log(LogLevel::warning, session->name() + " does not end by itself and is killed");
        pump(session);
    }
}

/// Its application is over. What its agent had sent before is still read, but not for ever.
boost::asio::awaitable<void> HostImpl::end_of_farewell(ActivePtr session,
                                                       std::uint64_t connection) {
    auto self = shared_from_this();
    co_await clock->sleep_until(clock->steady_now() + session_end::farewell);
    if (session->session->connection == connection) {
        cancel_task(session->session->leave);
    }
}

/// Statements that no agent will answer any more end with their session.
void HostImpl::wrap_up(const ActivePtr& session) {
    SessionLife& life = *session->session;
    if (session->record.has_ended() && !life.talk && life.executing == 0) {
        for (const auto& [number, statement] : std::map(life.open)) {
            if (!statement->end) {
                auto result = detail::result_of_session_end(session->record.reason);
                statement->end = detail::ended_with(std::move(result), clock->now());
            }
            pump_statement(session, statement);
        }
    }
    const bool unsettled = !life.wrapped_up();
    if (std::exchange(session->progress.unsettled, unsettled) && !unsettled) {
        pump(session);
    }
}

void HostImpl::watch_idleness(const ActivePtr& session) {
    SessionLife& life = *session->session;
    const auto timeout = life.part.spec.idle_timeout.value_or(options.session_idle_timeout);
    const bool idle = life.part.facts && life.open.empty() && life.arrivals.empty() &&
                      !session->record.kill_requested && !session->record.has_ended();
    if (!idle) {
        ++life.activity;
        return cancel_task(life.idle);
    }
    if (timeout.count() > 0 && !life.idle && stage == Stage::ready) {
        life.idle = spawn_cancellable(end_when_idle(session, ++life.activity));
    }
}

boost::asio::awaitable<void> HostImpl::end_when_idle(ActivePtr session, std::uint64_t activity) {
    auto self = shared_from_this();
    SessionLife& life = *session->session;
    const auto timeout = life.part.spec.idle_timeout.value_or(options.session_idle_timeout);
    co_await clock->sleep_until(clock->steady_now() + timeout);
    if (life.activity != activity || stage != Stage::ready) {
        co_return;
    }
    life.idle.reset();
    ActiveApplication::Item item;
    item.at = clock->now();
    item.observation.emplace();
    item.observation->event = detail::BatchEvent::kill_requested;
    item.observation->at = item.at;
    item.observation->reason = "idle for " + std::to_string(timeout.count()) + " s";
    item.of_session.emplace();
    item.of_session->event = detail::SessionEvent::ending;
    item.of_session->reason = item.observation->reason;
    life.end_asked = true;
    observe(session, std::move(item));
}

boost::asio::awaitable<Result<void>> HostImpl::erase_statements(ActivePtr session,
                                                                Transaction& transaction) {
    Query query;
    query.kind = RecordKind::statement;
    query.owner = detail::owner_of_statements(SessionId{session->key.id});
    query.limit = 50;  // each may have much output
    query.want_total = false;
    for (;;) {
        auto call = [&] { return storage->list(query); };
        auto page = co_await from_storage<Page>(call);
        if (!page) {
            co_return page.error();
        }
        for (const auto& stored : page->records) {
            transaction.erases.push_back(Erase{stored.key, stored.version});
        }
        if (page->records.size() < query.limit) {
            co_return ok();
        }
        query.after = page->records.back().key.id;
    }
}

}  // namespace sparkhost
