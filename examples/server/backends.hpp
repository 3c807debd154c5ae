// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_BACKENDS_HPP
#define SPARKHOST_EXAMPLES_SERVER_BACKENDS_HPP

#include "config.hpp"

#include <sparkhost/backend.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <vector>

namespace server {

/// All that the configuration names, the default one first.
std::vector<std::unique_ptr<sparkhost::Backend>> make_backends(
    const boost::asio::any_io_executor& executor, const Config& config);

}  // namespace server

#endif
