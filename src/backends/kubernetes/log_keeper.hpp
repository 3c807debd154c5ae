// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_LOG_KEEPER_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_LOG_KEEPER_HPP

#include "backends/kubernetes/driver_names.hpp"
#include "http/client.hpp"

#include <sparkhost/backend.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace sparkhost::detail::kubernetes {

struct LogKeeperOptions {
    std::string work_dir{};
    std::string store_uuid{};
    std::size_t max_followed{64};
    std::chrono::milliseconds request_deadline{std::chrono::seconds{30}};
    /// The longest pause before a log is looked for again.
    std::chrono::milliseconds longest_pause{std::chrono::seconds{10}};
    /// A stream on which nothing comes for so long is asked for anew.
    std::chrono::milliseconds idle_limit{std::chrono::minutes{5}};
    /// How long a followed log may go on after its driver has ended, before it is asked for whole.
    std::chrono::milliseconds drain_limit{std::chrono::seconds{2}};
    boost::asio::any_io_executor blocking_executor{};
    LogSink log{};
};

/// Where a driver's log is, and whose it must be.
struct LogPlace {
    std::string name_space{};
    Identity identity{};  ///< an empty nonce: not known, any
};

struct LogWorld;

/// Fetches the logs of driver pods and keeps them on the host's disk: while they are written, when
/// they are asked for, and before the pod may go. Each log has at most one stream and one writer.
/// For one strand.
class LogKeeper {
public:
    LogKeeper(boost::asio::any_io_executor strand, LogKeeperOptions options,
              std::shared_ptr<http::Client> client);
    ~LogKeeper();  ///< ends what is under way
    LogKeeper(const LogKeeper&) = delete;
    LogKeeper& operator=(const LogKeeper&) = delete;

    /// The watch has seen how far an application is. Logs of those that run are followed, as many
    /// as the options allow.
    void notice(const LogPlace& place, ApplicationState state);
    /// The watch has ended: nothing is followed but what somebody reads.
    void watch_ended();

    /// Errors: not_found – there is no such pod, and nothing is kept of it; backend_failed – it is
    /// not known what there is. Cancellation: stopped.
    Awaitable<LogPage> read(LogPlace place, LogRequest request);

    /// The application has ended, and its pod may go when this has succeeded: its log is durable on
    /// the host's disk, or there is none. Errors: backend_failed – try again.
    Awaitable<void> complete(LogPlace place);

    Awaitable<void> remove(std::string ticket);

private:
    std::shared_ptr<LogWorld> world_;
};

}  // namespace sparkhost::detail::kubernetes

#endif
