// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_BENCHMARKS_SUPPORT_BARE_HPP
#define SPARKHOST_BENCHMARKS_SUPPORT_BARE_HPP

#include "support/report.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <string>
#include <thread>

namespace sparkhost::bench {

/// The baseline for HTTP: a Beast loop that answers every request with the same bytes.
class BareServer {
public:
    BareServer(unsigned status, std::string body);
    ~BareServer();
    std::uint16_t port() const { return port_; }

private:
    boost::asio::io_context io_{1};
    std::uint16_t port_{0};
    std::thread thread_;
};

/// The baseline for the disk: what one 4 KiB write with fdatasync costs in this folder.
Samples measure_fsync(const std::string& folder, int rounds);

/// The baseline for storage: one row per transaction, one after the other, in a bare SQLite file
/// (WAL, synchronous=FULL). Rows per second.
double measure_bare_sqlite(const std::string& folder, int rounds);

}  // namespace sparkhost::bench

#endif
