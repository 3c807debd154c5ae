// SPDX-License-Identifier: Apache-2.0
#include "support/fake_kubernetes/server.hpp"

#include "support/fake_kubernetes/connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace sparkhost::test::k8s {

namespace asio = boost::asio;
using asio::ip::tcp;

Server::Server(asio::io_context& io, Api& api, Store& store, Kubelet& kubelet)
    : io_(io), api_(api), store_(store), kubelet_(kubelet) {
    store_.listen([this](const StoreEvent& event) { tell(event); });
    kubelet_.log_changed = [this](const std::string& uid) {
        for (const auto& stream : streams_) {
            if (stream->log && stream->log->pod->uid == uid) {
                stream->take_log(kubelet_);
            }
        }
    };
}

Server::~Server() = default;

void Server::bind(std::uint16_t port) {
    const tcp::endpoint here(asio::ip::address_v4::loopback(), port);
    acceptor_ = std::make_shared<tcp::acceptor>(io_);
    acceptor_->open(here.protocol());
    acceptor_->set_option(tcp::acceptor::reuse_address(true));
    acceptor_->bind(here);
    port_ = acceptor_->local_endpoint().port();
}

void Server::listen(std::uint16_t port) {
    bind(port);
    come_back();
}

void Server::come_back() {
    acceptor_->listen();
    asio::co_spawn(io_, accept(acceptor_), asio::detached);
}

asio::awaitable<void> Server::accept(std::shared_ptr<tcp::acceptor> acceptor) {
    while (acceptor->is_open()) {
        boost::system::error_code error;
        auto socket =
            co_await acceptor->async_accept(asio::redirect_error(asio::use_awaitable, error));
        if (error) {
            continue;
        }
        boost::system::error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        auto connection = std::make_shared<Connection>(*this, std::move(socket));
        connections_.insert(connection);
        auto over = [this, connection](std::exception_ptr) {
            connection->close();
            connections_.erase(connection);
        };
        asio::co_spawn(io_, connection->run(connection), std::move(over));
    }
}

void Server::go_away() {
    acceptor_->close();
    const auto connections = connections_;
    for (const auto& connection : connections) {
        connection->close();
    }
    for (const auto& stream : streams_) {
        stream->cut = true;
        stream->wake.cancel();
    }
    drop_held();
    bind(port_);  // nobody else gets the port meanwhile
}

const Fault* Server::fault_of(const ApiRequest& request) {
    for (auto& fault : faults_) {
        const bool matches = (fault.method.empty() || fault.method == request.method) &&
                             request.target.find(fault.path) != std::string::npos;
        if (!matches) {
            continue;
        }
        if (fault.skip > 0) {
            --fault.skip;
        } else if (fault.times > 0) {
            fault.times -= fault.times == Fault::always ? 0 : 1;
            current_ = fault;
            ++faults_met_;
            return &current_;
        }
    }
    return nullptr;
}

void Server::let_go() {
    for (const auto& each : std::exchange(held_, {})) {
        each->decided = true;
        each->timer.cancel();
    }
}

void Server::drop_held() {
    for (const auto& each : held_) {
        each->dropped = true;
    }
    let_go();
}

void Server::tell(const StoreEvent& event) {
    told_.push_back(event);
    if (told_.size() > 1000) {
        told_.pop_front();
    }
    for (const auto& stream : streams_) {
        if (stream->watch) {
            push(*stream, event);
        }
    }
}

void Server::push(Stream& stream, const StoreEvent& event) {
    auto line = stream.watch->line(event);
    if (line.empty()) {
        return;
    }
    if (duplicates) {
        line += line;
    }
    if (!reorders) {
        stream.add(line);
        return;
    }
    const bool swaps = !stream.postponed.empty() && stream.postponed_uid != event.object->uid;
    if (stream.postponed.empty()) {
        stream.postpone(std::move(line), event.object->uid);
    } else if (swaps) {
        stream.add(line + std::exchange(stream.postponed, {}));
    } else {
        stream.add(std::exchange(stream.postponed, {}) + line);
    }
}

void Server::replay(std::size_t changes) {
    const auto from = told_.size() - std::min(changes, told_.size());
    for (const auto& stream : streams_) {
        for (auto at = from; stream->watch && at < told_.size(); ++at) {
            stream->add(stream->watch->line(told_[at]));
        }
    }
}

void Server::cut_streams(bool within_a_line) {
    for (const auto& stream : streams_) {
        stream->cut = true;
        stream->cut_within_a_line = within_a_line;
        stream->wake.cancel();
    }
}

void Server::end_streams() {
    for (const auto& stream : streams_) {
        stream->over = true;
        stream->wake.cancel();
    }
}

void Server::expire_watches() {
    const auto line =
        "{\"type\":\"ERROR\",\"object\":" + boost::json::serialize(expired("watch").to_json()) +
        "}\n";
    for (const auto& stream : streams_) {
        if (stream->watch) {
            stream->add(line);
            stream->over = true;
        }
    }
}

void Server::send_bookmarks() {
    for (const auto& stream : streams_) {
        if (stream->watch && stream->watch->bookmarks) {
            stream->add(stream->watch->bookmark(store_.version()));
        }
    }
}

void Server::speak() {
    silent = false;
    for (const auto& stream : streams_) {
        stream->wake.cancel();
    }
}

std::size_t Server::requests(const std::string& method, const std::string& path) const {
    const auto matches = [&](const std::string& line) {
        return line.starts_with(method) && line.find(path) != std::string::npos;
    };
    return static_cast<std::size_t>(std::count_if(request_log.begin(), request_log.end(), matches));
}

}  // namespace sparkhost::test::k8s
