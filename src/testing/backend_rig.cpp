// SPDX-License-Identifier: Apache-2.0
#include "testing/backend_rig.hpp"

#include "system_clock.hpp"

#include <boost/asio/redirect_error.hpp>

#include <random>
#include <utility>

namespace sparkhost::testing::backend_cases {

/// Hands the reports of one watch to the journal.
class Recorder final : public EventSink {
public:
    explicit Recorder(Rig& rig) : rig_(rig) {}

    void snapshot_begin() override {
        check("snapshot_begin");
        in_snapshot_ = true;
        rig_.journal.in_snapshot.clear();
    }
    void status(ApplicationStatus report) override {
        check("status");
        rig_.journal.take(report);
        rig_.notify();
    }
    void snapshot_complete() override {
        check("snapshot_complete");
        if (!in_snapshot_) {
            violation("snapshot_complete without a snapshot");
        }
        in_snapshot_ = false;
        ++rig_.journal.snapshots;
        rig_.notify();
    }
    void close() { closed_ = true; }

private:
    void check(const std::string& call) {
        ++rig_.journal.calls;
        if (closed_) {
            violation(call + " after watch had completed");
        }
        if (!rig_.strand().running_in_this_thread()) {
            violation(call + " was not called on the executor watch was awaited on");
        }
    }
    void violation(std::string text) { rig_.journal.violations.push_back(std::move(text)); }

    Rig& rig_;
    bool in_snapshot_{true};
    bool closed_{false};
};

namespace rig_detail {

/// A name no other run has, so that cases can share a real cluster.
std::string random_uuid() {
    std::random_device device;
    std::string uuid;
    for (const char c : std::string("xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx")) {
        uuid += c == 'x' ? "0123456789abcdef"[device() % 16] : c;
    }
    return uuid;
}

}  // namespace rig_detail

Rig::Rig(BackendFixture& fixture, BackendConformanceOptions with, asio::any_io_executor loop,
         asio::any_io_executor pool)
    : options(std::move(with)),
      fixture_(fixture),
      loop_(loop),
      pool_(std::move(pool)),
      strand_(asio::make_strand(std::move(loop))),
      news_(strand_, asio::steady_timer::time_point::max()),
      store_uuid_(rig_detail::random_uuid()) {
    busy_with("the case to begin");
}

void Rig::busy_with(std::string what) {
    waiting_for_ = std::move(what);
    deadline_ = std::chrono::steady_clock::now() + options.patience;
}

asio::awaitable<void> Rig::wait(std::string what, std::function<bool()> holds) {
    busy_with(std::move(what));
    boost::system::error_code ignored;
    while (!holds()) {
        co_await news_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    busy_with("the case to go on");
}

asio::awaitable<void> Rig::yield(std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) {
        co_await asio::post(asio::use_awaitable);
    }
}

asio::awaitable<void> Rig::open() {
    backend_ = fixture_.make(loop_);
    expect(backend_ != nullptr, "the fixture made no backend");
    BackendContext context;
    context.store_uuid = store_uuid_;
    context.backend_name = backend_->traits().name;
    context.blocking_executor = pool_;
    context.clock = std::make_shared<detail::SystemClock>();
    busy_with("open");
    value_of(co_await backend_->open(std::move(context)));
}

void Rig::begin_watch() {
    journal.in_snapshot.clear();
    recorder_ = std::make_shared<Recorder>(*this);
    stop_watch_ = std::make_shared<asio::cancellation_signal>();
    watch_ = std::make_shared<std::optional<Result<void>>>();
    // The recorder closes in the very moment of completion.
    auto over = [this, slot = watch_, recorder = recorder_](std::exception_ptr escaped,
                                                            Result<void> result) {
        recorder->close();
        slot->emplace(escaped ? Result<void>(Errc::stopped) : std::move(result));
        notify();
    };
    asio::co_spawn(strand_, backend_->watch(recorder_),
                   asio::bind_cancellation_slot(stop_watch_->slot(), std::move(over)));
}

asio::awaitable<void> Rig::watch() {
    const auto before = journal.snapshots;
    begin_watch();
    std::function<bool()> told = [this, before] {
        return journal.snapshots > before || watch_->has_value();
    };
    co_await wait("the snapshot of a watch", std::move(told));
    expect(!watch_->has_value(), "watch ended without having been cancelled");
}

asio::awaitable<void> Rig::stop_watching() {
    if (!watch_) {
        co_return;
    }
    stop_watch_->emit(asio::cancellation_type::terminal);
    std::function<bool()> over = [this] { return watch_->has_value(); };
    co_await wait("a cancelled watch to complete", std::move(over));
    watch_.reset();
}

asio::awaitable<void> Rig::close() {
    co_await stop_watching();
    backend_.reset();
}

asio::awaitable<void> Rig::start() {
    co_await open();
    co_await watch();
}

asio::awaitable<void> Rig::restart() {
    co_await close();
    co_await start();
}

void Rig::use_another_store() {
    store_uuid_ = rig_detail::random_uuid();
}

Job Rig::plan(Program program) {
    Job job;
    const auto number = std::to_string(next_subject_++);
    job.mark = store_uuid_.substr(0, 8) + "-mark-" + number;
    job.request.store_uuid = store_uuid_;
    job.request.subject = "batch-" + number;
    job.request.spec = fixture_.spec(program, job.mark);
    return job;
}

asio::awaitable<Job> Rig::reserve(Program program) {
    auto job = plan(program);
    busy_with("reserve");
    job.ticket = value_of(co_await backend_->reserve(job.request));
    co_return job;
}

asio::awaitable<Job> Rig::launch(Program program) {
    auto job = co_await reserve(program);
    value_of(co_await submit(job));
    co_return job;
}

asio::awaitable<Result<void>> Rig::submit(Job job) {
    auto slot = begin_submit(job);
    co_return co_await finish(std::move(slot), "submit");
}

asio::awaitable<Result<void>> Rig::kill(Job job) {
    auto slot = begin_kill(job);
    co_return co_await finish(std::move(slot), "kill");
}

asio::awaitable<Result<void>> Rig::release(Job job, bool keep_log) {
    Backend::ReleaseRequest request;
    request.ticket = job.ticket;
    request.keep_log = keep_log;
    busy_with("release");
    co_return co_await backend_->release(std::move(request));
}

asio::awaitable<Result<LogPage>> Rig::read_log(LogRequest request) {
    busy_with("read_log");
    co_return co_await backend_->read_log(std::move(request));
}

asio::awaitable<ApplicationStatus> Rig::until(Job job, ApplicationState state) {
    std::function<bool()> reached = [this, job, state] {
        return journal.reached(job.ticket.id, state);
    };
    co_await wait("the report that '" + job.ticket.id + "' is " + name_of(state),
                  std::move(reached));
    co_return journal.latest.at(job.ticket.id);
}

asio::awaitable<ApplicationStatus> Rig::until_ended(Job job) {
    return until(std::move(job), ApplicationState::ended);
}

asio::awaitable<Job> Rig::run_through(Program program) {
    auto job = co_await launch(program);
    co_await until_ended(job);
    co_return job;
}

asio::awaitable<std::size_t> Rig::settled_starts(Job job) {
    co_await run_through(Program::succeeds);
    co_return starts(job);
}

template <class T>
Slot<T> Rig::begin(Awaitable<T> operation, asio::cancellation_slot cancel) {
    auto slot = std::make_shared<std::optional<Result<T>>>();
    // The backend lives as long as what it does.
    auto done = [this, slot, held = backend_](std::exception_ptr escaped, Result<T> result) {
        if (escaped) {
            journal.violations.emplace_back("an exception escaped");
            result = Errc::backend_failed;
        }
        slot->emplace(std::move(result));
        notify();
    };
    asio::co_spawn(strand_, std::move(operation),
                   asio::bind_cancellation_slot(cancel, std::move(done)));
    return slot;
}

template <class T>
asio::awaitable<Result<T>> Rig::finish_slot(Slot<T> slot, std::string what) {
    std::function<bool()> done = [slot] { return slot->has_value(); };
    co_await wait(std::move(what), std::move(done));
    co_return std::move(**slot);
}

asio::awaitable<Result<void>> Rig::finish(Slot<void> slot, std::string what) {
    return finish_slot(std::move(slot), std::move(what));
}

asio::awaitable<Result<LogPage>> Rig::finish(Slot<LogPage> slot, std::string what) {
    return finish_slot(std::move(slot), std::move(what));
}

Slot<void> Rig::begin_submit(const Job& job) {
    if (journal.expected.insert(job.ticket.id).second) {
        jobs_.push_back(job);
    }
    return begin(backend_->submit(job.request, job.ticket));
}

Slot<void> Rig::begin_kill(const Job& job) {
    if (journal.expected.insert(job.ticket.id).second) {
        jobs_.push_back(job);
    }
    return begin(backend_->kill(job.ticket));
}

Slot<LogPage> Rig::begin_read_log(LogRequest request, asio::cancellation_signal& signal) {
    return begin(backend_->read_log(std::move(request)), signal.slot());
}

asio::awaitable<void> Rig::tidy() {
    if (backend_) {
        for (const auto& job : std::vector<Job>(jobs_)) {
            const bool ours = job.request.store_uuid == store_uuid_;
            if (ours && !journal.reached(job.ticket.id, ApplicationState::ended)) {
                const auto killed = co_await kill(job);
                if (killed && watch_) {
                    co_await until_ended(job);
                }
            }
            if (ours) {
                const auto released = co_await release(job, false);
                (void)released;
            }
        }
    }
    co_await close();
}

}  // namespace sparkhost::testing::backend_cases
