// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_CLUSTER_CLAIM_DESK_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_CLUSTER_CLAIM_DESK_HPP

#include <sparkhost/backend.hpp>
#include <sparkhost/testing/backend_wrapper.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace sparkhost::test {

/// Where the drivers of a fake cluster meet the judge of whatever backend is open: the host's
/// agent endpoint, without sockets.
class ClaimDesk {
public:
    void open(boost::asio::any_io_executor strand, std::weak_ptr<ClaimJudge> judge) {
        const std::lock_guard lock(mutex_);
        strand_ = std::move(strand);
        judge_ = std::move(judge);
        ++openings_;
    }
    std::size_t openings() const {
        const std::lock_guard lock(mutex_);
        return openings_;
    }
    void close(const std::weak_ptr<ClaimJudge>& judge) {
        const std::lock_guard lock(mutex_);
        if (!judge.owner_before(judge_) && !judge_.owner_before(judge)) {
            judge_.reset();
            strand_ = {};
        }
    }

    /// `done` is called on the judge's strand, or not at all when the host is gone. False: nobody
    /// listens.
    bool claim(DriverClaim claim, std::function<void(ClaimAnswer)> done) {
        const std::lock_guard lock(mutex_);
        if (judge_.expired()) {
            return false;
        }
        auto over = [done = std::move(done)](std::exception_ptr escaped,
                                             Result<ClaimAnswer> answer) {
            if (!escaped && answer) {
                done(std::move(*answer));
            }
        };
        boost::asio::co_spawn(strand_, ask(judge_, std::move(claim)), std::move(over));
        return true;
    }
    void report(DriverReport report) {
        const std::lock_guard lock(mutex_);
        if (!judge_.expired()) {
            boost::asio::post(strand_, [weak = judge_, report = std::move(report)] {
                if (const auto judge = weak.lock()) {
                    judge->reported(report);
                }
            });
        }
    }
    /// The driver's process is gone, and its connection with it.
    void leave(std::string ticket) {
        const std::lock_guard lock(mutex_);
        if (!judge_.expired()) {
            boost::asio::post(strand_, [weak = judge_, ticket = std::move(ticket)] {
                if (const auto judge = weak.lock()) {
                    judge->guard_gone(ticket);
                }
            });
        }
    }

private:
    static Awaitable<ClaimAnswer> ask(std::weak_ptr<ClaimJudge> weak, DriverClaim claim) {
        const auto judge = weak.lock();
        if (!judge) {
            co_return Errc::stopped;
        }
        Result<ClaimAnswer> answer = co_await judge->claim(std::move(claim));
        co_return answer;
    }

    mutable std::mutex mutex_{};
    boost::asio::any_io_executor strand_{};
    std::weak_ptr<ClaimJudge> judge_{};
    std::size_t openings_{0};
};

/// Gives a backend an agent address, and its judge to a desk.
class DeskBackend : public testing::BackendWrapper {
public:
    DeskBackend(std::shared_ptr<Backend> inner, std::shared_ptr<ClaimDesk> desk)
        : BackendWrapper(std::move(inner)), desk_(std::move(desk)) {}
    ~DeskBackend() override { desk_->close(*judge_); }

    Awaitable<void> open(BackendContext context) override {
        return open_at(inner_, desk_, judge_, std::move(context));
    }

private:
    static Awaitable<void> open_at(std::shared_ptr<Backend> inner, std::shared_ptr<ClaimDesk> desk,
                                   std::shared_ptr<std::weak_ptr<ClaimJudge>> kept,
                                   BackendContext context) {
        const auto strand = co_await boost::asio::this_coro::executor;
        context.agent_address = "tcp:127.0.0.1:9";
        context.take_claims = [desk, strand, kept](std::weak_ptr<ClaimJudge> judge) {
            *kept = judge;
            desk->open(strand, std::move(judge));
        };
        Result<void> opened = co_await inner->open(std::move(context));
        co_return opened;
    }

    std::shared_ptr<ClaimDesk> desk_;
    std::shared_ptr<std::weak_ptr<ClaimJudge>> judge_{
        std::make_shared<std::weak_ptr<ClaimJudge>>()};
};

}  // namespace sparkhost::test

#endif
