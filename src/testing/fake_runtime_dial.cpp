// SPDX-License-Identifier: Apache-2.0
#include "testing/fake_runtime_world.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <exception>

namespace sparkhost::detail::fake_agents {

namespace {

/// Throws std::exception where it is not an address.
Socket::endpoint_type endpoint_of(const std::string& address) {
    if (address.starts_with("unix:")) {
        return asio::local::stream_protocol::endpoint(address.substr(5));
    }
    const auto colon = address.rfind(':');
    auto host = address.substr(4, colon - 4);
    if (host.starts_with('[')) {
        host = host.substr(1, host.size() - 2);
    }
    const auto port = std::stoi(address.substr(colon + 1));
    return asio::ip::tcp::endpoint(asio::ip::make_address(host),
                                   static_cast<asio::ip::port_type>(port));
}

std::string greeting_of(const Driver& driver) {
    boost::json::object greeting{
        {"type", driver.granted ? "resume" : "claim"},
        {"versions", boost::json::array{1}},
        {"ticket", driver.request.ticket},
        {"nonce", driver.nonce},
        {"kinds", boost::json::array(driver.kinds.begin(), driver.kinds.end())},
        {"pid", 1000 + driver.request.id.value}};
    if (driver.granted) {
        greeting.emplace("resume_key", driver.resume_key);
        greeting.emplace("received", 0);
        greeting.emplace("oldest", 1);
        greeting.emplace("latest", 0);
    } else {
        greeting.emplace("secret", driver.secret);
    }
    return boost::json::serialize(greeting) + "\n";
}

/// What the host has answered; an empty object: nothing that can be understood.
boost::json::object parse_answer(const std::string& line) {
    boost::system::error_code failure;
    auto value = boost::json::parse(line, failure);
    return !failure && value.is_object() ? std::move(value.as_object()) : boost::json::object();
}

std::string text_in(const boost::json::object& object, const char* name) {
    const auto* value = object.if_contains(name);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

/// One line with its end; empty at the end of the stream.
asio::awaitable<std::string> read_answer(std::shared_ptr<Socket> socket) {
    std::string line;
    boost::system::error_code failure;
    co_await asio::async_read_until(*socket, asio::dynamic_buffer(line), '\n',
                                    asio::redirect_error(asio::use_awaitable, failure));
    co_return failure ? std::string() : line;
}

asio::awaitable<void> write_bytes(std::shared_ptr<Socket> socket, std::string bytes) {
    boost::system::error_code ignored;
    co_await asio::async_write(*socket, asio::buffer(bytes),
                               asio::redirect_error(asio::use_awaitable, ignored));
}

/// The host's answer to the greeting; an empty line: none.
asio::awaitable<std::string> greet(DriverPtr driver, std::shared_ptr<Socket> socket) {
    boost::system::error_code failure;
    auto endpoint = endpoint_of(driver->request.agent_endpoint);
    co_await socket->async_connect(endpoint, asio::redirect_error(asio::use_awaitable, failure));
    if (failure) {
        co_return std::string();
    }
    co_await write_bytes(socket, greeting_of(*driver));
    co_return co_await read_answer(socket);
}

/// Whether the host has granted.
bool take_answer(World& world, Driver& driver, const std::string& line) {
    const auto answer = parse_answer(line);
    const auto type = text_in(answer, "type");
    if (type == "refuse") {
        driver.last_refusal = text_in(answer, "code");
        const auto* retry = answer.if_contains("retry");
        if (!retry || *retry != true) {
            driver.quit(11, "refused");
        }
    }
    const bool granted = type == "grant" && !std::exchange(driver.loses_grant, false);
    if (granted) {
        driver.last_refusal.clear();
        if (!driver.granted) {
            driver.resume_key = text_in(answer, "resume_key");
        }
        driver.granted = true;
        driver.link = ++world.numbers;
    }
    return granted;
}

}  // namespace

asio::awaitable<void> dial_host(WorldPtr world, DriverPtr driver, std::uint64_t number,
                                std::chrono::milliseconds after) {
    const auto is_void = [world, driver, number] {
        return world->over || driver->exit_code || driver->dial != number;
    };
    if (after.count() > 0) {
        const auto pause = std::make_shared<asio::steady_timer>(world->executor, after);
        driver->pause = pause;
        boost::system::error_code ignored;
        co_await pause->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if (!is_void()) {
        world->count("dial");
        std::function<bool()> may_dial = [world, is_void] {
            return !world->holds("dial") || is_void();
        };
        co_await wait_until(world, std::move(may_dial));
    }
    if (is_void()) {
        co_return;
    }
    const auto socket = std::make_shared<Socket>(world->executor);
    driver->socket = socket;
    auto line = co_await greet(driver, socket);
    if (is_void()) {
        co_return;
    }
    ++driver->dials;
    if (take_answer(*world, *driver, line)) {
        auto name = "fake-session " + std::to_string(driver->request.id.value) + " " +
                    std::to_string(driver->link) + "\n";
        co_await write_bytes(socket, std::move(name));
        if (!is_void()) {
            driver->advance();  // notifies
            co_await read_answer(socket);
        }
    }
    if (!is_void()) {
        driver->leave();
        if (world->options.redials_by_itself) {
            world->dial(driver, back_off);
        }
    }
    world->notify();
}

void World::dial(const DriverPtr& driver, std::chrono::milliseconds after) {
    driver->leave();
    asio::co_spawn(executor, dial_host(shared_from_this(), driver, driver->dial, after),
                   asio::detached);
}

}  // namespace sparkhost::detail::fake_agents
