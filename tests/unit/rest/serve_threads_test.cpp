// SPDX-License-Identifier: Apache-2.0

// The server on several threads, with clients that do not wait for each other. What it asserts
// is little; what the sanitizers see is much.

#include <sparkhost/rest/serve.hpp>
#include <sparkhost/storages/memory.hpp>
#include <sparkhost/testing/fake_backend.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace sparkhost;

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

class BlockingClient {
public:
    explicit BlockingClient(const tcp::endpoint& to) { socket_.connect(to); }

    rest::Response ask(http::verb method, const std::string& target, std::string body = {}) {
        rest::Request request{method, target, 11};
        request.set(http::field::host, "localhost");
        request.body() = std::move(body);
        request.prepare_payload();
        http::write(socket_, request);
        rest::Response response;
        http::read(socket_, buffer_, response);
        return response;
    }

private:
    asio::io_context io_;
    tcp::socket socket_{io_};
    boost::beast::flat_buffer buffer_;
};

struct ThreadedServer {
    asio::thread_pool pool{3};
    std::shared_ptr<testing::FakeCluster> cluster{std::make_shared<testing::FakeCluster>()};
    std::optional<Host> host;
    std::future<Result<void>> running;
    std::future<void> serving;
    asio::cancellation_signal stop_serving;
    tcp::endpoint endpoint;

    ThreadedServer() {
        cluster->set_pace(testing::FakeCluster::Pace::runs_through);
        HostPlugins plugins;
        plugins.storage = make_memory_storage();
        plugins.backends.push_back(testing::make_fake_backend(cluster));
        HostOptions options;
        options.max_running = 8;
        host.emplace(pool.get_executor(), std::move(options), std::move(plugins));
        running = asio::co_spawn(pool, host->run(), asio::use_future);
        tcp::acceptor acceptor(pool, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        endpoint = acceptor.local_endpoint();
        const rest::Router router(*host);
        auto token = asio::bind_cancellation_slot(stop_serving.slot(), asio::use_future);
        auto strand = asio::make_strand(pool);
        strand_.emplace(strand);
        serving = asio::co_spawn(strand, rest::serve(std::move(acceptor), router), token);
    }

    /// Cancels on the strand that serve() runs on, and gives whether everything completes.
    bool stop() {
        stopped_ = true;
        asio::post(*strand_, [this] { stop_serving.emit(asio::cancellation_type::terminal); });
        const bool served = serving.wait_for(std::chrono::seconds(60)) == std::future_status::ready;
        host->stop();
        const bool ran = running.wait_for(std::chrono::seconds(60)) == std::future_status::ready;
        return served && ran;
    }

    ~ThreadedServer() {
        if (!stopped_) {
            stop();
        }
        host.reset();
        pool.join();
    }

private:
    std::optional<asio::strand<asio::thread_pool::executor_type>> strand_;
    bool stopped_{false};
};

/// One client's day; gives how many of its batches came to a good end.
int work(const tcp::endpoint& endpoint, int batches) {
    BlockingClient client(endpoint);
    int good = 0;
    for (int i = 0; i < batches; ++i) {
        const auto created = client.ask(http::verb::post, "/batches", R"({"file": "/jobs/x.py"})");
        const auto id = boost::json::parse(created.body()).at("id").as_int64();
        const auto path = "/batches/" + std::to_string(id);
        for (const std::string state : {"starting", "running"}) {
            client.ask(http::verb::get, path + "/state?wait=60&state=" + state);
        }
        const auto ended = client.ask(http::verb::get, path);
        good += boost::json::parse(ended.body()).at("state").as_string() == "success" ? 1 : 0;
        client.ask(http::verb::get, "/batches?size=5");
        client.ask(http::verb::get, "/metrics");
        client.ask(http::verb::delete_, path);
    }
    return good;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rest_serve_threads)

BOOST_AUTO_TEST_CASE(many_clients_are_served_at_the_same_time) {
    ThreadedServer server;
    constexpr int clients = 6;
    constexpr int batches = 10;
    std::vector<std::future<int>> days;
    for (int i = 0; i < clients; ++i) {
        days.push_back(std::async(std::launch::async, work, server.endpoint, batches));
    }
    int good = 0;
    for (auto& day : days) {
        good += day.get();
    }
    BOOST_TEST(good == clients * batches);
    BOOST_TEST(server.stop());
}

BOOST_AUTO_TEST_CASE(a_server_with_waiting_clients_stops) {
    ThreadedServer server;
    server.cluster->set_pace(testing::FakeCluster::Pace::by_hand);
    BlockingClient first(server.endpoint);
    first.ask(http::verb::post, "/batches", R"({"file": "/jobs/x.py"})");
    std::vector<std::future<unsigned>> waits;
    for (int i = 0; i < 4; ++i) {
        waits.push_back(std::async(std::launch::async, [&server] {
            BlockingClient client(server.endpoint);
            client.ask(http::verb::get, "/healthz");
            return client.ask(http::verb::get, "/batches/0/state?wait=300&state=starting")
                .result_int();
        }));
    }
    // Those whose request is still on its way may be told so, or find the connection closed: no
    // answer is lost that was promised.
    BOOST_TEST(server.stop());
    for (auto& wait : waits) {
        try {
            const unsigned status = wait.get();
            BOOST_TEST((status == 200u || status == 503u), status);
        } catch (const boost::system::system_error& failure) {
            BOOST_TEST_MESSAGE(failure.what());
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
