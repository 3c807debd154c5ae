// SPDX-License-Identifier: Apache-2.0

// How a host begins and ends.

#include "core/host_impl.hpp"
#include "system_clock.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <random>
#include <utility>

namespace sparkhost {

TaskGuard::TaskGuard(HostImpl& host) : host_(host) {
    ++host_.tasks;
}
TaskGuard::~TaskGuard() {
    host_.task_done();
}

HostImpl::HostImpl(boost::asio::any_io_executor on, HostOptions with, HostPlugins plugins)
    : executor(std::move(on)),
      strand(boost::asio::make_strand(executor)),
      options(std::move(with)),
      storage(std::move(plugins.storage)),
      clock(plugins.clock ? std::move(plugins.clock) : std::make_shared<detail::SystemClock>()),
      cache(options.cached_records) {
    for (auto& backend : plugins.backends) {
        traits.push_back(backend->traits());
        backends.push_back(std::move(backend));
    }
    for (auto& runtime : plugins.runtimes) {
        runtime_traits.push_back(runtime->traits());
        runtimes.push_back(std::move(runtime));
    }
    made_at = clock->now();
    made_steady = clock->steady_now();
    // Far beyond what is stored, and somewhere else in each life.
    live_version = (std::int64_t{std::random_device()()} + 1) << 20;
    epochs.resize(backends.size());
    for (const auto& each : traits) {
        counters.backends.push_back({});
        counters.backends.back().name = each.name;
    }
    counters.problem = "run() has not opened the store yet";
}

void HostImpl::log(LogLevel level, std::string message) const {
    if (options.log) {
        options.log({level, "host", std::move(message)});
    }
}

void HostImpl::task_done() {
    if (--tasks == 0 && idle_waiter) {
        idle_waiter->wake(detail::WakeReason::changed);
    }
}

void HostImpl::spawn(boost::asio::awaitable<void> task) {
    ++tasks;
    boost::asio::co_spawn(strand, std::move(task),
                          [self = shared_from_this()](std::exception_ptr escaped) {
                              if (escaped) {
                                  self->log(LogLevel::error, "a task ended by an exception");
                              }
                              self->task_done();
                          });
}

HostImpl::Signal HostImpl::spawn_cancellable(boost::asio::awaitable<void> task,
                                             std::function<void()> finally) {
    auto signal = std::make_shared<boost::asio::cancellation_signal>();
    cancellables.emplace(signal.get(), signal);
    ++tasks;
    // An exception here is the cancellation making itself felt.
    auto over = [self = shared_from_this(), key = signal.get(),
                 finally = std::move(finally)](std::exception_ptr) {
        self->cancellables.erase(key);
        if (finally) {
            finally();
        }
        self->task_done();
    };
    boost::asio::co_spawn(strand, std::move(task),
                          boost::asio::bind_cancellation_slot(signal->slot(), std::move(over)));
    return signal;
}

void HostImpl::wake_ready_waiters() {
    auto woken = std::exchange(ready_waiters, {});
    for (const auto& waiter : woken) {
        waiter->wake(detail::WakeReason::changed);
    }
}

Result<void> HostImpl::availability() const {
    if (failure) {
        return *failure;
    }
    if (stop_requested || stage >= Stage::stopping) {
        return Errc::stopped;
    }
    if (storage_suspect) {
        return Error(
            Errc::indeterminate,
            "what the store holds is in doubt until it can be opened again: " + trouble_text);
    }
    return ok();
}

boost::asio::awaitable<Result<void>> HostImpl::until_ready() {
    while (!failure && !stop_requested && stage < Stage::ready) {
        auto waiter = std::make_shared<detail::Waiter>();
        ready_waiters.push_back(waiter);
        co_await detail::Waiter::wait(waiter);
    }
    co_return availability();
}

boost::asio::awaitable<Result<void>> HostImpl::run_on_strand() {
    if (stage != Stage::created) {
        co_return Error(Errc::invalid_state, "Host::run() may be called once");
    }
    if (stop_requested) {
        stage = Stage::stopped;
        wake_ready_waiters();
        co_return ok();
    }
    stage = Stage::opening;
    blocking = options.blocking_executor;
    if (!blocking) {
        own_pool = std::make_unique<boost::asio::thread_pool>(options.blocking_threads);
        blocking = own_pool->get_executor();
    }
    auto opened = co_await open_within_grace();
    if (opened && !stop_requested) {
        stage = Stage::ready;
        count([](HostStatus& status) { status.problem.clear(); });
        refresh_status();
        wake_ready_waiters();
        for (std::size_t index = 0; index < backends.size(); ++index) {
            spawn_cancellable(watch_backend(index));
        }
        if (options.batch_retention.count() > 0) {
            spawn_cancellable(erase_old(RecordKind::batch, options.batch_retention));
        }
        if (options.session_retention.count() > 0) {
            spawn_cancellable(erase_old(RecordKind::session, options.session_retention));
        }
        for (const auto& [key, application] : std::unordered_map(active)) {
            if (application->session) {
                watch_idleness(application);
                wrap_up(application);
            }
            pump(application);
        }
        dispatch();
        idle_waiter = std::make_shared<detail::Waiter>();
        // A task of our own keeps the count above zero until stop() gives it back.
        ++tasks;
        if (stop_requested) {
            task_done();
        }
        co_await detail::Waiter::wait(idle_waiter);
    } else if (!opened) {
        failure = opened.error();
        count([&](HostStatus& status) { status.problem = failure->text(); });
    }
    co_await finish();
    co_return opened;
}

namespace host_life {

boost::asio::awaitable<void> let_in(std::shared_ptr<HostImpl> host, std::string address,
                                    Awaitable<void> accepting) {
    const auto over = co_await std::move(accepting);
    if (host->stage == HostImpl::Stage::ready) {
        host->log(LogLevel::error, "agents can no longer reach this host at " + address + ": " +
                                       over.error().text());
    }
}

}  // namespace host_life

/// Who comes before the host is ready is told to come later. These are no tasks: opening is over
/// when its tasks are, and goes on being dialled.
void HostImpl::open_doors() {
    for (auto& endpoint : doors->endpoints()) {
        ++doors_open;
        auto left = [self = shared_from_this()](std::exception_ptr) {
            if (--self->doors_open == 0 && self->doors_waiter) {
                self->doors_waiter->wake(detail::WakeReason::changed);
            }
        };
        boost::asio::co_spawn(
            strand, host_life::let_in(shared_from_this(), endpoint.address(), endpoint.run()),
            std::move(left));
    }
}

boost::asio::awaitable<void> HostImpl::close_doors() {
    doors.reset();
    if (doors_open > 0) {
        doors_waiter = std::make_shared<detail::Waiter>();
        co_await detail::Waiter::wait(doors_waiter);
    }
}

/// A plug-in that never opens must not keep run() from ending after a stop().
boost::asio::awaitable<Result<void>> HostImpl::open_within_grace() {
    Result<void> unanswered =
        Error(Errc::stopped, "a plug-in was still opening when stop_grace was over");
    auto opened = std::make_shared<Result<void>>(std::move(unanswered));
    idle_waiter = std::make_shared<detail::Waiter>();
    spawn(open_and_tell(opened));
    co_await detail::Waiter::wait(idle_waiter);
    co_return *opened;
}

boost::asio::awaitable<void> HostImpl::open_and_tell(std::shared_ptr<Result<void>> opened) {
    auto result = co_await open_plugins();
    *opened = std::move(result);
}

boost::asio::awaitable<void> HostImpl::finish() {
    stage = Stage::stopped;
    co_await close_doors();
    if (grace_signal) {
        grace_signal->emit(boost::asio::cancellation_type::terminal);
    }
    wake_ready_waiters();
    const bool abandoned = tasks > 0;
    if (!abandoned) {
        // Closing a database can wait for the disk.
        auto close = [closing =
                          std::shared_ptr<Storage>(std::move(storage))]() mutable -> Result<void> {
            closing.reset();
            return ok();
        };
        auto closed = co_await detail::run_blocking(blocking, std::move(close));
        (void)closed;
        active.clear();
        tickets.clear();
        claims.clear();
        sessions.clear();
        backends.clear();
        runtimes.clear();
    }
    if (own_pool && !abandoned) {
        own_pool->join();
        own_pool.reset();
    }
    count([](HostStatus& status) {
        status.ready = false;
        if (status.problem.empty()) {
            status.problem = "the host has stopped";
        }
    });
}

boost::asio::awaitable<void> HostImpl::end_of_grace() {
    co_await clock->sleep_until(clock->steady_now() + options.stop_grace);
    if (stage != Stage::stopped) {
        log(LogLevel::warning, "operations are still under way after stop_grace; leaving them");
        idle_waiter->wake(detail::WakeReason::timed_out);
    }
}

void HostImpl::begin_stop() {
    if (stop_requested) {
        return;
    }
    stop_requested = true;
    count([](HostStatus& status) {
        status.draining = true;
        status.ready = false;
    });
    wake_ready_waiters();
    wake_all(detail::WakeReason::stopped);
    if (stage == Stage::opening) {
        return begin_grace();
    }
    if (stage != Stage::ready) {
        return;
    }
    stage = Stage::stopping;
    if (doors) {
        doors->close();
    }
    for (const auto& [key, application] : std::unordered_map(active)) {
        if (!application->progress.killing) {  // what is under way has its answer soon
            answer_kills(application, Error(Errc::stopped));
        }
    }
    for (const auto& [key, signal] : std::unordered_map(cancellables)) {
        signal->emit(boost::asio::cancellation_type::terminal);
    }
    if (storage_suspect) {
        pump_all();  // nobody will open it again: whoever waits for that gets an answer
    }
    if (idle_waiter) {
        begin_grace();
        task_done();
    }
}

void HostImpl::begin_grace() {
    auto self = shared_from_this();
    grace_signal = std::make_shared<boost::asio::cancellation_signal>();
    boost::asio::co_spawn(
        strand, end_of_grace(),
        boost::asio::bind_cancellation_slot(grace_signal->slot(), [self](std::exception_ptr) {}));
}

}  // namespace sparkhost
