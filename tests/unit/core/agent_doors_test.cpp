// SPDX-License-Identifier: Apache-2.0
#include "core/agent_doors.hpp"

#include "support/printing.hpp"
#include "support/temp_dir.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::detail {

namespace agent_doors_test {

namespace asio = boost::asio;

class ClosedGate final : public AgentGate {
public:
    Awaitable<AgentVerdict> judge(AgentGreeting) override { co_return AgentVerdict{}; }
    void admit(AgentGreeting, std::unique_ptr<AgentConnection>) override {}
};

struct Doors {
    test::TempDir dir;
    asio::io_context io{1};
    HostOptions options{};
    Backend::Traits here{};
    Backend::Traits elsewhere{};

    Doors() {
        options.agent_folder = (dir / "sessions").string();
        std::filesystem::create_directories(options.agent_folder);
        elsewhere.name = "cluster";
        elsewhere.shares_files = false;
    }
    AgentDoors open() {
        return AgentDoors(io.get_executor(), options, std::make_shared<ClosedGate>());
    }
    std::string socket() const { return "unix:" + options.agent_folder + "/agents.sock"; }
    std::string file() const { return options.agent_folder + "/agents.port"; }
    void dial(const std::string& address) {
        if (address.starts_with("unix:")) {
            asio::local::stream_protocol::socket(io).connect(
                asio::local::stream_protocol::endpoint(address.substr(5)));
            return;
        }
        const auto port = std::stoi(address.substr(address.rfind(':') + 1));
        asio::ip::tcp::socket(io).connect(
            {asio::ip::make_address("127.0.0.1"), static_cast<unsigned short>(port)});
    }
};

std::string port_of(const std::string& address) {
    return address.substr(address.rfind(':') + 1);
}

}  // namespace agent_doors_test

using agent_doors_test::Doors;
using agent_doors_test::port_of;

BOOST_FIXTURE_TEST_SUITE(agent_doors_suite, Doors)

BOOST_AUTO_TEST_CASE(without_an_address_there_is_a_socket_for_this_machine) {
    auto doors = open();
    BOOST_TEST(doors.address_for(here).value() == socket());
    dial(socket());
    const auto refused = doors.address_for(elsewhere);
    BOOST_TEST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().is(Errc::not_supported));
    BOOST_TEST(refused.error().detail.find("'cluster'") != std::string::npos);
    BOOST_TEST(refused.error().detail.find("agent_address") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(with_tcp_there_are_both) {
    options.agent_address = "tcp:127.0.0.1:0";
    auto doors = open();
    BOOST_TEST(doors.address_for(here).value() == socket());
    const auto far = doors.address_for(elsewhere).value();
    BOOST_TEST(far.starts_with("tcp:127.0.0.1:"));
    BOOST_TEST(port_of(far) != "0");
    dial(socket());
    dial(far);
    BOOST_TEST(doors.endpoints().size() == 2u);
}

BOOST_AUTO_TEST_CASE(where_the_path_is_too_long_for_a_socket_all_dial_tcp) {
    options.agent_folder = (dir / std::string(120, 'x')).string();
    std::filesystem::create_directories(options.agent_folder);
    options.agent_address = "tcp:0.0.0.0:0";
    auto doors = open();
    const auto near = doors.address_for(here).value();
    BOOST_TEST(near.starts_with("tcp:127.0.0.1:"));
    dial(near);
}

BOOST_AUTO_TEST_CASE(a_port_that_the_system_has_picked_stays) {
    options.agent_address = "tcp:127.0.0.1:0";
    std::string first;
    {
        auto doors = open();
        first = doors.address_for(elsewhere).value();
    }
    auto doors = open();
    BOOST_TEST(doors.address_for(elsewhere).value() == first);
}

BOOST_AUTO_TEST_CASE(a_kept_port_that_is_in_use_is_told_with_what_to_do) {
    options.agent_address = "tcp:127.0.0.1:0";
    const auto first = open().address_for(elsewhere).value();
    boost::asio::ip::tcp::acceptor other(io,
                                         {boost::asio::ip::make_address("127.0.0.1"),
                                          static_cast<unsigned short>(std::stoi(port_of(first)))});
    const auto says = [&](const std::exception& problem) {
        const std::string text = problem.what();
        return text.find("port " + port_of(first)) != std::string::npos &&
               text.find(file()) != std::string::npos;
    };
    BOOST_CHECK_EXCEPTION(open(), std::runtime_error, says);
}

BOOST_AUTO_TEST_CASE(a_file_that_holds_no_port_is_told) {
    options.agent_address = "tcp:127.0.0.1:0";
    for (const char* text : {"", "0", "65536", "12x", "-1"}) {
        std::ofstream(file()) << text << '\n';
        const auto says = [&](const std::exception& problem) {
            return std::string(problem.what()).starts_with(file() + " does not hold a port");
        };
        BOOST_CHECK_EXCEPTION(open(), std::runtime_error, says);
    }
}

BOOST_AUTO_TEST_CASE(drivers_elsewhere_are_told_what_is_advertised) {
    struct Row {
        std::string listens;
        std::string advertised;
        std::string wanted;  ///< "N": the port that is listened on; empty: nothing can be dialled
    };
    const std::vector<Row> rows{
        {"tcp:127.0.0.1:0", "", "tcp:127.0.0.1:N"},
        {"tcp:0.0.0.0:0", "", ""},
        {"tcp:0.0.0.0:0", "tcp:host.example:0", "tcp:host.example:N"},
        {"tcp:0.0.0.0:0", "tcp:host.example:4711", "tcp:host.example:4711"},
        {"tcp:127.0.0.1:0", "tcp:[2001:db8::7]:4711", "tcp:[2001:db8::7]:4711"},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.listens << " as " << row.advertised) {
            options.agent_address = row.listens;
            options.agent_advertised = row.advertised;
            auto doors = open();
            auto far = doors.address_for(elsewhere);
            BOOST_TEST(far.has_value() == !row.wanted.empty());
            if (far && row.wanted.ends_with(":N")) {
                std::ifstream kept(file());
                std::string port;
                std::getline(kept, port);
                BOOST_TEST(*far == row.wanted.substr(0, row.wanted.size() - 1) + port);
            } else if (far) {
                BOOST_TEST(*far == row.wanted);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_advertised_is_refused) {
    options.agent_address = "tcp:0.0.0.0:4711";
    for (const char* good : {"", "tcp:host.example:4711", "tcp:10.0.0.7:0", "tcp:[::7]:1"}) {
        options.agent_advertised = good;
        BOOST_CHECK_NO_THROW(validate_advertised(options));
    }
    for (const char* bad :
         {"host.example:4711", "tcp:host.example", "tcp::1", "tcp:a b:1", "tcp:host:65536",
          "tcp:::7:1", "tcp:[host]:1", "tcp:0.0.0.0:1", "tcp:[::]:1", "unix:/x"}) {
        options.agent_advertised = bad;
        BOOST_CHECK_THROW(validate_advertised(options), std::invalid_argument);
    }
    options.agent_advertised = "tcp:host.example:4711";
    options.agent_address = "";
    BOOST_CHECK_THROW(validate_advertised(options), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
