// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/log_keeper.hpp"

#include "support/http/scripted_server.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost::detail::kubernetes {

namespace {

namespace asio = boost::asio;
using test::ScriptedServer;
using Lines = std::vector<std::string>;

/// One driver pod and its log, as an API server shows them.
struct LogCluster {
    explicit LogCluster(asio::any_io_executor strand) : executor(strand), news(strand) {}

    void write(const std::string& text) {
        lines.push_back("2024-05-01T10:00:00.00000000" + std::to_string(lines.size() / 3) + "Z " +
                        text);
        tell();
    }
    void end(const std::string& how = "Succeeded") {
        phase = how;
        tell();
    }
    void tell() { news.cancel(); }

    asio::any_io_executor executor;
    asio::steady_timer news;
    std::string phase{"Running"};
    std::string owner{"t-1"};
    Lines lines{};
    std::string last{};  ///< a line without an end
    bool gone{false};    ///< there is no pod
    int refuse{0};       ///< so many requests for the log get `refusal`
    std::string refusal{"500 Internal Server Error"};
    int cut_after{-1};  ///< a stream breaks off behind so many lines
    int log_requests{0};
    int follows{0};
    Lines targets{};
};
using ClusterPtr = std::shared_ptr<LogCluster>;

std::string chunk_of_log(const std::string& text) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", text.size());
    return text.empty() ? "" : size + text + "\r\n";
}

asio::awaitable<void> serve_pod(ClusterPtr cluster, std::shared_ptr<test::Peer> peer) {
    if (cluster->gone) {
        co_await peer->answer("{\"kind\":\"Status\",\"reason\":\"NotFound\"}", "404 Not Found");
        co_return;
    }
    const std::string body =
        "{\"kind\":\"Pod\",\"metadata\":{\"uid\":\"u\",\"labels\":{\"sparkhost.io/store\":\"s\","
        "\"sparkhost.io/ticket\":\"" +
        cluster->owner + "\",\"sparkhost.io/nonce\":\"n\"}},\"status\":{\"phase\":\"" +
        cluster->phase + "\"}}";
    co_await peer->answer(body);
}

asio::awaitable<void> serve_log(ClusterPtr cluster, std::shared_ptr<test::Peer> peer, bool follow) {
    ++cluster->log_requests;
    if (cluster->phase == "Pending") {
        co_await peer->answer("{\"message\":\"container is waiting to start\"}", "400 Bad Request");
        co_return;
    }
    if (cluster->refuse > 0) {
        --cluster->refuse;
        co_await peer->answer("{\"message\":\"no\"}", cluster->refusal);
        co_return;
    }
    cluster->follows += follow ? 1 : 0;
    bool there = co_await peer->say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::size_t sent = 0;  // sinceTime is not looked at: everything is repeated
    for (;;) {
        std::string text;
        while (sent < cluster->lines.size() && cluster->cut_after != static_cast<int>(sent)) {
            text += cluster->lines[sent++] + "\n";
        }
        if (!text.empty()) {
            there = co_await peer->say(chunk_of_log(text));
        }
        if (!there || cluster->cut_after == static_cast<int>(sent)) {
            cluster->cut_after = -1;
            peer->close();
            co_return;
        }
        if (!follow || cluster->phase != "Running") {
            break;
        }
        cluster->news.expires_at(asio::steady_timer::time_point::max());
        boost::system::error_code woken;
        co_await cluster->news.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    co_await peer->say(chunk_of_log(cluster->last) + "0\r\n\r\n");
}

ScriptedServer::Script cluster_script(ClusterPtr cluster) {
    return [cluster](std::shared_ptr<test::Peer> peer) -> asio::awaitable<void> {
        const ClusterPtr mine = cluster;
        for (;;) {
            const std::string request = co_await peer->request();
            if (request.empty()) {
                co_return;
            }
            const std::string target = request.substr(4, request.find(" HTTP/") - 4);
            mine->targets.push_back(target);
            if (target.find("/log?") == std::string::npos) {
                co_await serve_pod(mine, peer);
            } else {
                const bool follow = target.find("follow=true") != std::string::npos;
                co_await serve_log(mine, peer, follow);
            }
        }
    };
}

LogPlace place_in_test(const std::string& ticket = "t-1") {
    LogPlace place;
    place.name_space = "jobs";
    place.identity.store = "s";
    place.identity.ticket = ticket;
    place.identity.nonce = "n";
    return place;
}

/// A keeper on a cluster of one pod.
struct KeptLog {
    explicit KeptLog(asio::any_io_executor strand)
        : executor(strand),
          cluster(std::make_shared<LogCluster>(strand)),
          server(strand, cluster_script(cluster)) {
        start();
    }
    ~KeptLog() { cluster->end(); }

    void start() {
        http::ClientOptions options;
        options.url = server.url();
        client = std::make_shared<http::Client>(executor, std::move(options));
        LogKeeperOptions kept;
        kept.work_dir = dir.path().string();
        kept.max_followed = max_followed;
        kept.longest_pause = std::chrono::milliseconds(20);
        kept.request_deadline = deadline;
        kept.blocking_executor = executor;
        keeper = std::make_shared<LogKeeper>(executor, std::move(kept), client);
    }
    /// The host's process has ended and another begins.
    void restart() {
        keeper.reset();
        client.reset();
        start();
    }
    asio::awaitable<LogPage> read(bool follow = false, std::int64_t offset = 0) {
        LogRequest request;
        request.ticket.id = "t-1";
        request.follow = follow;
        request.offset = offset;
        auto page = co_await keeper->read(place_in_test(), request);
        BOOST_TEST_REQUIRE(page.has_value(), page.error().text());
        co_return std::move(*page);
    }

    asio::any_io_executor executor;
    test::TempDir dir{};
    std::size_t max_followed{64};
    std::chrono::milliseconds deadline{std::chrono::seconds{30}};
    ClusterPtr cluster;
    ScriptedServer server;
    std::shared_ptr<http::Client> client{};
    std::shared_ptr<LogKeeper> keeper{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_log_keeper)

BOOST_AUTO_TEST_CASE(the_log_of_an_ended_driver_is_fetched_once) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        KeptLog log(executor);
        log.cluster->write("one");
        log.cluster->write("two");
        log.cluster->last = "2024-05-01T10:00:01Z three";
        log.cluster->end();
        for (int i = 0; i < 2; ++i) {
            const auto page = co_await log.read();
            BOOST_TEST(page.lines == (Lines{"one", "two", "three"}),
                       boost::test_tools::per_element());
            BOOST_TEST(page.complete);
        }
        log.restart();
        const auto page = co_await log.read();
        BOOST_TEST(page.complete);
        BOOST_TEST(page.total == 3);
        BOOST_TEST(log.cluster->log_requests == 1);
        BOOST_TEST(log.cluster->targets.back() ==
                   "/api/v1/namespaces/jobs/pods/t-1-driver/log?container=spark-kubernetes-driver"
                   "&timestamps=true");
    });
}

BOOST_AUTO_TEST_CASE(a_running_log_is_read_as_far_as_it_is) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        KeptLog log(executor);
        log.cluster->write("one");
        auto page = co_await log.read();
        BOOST_TEST(page.total == 1);
        BOOST_TEST(!page.complete);
        log.cluster->write("two");
        page = co_await log.read();
        BOOST_TEST(page.lines == (Lines{"one", "two"}), boost::test_tools::per_element());
        BOOST_TEST(log.cluster->follows == 0);
        log.cluster->phase = "Pending";
        page = co_await log.read();
        BOOST_TEST(page.total == 2);
    });
}

BOOST_AUTO_TEST_CASE(a_reader_waits_for_lines_and_for_the_end) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        KeptLog log(executor);
        asio::post(executor, [&log] { log.cluster->write("one"); });
        auto page = co_await log.read(true, 0);
        BOOST_TEST(page.lines == (Lines{"one"}), boost::test_tools::per_element());
        asio::post(executor, [&log] { log.cluster->write("two"); });
        page = co_await log.read(true, 1);
        BOOST_TEST(page.lines == (Lines{"two"}), boost::test_tools::per_element());
        asio::post(executor, [&log] { log.cluster->end("Failed"); });
        page = co_await log.read(true, 2);
        BOOST_TEST(page.lines.empty());
        BOOST_TEST(page.complete);
    });
}

BOOST_AUTO_TEST_CASE(streams_that_break_leave_no_holes_and_no_doubles) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        KeptLog log(executor);
        Lines wanted;
        for (int i = 0; i < 12; ++i) {
            wanted.push_back("line " + std::to_string(i));
            log.cluster->write(wanted.back());
        }
        for (const int cut : {5, 7, 11}) {
            log.cluster->cut_after = cut;
            log.cluster->refuse = 1;
            const auto page = co_await log.read(true, cut - 1);
            BOOST_TEST(!page.lines.empty());
            if (cut == 7) {
                log.restart();
            }
        }
        log.cluster->end();
        LogPlace place = place_in_test();
        const auto kept = co_await log.keeper->complete(place);
        BOOST_TEST_REQUIRE(kept.has_value());
        const auto page = co_await log.read();
        BOOST_TEST(page.lines == wanted, boost::test_tools::per_element());
        BOOST_TEST(page.complete);
    });
}

BOOST_AUTO_TEST_CASE(running_drivers_are_followed_as_many_as_may_be) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        KeptLog log(executor);
        log.max_followed = 1;
        log.restart();
        log.keeper->notice(place_in_test(), ApplicationState::submitted);
        BOOST_TEST(log.cluster->log_requests == 0);
        log.keeper->notice(place_in_test(), ApplicationState::started);
        log.keeper->notice(place_in_test("t-2"), ApplicationState::started);
        log.cluster->write("one");
        auto page = co_await log.read(true, 0);
        BOOST_TEST(page.total == 1);
        BOOST_TEST(log.cluster->follows == 1);
        log.cluster->write("two");
        page = co_await log.read(true, 1);
        BOOST_TEST(page.total == 2);
        BOOST_TEST(log.cluster->follows == 1);  // the same stream
        for (const std::string& target : log.cluster->targets) {
            BOOST_TEST(target.find("t-2") == std::string::npos);
        }
        log.cluster->end();
        log.keeper->notice(place_in_test(), ApplicationState::ended);
        page = co_await log.read(true, 2);
        BOOST_TEST(page.complete);
        log.keeper->watch_ended();
    });
}

BOOST_AUTO_TEST_CASE(a_reader_of_what_has_ended_gets_all_of_it_also_when_it_was_followed) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        KeptLog log(executor);
        log.keeper->notice(place_in_test(), ApplicationState::started);
        log.cluster->write("one");
        auto page = co_await log.read(true, 0);
        BOOST_TEST(page.total == 1);
        log.cluster->write("two");
        log.keeper->notice(place_in_test(), ApplicationState::ended);
        log.cluster->end();  // the stream that is open ends by itself
        page = co_await log.read();
        BOOST_TEST(page.complete);
        BOOST_TEST(page.total == 2);
    });
}

BOOST_AUTO_TEST_CASE(a_pod_that_is_not_there_or_not_ours_has_no_log) {
    for (const bool gone : {true, false}) {
        test::run([gone](asio::any_io_executor executor) -> asio::awaitable<void> {
            KeptLog log(executor);
            log.cluster->write("a stranger's");
            log.cluster->gone = gone;
            log.cluster->owner = "another";
            LogRequest request;
            request.ticket.id = "t-1";
            request.follow = true;
            const auto page = co_await log.keeper->read(place_in_test(), request);
            BOOST_TEST_REQUIRE(page.has_error());
            BOOST_TEST(page.error().is(Errc::not_found));
            const auto kept = co_await log.keeper->complete(place_in_test());
            BOOST_TEST(kept.has_value());
            BOOST_TEST(log.cluster->log_requests == 0);
        });
    }
}

BOOST_AUTO_TEST_CASE(what_is_kept_of_a_pod_that_vanished_is_its_log) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        KeptLog log(executor);
        log.cluster->write("one");
        auto page = co_await log.read();
        BOOST_TEST(!page.complete);
        log.cluster->gone = true;
        page = co_await log.read();
        BOOST_TEST(page.complete);
        BOOST_TEST(page.total == 1);
    });
}

BOOST_AUTO_TEST_CASE(a_driver_that_never_started_has_an_empty_log) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        KeptLog log(executor);
        log.cluster->phase = "Pending";
        auto page = co_await log.read();
        BOOST_TEST(page.lines.empty());
        BOOST_TEST(!page.complete);
        const auto kept = co_await log.keeper->complete(place_in_test());
        BOOST_TEST(kept.has_value());
        page = co_await log.read();
        BOOST_TEST(page.complete);
        BOOST_TEST(page.total == 0);
    });
}

BOOST_AUTO_TEST_CASE(a_log_that_cannot_be_had_holds_the_pod_but_not_for_ever) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        KeptLog log(executor);
        log.cluster->write("one");
        auto page = co_await log.read();
        BOOST_TEST(page.total == 1);
        log.deadline = std::chrono::milliseconds(300);
        log.restart();
        log.cluster->end("Failed");
        log.cluster->refuse = 1 << 30;
        int refused = 0;
        bool kept = false;
        bool says_why = false;  // it may take too long to be told
        while (!kept && refused < 50) {
            const auto done = co_await log.keeper->complete(place_in_test());
            kept = done.has_value();
            refused += kept ? 0 : 1;
            if (!kept) {
                BOOST_TEST(done.error().is(Errc::backend_failed));
                says_why = says_why || done.error().detail.find("HTTP 500") != std::string::npos;
            }
        }
        BOOST_TEST(kept);
        BOOST_TEST(refused >= 3);
        BOOST_TEST(says_why);
        page = co_await log.read();
        BOOST_TEST(page.complete);
        BOOST_TEST(page.total == 1);
    });
}

BOOST_AUTO_TEST_CASE(a_removed_log_is_gone_also_while_it_is_followed) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        KeptLog log(executor);
        log.keeper->notice(place_in_test(), ApplicationState::started);
        log.cluster->write("one");
        const auto page = co_await log.read(true, 0);
        BOOST_TEST(page.total == 1);
        const auto removed = co_await log.keeper->remove("t-1");
        BOOST_TEST_REQUIRE(removed.has_value());
        BOOST_TEST(!std::filesystem::exists(log.dir / "logs/t-1.growing"));
        log.cluster->gone = true;
        LogRequest request;
        request.ticket.id = "t-1";
        const auto after = co_await log.keeper->read(place_in_test(), request);
        BOOST_TEST_REQUIRE(after.has_error());
        BOOST_TEST(after.error().is(Errc::not_found));
    });
}

BOOST_AUTO_TEST_CASE(a_waiting_reader_can_be_cancelled_and_its_stream_goes) {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        KeptLog log(executor);
        log.cluster->write("one");
        auto result = std::make_shared<Result<LogPage>>();
        asio::steady_timer ended(executor, asio::steady_timer::time_point::max());
        auto body = [](Awaitable<LogPage> reading, std::shared_ptr<Result<LogPage>> slot,
                       asio::steady_timer& done) -> asio::awaitable<void> {
            *slot = co_await std::move(reading);
            done.cancel();
        };
        LogRequest request;
        request.ticket.id = "t-1";
        request.follow = true;
        request.offset = 1'000;
        asio::cancellation_signal signal;
        auto token = asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {});
        asio::co_spawn(executor, body(log.keeper->read(place_in_test(), request), result, ended),
                       std::move(token));
        const auto page = co_await log.read(true, 0);
        BOOST_TEST(page.total == 1);
        signal.emit(asio::cancellation_type::terminal);
        boost::system::error_code woken;
        co_await ended.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        BOOST_TEST_REQUIRE(result->has_error());
        BOOST_TEST(result->error().is(Errc::stopped));
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::kubernetes
