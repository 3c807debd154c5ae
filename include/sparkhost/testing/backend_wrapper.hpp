// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTING_BACKEND_WRAPPER_HPP
#define SPARKHOST_TESTING_BACKEND_WRAPPER_HPP

#include <sparkhost/backend.hpp>

#include <memory>
#include <stdexcept>
#include <utility>

namespace sparkhost::testing {

/// A backend that hands every call to another one: derive from it and override what differs.
/// Objects: the wrapper must outlive the operations it started, as every Backend.
class BackendWrapper : public Backend {
public:
    explicit BackendWrapper(std::shared_ptr<Backend> inner) : inner_(std::move(inner)) {
        if (!inner_) {
            throw std::invalid_argument("inner: must not be null");
        }
    }

    Traits traits() const override { return inner_->traits(); }
    Awaitable<void> open(BackendContext context) override {
        return inner_->open(std::move(context));
    }
    Awaitable<Ticket> reserve(SubmitRequest request) override {
        return inner_->reserve(std::move(request));
    }
    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override {
        return inner_->submit(std::move(request), std::move(ticket));
    }
    Awaitable<void> watch(std::shared_ptr<EventSink> sink) override {
        return inner_->watch(std::move(sink));
    }
    Awaitable<void> kill(Ticket ticket) override { return inner_->kill(std::move(ticket)); }
    Awaitable<void> release(ReleaseRequest request) override {
        return inner_->release(std::move(request));
    }
    Awaitable<LogPage> read_log(LogRequest request) override {
        return inner_->read_log(std::move(request));
    }

    Backend& inner() noexcept { return *inner_; }

protected:
    std::shared_ptr<Backend> inner_;
};

}  // namespace sparkhost::testing

#endif
