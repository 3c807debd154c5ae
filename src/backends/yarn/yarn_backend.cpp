// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/yarn_state.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

namespace sparkhost {

namespace detail::yarn {

namespace {

class YarnBackend final : public Backend {
public:
    explicit YarnBackend(YarnBackendOptions options)
        : state_(std::make_shared<YarnState>(std::move(options))) {}

    Traits traits() const override {
        Traits traits;
        traits.name = state_->options.name;
        traits.serves_logs = true;
        traits.shares_files = false;
        return traits;
    }
    Awaitable<void> open(BackendContext context) override {
        return open_backend(state_, std::move(context));
    }
    Awaitable<Ticket> reserve(SubmitRequest request) override {
        return reserve_ticket(state_, std::move(request));
    }
    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override {
        return submit_application(state_, std::move(request), std::move(ticket));
    }
    Awaitable<void> watch(std::shared_ptr<EventSink> sink) override {
        return watch_applications(state_, std::move(sink));
    }
    Awaitable<void> kill(Ticket ticket) override {
        return kill_application(state_, std::move(ticket));
    }
    Awaitable<void> release(ReleaseRequest request) override {
        return release_application(state_, std::move(request));
    }
    Awaitable<LogPage> read_log(LogRequest request) override {
        return guarded::read_log(log_reading(state_), std::move(request));
    }

private:
    std::shared_ptr<YarnState> state_;
};

void require_option(bool holds, const std::string& rule) {
    if (!holds) {
        throw std::invalid_argument("YarnBackendOptions::" + rule);
    }
}

void require_address(const std::string& url, const std::string& option) {
    require_option(url.starts_with("http://") || url.starts_with("https://"),
                   option + ": \"" + url + "\" must begin with http:// (or https://)");
}

void check_places(const YarnBackendOptions& options) {
    require_option(!options.name.empty(), "name: must not be empty");
    require_option(!options.resource_managers.empty(),
                   "resource_managers: at least one address is required");
    for (const auto& each : options.resource_managers) {
        require_address(each, "resource_managers");
    }
    for (const auto& each : options.webhdfs) {
        require_address(each, "webhdfs");
    }
    if (!options.log_server.empty()) {
        require_address(options.log_server, "log_server");
    }
    const bool is_hdfs = options.staging.starts_with("hdfs://");
    require_option(is_hdfs || options.staging.starts_with("file:/"),
                   "staging: must be a folder that begins with hdfs:// or file:/");
    require_option(!is_hdfs || !options.webhdfs.empty(),
                   "webhdfs: the NameNodes' addresses are required for staging in HDFS");
    require_option(options.hadoop_conf_dir.empty() || options.hadoop_conf_dir.starts_with('/'),
                   "hadoop_conf_dir: must be an absolute path");
    require_option(options.work_dir.starts_with('/'), "work_dir: must be an absolute path");
}

void check_limits(const YarnBackendOptions& options) {
    using namespace std::chrono_literals;
    require_option(options.guard_patience >= 1s && options.guard_patience <= 24h,
                   "guard_patience: must be between 1 s and 24 hours");
    require_option(options.lost_after >= 1s, "lost_after: must be at least 1 s");
    require_option(options.log_patience >= 0s, "log_patience: must not be negative");
    require_option(options.shortest_interval >= 10ms, "shortest_interval: must be at least 10 ms");
    require_option(options.longest_interval >= options.shortest_interval,
                   "longest_interval: must not be less than shortest_interval");
    require_option(options.max_requests >= 1 && options.max_requests <= 1000,
                   "max_requests: must be between 1 and 1000");
    require_option(options.request_deadline >= 1s && options.request_deadline <= 10min,
                   "request_deadline: must be between 1 s and 10 minutes");
}

}  // namespace

YarnState::YarnState(YarnBackendOptions given)
    : GuardedState({"yarn", given.work_dir, &is_application_id,
                    "the guard must run in a container of its application (CONTAINER_ID)"}),
      options(std::move(given)),
      submits(std::make_shared<Places>(options.max_requests)) {}

}  // namespace detail::yarn

std::unique_ptr<Backend> make_yarn_backend(boost::asio::any_io_executor executor,
                                           YarnBackendOptions options) {
    (void)executor;  // everything runs on the strand the host calls from
    using namespace detail::yarn;
    check_places(options);
    check_limits(options);
    check_am_options(options);
    return std::make_unique<YarnBackend>(std::move(options));
}

}  // namespace sparkhost
