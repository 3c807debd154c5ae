// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_LOGGING_HPP
#define SPARKHOST_EXAMPLES_SERVER_LOGGING_HPP

#include <sparkhost/log.hpp>

#include <string>

namespace server {

/// Writes what the library has to tell to stderr, while it lives. Never holds the caller up:
/// when stderr is not read, the oldest waiting lines are dropped.
class Logging {
public:
    /// `level`: debug, info, warning, error, off.
    explicit Logging(const std::string& level);
    ~Logging();  ///< writes what is waiting
    Logging(const Logging&) = delete;
    Logging& operator=(const Logging&) = delete;

    sparkhost::LogSink sink() const;
};

}  // namespace server

#endif
