// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_TESTING_FAKE_BACKEND_FIXTURE_HPP
#define SPARKHOST_TESTS_UNIT_TESTING_FAKE_BACKEND_FIXTURE_HPP

#include <sparkhost/testing/fake_backend.hpp>
#include <sparkhost/testing/manual_clock.hpp>

#include "support/printing.hpp"
#include "support/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include <memory>
#include <string>
#include <vector>

namespace sparkhost::testing::fake_backend_test {

namespace asio = boost::asio;

/// Writes down what a watch tells: "begin", "complete", or "<ticket> <state>".
class RecordingSink final : public EventSink {
public:
    void snapshot_begin() override { heard.emplace_back("begin"); }
    void snapshot_complete() override { heard.emplace_back("complete"); }
    void status(ApplicationStatus report) override {
        static const char* const names[] = {"submitted", "started", "context_up", "ended"};
        heard.push_back(report.ticket + ' ' + names[static_cast<int>(report.state)]);
        last = std::move(report);
    }

    std::vector<std::string> heard;
    ApplicationStatus last;
};

using Lines = std::vector<std::string>;

/// A cluster, a backend on it, and a context that only runs when told to.
struct Fixture {
    asio::io_context io{1};
    std::shared_ptr<ManualClock> clock{std::make_shared<ManualClock>()};
    std::shared_ptr<FakeCluster> cluster{std::make_shared<FakeCluster>()};
    std::unique_ptr<Backend> backend{open_backend()};
    std::shared_ptr<RecordingSink> sink{std::make_shared<RecordingSink>()};
    asio::cancellation_signal stop_watching;
    bool watching{false};

    std::unique_ptr<Backend> open_backend(std::string store = "0123456789abcdef",
                                          FakeBackendOptions options = {}) {
        auto made = make_fake_backend(cluster, std::move(options));
        BackendContext context;
        context.store_uuid = std::move(store);
        context.clock = clock;
        test::run_on(io, [&] { return made->open(context); }).value();
        return made;
    }

    static SubmitRequest request(std::string subject = "batch-1") {
        SubmitRequest made;
        made.subject = std::move(subject);
        made.spec.file = "/job.py";
        return made;
    }

    Ticket reserve(std::string subject = "batch-1") {
        return test::run_on(io, [&] { return backend->reserve(request(subject)); }).value();
    }
    Result<void> submit(Ticket ticket) {
        return test::run_on(io, [&] { return backend->submit(request(), ticket); });
    }
    Result<void> kill(Ticket ticket) {
        return test::run_on(io, [&] { return backend->kill(ticket); });
    }
    Result<void> release(Ticket ticket, bool keep_log = true) {
        Backend::ReleaseRequest wanted{.ticket = std::move(ticket), .keep_log = keep_log};
        return test::run_on(io, [&] { return backend->release(wanted); });
    }
    Result<LogPage> read_log(LogRequest wanted) {
        return test::run_on(io, [&] { return backend->read_log(wanted); });
    }
    /// A ticket that has been submitted.
    Ticket submitted(std::string subject = "batch-1") {
        auto ticket = reserve(std::move(subject));
        submit(ticket).value();
        return ticket;
    }

    void watch() {
        watching = true;
        asio::co_spawn(io, backend->watch(sink),
                       asio::bind_cancellation_slot(
                           stop_watching.slot(),
                           [this](std::exception_ptr, Result<void>) { watching = false; }));
        settle();
    }
    /// Runs what can run now.
    void settle() {
        io.restart();
        io.poll();
    }
    /// What the watch has told since the last call.
    Lines heard() {
        settle();
        return std::exchange(sink->heard, {});
    }

    ~Fixture() {
        stop_watching.emit(asio::cancellation_type::terminal);
        settle();
    }
};

}  // namespace sparkhost::testing::fake_backend_test

#endif
