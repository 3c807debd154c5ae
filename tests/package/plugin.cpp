// SPDX-License-Identifier: Apache-2.0
// A plug-in is written, linked and tried with sparkhost::headers and nothing else.
#include "finished_at_once.hpp"

#include <sparkhost/error.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <memory>

namespace {

boost::asio::awaitable<void> try_it(std::unique_ptr<sparkhost::Backend> backend, bool& good) {
    sparkhost::SubmitRequest request{.subject = "batch-0"};
    auto refused = co_await backend->reserve(request);
    request.spec.file = "/jobs/report.py";
    auto ticket = co_await backend->reserve(request);
    sparkhost::LogRequest log;
    auto unread = co_await backend->read_log(std::move(log));
    good = refused.has_error() && refused.error().text() == "file: is needed" && ticket &&
           ticket->id == "batch-0" && unread.has_error() &&
           unread.error().is(sparkhost::Errc::not_supported);
}

}  // namespace

int main() {
    boost::asio::io_context io;
    bool good = false;
    boost::asio::co_spawn(io, try_it(std::make_unique<FinishedAtOnce>(), good),
                          boost::asio::detached);
    io.run();
    std::puts(good ? "the plug-in works" : "the plug-in does not work");
    return good ? 0 : 1;
}
