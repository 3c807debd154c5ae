// SPDX-License-Identifier: Apache-2.0

// Which sessions have lived long enough: idle ones, those beyond their time, and those that nobody
// asks for any more.

#include "core/host_impl.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost {

void HostImpl::watch_idleness(const ActivePtr& session) {
    SessionLife& life = *session->session;
    watch_lifetime(session);
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
    end_in_time(session, detail::BatchEvent::kill_requested,
                "idle for " + std::to_string(timeout.count()) + " s");
}

boost::asio::awaitable<Result<SessionRecord>> HostImpl::touch(SessionId id) {
    auto record = co_await find_session(id);
    const auto session = find_active(id);
    if (record && session) {
        ++session->session->activity;
        cancel_task(session->session->idle);
        watch_idleness(session);
    }
    co_return record;
}

/// Somebody has asked for it.
void HostImpl::heard_of(SessionId id) {
    if (const auto session = find_active(id)) {
        session->session->heard = clock->steady_now();
    }
}

void HostImpl::watch_lifetime(const ActivePtr& session) {
    SessionLife& life = *session->session;
    const auto& spec = life.part.spec;
    const bool over = session->record.kill_requested || session->record.has_ended();
    if ((spec.ttl || spec.heartbeat_timeout) && !over && !life.lifetime && stage == Stage::ready) {
        life.heard = clock->steady_now();
        life.lifetime = spawn_cancellable(end_of_lifetime(session));
    }
}

boost::asio::awaitable<void> HostImpl::end_of_lifetime(ActivePtr session) {
    auto self = shared_from_this();
    SessionLife& life = *session->session;
    const auto& spec = life.part.spec;
    auto last = SteadyTime::max();
    if (spec.ttl) {
        // By the wall clock only as far as an earlier host has seen it; that may have jumped.
        const auto lived = std::clamp<Timestamp::duration>(clock->now() - session->record.created,
                                                           Timestamp::duration::zero(), *spec.ttl);
        last = clock->steady_now() + (*spec.ttl - lived);
    }
    for (;;) {
        auto silent = SteadyTime::max();
        if (spec.heartbeat_timeout) {
            silent = life.heard + *spec.heartbeat_timeout;
        }
        co_await clock->sleep_until(std::min(last, silent));
        const bool over = session->record.kill_requested || session->record.has_ended();
        if (over || stage != Stage::ready) {
            co_return;
        }
        if (clock->steady_now() >= last) {
            co_return end_in_time(session, detail::BatchEvent::kill_requested,
                                  "it has lived for " + std::to_string(spec.ttl->count()) + " s");
        }
        if (spec.heartbeat_timeout && clock->steady_now() >= life.heard + *spec.heartbeat_timeout) {
            co_return end_in_time(session, detail::BatchEvent::erase_requested,
                                  "nobody has asked for it for " +
                                      std::to_string(spec.heartbeat_timeout->count()) + " s");
        }
    }
}

void HostImpl::end_in_time(const ActivePtr& session, detail::BatchEvent event, std::string reason) {
    log(LogLevel::info, session->name() + " is ended: " + reason);
    ActiveApplication::Item item;
    item.at = clock->now();
    item.observation.emplace();
    item.observation->event = event;
    item.observation->at = item.at;
    item.observation->reason = reason;
    item.of_session.emplace();
    item.of_session->event = detail::SessionEvent::ending;
    item.of_session->reason = std::move(reason);
    session->session->end_asked = true;
    observe(session, std::move(item));
}

}  // namespace sparkhost
