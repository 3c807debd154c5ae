// SPDX-License-Identifier: Apache-2.0

// Guards that race for tickets of a host on a pool of threads. What ThreadSanitizer gets.

#include "backends/common/claim_book.hpp"
#include "hop.hpp"

#include <sparkhost/host.hpp>
#include <sparkhost/storages/memory.hpp>
#include <sparkhost/testing/backend_wrapper.hpp>
#include <sparkhost/testing/fake_backend.hpp>

#include "support/temp_dir.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sparkhost::host_test {

namespace guard_threads {

namespace asio = boost::asio;

/// Keeps its claims on disk, as backends do. Its members belong to the host's strand.
class BookJudge final : public ClaimJudge, public std::enable_shared_from_this<BookJudge> {
public:
    BookJudge(std::string folder, asio::any_io_executor blocking)
        : book_(std::make_shared<detail::ClaimBook>(std::move(folder))),
          blocking_(std::move(blocking)) {}
    void open() { book_->open().value(); }
    Awaitable<ClaimAnswer> claim(DriverClaim driver) override {
        return decide(shared_from_this(), std::move(driver));
    }
    void reported(DriverReport report) override { reported_.push_back(std::move(report)); }
    void guard_gone(std::string) override { ++gone_; }

    std::atomic<int> gone_{0};
    std::vector<DriverReport> reported_{};

private:
    static Awaitable<ClaimAnswer> decide(std::shared_ptr<BookJudge> self, DriverClaim driver) {
        auto work = [book = self->book_, driver] {
            return book->claim(driver.ticket, driver.nonce, driver.driver);
        };
        auto decision = co_await detail::run_blocking(self->blocking_, std::move(work));
        if (!decision) {
            co_return decision.error();
        }
        ClaimAnswer answer;
        answer.code = decision->answer == detail::ClaimDecision::Answer::granted
                          ? ClaimAnswer::Code::granted
                          : ClaimAnswer::Code::claimed;
        co_return answer;
    }

    std::shared_ptr<detail::ClaimBook> book_;
    asio::any_io_executor blocking_;
};

class BookBackend final : public testing::BackendWrapper {
public:
    BookBackend(std::unique_ptr<Backend> inner, std::string folder,
                std::shared_ptr<BookJudge>& judge, std::string& address)
        : BackendWrapper(std::move(inner)),
          folder_(std::move(folder)),
          judge_(judge),
          address_(address) {}
    Awaitable<void> open(BackendContext context) override {
        judge_ = std::make_shared<BookJudge>(folder_, context.blocking_executor);
        judge_->open();
        address_ = context.agent_address;
        context.take_claims(judge_);
        return BackendWrapper::open(std::move(context));
    }

private:
    std::string folder_;
    std::shared_ptr<BookJudge>& judge_;
    std::string& address_;
};

/// Dials, claims, and where it is granted reports and hears its pong. Whether it was granted.
bool claim_and_report(std::uint16_t port, const std::string& ticket, const std::string& nonce) {
    asio::ip::tcp::iostream stream;
    stream.expires_after(std::chrono::seconds(60));
    stream.connect(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port));
    stream << R"({"type":"guard","versions":[1],"ticket":")" << ticket
           << R"(","secret":"s","nonce":")" << nonce << R"(","driver":"driver-)" << nonce << "\"}\n"
           << std::flush;
    std::string line;
    std::getline(stream, line);
    if (line.find("grant") == std::string::npos) {
        return false;
    }
    stream << R"({"type":"report","application_id":"app-)" << ticket << "\"}\n"
           << R"({"type":"ping","id":1})"
           << "\n"
           << std::flush;
    std::getline(stream, line);
    return true;
}

}  // namespace guard_threads

BOOST_AUTO_TEST_SUITE(host_guard_threads)

BOOST_AUTO_TEST_CASE(of_guards_that_race_one_is_granted) {
    using namespace guard_threads;
    constexpr int racers = 4;
    constexpr int tickets = 12;
    const test::TempDir dir;
    std::shared_ptr<BookJudge> judge;
    std::string address;
    asio::thread_pool pool(3);
    HostOptions options;
    options.agent_folder = (dir / "agents").string();
    options.agent_address = "tcp:127.0.0.1:0";
    HostPlugins plugins;
    plugins.storage = make_memory_storage();
    plugins.backends.push_back(std::make_unique<BookBackend>(
        testing::make_fake_backend(std::make_shared<testing::FakeCluster>(),
                                   {.name = "elsewhere", .shares_files = false}),
        (dir / "claims").string(), judge, address));
    auto host = std::make_unique<Host>(pool.get_executor(), options, std::move(plugins));
    auto over = asio::co_spawn(pool, host->run(), asio::use_future);
    asio::co_spawn(pool, host->ready(), asio::use_future).get().value();
    const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));

    std::atomic<int> granted{0};
    {
        std::latch begin(racers);
        std::vector<std::jthread> threads;
        for (int racer = 0; racer < racers; ++racer) {
            threads.emplace_back([&, racer] {
                const std::string nonce(32, static_cast<char>('a' + racer));
                begin.arrive_and_wait();
                for (int number = 0; number < tickets; ++number) {
                    const auto ticket = "race-" + std::to_string(number);
                    granted += claim_and_report(port, ticket, nonce) ? 1 : 0;
                }
            });
        }
    }
    host->stop();
    over.get().value();
    host.reset();
    pool.join();
    BOOST_TEST(granted == tickets);
    BOOST_TEST_REQUIRE(judge->reported_.size() == static_cast<std::size_t>(tickets));
    for (const auto& report : judge->reported_) {
        BOOST_TEST(report.application_id == "app-" + report.ticket);
    }
    BOOST_TEST(judge->gone_ <= tickets);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
