// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_CONTAINER_LOGS_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_CONTAINER_LOGS_HPP

#include "http/client.hpp"

#include <sparkhost/error.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace sparkhost::detail::yarn {

/// A part of one of a container's files.
struct LogPiece {
    std::int64_t begin{0};
    std::int64_t total{0};  ///< bytes there are in the file
    std::string text{};
    bool aggregated{false};  ///< from the log server: the file grows no more
};

/// The files of containers: from their NodeManager while it has them, else from the log server. For
/// one strand.
class ContainerLogs {
public:
    struct Options {
        std::string log_server{};  ///< URL; empty: none
        std::chrono::milliseconds request_deadline{};
        http::ClientOptions http{};  ///< but for the URL
    };
    ContainerLogs(boost::asio::any_io_executor executor, Options options);
    ~ContainerLogs();

    struct Container {
        std::string id{};
        std::string node{};  ///< "host:8042"
        std::string user{};
    };
    using Self = std::shared_ptr<ContainerLogs>;
    /// From `offset` on, up to about `most` bytes; `file` is "stdout" or "stderr". Errors:
    /// not_found – neither has it (any more, or yet); backend_failed – they could not be asked.
    static Awaitable<LogPiece> read(Self self, Container container, std::string file,
                                    std::int64_t offset, std::int64_t most);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace sparkhost::detail::yarn

#endif
