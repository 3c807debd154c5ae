// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_TESTING_BROKEN_RUNTIMES_HPP
#define SPARKHOST_TESTS_UNIT_TESTING_BROKEN_RUNTIMES_HPP

// Session runtimes that break one rule each, so that the conformance kit can be seen to notice.

#include <sparkhost/session_runtime.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::testing::broken_runtimes {

namespace asio = boost::asio;
using InnerTalk = std::shared_ptr<Conversation>;
using InnerRuntime = std::shared_ptr<SessionRuntime>;
using Sink = std::shared_ptr<OutputSink>;

/// Hands everything on: what derives from it differs in one thing.
class WrappedTalk : public Conversation {
public:
    explicit WrappedTalk(InnerTalk inner) : inner_(std::move(inner)) {}
    Awaitable<void> run() override { return inner_->run(); }
    Awaitable<StatementResult> execute(StatementSpec statement, Sink sink) override {
        return inner_->execute(std::move(statement), std::move(sink));
    }
    void interrupt(InterruptRequest request) override { inner_->interrupt(request); }
    void settle(StatementId statement) override { inner_->settle(statement); }
    void settle_session() override { inner_->settle_session(); }
    Awaitable<Completion> complete(CompletionRequest request) override {
        return inner_->complete(std::move(request));
    }
    void close() override { inner_->close(); }

protected:
    InnerTalk inner_;
};

class WrappedRuntime : public SessionRuntime {
public:
    explicit WrappedRuntime(InnerRuntime inner) : inner_(std::move(inner)) {}
    Traits traits() const override { return inner_->traits(); }
    Awaitable<SubmitRequest> prepare(SessionRequest request) override {
        return inner_->prepare(std::move(request));
    }
    std::unique_ptr<Conversation> attach(AttachRequest request) override {
        return inner_->attach(std::move(request));
    }
    Awaitable<void> release(ReleaseRequest request) override {
        return inner_->release(std::move(request));
    }

protected:
    InnerRuntime inner_;
};

/// A runtime whose conversations are broken so.
template <class Talk>
class With : public WrappedRuntime {
public:
    using WrappedRuntime::WrappedRuntime;
    std::unique_ptr<Conversation> attach(AttachRequest request) override {
        return std::make_unique<Talk>(inner_->attach(std::move(request)));
    }
};

struct SpeaksEverything : WrappedRuntime {
    using WrappedRuntime::WrappedRuntime;
    Awaitable<SubmitRequest> prepare(SessionRequest request) override {
        request.session.kind = "sql";
        return inner_->prepare(std::move(request));
    }
};

struct NeverTheSame : WrappedRuntime {
    using WrappedRuntime::WrappedRuntime;
    Awaitable<SubmitRequest> prepare(SessionRequest request) override {
        return number(inner_, std::move(request), ++calls_);
    }
    static Awaitable<SubmitRequest> number(InnerRuntime inner, SessionRequest request, int call) {
        auto made = co_await inner->prepare(std::move(request));
        made->spec.args.push_back(std::to_string(call));
        co_return made;
    }
    int calls_{0};
};

struct ReleasesOnce : WrappedRuntime {
    using WrappedRuntime::WrappedRuntime;
    Awaitable<void> release(ReleaseRequest) override { return answer(++calls_); }
    static Awaitable<void> answer(int call) {
        if (call > 1) {
            co_return Errc::not_found;
        }
        co_return ok();
    }
    int calls_{0};
};

/// Says twice that it is ready.
struct ReadyTwice : WrappedRuntime {
    using WrappedRuntime::WrappedRuntime;
    struct Twice final : SessionSink {
        explicit Twice(std::shared_ptr<SessionSink> to) : inner(std::move(to)) {}
        void ready(SessionFacts facts) override {
            inner->ready(facts);
            inner->ready(facts);
        }
        void failed(StatementResult why) override { inner->failed(std::move(why)); }
        void busy(StatementId statement) override { inner->busy(statement); }
        void idle() override { inner->idle(); }
        void ended(SessionEnd end) override { inner->ended(std::move(end)); }
        std::shared_ptr<SessionSink> inner;
    };
    std::unique_ptr<Conversation> attach(AttachRequest request) override {
        request.sink = std::make_shared<Twice>(std::move(request.sink));
        return inner_->attach(std::move(request));
    }
};

/// Writes all to one stream.
struct OneStream : WrappedTalk {
    using WrappedTalk::WrappedTalk;
    struct Merged final : OutputSink {
        explicit Merged(Sink to) : inner(std::move(to)) {}
        void output(Stream, std::string chunk) override {
            inner->output(Stream::standard_output, std::move(chunk));
        }
        Sink inner;
    };
    Awaitable<StatementResult> execute(StatementSpec statement, Sink sink) override {
        return inner_->execute(std::move(statement), std::make_shared<Merged>(std::move(sink)));
    }
};

struct LateOutput : WrappedTalk {
    using WrappedTalk::WrappedTalk;
    struct Kept final : OutputSink {
        void output(Stream stream, std::string chunk) override {
            chunks.emplace_back(stream, std::move(chunk));
        }
        std::vector<std::pair<Stream, std::string>> chunks;
    };
    Awaitable<StatementResult> execute(StatementSpec statement, Sink sink) override {
        return tell_later(inner_, std::move(statement), std::move(sink));
    }
    static Awaitable<StatementResult> tell_later(InnerTalk inner, StatementSpec statement,
                                                 Sink sink) {
        auto kept = std::make_shared<Kept>();
        auto result = co_await inner->execute(std::move(statement), kept);
        auto executor = co_await asio::this_coro::executor;
        asio::post(executor, [executor, kept, sink] {
            asio::post(executor, [kept, sink] {
                for (auto& [stream, chunk] : kept->chunks) {
                    sink->output(stream, chunk);
                }
            });
        });
        co_return result;
    }
};

/// Each conversation runs what it is given, whoever has run it before.
struct RunsAgain : WrappedTalk {
    explicit RunsAgain(InnerTalk inner) : WrappedTalk(std::move(inner)) { offset_ += 1000; }
    Awaitable<StatementResult> execute(StatementSpec statement, Sink sink) override {
        statement.id.value += offset_;
        return inner_->execute(std::move(statement), std::move(sink));
    }
    static inline std::int64_t offset_{0};
};

/// The next conversation is told the result alone.
struct OutputOnce : WrappedTalk {
    explicit OutputOnce(InnerTalk inner) : WrappedTalk(std::move(inner)) {}
    struct Silent final : OutputSink {
        void output(Stream, std::string) override {}
    };
    Awaitable<StatementResult> execute(StatementSpec statement, Sink sink) override {
        if (!told_.insert(statement.code).second) {
            sink = std::make_shared<Silent>();
        }
        return inner_->execute(std::move(statement), std::move(sink));
    }
    static inline std::set<std::string> told_{};
};

struct AnyKind : WrappedTalk {
    using WrappedTalk::WrappedTalk;
    Awaitable<StatementResult> execute(StatementSpec statement, Sink sink) override {
        statement.kind = "pyspark";
        return inner_->execute(std::move(statement), std::move(sink));
    }
};

struct FailuresAreFine : WrappedTalk {
    using WrappedTalk::WrappedTalk;
    Awaitable<StatementResult> execute(StatementSpec statement, Sink sink) override {
        return gloss_over(inner_, std::move(statement), std::move(sink));
    }
    static Awaitable<StatementResult> gloss_over(InnerTalk inner, StatementSpec statement,
                                                 Sink sink) {
        auto result = co_await inner->execute(std::move(statement), std::move(sink));
        if (result) {
            result->outcome = StatementOutcome::ok;
        }
        co_return result;
    }
};

/// A wait that is given up stops the statement, too.
struct StopsWhenGivenUp : WrappedTalk {
    using WrappedTalk::WrappedTalk;
    Awaitable<StatementResult> execute(StatementSpec statement, Sink sink) override {
        return stop_it(inner_, std::move(statement), std::move(sink));
    }
    static Awaitable<StatementResult> stop_it(InnerTalk inner, StatementSpec statement, Sink sink) {
        InterruptRequest request;
        request.statement = statement.id;
        co_await asio::this_coro::throw_if_cancelled(false);
        auto result = co_await inner->execute(std::move(statement), std::move(sink));
        if (result.has_error() && result.error().code == asio::error::operation_aborted) {
            inner->interrupt(request);
        }
        co_return result;
    }
};

struct InterruptsWhateverRuns : WrappedTalk {
    using WrappedTalk::WrappedTalk;
    void interrupt(InterruptRequest request) override {
        const auto last = std::min<std::int64_t>(request.statement.value, 100);
        for (std::int64_t id = 0; id <= last; ++id) {
            request.statement.value = id;
            inner_->interrupt(request);
        }
    }
};

struct HearsNoInterrupt : WrappedTalk {
    using WrappedTalk::WrappedTalk;
    void interrupt(InterruptRequest) override {}
};

struct LossIsSuccess : WrappedTalk {
    using WrappedTalk::WrappedTalk;
    Awaitable<void> run() override { return succeed(inner_); }
    static Awaitable<void> succeed(InnerTalk inner) {
        auto result = co_await inner->run();
        (void)result;
        co_return ok();
    }
};

struct NeverCloses : WrappedTalk {
    using WrappedTalk::WrappedTalk;
    void close() override {}
};

struct KnowsNoWords : WrappedTalk {
    using WrappedTalk::WrappedTalk;
    Awaitable<Completion> complete(CompletionRequest) override { return nothing(); }
    static Awaitable<Completion> nothing() { co_return Completion{}; }
};

}  // namespace sparkhost::testing::broken_runtimes

#endif
