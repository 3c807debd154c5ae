// SPDX-License-Identifier: Apache-2.0
#include "support/load.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <charconv>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace sparkhost::bench {

namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

struct Shared {
    LoadPlan plan{};
    SteadyClock::time_point begin{};
    SteadyClock::time_point end{};
    LoadResult result{};
};

/// Length of the whole first answer in `bytes`, or 0 while it is not complete.
std::size_t answer_length(std::string_view bytes) {
    const auto header_end = bytes.find("\r\n\r\n");
    if (header_end == std::string_view::npos) {
        return 0;
    }
    std::size_t length = 0;
    const auto field = bytes.find("Content-Length: ");
    if (field < header_end) {
        const char* digits = bytes.data() + field + 16;
        std::from_chars(digits, bytes.data() + header_end, length);
    }
    const auto whole = header_end + 4 + length;
    return bytes.size() >= whole ? whole : 0;
}

void check_status(std::string_view answer, unsigned expected) {
    unsigned status = 0;
    std::from_chars(answer.data() + 9, answer.data() + 12, status);
    if (status != expected) {
        throw std::runtime_error("unexpected answer: " + std::string(answer.substr(0, 400)));
    }
}

asio::awaitable<void> keep_busy(Shared& shared, std::size_t connection) {
    asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
    const asio::ip::tcp::endpoint server(asio::ip::address_v4::loopback(), shared.plan.port);
    co_await socket.async_connect(server, asio::use_awaitable);
    socket.set_option(asio::ip::tcp::no_delay(true));
    std::string buffer(16384, '\0');
    for (std::size_t n = 0;; ++n) {
        const std::string request = shared.plan.request(connection, n);
        const auto sent = SteadyClock::now();
        if (sent >= shared.end) {
            co_return;
        }
        co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);
        std::size_t filled = 0;
        std::size_t whole = 0;
        while (whole == 0) {
            if (filled == buffer.size()) {
                buffer.resize(buffer.size() * 2);
            }
            auto rest = asio::buffer(buffer.data() + filled, buffer.size() - filled);
            filled += co_await socket.async_read_some(rest, asio::use_awaitable);
            whole = answer_length(std::string_view(buffer.data(), filled));
        }
        check_status(std::string_view(buffer.data(), filled), shared.plan.status);
        const auto now = SteadyClock::now();
        if (sent >= shared.begin && now <= shared.end) {
            shared.result.latency.add(now - sent);
        }
    }
}

}  // namespace

LoadResult run_load(LoadPlan plan) {
    asio::io_context io(1);
    Shared shared;
    shared.begin = SteadyClock::now() + plan.warm_up;
    shared.end = shared.begin + plan.duration;
    const auto seconds = std::chrono::duration<double>(plan.duration).count();
    shared.plan = std::move(plan);
    for (std::size_t connection = 0; connection < shared.plan.connections; ++connection) {
        asio::co_spawn(io, keep_busy(shared, connection), [](std::exception_ptr failure) {
            if (failure) {
                std::rethrow_exception(failure);
            }
        });
    }
    io.run();
    shared.result.rate = static_cast<double>(shared.result.latency.count()) / seconds;
    return std::move(shared.result);
}

std::string get_request(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
}

std::string post_request(const std::string& target, const std::string& body) {
    return "POST " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace sparkhost::bench
