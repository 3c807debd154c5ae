// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/tracking_machine.hpp"
#include "backends/yarn/yarn_state.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace sparkhost::detail::yarn {

namespace {

/// From "node:8042/container_1_0001_01_000001/user" (log_place).
ContainerLogs::Container container_at(const std::string& place) {
    const auto id = place.find('/') + 1;
    const auto user = place.find('/', id) + 1;
    ContainerLogs::Container container;
    container.node = place.substr(0, id - 1);
    container.id = place.substr(id, user - 1 - id);
    container.user = place.substr(user);
    return container;
}

/// The files of the AMs' containers.
class AmLogs final : public guarded::LogSource {
public:
    AmLogs(std::shared_ptr<ContainerLogs> logs, bool has_log_server)
        : logs_(std::move(logs)), has_log_server_(has_log_server) {}

    Awaitable<guarded::LogPiece> read(Place place, std::string file, std::int64_t at,
                                      std::int64_t size) override {
        return ask(logs_, std::move(place), std::move(file), at, size, has_log_server_);
    }

private:
    static Awaitable<guarded::LogPiece> ask(std::shared_ptr<ContainerLogs> logs, Place place,
                                            std::string file, std::int64_t at, std::int64_t size,
                                            bool has_log_server) {
        ContainerLogs::Container container = container_at(place.worker);
        Result<LogPiece> piece = co_await ContainerLogs::read(std::move(logs), std::move(container),
                                                              std::move(file), at, size);
        guarded::LogPiece got;
        if (piece) {
            got.begin = piece->begin;
            got.end = piece->begin + static_cast<std::int64_t>(piece->text.size());
            got.total = std::max(piece->total, got.end);
            got.text = std::move(piece->text);
            co_return got;
        }
        if (piece.error().is(Errc::not_found) && !has_log_server) {
            got.begin = got.end = got.total = at;  // nobody else will ever have it
            co_return got;
        }
        co_return Error(Errc::backend_failed, piece.error().detail);
    }

    std::shared_ptr<ContainerLogs> logs_;
    bool has_log_server_;
};

}  // namespace

guarded::LogReading log_reading(const std::shared_ptr<YarnState>& state) {
    guarded::LogReading reading;
    reading.state = state;
    reading.source =
        std::make_shared<AmLogs>(state->container_logs, !state->options.log_server.empty());
    reading.patience = state->options.log_patience;
    reading.shortest_pause = state->options.shortest_interval;
    // an AM tells its end, and then stops what Spark has running
    reading.last_words = std::max<std::chrono::milliseconds>(reading.last_words,
                                                             2 * state->options.shortest_interval);
    return reading;
}

}  // namespace sparkhost::detail::yarn
