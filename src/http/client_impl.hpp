// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_HTTP_CLIENT_IMPL_HPP
#define SPARKHOST_SRC_HTTP_CLIENT_IMPL_HPP

#include "http/answer_reader.hpp"
#include "http/blocking.hpp"
#include "http/client.hpp"
#include "http/connector.hpp"
#include "http/credentials.hpp"
#include "http/limit_machine.hpp"
#include "http/retry_machine.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::detail::http {

/// What a client and everything it has under way share. For one strand.
class ClientImpl : public std::enable_shared_from_this<ClientImpl> {
public:
    using Self = std::shared_ptr<ClientImpl>;
    using Time = std::chrono::steady_clock::time_point;

    /// Throws std::invalid_argument.
    ClientImpl(asio::any_io_executor executor, ClientOptions options);

    static Awaitable<Response> send(Self self, Request request);
    static Awaitable<std::unique_ptr<Stream>> stream(Self self, Request request);
    void stop();
    bool is_untrusted() const { return connector_->is_untrusted(); }

private:
    /// A request that waits. Woken by cancelling its timer.
    struct Turn {
        Turn(ClientImpl& client, std::list<Turn*>& waiting);
        ~Turn();
        ClientImpl& owner;
        std::list<Turn*>& list;
        asio::steady_timer timer;
        std::list<Turn*>::iterator place;
    };

    /// The right to have one request under way; given back when it goes.
    class Slot {
    public:
        explicit Slot(Self client) : client_(std::move(client)), round_(client_->limit_.begin()) {}
        Slot(Slot&&) = default;
        Slot& operator=(Slot&&) = delete;
        ~Slot() {
            if (client_) {
                client_->leave(round_, ConcurrencyLimit::End::broken);
            }
        }
        void end(ConcurrencyLimit::End how) { std::exchange(client_, nullptr)->leave(round_, how); }

    private:
        Self client_;
        std::uint64_t round_;
    };

    /// One request on its way through its tries.
    struct Course {
        Request request{};
        bool streaming{false};
        Time deadline{};
        RetryFacts facts{};
        bool fresh_connection{false};
        bool token_reread{false};
        // of the last try:
        Attempt attempt{};
        Error error{};  ///< where there is no answer
        ConnectionPtr connection{};
        std::shared_ptr<AnswerReader> reader{};
        Response response{};
        std::string authorization{};
    };
    using CoursePtr = std::shared_ptr<Course>;

    CoursePtr begin(Request request, bool streaming) const;
    static Awaitable<void> run(Self self, CoursePtr course);
    static Awaitable<void> run_tries(Self self, CoursePtr course);
    static asio::awaitable<bool> goes_on(Self self, CoursePtr course);
    static asio::awaitable<void> try_once(Self self, CoursePtr course);
    static asio::awaitable<void> try_counted(Self self, CoursePtr course);
    static asio::awaitable<void> exchange(Self self, CoursePtr course);
    static asio::awaitable<Connection::Transfer> transmit(Self self, CoursePtr course);
    static asio::awaitable<Connection::Transfer> transmit_source(CoursePtr course);
    static asio::awaitable<boost::system::error_code> receive(CoursePtr course);
    static Awaitable<Slot> enter(Self self, Time deadline);
    static asio::awaitable<void> wait_until(Self self, Time until);
    static Awaitable<ConnectionPtr> connection(Self self, CoursePtr course);

    void leave(std::uint64_t round, ConcurrencyLimit::End how);
    void wake_first();
    void settle(Course& course);
    void note_failure(Course& course, const boost::system::error_code& failure, bool sent);
    void unreachable(Course& course, Error error) const;
    std::string wire(const Course& course) const;
    Error with_peer(Errc code, const std::string& what) const;

    asio::any_io_executor executor_;
    std::shared_ptr<const ClientOptions> options_;
    std::shared_ptr<WaiterSet> waiters_ = std::make_shared<WaiterSet>();
    std::shared_ptr<Connector> connector_;
    std::shared_ptr<Credentials> credentials_;
    ConcurrencyLimit limit_;
    std::list<Turn*> turns_{};           ///< who waits for a slot, in order
    std::list<Turn*> sleepers_{};        ///< who waits for a time
    std::vector<ConnectionPtr> idle_{};  ///< used last at the end
    std::minstd_rand dice_{std::random_device{}()};
    bool stopped_{false};
};

/// An answer that is given out as it comes.
std::unique_ptr<Stream> make_stream(Response head, ConnectionPtr connection,
                                    std::shared_ptr<AnswerReader> reader, std::string peer);

/// Whether the request can be written down as it is. Errors: invalid_argument.
Result<void> check_request(const Request& request);

}  // namespace sparkhost::detail::http

#endif
