// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_STANDALONE_MASTERS_HPP
#define SPARKHOST_SRC_BACKENDS_STANDALONE_MASTERS_HPP

#include "backends/standalone/master_answer.hpp"
#include "http/client.hpp"
#include "http/places.hpp"

#include <sparkhost/backends/standalone.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::standalone {

/// "http://HOST:PORT" for each master of "spark://host:7077,host2:7077". Errors: invalid_argument –
/// it is no such URL.
Result<std::vector<std::string>> master_urls(std::string_view master, int port);

/// The masters of a cluster, of which one is alive; and its workers' web pages. For one strand.
class Masters {
public:
    struct Options {
        std::vector<std::string> rest_urls{};
        std::vector<std::string> web_urls{};
        std::chrono::milliseconds request_deadline{};
        http::ClientOptions http{};  ///< but for the URL
    };
    /// Throws std::invalid_argument: a URL is wrong.
    Masters(boost::asio::any_io_executor executor, Options options);

    using Self = std::shared_ptr<Masters>;
    // Each asks one master after the other until it finds the one that is alive.
    static boost::asio::awaitable<SubmissionAnswer> create(Self self, std::string body);
    static boost::asio::awaitable<SubmissionAnswer> status(Self self, std::string driver);
    static boost::asio::awaitable<SubmissionAnswer> kill(Self self, std::string driver);
    /// Errors: backend_failed – no master is alive; `detail` says what each one says.
    static Awaitable<ClusterView> look(Self self);

    /// GET from a worker's web page. Errors: backend_failed – it does not answer so.
    static Awaitable<std::string> ask_worker(Self self, std::string url, std::string target);

private:
    static boost::asio::awaitable<SubmissionAnswer> ask(Self self, http::Request request);

    std::chrono::milliseconds request_deadline_;
    std::shared_ptr<http::Places> rest_;
    std::shared_ptr<http::Places> web_;
    http::ClientTable workers_;
};

}  // namespace sparkhost::detail::standalone

#endif
