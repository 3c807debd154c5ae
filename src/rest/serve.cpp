// SPDX-License-Identifier: Apache-2.0
#include <sparkhost/rest/serve.hpp>

#include "hop.hpp"
#include "rest/connection.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include <unistd.h>

namespace sparkhost::detail::rest {

namespace serving {

using ConnectionPtr = std::shared_ptr<Connection>;

/// The accept loop and its connections. All members belong to the strand.
class Server : public std::enable_shared_from_this<Server> {
public:
    Server(asio::ip::tcp::acceptor acceptor, sparkhost::rest::Router router,
           sparkhost::rest::ServeOptions options)
        : strand_(asio::make_strand(asio::any_io_executor(acceptor.get_executor()))),
          acceptor_(std::move(acceptor)),
          router_(std::move(router)),
          options_(std::make_shared<const sparkhost::rest::ServeOptions>(std::move(options))),
          closed_(strand_),
          grace_(strand_) {}

    /// Calls `done` when stop() has been called and no connection is left.
    void start(std::function<void(bool)> done) {
        auto ended = [self = shared_from_this(), done = std::move(done)](
                         std::exception_ptr escaped) { done(escaped == nullptr); };
        asio::co_spawn(strand_, loop(shared_from_this()), std::move(ended));
    }

    void stop() {
        asio::post(strand_, [self = shared_from_this()] { self->begin_stop(); });
    }

private:
    using Self = std::shared_ptr<Server>;

    static asio::awaitable<void> loop(Self self) {
        while (self->accepts()) {
            if (self->connections_.size() >= self->options_->max_connections) {
                co_await until_closed(self, std::chrono::hours(24));
                continue;
            }
            asio::ip::tcp::socket socket = self->new_socket();
            boost::system::error_code failure;
            co_await self->acceptor_.async_accept(
                socket, asio::redirect_error(asio::use_awaitable, failure));
            if (!failure) {
                self->admit(std::move(socket));
            } else if (failure != asio::error::operation_aborted &&
                       failure != asio::error::connection_aborted) {
                // Most likely there are no descriptors left: trying again at once would spin.
                self->log("a connection could not be accepted: " + failure.message());
                co_await until_closed(self, std::chrono::seconds(1));
            }
        }
        self->stop_accepting();
        while (!self->connections_.empty()) {
            co_await until_closed(self, std::chrono::hours(24));
        }
        self->grace_.cancel();
    }

    /// Completes when a connection has been closed, stop() was called, or the time is over.
    static asio::awaitable<void> until_closed(Self self, std::chrono::seconds longest) {
        boost::system::error_code ignored;
        self->closed_.expires_after(longest);
        co_await self->closed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }

    /// While it drains, until what it had begun is done or there is no time left.
    bool accepts() const {
        return !stopping_ || (!leaves_backlog_ && !out_of_time_ && !admitted_.empty());
    }

    asio::ip::tcp::socket new_socket() {
        asio::any_io_executor base = acceptor_.get_executor();
        return asio::ip::tcp::socket(asio::make_strand(std::move(base)));
    }

    /// Who is in the backlog would see a reset connection: answers them, unless somebody else will.
    void stop_accepting() {
        boost::system::error_code failure;
        acceptor_.non_blocking(true, failure);
        while (!leaves_backlog_ && !out_of_time_ && !failure) {
            asio::ip::tcp::socket socket = new_socket();
            acceptor_.accept(socket, failure);
            if (!failure) {
                admit(std::move(socket));
            }
        }
        // Not close(): where the socket has other descriptors it would stay in the event loop.
        ::close(acceptor_.release(failure));
    }

    void admit(asio::ip::tcp::socket socket) {
        if (out_of_time_) {
            return;  // nobody would cut it
        }
        auto connection =
            std::make_shared<Connection>(std::move(socket), router_, options_, shared_);
        connections_.insert(connection);
        if (stopping_ && !leaves_backlog_) {
            connection->refuse_requests();
        } else {
            admitted_.insert(connection);
        }
        auto ended = [self = shared_from_this(), connection](std::exception_ptr escaped) {
            asio::post(self->strand_,
                       [self, connection, escaped] { self->forget(connection, escaped); });
        };
        asio::co_spawn(connection->get_executor(), Connection::run(connection), std::move(ended));
        if (stopping_ && leaves_backlog_) {
            drain(connection);  // was being accepted at that moment: it has no other server
        }
    }

    void forget(const ConnectionPtr& connection, const std::exception_ptr& escaped) {
        connections_.erase(connection);
        admitted_.erase(connection);
        closed_.cancel();
        wake_if_over();
        if (escaped) {
            log("a connection ended by an exception: " + text_of(escaped));
        }
    }

    void begin_stop() {
        if (stopping_) {
            return;
        }
        stopping_ = true;
        leaves_backlog_ = options_->leave_backlog && options_->leave_backlog();
        closed_.cancel();
        wake_if_over();
        for (const auto& connection : connections_) {
            drain(connection);
        }
        grace_.expires_after(options_->close_grace);
        grace_.async_wait([self = shared_from_this()](boost::system::error_code failure) {
            self->out_of_time_ = !failure;
            self->wake_if_over();
            for (const auto& connection : self->connections_) {
                if (!failure) {
                    asio::post(connection->get_executor(), [connection] { connection->abort(); });
                }
            }
        });
    }

    /// The loop may be waiting for a connection.
    void wake_if_over() {
        boost::system::error_code ignored;
        if (!accepts()) {
            acceptor_.cancel(ignored);
        }
    }

    static void drain(const ConnectionPtr& connection) {
        asio::post(connection->get_executor(), [connection] { connection->drain(); });
    }

    static std::string text_of(const std::exception_ptr& escaped) {
        try {
            std::rethrow_exception(escaped);
        } catch (const std::exception& failure) {
            return failure.what();
        } catch (...) {
            return "of an unknown type";
        }
    }

    void log(std::string message) const {
        if (options_->log) {
            LogEvent event;
            event.level = LogLevel::warning;
            event.part = "rest";
            event.message = std::move(message);
            options_->log(event);
        }
    }

    Strand strand_;
    asio::ip::tcp::acceptor acceptor_;
    sparkhost::rest::Router router_;
    std::shared_ptr<const sparkhost::rest::ServeOptions> options_;
    SharedMemory shared_{
        std::make_shared<LargeBodies>(options_->max_upload, options_->upload_memory),
        std::make_shared<AnswerRoom>(options_->answer_memory)};
    asio::steady_timer closed_;  ///< cancelled to wake the loop
    asio::steady_timer grace_;
    std::set<ConnectionPtr> connections_{};
    std::set<ConnectionPtr> admitted_{};  ///< those from before stop()
    bool stopping_{false};
    bool leaves_backlog_{false};
    bool out_of_time_{false};  ///< close_grace is over
};

asio::awaitable<void> run(std::shared_ptr<Server> server) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    auto slot = cancellation.slot();
    if (cancellation.cancelled() != asio::cancellation_type::none) {
        server->stop();
    } else if (slot.is_connected()) {
        slot.assign([server](asio::cancellation_type) { server->stop(); });
    }
    auto start = [server](std::function<void(bool)> done) { server->start(std::move(done)); };
    co_await await_callback<bool>(std::move(start));
    if (slot.is_connected()) {
        slot.clear();
    }
}

void check(bool holds, const char* rule) {
    if (!holds) {
        throw std::invalid_argument(rule);
    }
}

}  // namespace serving

}  // namespace sparkhost::detail::rest

namespace sparkhost::rest {

boost::asio::awaitable<void> serve(boost::asio::ip::tcp::acceptor acceptor, Router router,
                                   ServeOptions options) {
    using detail::rest::serving::check;
    check(options.max_header > 0, "ServeOptions::max_header must be greater than zero");
    check(options.max_header <= (1u << 30), "ServeOptions::max_header must be at most 1 GiB");
    check(options.max_body > 0, "ServeOptions::max_body must be greater than zero");
    check(options.max_upload >= options.max_body,
          "ServeOptions::max_upload must not be less than max_body");
    check(options.upload_memory >= options.max_upload,
          "ServeOptions::upload_memory must not be less than max_upload");
    check(options.answer_memory > 0, "ServeOptions::answer_memory must be greater than zero");
    check(options.io_timeout.count() > 0, "ServeOptions::io_timeout must be greater than zero");
    check(options.idle_timeout.count() > 0, "ServeOptions::idle_timeout must be greater than zero");
    check(options.max_connections > 0, "ServeOptions::max_connections must be greater than zero");
    check(options.close_grace.count() >= 0, "ServeOptions::close_grace must not be negative");
    return detail::rest::serving::run(std::make_shared<detail::rest::serving::Server>(
        std::move(acceptor), std::move(router), std::move(options)));
}

}  // namespace sparkhost::rest
