// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_PACKAGE_FINISHED_AT_ONCE_HPP
#define SPARKHOST_TESTS_PACKAGE_FINISHED_AT_ONCE_HPP

#include <sparkhost/backend.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <string>
#include <utility>

/// A backend of somebody else's, made with sparkhost::headers alone: each application has ended
/// well as soon as it is submitted.
class FinishedAtOnce final : public sparkhost::Backend {
public:
    Traits traits() const override { return {.name = "finished-at-once"}; }

    sparkhost::Awaitable<void> open(sparkhost::BackendContext) override {
        co_return sparkhost::ok();
    }

    sparkhost::Awaitable<sparkhost::Ticket> reserve(sparkhost::SubmitRequest request) override {
        if (request.spec.file.empty()) {
            co_return sparkhost::Error(sparkhost::Errc::invalid_argument, "is needed", "file");
        }
        sparkhost::Ticket ticket{.id = request.subject, .data = ""};
        co_return ticket;
    }

    sparkhost::Awaitable<void> submit(sparkhost::SubmitRequest, sparkhost::Ticket ticket) override {
        report(std::move(ticket), sparkhost::Outcome::success, 0);
        co_return sparkhost::ok();
    }

    sparkhost::Awaitable<void> watch(std::shared_ptr<sparkhost::EventSink> sink) override {
        sink_ = sink;
        sink->snapshot_complete();
        // until cancelled
        boost::asio::steady_timer never(co_await boost::asio::this_coro::executor,
                                        boost::asio::steady_timer::time_point::max());
        boost::system::error_code ignored;
        co_await never.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
        sink_ = nullptr;
        co_return sparkhost::ok();
    }

    sparkhost::Awaitable<void> kill(sparkhost::Ticket ticket) override {
        report(std::move(ticket), sparkhost::Outcome::killed, 143);
        co_return sparkhost::ok();
    }

    sparkhost::Awaitable<void> release(ReleaseRequest) override { co_return sparkhost::ok(); }

private:
    void report(sparkhost::Ticket ticket, sparkhost::Outcome outcome, int exit_code) {
        sparkhost::ApplicationStatus status{.ticket = std::move(ticket.id)};
        status.state = sparkhost::ApplicationState::ended;
        status.outcome = outcome;
        status.exit_code = exit_code;
        if (sink_) {
            sink_->status(std::move(status));
        }
    }

    std::shared_ptr<sparkhost::EventSink> sink_;
};

#endif
