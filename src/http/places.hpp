// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_HTTP_PLACES_HPP
#define SPARKHOST_SRC_HTTP_PLACES_HPP

// Clients for more than one server.

#include "http/client.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::http {

/// A server of several.
struct Place {
    std::string url{};
    std::shared_ptr<Client> client{};
};

/// Servers of which one at a time is the right one to ask (masters, managers); it may change. For
/// one strand.
class Places {
public:
    /// `options`: but for the URL. Throws std::invalid_argument: a URL is wrong.
    Places(boost::asio::any_io_executor executor, const ClientOptions& options,
           const std::vector<std::string>& urls);

    std::size_t size() const { return places_.size(); }
    /// In the order in which they were given.
    const Place& at(std::size_t which) const { return places_[which]; }
    /// The one that was right last: it is asked first.
    std::size_t first() const { return right_; }
    void was_right(std::size_t which) { right_ = which; }

private:
    std::vector<Place> places_{};
    std::size_t right_{0};
};

/// Asks one place after the other, each once, and gathers why it was not the right one.
class Round {
public:
    explicit Round(std::shared_ptr<Places> places)
        : places_(std::move(places)), first_(places_->first()) {}

    /// Nothing: all have been asked.
    const Place* next();
    /// Why the last one was not right.
    void was_wrong(std::string_view why);
    void was_right() { places_->was_right(last_); }
    /// "URL: why; URL: why".
    const std::string& words() const { return words_; }

private:
    std::shared_ptr<Places> places_;
    std::size_t first_;
    std::size_t asked_{0};
    std::size_t last_{0};
    std::string words_{};
};

/// A client for each server that turns up (the nodes of a cluster). For one strand.
class ClientTable {
public:
    /// `options`: but for the URL.
    ClientTable(boost::asio::any_io_executor executor, ClientOptions options)
        : executor_(std::move(executor)), options_(std::move(options)) {}

    /// Errors: backend_failed – the URL is none; `detail` names it.
    Result<std::shared_ptr<Client>> at(const std::string& url);

private:
    boost::asio::any_io_executor executor_;
    ClientOptions options_;
    std::map<std::string, std::shared_ptr<Client>> clients_{};
};

}  // namespace sparkhost::detail::http

#endif
