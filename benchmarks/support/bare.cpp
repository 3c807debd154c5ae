// SPDX-License-Identifier: Apache-2.0
#include "support/bare.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <sqlite3.h>

#include <cerrno>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace sparkhost::bench {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using SteadyClock = std::chrono::steady_clock;

asio::awaitable<void> answer_always(asio::ip::tcp::socket socket, unsigned status,
                                    std::string body) {
    boost::beast::flat_buffer buffer;
    for (;;) {
        http::request<http::string_body> request;
        co_await http::async_read(socket, buffer, request, asio::use_awaitable);
        http::response<http::string_body> response(http::int_to_status(status), request.version());
        response.set(http::field::content_type, "application/json");
        response.body() = body;
        response.prepare_payload();
        co_await http::async_write(socket, response, asio::use_awaitable);
    }
}

asio::awaitable<void> accept_always(asio::ip::tcp::acceptor acceptor, unsigned status,
                                    std::string body) {
    for (;;) {
        auto socket = co_await acceptor.async_accept(asio::use_awaitable);
        socket.set_option(asio::ip::tcp::no_delay(true));
        asio::co_spawn(acceptor.get_executor(), answer_always(std::move(socket), status, body),
                       asio::detached);
    }
}

void must(int code, int expected, const char* what) {
    if (code != expected) {
        throw std::runtime_error(std::string("bare SQLite: ") + what);
    }
}

}  // namespace

BareServer::BareServer(unsigned status, std::string body) {
    asio::ip::tcp::acceptor acceptor(io_, {asio::ip::address_v4::loopback(), 0});
    port_ = acceptor.local_endpoint().port();
    asio::co_spawn(io_, accept_always(std::move(acceptor), status, std::move(body)),
                   asio::detached);
    thread_ = std::thread([this] { io_.run(); });
}

BareServer::~BareServer() {
    io_.stop();
    thread_.join();
}

Samples measure_fsync(const std::string& folder, int rounds) {
    const std::string path = folder + "/fsync";
    const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) {
        throw std::system_error(errno, std::generic_category(), path);
    }
    const std::string block(4096, 'x');
    Samples samples;
    for (int round = 0; round < rounds; ++round) {
        const auto begin = SteadyClock::now();
        const bool written = ::pwrite(file, block.data(), block.size(), round * 4096L) == 4096;
        if (!written || ::fdatasync(file) != 0) {
            throw std::system_error(errno, std::generic_category(), path);
        }
        samples.add(SteadyClock::now() - begin);
    }
    ::close(file);
    ::unlink(path.c_str());
    return samples;
}

double measure_bare_sqlite(const std::string& folder, int rounds) {
    sqlite3* database = nullptr;
    sqlite3_stmt* insert = nullptr;
    must(sqlite3_open((folder + "/bare.db").c_str(), &database), SQLITE_OK, "open");
    must(sqlite3_exec(database,
                      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                      "CREATE TABLE t(id INTEGER PRIMARY KEY, body TEXT)",
                      nullptr, nullptr, nullptr),
         SQLITE_OK, "schema");
    must(sqlite3_prepare_v2(database, "INSERT INTO t(body) VALUES (?)", -1, &insert, nullptr),
         SQLITE_OK, "prepare");
    const std::string body(700, 'x');
    const auto begin = SteadyClock::now();
    for (int round = 0; round < rounds; ++round) {
        sqlite3_bind_text(insert, 1, body.data(), static_cast<int>(body.size()), SQLITE_STATIC);
        must(sqlite3_step(insert), SQLITE_DONE, "insert");
        sqlite3_reset(insert);
    }
    const std::chrono::duration<double> took = SteadyClock::now() - begin;
    sqlite3_finalize(insert);
    sqlite3_close(database);
    return rounds / took.count();
}

}  // namespace sparkhost::bench
