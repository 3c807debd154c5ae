// SPDX-License-Identifier: Apache-2.0
#include "core/agent_doors.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

namespace sparkhost::detail {

namespace agent_doors {

namespace fs = std::filesystem;

/// "tcp:HOST:PORT", HOST with its brackets.
struct TcpAddress {
    std::string host{};
    std::uint16_t port{0};
    std::string text() const { return "tcp:" + host + ":" + std::to_string(port); }
};

std::optional<TcpAddress> parse(std::string_view text) {
    const auto colon = text.rfind(':');
    if (!text.starts_with("tcp:") || colon <= 4) {
        return std::nullopt;
    }
    TcpAddress address;
    address.host = text.substr(4, colon - 4);
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + colon + 1, end, address.port);
    if (parsed.ec != std::errc() || parsed.ptr != end) {
        return std::nullopt;
    }
    return address;
}

bool is_host(const std::string& host) {
    if (host.starts_with('[')) {
        boost::system::error_code failure;
        const auto inner = host.substr(1, host.size() - 2);
        return host.ends_with(']') && boost::asio::ip::make_address(inner, failure).is_v6() &&
               !failure;
    }
    constexpr std::size_t longest_name = 253;
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == '_';
    };
    return !host.empty() && host.size() <= longest_name && std::ranges::all_of(host, allowed);
}

/// The port that an earlier host has been given. Nothing: there was none.
std::optional<std::uint16_t> kept_port(const fs::path& file) {
    std::ifstream stream(file);
    if (!stream) {
        return std::nullopt;
    }
    std::string text;
    std::getline(stream, text);
    std::uint16_t port = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || port == 0) {
        throw std::runtime_error(file.string() +
                                 " does not hold a port; remove it to have another one picked, "
                                 "which the sessions that run do not know");
    }
    return port;
}

void sync(const fs::path& path, int flags) {
    const int file = ::open(path.c_str(), flags | O_CLOEXEC);
    const bool synced = file >= 0 && ::fsync(file) == 0;
    const int failure = errno;
    if (file >= 0) {
        ::close(file);
    }
    if (!synced) {
        throw std::system_error(failure, std::generic_category(), "cannot write " + path.string());
    }
}

/// Durable before anybody is told of it.
void keep_port(const fs::path& file, std::uint16_t port) {
    const fs::path made = file.string() + ".new";
    std::ofstream stream(made, std::ios::trunc);
    stream << port << '\n';
    stream.close();
    if (!stream) {
        throw std::runtime_error("cannot write " + made.string());
    }
    sync(made, O_RDONLY);
    fs::rename(made, file);
    sync(file.parent_path(), O_RDONLY | O_DIRECTORY);
}

AgentEndpoint listen(const boost::asio::any_io_executor& executor, const HostOptions& options,
                     const std::string& address, const std::shared_ptr<AgentGate>& gate) {
    AgentEndpointOptions listening;
    listening.address = address;
    listening.log = options.log;
    return AgentEndpoint(executor, std::move(listening), gate);
}

/// On the port that agents know already, where the system is to pick one.
AgentEndpoint listen_on_tcp(const boost::asio::any_io_executor& executor,
                            const HostOptions& options, TcpAddress address,
                            const std::shared_ptr<AgentGate>& gate) {
    if (address.port != 0) {
        return listen(executor, options, address.text(), gate);
    }
    const auto file = fs::absolute(options.agent_folder) / "agents.port";
    const auto port = kept_port(file);
    address.port = port.value_or(0);
    try {
        auto endpoint = listen(executor, options, address.text(), gate);
        if (!port) {
            keep_port(file, parse(endpoint.address()).value().port);
        }
        return endpoint;
    } catch (const boost::system::system_error& problem) {
        if (!port) {
            throw;
        }
        throw std::runtime_error("port " + std::to_string(*port) +
                                 ", which the agents of running sessions know (" + file.string() +
                                 "): " + problem.code().message() +
                                 "; free it, or remove the file to have another one picked");
    }
}

/// What a driver on this machine dials.
std::string near_address(const std::string& bound) {
    auto address = parse(bound).value();
    if (is_any_address(bound)) {
        address.host = address.host.starts_with('[') ? "[::1]" : "127.0.0.1";
    }
    return address.text();
}

std::string far_address(const HostOptions& options, const std::string& bound) {
    if (options.agent_advertised.empty()) {
        return is_any_address(bound) ? std::string() : bound;
    }
    auto advertised = parse(options.agent_advertised).value();
    if (advertised.port == 0) {
        advertised.port = parse(bound).value().port;
    }
    return advertised.text();
}

}  // namespace agent_doors

bool is_any_address(const std::string& address) {
    auto parsed = agent_doors::parse(address);
    if (!parsed) {
        return false;
    }
    auto& host = parsed->host;
    std::erase_if(host, [](char c) { return c == '[' || c == ']'; });
    boost::system::error_code failure;
    const auto numeric = boost::asio::ip::make_address(host, failure);
    return !failure && numeric.is_unspecified();
}

void validate_advertised(const HostOptions& options) {
    if (options.agent_advertised.empty()) {
        return;
    }
    const auto parsed = agent_doors::parse(options.agent_advertised);
    if (!parsed || !agent_doors::is_host(parsed->host)) {
        throw std::invalid_argument(
            "HostOptions::agent_advertised must be tcp:HOST:PORT, an IPv6 address in brackets");
    }
    if (is_any_address(options.agent_advertised)) {
        throw std::invalid_argument(
            "HostOptions::agent_advertised must be an address that drivers can dial");
    }
    if (!options.agent_address.starts_with("tcp:")) {
        throw std::invalid_argument(
            "HostOptions::agent_advertised needs an agent_address of the form tcp:ADDRESS:PORT");
    }
}

AgentDoors::AgentDoors(boost::asio::any_io_executor executor, const HostOptions& options,
                       const std::shared_ptr<AgentGate>& gate) {
    namespace fs = std::filesystem;
    const auto folder = fs::absolute(options.agent_folder);
    const auto socket = (folder / "agents.sock").string();
    const auto tcp = agent_doors::parse(options.agent_address);
    if (!tcp) {
        near_ = options.agent_address.empty() ? "unix:" + socket : options.agent_address;
        endpoints_.push_back(agent_doors::listen(executor, options, near_, gate));
        return;
    }
    auto endpoint = agent_doors::listen_on_tcp(executor, options, *tcp, gate);
    far_ = agent_doors::far_address(options, endpoint.address());
    near_ = agent_doors::near_address(endpoint.address());
    endpoints_.push_back(std::move(endpoint));
    if (socket.size() < sizeof(sockaddr_un::sun_path)) {  // else there is TCP for all
        near_ = "unix:" + socket;
        endpoints_.push_back(agent_doors::listen(executor, options, near_, gate));
    }
}

Result<std::string> AgentDoors::address_for(const Backend::Traits& backend) const {
    if (backend.shares_files) {
        return near_;
    }
    if (far_.empty()) {
        return Error(Errc::not_supported,
                     "drivers of backend '" + backend.name +
                         "' run elsewhere, and there is no address of this host that they could "
                         "dial: set HostOptions::agent_address to tcp:ADDRESS:PORT, and "
                         "agent_advertised where that address is not the one to dial");
    }
    return far_;
}

}  // namespace sparkhost::detail
