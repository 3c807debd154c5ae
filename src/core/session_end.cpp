// SPDX-License-Identifier: Apache-2.0

// How a session ends, asked to or by itself, and its statements with it.

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

boost::asio::awaitable<Result<void>> HostImpl::erase_statements(ActivePtr session,
                                                                Transaction& transaction) {
    const SessionId id{session->key.id};
    for (const auto& owner : {detail::owner_of_statements(id), detail::owner_of_jobs(id)}) {
        Query query;
        query.kind = RecordKind::statement;
        query.owner = owner;
        query.limit = 50;  // each may have much output
        query.want_total = false;
        for (bool more = true; more;) {
            auto call = [&] { return storage->list(query); };
            auto page = co_await from_storage<Page>(call);
            if (!page) {
                co_return page.error();
            }
            for (const auto& stored : page->records) {
                transaction.erases.push_back(Erase{stored.key, stored.version});
            }
            more = page->records.size() == query.limit;
            if (more) {
                query.after = page->records.back().key.id;
            }
        }
    }
    co_return ok();
}

}  // namespace sparkhost
