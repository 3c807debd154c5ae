// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/log_page.hpp"
#include "backends/standalone/standalone_state.hpp"

#include <memory>
#include <utility>

namespace sparkhost::detail::standalone {

namespace {

/// The web pages of workers.
class WorkerLogs final : public guarded::LogSource {
public:
    explicit WorkerLogs(std::shared_ptr<Masters> masters) : masters_(std::move(masters)) {}

    Awaitable<guarded::LogPiece> read(Place place, std::string file, std::int64_t at,
                                      std::int64_t size) override {
        std::string target = "/log/?driverId=" + place.driver + "&logType=" + file +
                             "&offset=" + std::to_string(at) +
                             "&byteLength=" + std::to_string(size);
        return ask(masters_, std::move(place.worker), std::move(target));
    }

private:
    static Awaitable<guarded::LogPiece> ask(std::shared_ptr<Masters> masters, std::string worker,
                                            std::string target) {
        Result<std::string> body =
            co_await Masters::ask_worker(std::move(masters), worker, std::move(target));
        if (!body) {
            co_return body.error();
        }
        auto piece = read_log_piece(*body);
        if (!piece) {
            co_return Error(Errc::backend_failed, worker + " gives no log");
        }
        co_return std::move(*piece);
    }

    std::shared_ptr<Masters> masters_;
};

}  // namespace

guarded::LogReading log_reading(const std::shared_ptr<StandaloneState>& state) {
    guarded::LogReading reading;
    reading.state = state;
    reading.source = std::make_shared<WorkerLogs>(state->masters);
    reading.patience = state->options.log_patience;
    reading.shortest_pause = state->options.shortest_interval;
    return reading;
}

}  // namespace sparkhost::detail::standalone
