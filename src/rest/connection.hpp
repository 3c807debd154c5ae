// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_CONNECTION_HPP
#define SPARKHOST_SRC_REST_CONNECTION_HPP

#include "rest/answer_room.hpp"
#include "rest/request_reader.hpp"

#include <sparkhost/rest/router.hpp>
#include <sparkhost/rest/serve.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <ctime>
#include <memory>
#include <string>

namespace sparkhost::detail::rest {

namespace asio = boost::asio;

/// What all connections of a server share.
struct SharedMemory {
    std::shared_ptr<LargeBodies> bodies;
    std::shared_ptr<AnswerRoom> answers;
};

/// One client. Everything happens on the socket's executor, which is a strand.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    using OptionsPtr = std::shared_ptr<const sparkhost::rest::ServeOptions>;

    Connection(asio::ip::tcp::socket socket, sparkhost::rest::Router router, OptionsPtr options,
               SharedMemory shared);

    /// Reads and answers requests until the client, a timeout or the server ends it.
    static asio::awaitable<void> run(std::shared_ptr<Connection> self);

    /// Call before run(): the server is stopping, and whatever is asked is answered 503.
    void refuse_requests() { refusing_ = true; }
    /// The server is stopping: end when the request under way is answered; at once without one,
    /// but on a new connection it may be on its way.
    void drain();
    /// The server cannot wait any longer.
    void abort();

    asio::any_io_executor get_executor() { return socket_.get_executor(); }

private:
    using Self = std::shared_ptr<Connection>;
    using Time = std::chrono::steady_clock::time_point;

    static asio::awaitable<bool> read_request(Self self);
    static asio::awaitable<bool> answer_request(Self self);
    static asio::awaitable<AnswerRoom::Hold> turn_to_answer(Self self);
    static asio::awaitable<Answer> make_answer(Self self, Request request);
    static asio::awaitable<Answer> ask_router(Self self, Request request);
    template <class T>
    static asio::awaitable<T> until_hangup(Self self, asio::awaitable<T> operation);
    static asio::awaitable<bool> stream(Self self, Answer answer, unsigned version, bool keep);
    static asio::awaitable<bool> send_pieces(Self self, BodySource body, unsigned version);
    static asio::awaitable<bool> send(Self self, Response response, unsigned version, bool keep);
    static asio::awaitable<bool> send_rest(Self self, std::string_view head, std::string_view body);
    static asio::awaitable<void> refuse(Self self, Response response);
    static asio::awaitable<void> linger(Self self);

    Time first_byte_deadline(Time begin) const;
    Time request_deadline(Time first_byte) const;
    void set_deadline(Time deadline);
    void clear_deadline() { deadline_ = Time::max(); }
    void arm_timer();
    void watch_for_hangup();
    std::string_view date();
    void close();

    asio::ip::tcp::socket socket_;
    asio::steady_timer timer_;
    sparkhost::rest::Router router_;
    OptionsPtr options_;
    std::shared_ptr<AnswerRoom> answers_;
    asio::steady_timer turn_;  ///< cancelled when an answer may be made
    RequestReader reader_;

    Time deadline_{Time::max()};
    Time armed_for_{Time::max()};  ///< when the timer fires; max: it is not armed
    bool timed_out_{false};
    bool draining_{false};
    bool refusing_{false};
    bool is_new_{true};  ///< has not answered a request yet
    bool aborted_{false};
    bool reading_{false};  ///< suspended in a read
    bool ended_{false};
    asio::cancellation_signal wait_signal_{};
    unsigned long waiting_{0};  ///< number of the wait under way; 0: none
    unsigned long waits_{0};
    std::time_t date_second_{-1};
    std::string date_{};
};

}  // namespace sparkhost::detail::rest

#endif
