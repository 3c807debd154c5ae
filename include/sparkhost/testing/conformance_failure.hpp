// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTING_CONFORMANCE_FAILURE_HPP
#define SPARKHOST_TESTING_CONFORMANCE_FAILURE_HPP

#include <stdexcept>

namespace sparkhost::testing {

/// What a plug-in did differently from its interface: the text says what and where.
class ConformanceFailure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

}  // namespace sparkhost::testing

#endif
