// SPDX-License-Identifier: Apache-2.0
//
// 03: an application with an HTTP server of its own mounts sparkhost's routes under a prefix.
//
// You learn: the router is a function from request to response; it has no sockets, and gives
//   nothing for what is not its own, so your routes live beside it on your io_context.
// How to run: 03_mount_the_router  (needs no Spark: the cluster is the test kit's)
// Expected output:
//   GET /hello -> 200 Hello from the application
//   POST /spark/batches -> 201 {"id":0,…
//   GET /spark/batches/0/state?wait=10&state=starting -> 200 {"id":0,"state":"success"}
//   GET /spark/nothing -> 404 …
//   GET /nothing -> 404 not one of ours
#include <sparkhost/host.hpp>
#include <sparkhost/rest/router.hpp>
#include <sparkhost/storages/memory.hpp>
#include <sparkhost/testing/fake_backend.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <iostream>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace rest = sparkhost::rest;
using Stream = asio::use_awaitable_t<>::as_default_on_t<beast::tcp_stream>;

/// The application's own routes.
rest::Response answer(const rest::Request& request) {
    const bool known = request.target() == "/hello";
    rest::Response response(known ? http::status::ok : http::status::not_found, request.version());
    response.body() = known ? "Hello from the application" : "not one of ours";
    response.prepare_payload();
    return response;
}

/// The application's own connection loop: asks the router first, then its own routes.
asio::awaitable<void> serve_client(Stream stream, rest::Router router) {
    beast::flat_buffer buffer;
    for (;;) {
        rest::Request request;
        co_await http::async_read(stream, buffer, request);
        auto response = co_await router.handle(request);
        if (!response) {
            response = answer(request);
        }
        response->keep_alive(request.keep_alive());
        co_await http::async_write(stream, *response);
    }
}

asio::awaitable<void> accept_clients(asio::ip::tcp::acceptor& acceptor, rest::Router router) {
    for (;;) {
        Stream stream(co_await acceptor.async_accept(asio::use_awaitable));
        asio::co_spawn(acceptor.get_executor(), serve_client(std::move(stream), router),
                       asio::detached);
    }
}

/// A client: what curl would do.
asio::awaitable<void> ask(Stream& stream, http::verb verb, std::string target, std::string body) {
    rest::Request request(verb, target, 11);
    request.set(http::field::host, "localhost");
    request.body() = std::move(body);
    request.prepare_payload();
    co_await http::async_write(stream, request);
    beast::flat_buffer buffer;
    rest::Response response;
    co_await http::async_read(stream, buffer, response);
    std::cout << http::to_string(verb) << ' ' << target << " -> " << response.result_int() << ' '
              << response.body() << std::endl;
}

asio::awaitable<void> be_a_client(asio::ip::tcp::endpoint server, sparkhost::Host& host,
                                  asio::ip::tcp::acceptor& acceptor) {
    Stream stream(co_await asio::this_coro::executor);
    co_await stream.async_connect(server);
    co_await ask(stream, http::verb::get, "/hello", "");
    co_await ask(stream, http::verb::post, "/spark/batches", R"({"file": "/jobs/report.py"})");
    // returns as soon as the state is not "starting": a long-poll, not a loop
    co_await ask(stream, http::verb::get, "/spark/batches/0/state?wait=10&state=starting", "");
    co_await ask(stream, http::verb::get, "/spark/nothing", "");
    co_await ask(stream, http::verb::get, "/nothing", "");
    acceptor.close();
    host.stop();
}

int main() try {
    asio::io_context io;
    auto cluster = std::make_shared<sparkhost::testing::FakeCluster>();
    cluster->set_pace(sparkhost::testing::FakeCluster::Pace::runs_through);
    sparkhost::HostPlugins plugins;
    plugins.storage = sparkhost::make_memory_storage();
    plugins.backends.push_back(sparkhost::testing::make_fake_backend(cluster));
    sparkhost::Host host(io.get_executor(), {}, std::move(plugins));
    rest::Router router(host, {.prefix = "/spark"});

    const asio::ip::tcp::endpoint any_port(asio::ip::address_v4::loopback(), 0);
    asio::ip::tcp::acceptor acceptor(io, any_port);
    asio::co_spawn(io, host.run(), asio::detached);
    asio::co_spawn(io, accept_clients(acceptor, router), asio::detached);
    asio::co_spawn(io, be_a_client(acceptor.local_endpoint(), host, acceptor),
                   [](std::exception_ptr failure) {
                       if (failure) {
                           std::rethrow_exception(failure);
                       }
                   });
    io.run();
} catch (const std::exception& failure) {
    std::cerr << "03_mount_the_router: " << failure.what() << '\n';
    return 1;
}
