// SPDX-License-Identifier: Apache-2.0

// A storage that fails: what is told, and how the host finds out that it works again.

#include "core/host_impl.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

namespace sparkhost {

/// One line when it begins; what is said later shows in the status only, unless it is new.
void HostImpl::storage_trouble(const Error& error) {
    const auto now = clock->now();
    const auto steady = clock->steady_now();
    const bool begins = !trouble.since;
    const bool news = begins || trouble_text != error.text();
    trouble.since = trouble.since.value_or(steady);
    trouble_text = error.text();
    count([&](HostStatus& s) {
        s.storage_failing_since = s.storage_failing_since.value_or(now);
        s.storage_error = trouble_text;
        s.problem = "the storage does not work: " + trouble_text;
    });
    if (begins) {
        log(LogLevel::error,
            "the storage does not work, trying again until it does: " + trouble_text);
    } else if (news) {
        log(LogLevel::warning, "the storage still does not work: " + trouble_text);
    }
    refresh_status();
}

/// Something has become durable.
void HostImpl::storage_works() {
    storage_delay = std::chrono::milliseconds{0};
    if (!trouble.since || storage_suspect) {
        return;
    }
    const std::chrono::duration<double> lasted = clock->steady_now() - *trouble.since;
    trouble.since.reset();
    trouble.total += lasted.count();
    trouble.oldest_unstored.reset();
    count([](HostStatus& s) {
        s.storage_failing_since.reset();
        s.storage_error.clear();
        s.problem.clear();
    });
    log(LogLevel::info, "the storage works again after " +
                            std::to_string(static_cast<std::int64_t>(lasted.count())) + " s");
    refresh_status();
}

void HostImpl::storage_lost(const Error& error) {
    const bool known = std::exchange(storage_suspect, true);
    storage_trouble(error);
    if (known) {
        return;
    }
    for (const auto& [key, batch] : std::unordered_map(active)) {
        answer_kills(batch, availability().error());  // nobody is answered before it is known
    }
    if (stage == Stage::ready) {
        spawn_cancellable(reopen_storage());
    }
}

boost::asio::awaitable<void> HostImpl::reopen_storage() {
    auto self = shared_from_this();
    auto delay = options.storage_retry;
    while (stage == Stage::ready) {
        StorageContext context{blocking, options.log};
        auto call = [&] { return storage->open(std::move(context)); };
        auto info = co_await guarded<StoreInfo>(call, Errc::storage_failed);
        Result<void> synced = ok();
        if (info) {
            last_sequence = std::max(last_sequence, info->last_sequence);
            synced = co_await resync();
        }
        if (info && synced) {
            storage_suspect = false;
            storage_works();
            for (const auto& waiter : std::exchange(event_waiters, {})) {
                waiter->wake(detail::WakeReason::changed);
            }
            pump_all();
            dispatch();
            co_return;
        }
        const auto& error = info ? synced.error() : info.error();
        storage_trouble(Error(error.code, "the store cannot be reopened: " + error.text()));
        co_await clock->sleep_until(clock->steady_now() + delay);
        delay = std::min(delay * 2, options.storage_retry_max);
    }
}

/// Asks the storage itself: where nobody writes, nobody would notice that it works again.
boost::asio::awaitable<void> HostImpl::retry_storage() {
    auto self = shared_from_this();
    for (;;) {
        co_await clock->sleep_until(clock->steady_now() + storage_delay);
        if (stage != Stage::ready || storage_suspect) {
            break;  // who reopens it goes on with everything
        }
        auto call = [&] { return storage->probe(); };
        auto worked = co_await from_storage<void>(call);
        if (worked || storage_suspect) {
            break;
        }
        storage_trouble(worked.error());
        storage_delay =
            std::clamp(storage_delay * 2, options.storage_retry, options.storage_retry_max);
    }
    storage_retrying = false;
    if (stage != Stage::ready || storage_suspect) {
        co_return;
    }
    pump_all();
    dispatch();
    if (!has_unstored()) {
        const auto delay = storage_delay;
        storage_works();
        storage_delay = delay;  // until a commit succeeds: reads may be what fails
    }
}

/// Whether something waits to be stored: how that goes tells more than a probe.
bool HostImpl::has_unstored() const {
    return std::any_of(active.begin(), active.end(), [](const auto& entry) {
        const auto& application = *entry.second;
        return application.committing || !application.inbox.empty() ||
               (application.session &&
                std::any_of(application.session->open.begin(), application.session->open.end(),
                            [](const auto& open) { return open.second->committing; }));
    });
}

void HostImpl::storage_retry_later(const Error& error) {
    storage_trouble(error);
    if (std::exchange(storage_retrying, true) || stage != Stage::ready) {
        return;
    }
    storage_delay = std::clamp(storage_delay * 2, options.storage_retry, options.storage_retry_max);
    spawn_cancellable(retry_storage());
}

}  // namespace sparkhost
