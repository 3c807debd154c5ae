// SPDX-License-Identifier: Apache-2.0
#include "plugins.hpp"

#include <sparkhost/testing/faulty_storage.hpp>

#include <optional>
#include <utility>

namespace sparkhost::twin {

namespace {

Error dead_host() {
    return Error(Errc::storage_failed, "this host is dead");
}

std::string words_of(const Transaction& transaction) {
    std::string words;
    for (const auto& event : transaction.events) {
        words += " " + event.type;
    }
    return words;
}

Awaitable<CommitResult> commit_as_effect(std::shared_ptr<Storage> inner, CoursePtr course,
                                         Transaction transaction) {
    const auto words = words_of(transaction);
    const bool reached = co_await Course::reach(course, "commit" + words);
    if (!reached) {
        co_return dead_host();
    }
    auto committed = co_await inner->commit(std::move(transaction));
    const bool answered = co_await Course::reach(course, "commit is answered:" + words);
    if (!answered) {
        co_return dead_host();
    }
    co_return committed;
}

Awaitable<std::int64_t> prune_as_effect(std::shared_ptr<Storage> inner, CoursePtr course,
                                        PruneRequest request) {
    const bool reached = co_await Course::reach(course, "prune");
    if (!reached) {
        co_return dead_host();
    }
    auto pruned = co_await inner->prune(request);
    co_return pruned;
}

class TwinStorage final : public testing::StorageWrapper {
public:
    TwinStorage(std::shared_ptr<Storage> inner, CoursePtr course)
        : StorageWrapper(std::move(inner)), course_(std::move(course)) {}
    Awaitable<CommitResult> commit(Transaction transaction) override {
        return commit_as_effect(inner_, course_, std::move(transaction));
    }
    Awaitable<std::int64_t> prune(PruneRequest request) override {
        return prune_as_effect(inner_, course_, request);
    }

private:
    CoursePtr course_;
};

/// A call that has no answer but its success.
Awaitable<void> call_as_effect(CoursePtr course, std::string what,
                               std::function<Awaitable<void>()> call) {
    course->on_their_way[what] = call;
    const bool reached = co_await Course::reach(course, what);
    if (!reached) {
        co_return dead_host();
    }
    course->on_their_way.erase(what);
    auto done = co_await call();
    const bool answered = co_await Course::reach(course, what + " is answered");
    if (!answered) {
        co_return dead_host();
    }
    co_return done;
}

Awaitable<Ticket> reserve_as_effect(std::shared_ptr<Backend> inner, ApplicationsPtr applications,
                                    CoursePtr course, SubmitRequest request) {
    const auto subject = request.subject;
    const bool reached = co_await Course::reach(course, "reserve " + subject);
    if (!reached) {
        co_return dead_host();
    }
    auto ticket = co_await inner->reserve(std::move(request));
    if (ticket) {
        ticket->id = "t" + std::to_string(applications->tickets.size()) + "-" + ticket->id;
        applications->tickets.push_back(ticket->id);
    }
    const bool answered = co_await Course::reach(course, "reserve " + subject + " is answered");
    if (!answered) {
        co_return dead_host();
    }
    co_return ticket;
}

/// Reports are effects, too: the host may die before it hears one.
class TwinEventSink final : public EventSink {
public:
    TwinEventSink(std::shared_ptr<EventSink> inner, CoursePtr course)
        : inner_(std::move(inner)), course_(std::move(course)) {}
    void snapshot_begin() override {
        if (!course_->dead()) {
            inner_->snapshot_begin();
        }
    }
    void status(ApplicationStatus report) override {
        static const char* const states[] = {"submitted", "started", "context_up", "ended"};
        if (course_->pass("report " + report.ticket + " " +
                          states[static_cast<int>(report.state)])) {
            inner_->status(std::move(report));
        }
    }
    void snapshot_complete() override {
        if (course_->pass("snapshot complete")) {
            inner_->snapshot_complete();
        }
    }

private:
    std::shared_ptr<EventSink> inner_;
    CoursePtr course_;
};

class TwinBackend final : public testing::BackendWrapper {
public:
    TwinBackend(ApplicationsPtr applications, CoursePtr course)
        : BackendWrapper(testing::make_fake_backend(applications->cluster)),
          applications_(std::move(applications)),
          course_(std::move(course)) {}

    Awaitable<Ticket> reserve(SubmitRequest request) override {
        return reserve_as_effect(inner_, applications_, course_, std::move(request));
    }
    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override {
        return call_as_effect(course_, "submit " + ticket.id,
                              [inner = inner_, request = std::move(request), ticket] {
                                  return inner->submit(request, ticket);
                              });
    }
    Awaitable<void> watch(std::shared_ptr<EventSink> sink) override {
        return inner_->watch(std::make_shared<TwinEventSink>(std::move(sink), course_));
    }
    Awaitable<void> kill(Ticket ticket) override {
        return call_as_effect(course_, "kill " + ticket.id,
                              [inner = inner_, ticket] { return inner->kill(ticket); });
    }
    Awaitable<void> release(ReleaseRequest request) override {
        auto call = [inner = inner_, applications = applications_, request] {
            if (const auto status = applications->cluster->status(request.ticket.id)) {
                applications->ends[request.ticket.id] = *status;
            }
            return inner->release(request);
        };
        return call_as_effect(course_, "release " + request.ticket.id, std::move(call));
    }

private:
    ApplicationsPtr applications_;
    CoursePtr course_;
};

/// What an agent says of its session.
class TwinSessionSink final : public SessionSink {
public:
    TwinSessionSink(std::shared_ptr<SessionSink> inner, CoursePtr course)
        : inner_(std::move(inner)), course_(std::move(course)) {}
    void ready(SessionFacts facts) override {
        if (course_->pass("agent: ready")) {
            inner_->ready(std::move(facts));
        }
    }
    void failed(StatementResult why) override {
        if (course_->pass("agent: failed")) {
            inner_->failed(std::move(why));
        }
    }
    void busy(StatementId statement) override {
        if (course_->pass("agent: busy " + std::to_string(statement.value))) {
            inner_->busy(statement);
        }
    }
    void idle() override {
        if (course_->pass("agent: idle")) {
            inner_->idle();
        }
    }
    void ended(SessionEnd end) override {
        if (course_->pass("agent: ended")) {
            inner_->ended(std::move(end));
        }
    }
    void stray_output(OutputSink::Stream stream, std::string chunk) override {
        if (course_->pass("agent: stray output")) {
            inner_->stray_output(stream, std::move(chunk));
        }
    }

private:
    std::shared_ptr<SessionSink> inner_;
    CoursePtr course_;
};

class TwinOutputSink final : public OutputSink {
public:
    TwinOutputSink(std::shared_ptr<OutputSink> inner, CoursePtr course)
        : inner_(std::move(inner)), course_(std::move(course)) {}
    void output(Stream stream, std::string chunk) override {
        if (course_->pass("agent: writes " + chunk)) {
            inner_->output(stream, std::move(chunk));
        }
    }
    void progress(double fraction) override {
        if (course_->pass("agent: progress")) {
            inner_->progress(fraction);
        }
    }
    void unheeded(std::int64_t interrupts) override {
        if (course_->pass("agent: unheeded interrupt")) {
            inner_->unheeded(interrupts);
        }
    }

private:
    std::shared_ptr<OutputSink> inner_;
    CoursePtr course_;
};

Awaitable<StatementResult> execute_as_effect(std::shared_ptr<Conversation> inner, CoursePtr course,
                                             StatementSpec statement,
                                             std::shared_ptr<OutputSink> sink) {
    const auto number = std::to_string(statement.id.value);
    if (!course->pass("execute " + number)) {
        co_return dead_host();
    }
    auto heard = std::make_shared<TwinOutputSink>(std::move(sink), course);
    auto result = co_await inner->execute(std::move(statement), std::move(heard));
    if (!course->pass(result ? "agent: result of " + number : "no result of " + number)) {
        co_await Course::reach(course, "");
        co_return dead_host();
    }
    co_return result;
}

class TwinConversation final : public Conversation {
public:
    TwinConversation(std::shared_ptr<Conversation> inner, CoursePtr course)
        : inner_(std::move(inner)), course_(std::move(course)) {}
    Awaitable<void> run() override { return inner_->run(); }
    Awaitable<StatementResult> execute(StatementSpec statement,
                                       std::shared_ptr<OutputSink> sink) override {
        return execute_as_effect(inner_, course_, std::move(statement), std::move(sink));
    }
    void interrupt(InterruptRequest request) override {
        if (course_->pass("interrupt " + std::to_string(request.statement.value))) {
            inner_->interrupt(request);
        }
    }
    void settle(StatementId statement) override {
        if (course_->pass("settle " + std::to_string(statement.value))) {
            inner_->settle(statement);
        }
    }
    void settle_session() override {
        if (course_->pass("settle the session")) {
            inner_->settle_session();
        }
    }
    void close() override {
        if (course_->pass("close the session")) {
            inner_->close();
        }
    }

private:
    std::shared_ptr<Conversation> inner_;
    CoursePtr course_;
};

Awaitable<SubmitRequest> prepare_as_effect(std::shared_ptr<SessionRuntime> inner, CoursePtr course,
                                           SessionRuntime::SessionRequest request) {
    const bool reached = co_await Course::reach(course, "prepare " + request.ticket);
    if (!reached) {
        co_return dead_host();
    }
    auto prepared = co_await inner->prepare(request);
    const bool answered =
        co_await Course::reach(course, "prepare " + request.ticket + " is answered");
    if (!answered) {
        co_return dead_host();
    }
    co_return prepared;
}

class TwinRuntime final : public SessionRuntime {
public:
    TwinRuntime(std::shared_ptr<SessionRuntime> inner, CoursePtr course)
        : inner_(std::move(inner)), course_(std::move(course)) {}
    Traits traits() const override { return inner_->traits(); }
    Awaitable<SubmitRequest> prepare(SessionRequest request) override {
        return prepare_as_effect(inner_, course_, std::move(request));
    }
    std::unique_ptr<Conversation> attach(AttachRequest request) override {
        request.sink = std::make_shared<TwinSessionSink>(std::move(request.sink), course_);
        return std::make_unique<TwinConversation>(inner_->attach(std::move(request)), course_);
    }
    Awaitable<void> release(ReleaseRequest request) override {
        return call_as_effect(course_, "remove what was prepared for " + request.ticket,
                              [inner = inner_, request] { return inner->release(request); });
    }

private:
    std::shared_ptr<SessionRuntime> inner_;
    CoursePtr course_;
};

}  // namespace

std::size_t Applications::starts(const std::string& subject) const {
    std::size_t total = 0;
    for (const auto& ticket : cluster->submitted()) {
        if (ticket.find("-" + subject + "-") != std::string::npos) {
            total += cluster->starts(ticket);
        }
    }
    return total;
}

std::unique_ptr<Storage> make_twin_storage(std::shared_ptr<Storage> inner, CoursePtr course) {
    return std::make_unique<TwinStorage>(std::move(inner), std::move(course));
}

std::unique_ptr<Backend> make_twin_backend(ApplicationsPtr applications, CoursePtr course) {
    return std::make_unique<TwinBackend>(std::move(applications), std::move(course));
}

std::unique_ptr<SessionRuntime> make_twin_runtime(std::shared_ptr<SessionRuntime> inner,
                                                  CoursePtr course) {
    return std::make_unique<TwinRuntime>(std::move(inner), std::move(course));
}

}  // namespace sparkhost::twin
