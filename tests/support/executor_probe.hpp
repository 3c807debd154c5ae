// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_EXECUTOR_PROBE_HPP
#define SPARKHOST_TESTS_SUPPORT_EXECUTOR_PROBE_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/strand.hpp>

#include <utility>

namespace sparkhost::test {

/// An executor that knows whether code runs on it. Spawn a caller on executor() and ask
/// is_here() after each co_await: results have to come back to where they were awaited.
class ExecutorProbe {
public:
    explicit ExecutorProbe(boost::asio::any_io_executor inner)
        : strand_(boost::asio::make_strand(std::move(inner))) {}

    boost::asio::any_io_executor executor() const { return strand_; }
    bool is_here() const { return strand_.running_in_this_thread(); }

private:
    boost::asio::strand<boost::asio::any_io_executor> strand_;
};

}  // namespace sparkhost::test

#endif
