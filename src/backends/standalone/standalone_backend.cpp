// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/driver_request.hpp"
#include "backends/standalone/standalone_state.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

namespace sparkhost {

namespace detail::standalone {

namespace {

class StandaloneBackend final : public Backend {
public:
    explicit StandaloneBackend(StandaloneBackendOptions options)
        : state_(std::make_shared<StandaloneState>(std::move(options))) {}

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
    std::shared_ptr<StandaloneState> state_;
};

void require_option(bool holds, const std::string& rule) {
    if (!holds) {
        throw std::invalid_argument("StandaloneBackendOptions::" + rule);
    }
}

bool is_absolute_or_empty(const std::string& path) {
    return path.empty() || path.starts_with('/');
}

void check_urls(const std::vector<std::string>& urls, const std::string& option) {
    for (const auto& each : urls) {
        require_option(each.starts_with("http://") || each.starts_with("https://"),
                       option + ": \"" + each + "\" must begin with http:// (or https://)");
    }
}

void check_places(const StandaloneBackendOptions& options) {
    require_option(!options.name.empty(), "name: must not be empty");
    auto masters = master_urls(options.master, 0);
    require_option(masters.has_value(),
                   "master: " + (masters ? std::string() : masters.error().detail));
    check_urls(options.rest_urls, "rest_urls");
    check_urls(options.web_urls, "web_urls");
    require_option(options.work_dir.starts_with('/'), "work_dir: must be an absolute path");
    require_option(is_absolute_or_empty(options.jws_key_file),
                   "jws_key_file: must be an absolute path");
    require_option(options.guard_jar.empty() || options.guard_jar.starts_with('/') ||
                       options.guard_jar.find(':') != std::string::npos,
                   "guard_jar: must be a URL, or an absolute path on the workers");
}

void check_limits(const StandaloneBackendOptions& options) {
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

StandaloneState::StandaloneState(StandaloneBackendOptions given)
    : GuardedState({"standalone", given.work_dir, &is_driver_id,
                    "the guard must run in the folder that Spark's worker has made for its driver "
                    "(driver-…)"}),
      options(std::move(given)) {}

}  // namespace detail::standalone

std::unique_ptr<Backend> make_standalone_backend(boost::asio::any_io_executor executor,
                                                 StandaloneBackendOptions options) {
    (void)executor;  // everything runs on the strand the host calls from
    using namespace detail::standalone;
    check_places(options);
    check_limits(options);
    check_driver_options(options);
    return std::make_unique<StandaloneBackend>(std::move(options));
}

}  // namespace sparkhost
