// SPDX-License-Identifier: Apache-2.0
#include "http/places.hpp"

#include <exception>
#include <utility>

namespace sparkhost::detail::http {

namespace {

/// More servers than are asked at the same time.
constexpr std::size_t most_clients = 256;

}  // namespace

Places::Places(boost::asio::any_io_executor executor, const ClientOptions& options,
               const std::vector<std::string>& urls) {
    for (const auto& url : urls) {
        ClientOptions its = options;
        its.url = url;
        places_.push_back({url, std::make_shared<Client>(executor, std::move(its))});
    }
}

const Place* Round::next() {
    if (asked_ == places_->size()) {
        return nullptr;
    }
    last_ = (first_ + asked_) % places_->size();
    ++asked_;
    return &places_->at(last_);
}

void Round::was_wrong(std::string_view why) {
    words_ += (words_.empty() ? "" : "; ") + places_->at(last_).url + ": ";
    words_ += why;
}

Result<std::shared_ptr<Client>> ClientTable::at(const std::string& url) {
    if (const auto found = clients_.find(url); found != clients_.end()) {
        return found->second;
    }
    if (clients_.size() >= most_clients) {
        clients_.clear();  // who still asks one keeps it
    }
    ClientOptions its = options_;
    its.url = url;
    try {
        auto made = std::make_shared<Client>(executor_, std::move(its));
        clients_.emplace(url, made);
        return made;
    } catch (const std::exception& failure) {
        return Error(Errc::backend_failed, url + ": " + failure.what());
    }
}

}  // namespace sparkhost::detail::http
